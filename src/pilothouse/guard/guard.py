"""The guard of one node: whether a command may pass, and what must go safe. Pure: it is told everything, also the time.

`bar` and `reserve` belong together without a pause between: whatever was let through counts from that moment on, long
before the device shows it, so that two clients can never switch on two things that must not be on together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from math import prod
from typing import NamedTuple

from pilothouse.guard import rules
from pilothouse.guard.expression import Expression, Known, Lookup, Ref, Verdict, evaluate
from pilothouse.guard.held import Held
from pilothouse.guard.output import Group, Output
from pilothouse.guard.rules import Barred
from pilothouse.guard.words import lasting
from pilothouse.model import Value
from pilothouse.model.sameness import is_number

_MOST_WORLDS = 32
"""Combinations of values on their way that are looked at for one condition; with more, they count as not known."""


class Breach(NamedTuple):
    """An output that is on, or may be, and must go safe now."""

    key: str
    origin: str
    """Which rule: "interlock", "exclusive", "max-on"."""
    reason: str


class Guard:
    """See the module's text. Outputs and actions go by their keys, `thing.name`."""

    def __init__(
        self,
        outputs: Mapping[str, Output],
        actions: Mapping[str, tuple[Expression, ...]],
        lookup: Lookup,
        mono: int,
    ) -> None:
        self.refs: frozenset[Ref] = frozenset()
        """All readings that conditions ask for."""
        self._lookup = lookup
        self._outputs: dict[str, Output] = {}
        self._actions: dict[str, tuple[Expression, ...]] = {}
        self._held: dict[str, Held] = {}
        self._groups: tuple[Group, ...] = ()
        self.describe(outputs, actions, mono)

    def describe(self, outputs: Mapping[str, Output], actions: Mapping[str, tuple[Expression, ...]], mono: int) -> None:
        """Take new or changed rules of these keys; what is known of the outputs' state stays."""
        self._outputs.update(outputs)
        self._actions.update(actions)
        for key in outputs:
            self._held.setdefault(key, Held(mono))
        conditions = [output.interlocks for output in self._outputs.values()] + [*self._actions.values()]
        self.refs = frozenset(ref for some in conditions for one in some for ref in one.refs)
        self._groups = tuple(dict.fromkeys(group for output in self._outputs.values() for group in output.groups))

    # before a command

    def bar(self, key: str, value: Value, mono: int) -> Barred | None:
        """Why a write may not pass now; None = it may. The safe value always may."""
        output = self._outputs.get(key)
        if output is None or output.is_safe(value):
            return None
        held = self._held[key]
        return self._bar(output, held, (value,), mono) or rules.slew(output, held, value, mono)

    def bar_action(self, key: str, mono: int) -> Barred | None:
        """Why an action may not be called now; None = it may."""
        for condition in self._actions.get(key, ()):
            barred = rules.interlock(key, condition, self._verdict(condition))
            if barred:
                return barred
        return None

    def bars(self, mono: int) -> dict[str, Barred]:
        """Why outputs may not leave their safe values now, and actions not be called; those that may are left out."""
        found = {key: self.bar_action(key, mono) for key in self._actions}
        for key, output in self._outputs.items():
            if output.has_safe:
                safe = output.described.safe
                leaving = (not safe,) if isinstance(safe, bool) else ()
                found[key] = self._bar(output, self._held[key], leaving, mono)
        return {key: barred for key, barred in found.items() if barred}

    def _bar(self, output: Output, held: Held, values: tuple[Value, ...], mono: int) -> Barred | None:
        """What stands against any value but the safe one; conditions that ask for the output itself see `values`."""
        if not output.has_safe:
            return None
        for condition in output.interlocks:
            barred = rules.interlock(output.key, condition, self._verdict(condition, output.ref, values))
            if barred:
                return barred
        for group in output.groups:
            barred = rules.exclusive(output.key, group, self._state)
            if barred:
                return barred
        return rules.min_off(output, held, mono)

    # what happens

    def reserve(self, key: str, value: Value, id: str, mono: int) -> None:
        """A write is let through; from now on it counts."""
        if key in self._outputs:
            self._held[key].reserve(self._outputs[key], value, id, mono)

    def accepted(self, key: str, id: str, mono: int) -> None:
        """The device has taken the write."""
        if key in self._outputs:
            self._held[key].accepted(self._outputs[key], id, mono)

    def release(self, key: str, id: str, mono: int, *, asked: bool) -> None:
        """The write is over. `asked` = False: the device was surely never asked, and it is as if it had not come."""
        if key in self._outputs:
            self._held[key].release(self._outputs[key], id, mono, asked=asked)

    def seen(self, key: str, value: Value, mono: int) -> None:
        """A reading of the output; None = it is bad, stale or missing."""
        if key in self._outputs:
            self._held[key].seen(self._outputs[key], value, mono)

    # what must be done

    def is_on(self, key: str) -> bool:
        """Whether an output is or may be on."""
        found = self._state(key)
        return found is not None and found[1].may_be_on(found[0])

    def breaches(self, mono: int) -> list[Breach]:
        """Outputs that must go safe now.

        Each is told once, and again with growing pauses while readings go on to show it on.
        """
        # All are looked at before any is told: one that is on its way back is still on for the others of its group.
        found = [breach for key in self._outputs if (breach := self._breach(key, mono))]
        for breach in found:
            self._held[breach.key].tell(mono)
        return found

    def next_look(self, mono: int) -> int | None:
        """When time alone may change what `breaches` or `bars` say; None = it will not."""
        found = list(self._times())
        for ref in self.refs:
            known = self._lookup(ref)
            if isinstance(known, Known) and known.until > mono:
                found.append(known.until)
        untold = [
            due
            for key, held in self._held.items()
            if held.told is None and (due := rules.on_until(self._outputs[key], held)) is not None
        ]
        return min([time for time in found if time > mono] + [max(due, mono) for due in untold], default=None)

    def _times(self) -> Iterator[int]:
        for key, held in self._held.items():
            output = self._outputs[key]
            if output.has_safe and held.on_since is None:
                yield rules.off_until(output, held)
            again = held.told_again_at(output)
            if again is not None:
                yield again

    def _breach(self, key: str, mono: int) -> Breach | None:
        output, held = self._outputs[key], self._held[key]
        on = held.breakable(output)
        unread = output.has_safe and held.ever and not held.known
        if not (on or unread) or not held.is_to_be_told(output, mono):
            return None
        for condition in output.interlocks:
            verdict = self._while_on(condition, output, held)
            if not verdict.holds:
                return Breach(key, "interlock", rules.condition_broken(key, condition, verdict))
        for group in output.groups:
            both = [other for other in group.members if self._is_on_at_all(other)]
            if len(both) > 1:
                names = rules.listed(both)
                return Breach(key, "exclusive", f"only one of group {group.name} may be on, and {names} are")
        due = rules.on_until(output, held)
        if due is not None and mono >= due:
            return Breach(key, "max-on", f"it has been on for {lasting(output.described.max_on)}, which is the longest")
        return None

    def _while_on(self, condition: Expression, output: Output, held: Held) -> Verdict:
        """Whether a condition holds for what the output is and for what it is about to be."""
        verdict = evaluate(condition, self._lookup)
        if verdict.holds and output.ref in condition.refs:
            for value in held.coming(on=True):
                coming = self._verdict(condition, output.ref, (value,), moving=False)
                if not coming.holds:
                    return coming
        return verdict

    def _is_on_at_all(self, key: str) -> bool:
        found = self._state(key)
        return found is not None and found[1].breakable(found[0])

    def _state(self, key: str) -> tuple[Output, Held] | None:
        output = self._outputs.get(key)
        return None if output is None else (output, self._held[key])

    # conditions

    def _verdict(
        self, condition: Expression, own: Ref | None = None, values: tuple[Value, ...] = (), *, moving: bool = True
    ) -> Verdict:
        """The worst that a condition may be, whatever of the writes on their way the devices have done by then.

        `own` is the reading that would be written with `values`; `moving`: whether other writes count.
        """
        choices = [self._choices(ref, values if ref == own else (), moving=moving) for ref in condition.refs]
        if prod(len(one) for one in choices) > _MOST_WORLDS:
            choices = [one if len(one) == 1 else ["it is being changed"] for one in choices]
        return _worst(
            evaluate(condition, dict(zip(condition.refs, world, strict=True)).__getitem__)
            for world in product(*choices)
        )

    def _choices(self, ref: Ref, values: tuple[Value, ...], *, moving: bool) -> list[Known | str]:
        found = self._lookup(ref)
        key = f"{ref.thing}.{ref.property}"
        output = self._outputs.get(key)
        if output is None or output.ref != ref:
            return [found]
        unit = output.described.unit
        if values:
            return [Known(value, unit, how="would be") for value in values]
        choices: list[Known | str] = [found]
        if moving and isinstance(found, Known):
            coming = [value for value in self._held[key].coming() if not _alike(value, found.value)]
            choices += [Known(value, unit, how="is being set to") for value in coming]
        return choices


def _alike(value: Value, other: Value) -> bool:
    if is_number(value) and is_number(other):
        return value == other
    return type(value) is type(other) and value == other


def _worst(verdicts: Iterable[Verdict]) -> Verdict:
    worst = Verdict(True)
    for verdict in verdicts:
        if verdict.holds is False:
            return verdict
        if verdict.holds is None:
            worst = verdict
    return worst
