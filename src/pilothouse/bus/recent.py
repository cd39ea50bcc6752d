"""What the bus said it keeps and may not have written yet.

A stream that is flushed lazily acknowledges a message some milliseconds before it is in a file; killed in between, the
server comes back without it. So whoever appended holds the last seconds, and appends them again after a reconnect,
under the same ids: what is there already is not kept twice.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

KEPT_FOR = 10.0
"""Seconds before the loss of a link of which everything acknowledged is appended again."""
LIMIT_BYTES = 1024 * 1024


class Appended(NamedTuple):
    """A message that was acknowledged."""

    at: int
    """Monotonic milliseconds."""
    subject: str
    data: bytes
    id: str


class Recent:
    """The last seconds of what was acknowledged, at most LIMIT_BYTES of it; the oldest goes first."""

    def __init__(self) -> None:
        self._items: deque[Appended] = deque()
        self._bytes = 0

    def add(self, item: Appended) -> None:
        """It was acknowledged."""
        self._items.append(item)
        self._bytes += len(item.data)
        while self._bytes > LIMIT_BYTES or self._items[0].at < item.at - KEPT_FOR * 1000:
            self._bytes -= len(self._items.popleft().data)

    def before(self, lost_at: int) -> list[Appended]:
        """What a link that was lost at `lost_at` may have taken with it, in order."""
        return [item for item in self._items if item.at >= lost_at - KEPT_FOR * 1000]
