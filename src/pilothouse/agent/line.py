"""What waits before a lane: two threads use it, one that puts in and takes back, one that takes out."""

from __future__ import annotations

import queue
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Line(Generic[T]):
    """First come, first served; what is urgent comes before all that is not."""

    def __init__(self) -> None:
        self._urgent: deque[T] = deque()
        self._others: deque[T] = deque()
        self._closed = False
        # Holds one token at most: a lane that hangs for days must not gather any. A token that is there when
        # something is put in is taken out later, and whoever takes it looks at everything.
        self._token: queue.SimpleQueue[None] = queue.SimpleQueue()

    def put(self, item: T, *, urgent: bool = False) -> None:
        """Let it wait its turn."""
        (self._urgent if urgent else self._others).append(item)
        self._wake()

    def remove(self, item: T) -> None:
        """Let it wait no more; nothing happens when it does not."""
        for waiting in (self._urgent, self._others):
            try:
                waiting.remove(item)
            except ValueError:
                pass  # it is in the other one, or was taken out just now

    def take(self) -> T | None:
        """The next, waited for; None when the line is closed and empty."""
        while True:
            for waiting in (self._urgent, self._others):
                if waiting:
                    try:
                        return waiting.popleft()
                    except IndexError:
                        pass  # removed in between
            if self._closed:
                return None
            self._token.get()

    def close(self) -> None:
        """Nothing will be put in any more."""
        self._closed = True
        self._wake()

    def __len__(self) -> int:
        return len(self._urgent) + len(self._others)

    def _wake(self) -> None:
        if self._token.empty():
            self._token.put(None)
