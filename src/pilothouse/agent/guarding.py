"""The guard at work: every reading and every command feeds it, and what must go safe does so by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import NamedTuple

import msgspec

from pilothouse.agent import rules
from pilothouse.agent.alarm import Alarm
from pilothouse.agent.announce import URGENT
from pilothouse.agent.owned import Owned
from pilothouse.agent.peers import FRESH
from pilothouse.agent.words import at_time
from pilothouse.clock import Clock
from pilothouse.guard import Barred, Group, Guard, Known, Lookup, Ref
from pilothouse.model import Bar, PropertyState, Quality
from pilothouse.model.sameness import differs

Act = Callable[[str, Collection[str], str, str], None]
"""Has outputs of a thing go safe: thing, names, origin, reason. Must not wait."""
Changed = Callable[[str], None]
"""Hears that what stands against a thing's outputs and actions has changed."""
_SAME = 1500
"""Milliseconds by which the end of a bar may move and be the same: clocks are read one after the other."""


class _Last(NamedTuple):
    """The last reading of a property."""

    state: PropertyState
    until: int
    """Monotonic time at which it is too old."""


class Guarding:
    """See the module's text; one a node. `elsewhere` gives the readings of other nodes."""

    def __init__(
        self,
        node: str,
        things: Mapping[str, Owned],
        groups: tuple[Group, ...],
        elsewhere: Lookup,
        clock: Clock,
        act: Act,
        changed: Changed,
    ) -> None:
        self.guard = Guard({}, {}, self._lookup, clock.mono())
        self.watch_link: Callable[[Mapping[str, float]], None] = _no_link
        """Told of the outputs that are on and must not stay so without a link, with their times."""
        self._node = node
        self._things = things
        self._groups = groups
        self._elsewhere = elsewhere
        self._clock = clock
        self._act = act
        self._changed = changed
        self._alarm = Alarm(clock)
        self._cared: dict[str, dict[str, str]] = {}
        """By thing: the properties that the guard wants to know of, with their keys."""
        self._watched: set[str] = set()
        """Keys whose changes may break a rule or be barred by one."""
        self._last: dict[tuple[str, str], _Last] = {}
        self._stale_at: int | None = None
        self._linked: dict[str, float] = {}
        """Outputs that must not stay on without a link, by key, with their times."""
        self._bars: dict[str, dict[str, Bar]] = {}
        self._bars_at = clock.mono()
        self._fresh_bars = False

    # what there is

    def add(self, owned: Owned) -> None:
        """A thing of this node; all are added before the first reading."""
        self.described(owned.name)
        owned.on_reading.append(partial(self._heard, owned.name))

    def described(self, thing: str) -> None:
        """A thing's description is new."""
        described = self._things[thing].description
        outputs = rules.outputs(described, self._groups)
        self.guard.describe(outputs, rules.actions(described), self._clock.mono())
        referred = {(ref.thing, ref.property) for ref in self.guard.refs if ref.node == self._node}
        for name, owned in self._things.items():
            writable = {key for key, one in owned.description.properties.items() if one.writable}
            wanted = writable | {prop for other, prop in referred if other == name}
            self._cared[name] = {prop: f"{name}.{prop}" for prop in wanted}
        ruled = {key for key, one in outputs.items() if one.interlocks or one.groups or _timed(one.described)}
        self._watched |= ruled | {f"{name}.{prop}" for name, prop in referred}
        for key, one in outputs.items():
            self._linked.pop(key, None)
            if one.described.has_safe and one.described.link_lost_after:
                self._linked[key] = one.described.link_lost_after
        self.touch()

    def is_ruled(self, key: str) -> bool:
        """Whether a write of this output may break a rule, or be barred by one."""
        return key in self._watched

    # what happens

    def touch(self) -> None:
        """Something changed that rules may depend on."""
        self._alarm.ring()

    def _heard(self, thing: str, name: str, state: PropertyState, mono: int) -> None:
        key = self._cared[thing].get(name)
        if key is None:
            return
        bad = state.quality is Quality.BAD
        self.guard.seen(key, None if bad else state.value, mono)
        before = self._last.get((thing, name))
        until = mono + round(FRESH * 1000 * self._things[thing].description.properties[name].heartbeat)
        self._last[thing, name] = _Last(state, until)
        if self._stale_at is None:
            self._stale_at = until
        if key in self._watched and (before is None or mono >= before.until or _differ(before.state, state)):
            self._alarm.ring()

    def _lookup(self, ref: Ref) -> Known | str:
        """A reading, or why it is not known."""
        if ref.node != self._node:
            return self._elsewhere(ref)
        owned = self._things.get(ref.thing)
        described = owned.description.properties.get(ref.property) if owned else None
        if described is None:
            return f"node {self._node} has no such property"
        last = self._last.get((ref.thing, ref.property))
        if last is None:
            return "it has not been read yet"
        if last.state.quality is not Quality.GOOD:
            return "it cannot be read" if last.state.quality is Quality.BAD else f"its reading is {last.state.quality}"
        if self._clock.mono() >= last.until:
            return f"it has not been read since {at_time(last.state.time)}"
        return Known(last.state.value, described.unit, last.until)

    # what is done

    async def run(self) -> None:
        """Look at all rules whenever something changed or time alone may break one, for ever."""
        while True:
            self._look()
            await self._alarm.wait(self._next_look())

    def _look(self) -> None:
        mono = self._clock.mono()
        self._forget_stale(mono)
        going: dict[tuple[str, str, str], list[str]] = {}
        for breach in self.guard.breaches(mono):
            thing, _, name = breach.key.partition(".")
            going.setdefault((thing, breach.origin, breach.reason), []).append(name)
        for (thing, origin, reason), names in going.items():
            self._act(thing, names, origin, reason)
        if self._linked:
            self.watch_link({key: limit for key, limit in self._linked.items() if self.guard.is_on(key)})
        self._fresh_bars = mono >= self._bars_at
        if self._fresh_bars:
            self._bars_at = mono + URGENT
            self._look_at_bars(mono)

    def _forget_stale(self, mono: int) -> None:
        """An output that was not read for too long may be on."""
        if self._stale_at is None or mono < self._stale_at:
            return
        for (thing, name), last in self._last.items():
            if last.until <= mono:
                self.guard.seen(f"{thing}.{name}", None, mono)
        self._stale_at = min((last.until for last in self._last.values() if last.until > mono), default=None)

    def _next_look(self) -> int | None:
        mono = self._clock.mono()
        times = [self.guard.next_look(mono), self._stale_at, None if self._fresh_bars else self._bars_at]
        return min((time for time in times if time is not None), default=None)

    # what stands against a switch

    def bars(self, thing: str) -> dict[str, Bar]:
        """Why outputs of a thing may not leave their safe values, and actions not be called, right now."""
        return self._bars.get(thing, {}) | _device_bars(self._things[thing])

    def _look_at_bars(self, mono: int) -> None:
        now = self._clock.now()
        found: dict[str, dict[str, Bar]] = {}
        for key, barred in self.guard.bars(mono).items():
            thing, _, name = key.partition(".")
            found.setdefault(thing, {})[name] = self._bar(thing, name, barred, now)
        before, self._bars = self._bars, found
        for thing in found.keys() | before.keys():
            if found.get(thing) != before.get(thing):
                self._changed(thing)

    def _bar(self, thing: str, name: str, barred: Barred, now: int) -> Bar:
        until = now + barred.over_in if barred.over_in else 0
        bar = Bar(rule=barred.rule, text=barred.text, remedy=barred.remedy, until=until)
        before = self._bars.get(thing, {}).get(name)
        if before is not None and until and abs(before.until - until) < _SAME:
            bar = msgspec.structs.replace(bar, until=before.until)
        return bar


def _differ(one: PropertyState, other: PropertyState) -> bool:
    return one.quality is not other.quality or differs(one.value, other.value)


def _timed(described: object) -> bool:
    """Whether a property has a rule of its own."""
    return any(getattr(described, key) for key in ("slew", "max_on", "min_off", "link_lost_after"))


def _device_bars(owned: Owned) -> dict[str, Bar]:
    """What stands against everything of a thing that does not answer."""
    if owned.working or not owned.opened.is_set():
        return {}
    text = f"the device has not answered since {at_time(owned.health.since)}: {owned.health.error}"
    remedy = "It is tried again by itself"
    bar = Bar(rule="device", text=text, remedy=remedy, until=owned.health.retry_at)
    outputs = [name for name, one in owned.description.properties.items() if one.writable]
    return dict.fromkeys([*outputs, *owned.description.actions], bar)


def _no_link(_limits: Mapping[str, float]) -> None:
    """Where outputs that depend on the link are told while nobody proves it."""
