"""When to start a fallen process again: at once the first time, later and later when it keeps falling."""

from __future__ import annotations

from msgspec import Struct

FIRST = 0.1
"""Seconds before the first new start."""
LONGEST = 30.0
"""Seconds at most between two starts."""
STEADY = 20.0
"""Seconds of running after which earlier falls are forgotten."""

TAKEN_OVER = 3
"""Exit code of an agent that gave way to a newer one of the same name; starting it again would only start a fight."""
CANNOT = 2
"""Exit code of a process that cannot do its work here, such as on a busy port; it has said why."""


class Falls(Struct):
    """What is remembered of one process."""

    count: int = 0
    """Falls in a row, none of them after a steady run."""
    total: int = 0

    def fell(self, ran: float) -> float:
        """It fell after `ran` seconds; gives the seconds to wait before the next start."""
        self.total += 1
        self.count = 1 if ran >= STEADY else self.count + 1
        if self.count == 1:
            return FIRST
        return float(min(LONGEST, 0.5 * 2 ** min(self.count - 2, 10)))
