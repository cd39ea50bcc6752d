"""What is done with a driver on its lane; everything here blocks and runs on the lane's thread.

Nothing of the driver's leaves this file as it is: readings are turned into plain values here, so that what a driver
returns can neither stop the event loop nor be changed by the driver afterwards.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import msgspec

from pilothouse.agent.build import Built
from pilothouse.agent.overrides import describe
from pilothouse.agent.sense import Sensed, plain_value, sense
from pilothouse.agent.words import in_words
from pilothouse.errors import BadValue, PilothouseError
from pilothouse.model import PropertyDescription, Quality, ThingDescription, Value
from pilothouse.model.affordances import SafeWhen
from pilothouse.model.types import short

log = logging.getLogger(__name__)


class NotOpen(PilothouseError):
    """The device is not open, so it was not asked."""


class NotSafe(PilothouseError):
    """A safe value could not be written."""


class Written(NamedTuple):
    """A property that was written; the readback, or why there is none."""

    values: dict[str, Sensed]
    error: str = ""


class MadeSafe(NamedTuple):
    """Outputs that were told to take their safe values."""

    names: tuple[str, ...]
    """All of them, also those of which it failed."""
    values: dict[str, Sensed]
    """Their readback; empty when there is none."""
    failed: dict[str, str]
    """Outputs whose safe value could not be written, and why."""
    unread: str = ""
    """Why there is no readback; "" = there is."""

    @property
    def mistakes(self) -> str:
        """What went wrong, in words; "" = nothing."""
        unread = f"they could not be read back: {self.unread}" if self.unread else ""
        return "; ".join(text for text in (_listed(self.failed), unread) if text)


class Opened(NamedTuple):
    """A device that was opened."""

    description: ThingDescription
    values: dict[str, Sensed]
    made: MadeSafe | None = None
    """What was made safe in doing so; they may have been on before."""


class Driving:
    """One driver; see the module's text."""

    def __init__(self, built: Built, node: str) -> None:
        self.stopped: Callable[[], bool] = _nobody_stops
        """Whether a stop is pressed; then opening the device makes all its outputs safe."""
        self._thing = built.thing
        self._config = built.config
        self._around = built.around
        self._node = node
        self._open = False
        self._touched = False
        self._safe = False
        self._properties: Mapping[str, PropertyDescription] = built.thing.declared_properties
        self._odd: set[str] = set()

    def described_by_class(self) -> ThingDescription:
        """The description as far as it is known without the device."""
        return self._describe(self._thing.declared_properties)

    def _describe(self, found: Mapping[str, PropertyDescription]) -> ThingDescription:
        return describe(self._thing, self._node, self._config, found, self._around)

    def open(self) -> Opened:
        """Open the device, make safe what is to be so at the start if this run has not yet, and read all of it."""
        self._close()
        self._touched = True
        self._thing.open()
        description = self._describe(dict(self._thing.properties()))
        self._properties = description.properties
        for name in self._config.properties.keys() - self._properties.keys():
            self._say_odd(f"the configuration names property {name}, which it does not have")
        self._open = True
        # Before anything is read, for a read may hang.
        outputs = self._outputs() if self.stopped() else [] if self._safe else self._outputs("start")
        self._be_safe(outputs)
        self._safe = True
        values = self.read(self._properties)
        made = MadeSafe(tuple(outputs), {name: values[name] for name in outputs if name in values}, {})
        return Opened(description, values, made if outputs else None)

    def read(self, names: Collection[str]) -> dict[str, Sensed]:
        """Read these properties; names that the driver leaves out are left out."""
        wanted = [name for name in names if name in self._properties]
        answer = self._thing.read(wanted) if wanted else {}
        if not isinstance(answer, Mapping):
            raise BadValue(f"the driver returned {short(answer)} where values by name were asked for")
        raw = dict(answer)
        for name in raw.keys() - self._properties.keys():
            self._say_odd(f"the driver returned {short(name)}, which is no property of it")
        types = self._thing.property_types
        return {n: sense(raw[n], self._properties[n], types.get(n)) for n in wanted if n in raw}

    def write(self, name: str, value: Any) -> Written:
        """Write one property, and read it back right after, with nothing in between."""
        if not self._open:
            raise NotOpen("the device is not open")
        self._thing.write(name, value)
        try:
            values = self.read((name,))
        except Exception as error:  # noqa: BLE001 - edge: the write is done, and that must not get lost
            return Written({}, in_words(error))
        return Written(values, "" if name in values else "the driver gives no readback")

    def act(self, name: str, arguments: Mapping[str, Any]) -> Sensed:
        """Call an action; an output that is none is told in the Sensed."""
        if not self._open:
            raise NotOpen("the device is not open")
        result = getattr(self._thing, name)(**arguments)
        try:
            return Sensed(plain_value(result), Quality.GOOD)
        except BadValue as error:
            return Sensed(None, Quality.BAD, str(error).rstrip("."))

    def make_safe(self, names: Collection[str] | None = None) -> MadeSafe:
        """Write the safe values of these outputs (None = of all that have one), then read them back.

        Goes on after failures. Raises NotOpen.
        """
        if not self._open:
            raise NotOpen("the device is not open")
        outputs = [name for name in self._outputs() if names is None or name in names]
        failed = self._write_safe(outputs)
        try:
            return MadeSafe(tuple(outputs), self.read(outputs), failed)
        except Exception as error:  # noqa: BLE001 - edge: what was written is written, and that must not get lost
            return MadeSafe(tuple(outputs), {}, failed, in_words(error))

    def stop(self) -> tuple[dict[str, Sensed], str]:
        """Safe values, a last reading, close; gives the reading and what went wrong with the safe values."""
        outputs = self._outputs() if self.stopped() else self._outputs("end")
        mistakes = _listed(self._write_safe(outputs)) if self._open else self._why_not_open(outputs)
        values: dict[str, Sensed] = {}
        if self._open:
            try:
                values = self.read(self._properties)
            except Exception as error:  # noqa: BLE001 - edge: the device must be closed all the same
                mistakes = mistakes or f"its outputs could not be read back: {in_words(error)}"
        self._close()
        return values, mistakes

    def _why_not_open(self, outputs: Collection[str]) -> str:
        return "it is not open, so its safe values could not be written" if outputs else ""

    def _outputs(self, when: SafeWhen | None = None) -> list[str]:
        """The outputs that have a safe value; only those that take it `when`, if given."""
        return [
            name
            for name, described in self._properties.items()
            if described.writable and described.has_safe and (when is None or when in described.safe_when)
        ]

    def _be_safe(self, outputs: Collection[str]) -> None:
        """Raises NotSafe when a safe value could not be written."""
        failed = self._write_safe(outputs)
        if failed:
            self._open = False
            raise NotSafe(f"safe values could not be written: {_listed(failed)}")

    def _write_safe(self, outputs: Collection[str]) -> dict[str, str]:
        """Write their safe values, going on after failures; gives what went wrong, by output."""
        failed = {}
        for name in outputs:
            try:
                self._thing.write(name, self._as_type(name, self._properties[name].safe))
            except Exception as error:  # noqa: BLE001 - edge: the other outputs must be made safe all the same
                failed[name] = in_words(error)
        return failed

    def _as_type(self, name: str, value: Value) -> Any:
        kind = self._thing.property_types.get(name)
        return value if kind is None else msgspec.convert(value, kind, strict=True)

    def _close(self) -> None:
        self._open = False
        if not self._touched:
            return
        try:
            self._thing.close()
        except Exception as error:  # noqa: BLE001 - edge: a driver that cannot close must not keep us from opening anew
            self._say_odd(f"closing it raised {in_words(error)}")

    def _say_odd(self, text: str) -> None:
        """Log an oddity once; it harms nothing, but somebody will wonder."""
        if text not in self._odd and len(self._odd) < 32:
            self._odd.add(text)
            log.warning("%s: %s", self._thing.name, text)


def _nobody_stops() -> bool:
    """Before the agent says who knows of stops."""
    return False


def _listed(failed: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in failed.items())
