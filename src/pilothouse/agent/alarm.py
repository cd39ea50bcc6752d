"""A sleep that can be cut short."""

from __future__ import annotations

import asyncio

from pilothouse.clock import Clock


class Alarm:
    """Wakes its one waiter at a time that it was given, or when it is rung."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiter now; when nobody waits, the next wait ends at once."""
        self._bell.set()

    async def wait(self, until: int | None) -> None:
        """Wait until monotonic time `until` (milliseconds; None = until rung) or the bell."""
        sleeper: asyncio.Task[None] | None = None
        if until is not None and not self._bell.is_set():
            left = (until - self._clock.mono()) / 1000
            if left <= 0:
                return
            sleeper = asyncio.create_task(self._ring_in(left))
        try:
            await self._bell.wait()
        finally:
            self._bell.clear()
            if sleeper is not None:
                sleeper.cancel()

    async def _ring_in(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._bell.set()
