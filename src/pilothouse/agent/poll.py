"""When each property is to be read: on a fixed grid, so that a period stays what it is under any load."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pilothouse.agent.alarm import Alarm
from pilothouse.clock import Clock


class _Due(NamedTuple):
    at: int
    thing: str
    period: int
    """Milliseconds."""
    names: tuple[str, ...]
    plan: int


class Grid:
    """The plan of all polls. Pure: it is told the time, in monotonic milliseconds.

    All properties of one period are due at the same times, whatever their thing: multiples of the period. So their
    readings travel together, and what is late once is not late for ever.
    """

    def __init__(self) -> None:
        self._due: list[_Due] = []
        self._plans: dict[str, int] = {}

    def plan(self, thing: str, every: Mapping[str, float], mono: int) -> None:
        """Poll these properties of a thing, each every so many seconds; replaces the thing's plan before."""
        number = self._plans[thing] = self._plans.get(thing, 0) + 1
        groups: dict[int, list[str]] = {}
        for name, seconds in every.items():
            groups.setdefault(max(1, round(seconds * 1000)), []).append(name)
        for period, names in groups.items():
            heapq.heappush(self._due, _Due(_after(mono, period), thing, period, tuple(names), number))

    def next(self) -> int | None:
        """When the next poll is due; None = never."""
        self._clean()
        return self._due[0].at if self._due else None

    def take(self, mono: int) -> dict[str, list[str]]:
        """What is due up to now, names by thing; polls that were missed are left out, not made up for."""
        taken: dict[str, list[str]] = {}
        while self._due and self._due[0].at <= mono:
            due = heapq.heappop(self._due)
            if due.plan != self._plans[due.thing]:
                continue
            taken.setdefault(due.thing, []).extend(due.names)
            heapq.heappush(self._due, due._replace(at=_after(mono, due.period)))
        return taken

    def _clean(self) -> None:
        while self._due and self._due[0].plan != self._plans[self._due[0].thing]:
            heapq.heappop(self._due)


def _after(mono: int, period: int) -> int:
    """The first multiple of the period that is later than now."""
    return (mono // period + 1) * period


class Poller:
    """Asks for what is due, when it is due; `ask` begins a poll and never waits."""

    def __init__(self, clock: Clock, ask: Callable[[str, list[str]], object]) -> None:
        self.grid = Grid()
        self._clock = clock
        self._ask = ask
        self._alarm = Alarm(clock)

    def plan(self, thing: str, every: Mapping[str, float]) -> None:
        """As Grid.plan, from now on."""
        self.grid.plan(thing, every, self._clock.mono())
        self._alarm.ring()

    async def run(self) -> None:
        """Poll, for ever."""
        while True:
            await self._alarm.wait(self.grid.next())
            for thing, names in self.grid.take(self._clock.mono()).items():
                self._ask(thing, names)
