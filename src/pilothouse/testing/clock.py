"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

_TURNS = 20
"""Turns of the event loop after each wake-up: enough for a chain of tasks and queues to come to rest."""


class FakeClock:
    """A `Clock` for tests: `now` and `mono` change only by `advance`, `tick` and `jump`.

        clock = FakeClock()
        task = asyncio.create_task(poll(clock))
        await clock.advance(2.5)  # whoever sleeps until then has run, in the order of their deadlines

    Both times start at round figures that differ, so that a test which mixes them up fails. `now` and `mono` may be
    read from any thread; the rest belongs to the thread of the event loop.
    """

    def __init__(self, *, now: int = 1_700_000_000_000, mono: int = 5_000_000) -> None:
        self._now = float(now)
        self._mono = float(mono)
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> int:
        """Wall time in milliseconds since the Unix epoch."""
        return int(self._now + 1e-6)

    def mono(self) -> int:
        """Monotonic time in milliseconds."""
        return int(self._mono + 1e-6)

    def fine(self) -> float:
        """Monotonic time in milliseconds with its fractions."""
        return self._mono

    async def sleep(self, seconds: float) -> None:
        """Sleep until the clock was moved that far; 0 or less only gives way to other tasks."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._mono + seconds * 1000, next(self._order), future))
        await future

    @property
    def sleepers(self) -> int:
        """How many tasks sleep on this clock."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Move both times on, and wake the sleepers on the way one by one, each at its own time."""
        end = self._mono + seconds * 1000
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            self._move_to(max(due, self._mono))
            if not future.done():
                future.set_result(None)
                await self._settle()
        self._move_to(end)
        await self._settle()

    async def until_asleep(self, sleepers: int = 1, *, turns: int = 10_000) -> None:
        """Wait, without moving the clock, until that many tasks sleep on it; AssertionError when they never do."""
        for _ in range(turns):
            if self.sleepers >= sleepers:
                return
            await asyncio.sleep(0)
        raise AssertionError(f"{self.sleepers} tasks sleep on the clock, not {sleepers}")

    def tick(self, seconds: float) -> None:
        """Move both times on and wake nobody: for code that only looks at the time, such as drivers."""
        self._move_to(self._mono + seconds * 1000)

    def jump(self, seconds: float) -> None:
        """Move the wall time alone, forth or back, as a machine does that has found a time server."""
        self._now += seconds * 1000

    def _move_to(self, mono: float) -> None:
        self._now += mono - self._mono
        self._mono = mono

    async def _settle(self) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
