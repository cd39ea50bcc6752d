"""Outputs that must not stay on without a link: proves the link while any of them is on, and says when it has been out
for too long. Nothing is sent while none is on.

What counts is when a question that was answered had been asked, not when its answer was read: an agent that stood still
would else take an old answer for a link.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pilothouse.agent.alarm import Alarm
from pilothouse.agent.uplink import Link
from pilothouse.clock import Clock
from pilothouse.errors import BusDown

_MOST_PAUSE = 1.0
_LEAST_PAUSE = 0.05
"""Seconds between two proofs: a quarter of the shortest time, within these."""


class LinkProof:
    """Which outputs have been on without a link for too long. Pure: it is told the time, in monotonic milliseconds."""

    def __init__(self) -> None:
        self._proven = -1
        """When the last question that was answered had been asked; -1 = none yet."""
        self._limits: Mapping[str, float] = {}
        self._since: dict[str, int] = {}
        """Since when each output that is on has depended on the link."""
        self._told: dict[str, int] = {}
        """When it was told of an output that its time is over."""

    def watch(self, limits: Mapping[str, float], mono: int) -> None:
        """These outputs are on now, with the seconds that each may be without a link."""
        self._since = {key: self._since.get(key, mono) for key in limits}
        self._told = {key: told for key, told in self._told.items() if key in limits}
        self._limits = limits

    def proven(self, asked: int) -> None:
        """The bus answered a question that was asked at `asked`; what was told before counts anew."""
        self._proven = max(self._proven, asked)
        self._told = {key: told for key, told in self._told.items() if told > asked}

    def pause(self) -> float | None:
        """Seconds from one question to the next; None when none is needed."""
        if not self._limits:
            return None
        return min(max(min(self._limits.values()) / 4, _LEAST_PAUSE), _MOST_PAUSE)

    def patience(self) -> float:
        """Seconds that an answer may take: half of the shortest time, so that a lost one leaves time for another."""
        return max(min(self._limits.values(), default=0.0) / 2, _LEAST_PAUSE)

    def over(self, mono: int) -> dict[str, float]:
        """Outputs whose time without a link is over, with that time in seconds; each once, until it is proven again."""
        found = {key: limit for key, limit in self._limits.items() if key not in self._told and mono >= self._end(key)}
        self._told |= dict.fromkeys(found, mono)
        return found

    def next_look(self) -> int | None:
        """When the next output's time is over, unless the link is proven before."""
        return min((self._end(key) for key in self._limits if key not in self._told), default=None)

    def _end(self, key: str) -> int:
        return max(self._proven, self._since[key]) + round(self._limits[key] * 1000)


class Proving:
    """Proves the link as often as it must be; `over` is told the outputs whose time is over, with that time."""

    def __init__(self, clock: Clock, over: Callable[[Mapping[str, float]], None]) -> None:
        self._proof = LinkProof()
        self._clock = clock
        self._over = over
        self._bus: Link | None = None
        self._limits: dict[str, float] = {}
        self._asking = Alarm(clock)
        self._ending = Alarm(clock)

    def up(self, bus: Link) -> None:
        """There is a link through which it can be proven."""
        self._bus = bus
        self._asking.ring()

    def watch(self, limits: Mapping[str, float]) -> None:
        """These outputs are on now; cheap when nothing changed."""
        if limits == self._limits:
            return
        self._limits = dict(limits)
        self._proof.watch(self._limits, self._clock.mono())
        self._asking.ring()
        self._ending.ring()

    async def ask(self) -> None:
        """Prove the link as often as it must be, for ever."""
        while True:
            pause = self._proof.pause()
            if pause is None or self._bus is None:
                await self._asking.wait(None)
                continue
            asked = self._clock.mono()
            try:
                await self._bus.prove(self._proof.patience())
                self._proof.proven(asked)
                self._ending.ring()
            except BusDown:
                pass  # nothing is proven; its time runs
            await self._asking.wait(asked + round(pause * 1000))

    async def look(self) -> None:
        """Tell of outputs whose time is over, for ever."""
        while True:
            over = self._proof.over(self._clock.mono())
            if over:
                self._over(over)
            await self._ending.wait(self._proof.next_look())
