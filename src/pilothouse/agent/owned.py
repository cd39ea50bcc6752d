"""One thing of this node: its driver on its lane, its latest readings, its health."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from random import Random
from typing import Any, NamedTuple, Protocol

import msgspec

from pilothouse.agent.alarm import Alarm
from pilothouse.agent.build import Built
from pilothouse.agent.driving import Driving, Opened
from pilothouse.agent.lane import By, CallFailed, Done, Lane, LaneHung, NoAnswer, NotAsked, OnLate
from pilothouse.agent.report import Reported, is_due
from pilothouse.agent.retry import BackOff, Said
from pilothouse.agent.sense import Sensed
from pilothouse.agent.words import in_words
from pilothouse.clock import Clock
from pilothouse.errors import PilothouseError
from pilothouse.model import Health, PropertyState, Quality, Reading, ThingDescription, Value
from pilothouse.model.affordances import SafeWhen
from pilothouse.model.sameness import differs, shows

log = logging.getLogger(__name__)

OPEN_ALLOWED = 10.0
"""Seconds that opening may take: a board that resets when its port is opened needs some."""
WRITE_ALLOWED = 5.0
"""Seconds that a write and its readback may take."""
READ_ALLOWED = 2.0
"""Seconds that a read may take at least; twice its period when that is longer, but never over a minute."""


class Out(Protocol):
    """Where a thing's news go."""

    def reading(self, reading: Reading) -> None:
        """A reading is to be sent."""

    def changed(self, thing: str, *, at_once: bool = False) -> None:
        """The thing's state is not what was last said of it."""

    def described(self, thing: str) -> None:
        """The thing's description changed, and with it what is to be polled."""


_NOTHING_ASKED: dict[str, Any] = {
    "wish": None,
    "wish_time": 0,
    "wish_id": "",
    "accepted": None,
    "accepted_time": 0,
    "differs_since": 0,
}
"""What a thing knows of commands when there were none."""

OnReading = Callable[[str, PropertyState, int], None]
"""Hears of every reading: the property, its state with that reading, and when, by the monotonic clock."""


OnOpened = Callable[[Opened, Done], None]


class _Held(NamedTuple):
    """What is known of one property."""

    state: PropertyState
    reported: Reported | None = None
    number: int = 0
    """The lane's number of the call that read it."""
    nonsense: str = ""
    settled: int = 0
    """Monotonic time from which on it must show what the device took."""


class Owned:
    """See the module's text. Lives on the event loop; only `driving` goes to the lane."""

    def __init__(self, built: Built, node: str, lane: Lane, out: Out, clock: Clock, random: Random) -> None:
        self.driving = Driving(built, node)
        self.name = built.thing.name
        self.thing = built.thing
        self.lane = lane
        self.description: ThingDescription = self.driving.described_by_class()
        self.health = Health(ok=False, error="it is being opened", since=clock.now())
        self.working = False
        """Whether the device is open and answers; only then is it polled."""
        self.opened = asyncio.Event()
        """Set when the first try to open it is over, well or not."""
        self.on_reading: list[OnReading] = []
        self.on_opened: list[OnOpened] = []
        """Hear of every opening that went well, before its readings are taken."""
        self._held = {name: _Held(PropertyState()) for name in self.description.properties}
        self._out = out
        self._clock = clock
        self._back_off = BackOff(random)
        self._said = Said()
        self._retry = Alarm(clock)
        self._retry_at: int | None = clock.mono()
        self._polling: asyncio.Task[None] | None = None
        self._wanted: set[str] = set()
        lane.on_free.append(self._freed)

    # what is known

    def states(self) -> dict[str, PropertyState]:
        """The latest of all properties."""
        return {name: held.state for name, held in self._held.items()}

    def value(self, name: str) -> PropertyState:
        """The latest of one property."""
        return self._held[name].state

    def wish(self, name: str, wish: Value, wish_id: str) -> PropertyState | None:
        """Note what was asked for and accepted; gives the state before, to be put back if it is never done."""
        held = self._held.get(name)
        if held is None:
            return None
        self._set_wish(name, wish, self._clock.now(), wish_id)
        return held.state

    def unwish(self, name: str, before: PropertyState | None, wish_id: str) -> None:
        """Put the wish before back, unless another has come since."""
        held = self._held.get(name)
        if before is not None and held is not None and held.state.wish_id == wish_id:
            self._set_wish(name, before.wish, before.wish_time, before.wish_id)

    def accept(self, name: str, value: Value, done: Done) -> None:
        """Note what the device took in call `done`; from its time to settle on, a reading must show it."""
        held = self._held.get(name)
        if held is None:
            return
        settled = done.mono + round(self.description.properties[name].settle * 1000)
        state = msgspec.structs.replace(held.state, accepted=value, accepted_time=done.time, differs_since=0)
        self._held[name] = held._replace(state=state, settled=settled)
        self._out.changed(self.name, at_once=True)

    def may_be_on(self, name: str) -> bool:
        """Whether this output is not at its safe value, as far as anybody knows."""
        described = self.description.properties.get(name)
        if described is None or not (described.writable and described.has_safe):
            return False
        state = self._held[name].state
        return state.time == 0 or state.quality is Quality.BAD or not shows(state.value, described.safe, described)

    def safe_at(self, when: SafeWhen) -> list[str]:
        """Outputs that take their safe value then."""
        properties = self.description.properties
        return [name for name, one in properties.items() if one.writable and one.has_safe and when in one.safe_when]

    def wants_on(self, name: str) -> bool:
        """Whether what was last asked of this output is not its safe value."""
        state = self._held[name].state
        return state.wish_time != 0 and differs(state.wish, self.description.properties[name].safe)

    def tell(self) -> None:
        """Have its state said again: something that others know of it has changed."""
        self._out.changed(self.name, at_once=True)

    def _set_wish(self, name: str, wish: Value, time: int, wish_id: str) -> None:
        held = self._held[name]
        state = msgspec.structs.replace(held.state, wish=wish, wish_time=time, wish_id=wish_id)
        self._held[name] = held._replace(state=state)
        self._out.changed(self.name, at_once=True)

    # life

    async def keep(self) -> None:
        """Open the device, and open it again after each failure; for ever."""
        while True:
            await self._retry.wait(self._retry_at)
            if self._retry_at is not None and self._clock.mono() >= self._retry_at:
                described = self.description
                await self._open()
                first = not self.opened.is_set()
                self.opened.set()
                if first or self.description != described:
                    self._out.described(self.name)
                self._out.changed(self.name, at_once=True)

    async def _open(self) -> None:
        try:
            done = await self.lane.call(self.driving.open, thing=self.name, label="opening it", allowed=OPEN_ALLOWED)
        except (CallFailed, NoAnswer, NotAsked) as error:
            self.fail(error)
            return
        opened: Opened = done.result
        self._describe(opened.description)
        self.working = True
        self._retry_at = None
        self._back_off.reset()
        for tell in self.on_opened:
            tell(opened, done)
        self.take(opened.values, done)

    def _describe(self, description: ThingDescription) -> None:
        self.description = description
        empty = _Held(PropertyState())
        self._held = {name: self._held.get(name, empty) for name in description.properties}

    def _freed(self) -> None:
        """The lane's hung call has come back: try again now, whatever the back-off says."""
        if not self.working:
            self._retry_at = self._clock.mono()
            self._retry.ring()

    async def stop(self, *, allowed: float) -> str:
        """Put outputs to their safe values, read them once more, and close; gives what went wrong, in words."""
        if self._polling is not None:
            self._polling.cancel()
        self.working = False
        try:
            done = await self.lane.call(
                self.driving.stop, thing=self.name, label="making it safe", allowed=allowed, urgent=True
            )
        except NotAsked as error:
            return f"{self.name} could not be made safe: {error}"
        except (CallFailed, NoAnswer) as error:
            return f"{self.name} may not be safe: {error}"
        values, mistakes = done.result
        for name, held in self._held.items():
            state = msgspec.structs.replace(held.state, **_NOTHING_ASKED)
            self._held[name] = held._replace(state=state)
        self._take_values(values, done)
        self._out.changed(self.name, at_once=True)
        return f"{self.name} may not be safe: {mistakes}" if mistakes else ""

    # up

    def poll(self, names: Collection[str]) -> bool:
        """Read these properties now, unless a poll is under way; whether it was begun."""
        if not self.working or self._polling is not None:
            return False
        self._polling = asyncio.create_task(self._poll(names))
        return True

    def poll_after(self, names: Collection[str] = ()) -> None:
        """Read these properties (none = all) after whatever is under way; askings that wait become one."""
        self._wanted.update(names or self.description.properties)
        if self._polling is None:
            self._poll_wanted()

    def _poll_wanted(self) -> None:
        names, self._wanted = self._wanted & self.description.properties.keys(), set()
        if names:
            self.poll(names)

    async def _poll(self, names: Collection[str]) -> None:
        try:
            done = await self.lane.call(
                lambda: self.driving.read(names),
                thing=self.name,
                label="reading it",
                allowed=self._read_allowed(names),
            )
            self.take(done.result, done)
        except (CallFailed, NoAnswer, LaneHung) as error:
            self.fail(error)
        except NotAsked:
            pass  # full or stopping: the next poll comes by itself, or none is wanted
        finally:
            self._polling = None
        if self._wanted:
            self._poll_wanted()

    def _read_allowed(self, names: Collection[str]) -> float:
        properties = self.description.properties
        every = min((properties[name].every for name in names if name in properties), default=1.0)
        return min(max(READ_ALLOWED, 2 * every), 60.0)

    def take(self, values: Mapping[str, Sensed], done: Done) -> None:
        """Readings came from the driver, in call `done`; older ones than known are dropped."""
        self._take_values(values, done)
        nonsense = next((held.nonsense for held in self._held.values() if held.nonsense), "")
        if nonsense:
            self._unwell(nonsense, retry_at=0)
        elif self.working and not self.health.ok:
            if self._said.well(self._clock.mono()):
                log.info("%s answers again", self.name)
            self.health = Health(ok=True, since=self._clock.now())
            self._out.changed(self.name, at_once=True)

    def _take_values(self, values: Mapping[str, Sensed], done: Done) -> None:
        for name, sensed in values.items():
            held = self._held.get(name)
            if held is not None and done.number >= held.number:
                self._store(name, sensed, time=done.time, mono=done.mono, number=done.number)

    def _store(self, name: str, sensed: Sensed, *, time: int, mono: int, number: int) -> None:
        held = self._held[name]
        differs = self._differs_since(name, sensed, time=time, mono=mono)
        if differs != held.state.differs_since:
            self._out.changed(self.name, at_once=True)
        state = msgspec.structs.replace(
            held.state, value=sensed.value, time=time, quality=sensed.quality, differs_since=differs
        )
        reported = held.reported
        if is_due(reported, sensed.value, sensed.quality, mono, self.description.properties[name]):
            reported = Reported(sensed.value, sensed.quality, mono)
            self._out.reading(Reading(self.name, name, time, sensed.value, sensed.quality))
            self._out.changed(self.name)
        self._held[name] = held._replace(state=state, reported=reported, number=number, nonsense=sensed.error)
        for tell in self.on_reading:
            tell(name, state, mono)

    def _differs_since(self, name: str, sensed: Sensed, *, time: int, mono: int) -> int:
        """Since when the reading has shown something else than the device took; 0 = it does not, or nobody can say."""
        held = self._held[name]
        if not held.state.accepted_time or sensed.quality is Quality.BAD:
            return 0
        if shows(sensed.value, held.state.accepted, self.description.properties[name]):
            return 0
        return held.state.differs_since or (time if mono >= held.settled else 0)

    # failing

    def fail(self, error: PilothouseError) -> None:
        """The device or its driver failed: say so, mark its readings bad once, and try again later."""
        cause = error.cause if isinstance(error, CallFailed) else error
        text = in_words(cause) if isinstance(error, CallFailed) else str(error).rstrip(".")
        self.working = False
        wait = self._back_off.next()
        self._retry_at = self._clock.mono() + round(wait * 1000)
        bad = Sensed(None, Quality.BAD)
        time, mono = self._clock.now(), self._clock.mono()
        for name, held in self._held.items():
            if held.state.quality is not Quality.BAD or held.reported is None:
                self._store(name, bad, time=time, mono=mono, number=held.number)
        self._unwell(text, retry_at=time + round(wait * 1000))
        self._retry.ring()

    def _unwell(self, text: str, *, retry_at: int) -> None:
        if self.health.ok:
            self._said.unwell(self._clock.mono())
        since = self._clock.now() if self.health.ok or not self.opened.is_set() else self.health.since
        health = Health(ok=False, error=text, since=since, retry_at=retry_at)
        if health != self.health:
            self.health = health
            self._out.changed(self.name, at_once=True)
        if self._said.is_new(text):
            more = "; its further errors are not logged" if self._said.full else ""
            log.warning("%s: %s%s", self.name, text, more)

    # down; raises what Lane.call does

    async def write(self, by: By, value: Any, *, deadline: int, on_late: OnLate) -> Done:
        """Write a property and read it back, in one go on the lane; the result is a Written."""
        return await self.lane.call(
            lambda: self.driving.write(by.name, value),
            thing=self.name,
            label=f"writing {by.name}",
            allowed=WRITE_ALLOWED,
            deadline=deadline,
            on_late=on_late,
            by=by,
        )

    async def go_safe(self, names: Collection[str], *, on_late: OnLate) -> Done:
        """Write safe values and read them back, before all that waits on the lane; the result is a MadeSafe."""
        return await self.lane.call(
            lambda: self.driving.make_safe(names),
            thing=self.name,
            label="making it safe",
            allowed=WRITE_ALLOWED,
            on_late=on_late,
            urgent=True,
        )

    async def read_back(self, name: str) -> Done:
        """Read a property once more after a write; the result maps it to a Sensed."""
        return await self.lane.call(
            lambda: self.driving.read((name,)), thing=self.name, label=f"reading {name} back", allowed=READ_ALLOWED
        )

    async def act(self, by: By, arguments: Mapping[str, Any], *, deadline: int, on_late: OnLate) -> Done:
        """Call an action; the result is what it returned, as a Sensed."""
        return await self.lane.call(
            lambda: self.driving.act(by.name, arguments),
            thing=self.name,
            label=f"action {by.name}",
            allowed=self.description.actions[by.name].timeout,
            deadline=deadline,
            on_late=on_late,
            by=by,
        )
