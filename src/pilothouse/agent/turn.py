"""The turn of one call on its lane. Pure but for its lock: two threads may decide about it, and exactly one does."""

from __future__ import annotations

import threading
from enum import Enum, auto


class Stage(Enum):
    """How far a call has come."""

    WAITING = auto()
    RUNNING = auto()
    OVER = auto()
    """It came to its end, or was taken back before it began."""
    LATE = auto()
    """Its turn came at or after its deadline, so it never began."""


class Turn:
    """A call may begin once, before its deadline, unless it was taken back; never both."""

    def __init__(self, deadline: int | None = None) -> None:
        self.deadline = deadline
        """Monotonic milliseconds; None = whenever its turn comes."""
        self.stage = Stage.WAITING
        self._lock = threading.Lock()

    def begin(self, mono: int) -> bool:
        """On the lane, right before the device is asked: whether it still may be."""
        with self._lock:
            if self.stage is not Stage.WAITING:
                return False
            if self.deadline is not None and mono >= self.deadline:
                self.stage = Stage.LATE
                return False
            self.stage = Stage.RUNNING
            return True

    def take_back(self) -> bool:
        """Whether it had not begun; then it never will."""
        with self._lock:
            if self.stage is not Stage.WAITING:
                return False
            self.stage = Stage.OVER
            return True

    def late(self, mono: int) -> bool:
        """Whether it waits in vain."""
        return self.stage is Stage.WAITING and self.deadline is not None and mono >= self.deadline

    def over(self) -> None:
        """It came to its end."""
        self.stage = Stage.OVER
