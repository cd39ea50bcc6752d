"""Time, injected: nothing in Pilothouse asks the operating system for the time except through a Clock.

Wall times are integers, milliseconds since the Unix epoch (UTC): short on the wire, exact in SQL and in JavaScript.
Durations that decide about hardware are taken from the monotonic clock, never from the wall: a Pi without a clock
chip may jump by years when it finds the network.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

# A laptop that slept for an hour must not do on waking what was asked of it before.
_MONOTONIC = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """What a part needs of time; `testing.FakeClock` is the other implementation."""

    def now(self) -> int:
        """Wall time in milliseconds since the Unix epoch."""
        ...

    def mono(self) -> int:
        """Monotonic time in milliseconds; only differences within one process mean anything."""
        ...

    def fine(self) -> float:
        """Monotonic time in milliseconds with its fractions: for telling how long something took."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; cancellable."""
        ...


class SystemClock:
    """The operating system's clocks."""

    def now(self) -> int:
        """Wall time in milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000

    def mono(self) -> int:
        """Monotonic time in milliseconds; goes on while the machine is suspended, where the system can say so."""
        return time.clock_gettime_ns(_MONOTONIC) // 1_000_000

    def fine(self) -> float:
        """Monotonic time in milliseconds with its fractions."""
        return time.clock_gettime_ns(_MONOTONIC) / 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait; cancellable."""
        await asyncio.sleep(seconds)


def parse_duration(text: str | int | float) -> float:
    """Seconds from "250ms", "5s", "20m", "12h", "30d" or a bare number of seconds.

    Raises ValueError on anything else, also on negative and non-finite numbers.
    """
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    if isinstance(text, str):
        stripped = text.strip()
        for unit in ("ms", "s", "m", "h", "d"):
            if stripped.endswith(unit):
                number = float(stripped[: -len(unit)])
                factor = units[unit]
                break
        else:
            number, factor = float(stripped), 1.0
    else:
        number, factor = float(text), 1.0
    seconds = number * factor
    if not 0 <= seconds < float("inf"):
        msg = f"{text!r} is not a duration"
        raise ValueError(msg)
    return seconds
