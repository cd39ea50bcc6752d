"""What one viewer of the live stream still has to get: a short queue, a fresh snapshot when it falls behind. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from pilothouse.errors import BadName
from pilothouse.hub.problems import WebError
from pilothouse.model import Address

FRAMES = 64
"""Frames that wait for a viewer at most; one more, and all are dropped for a fresh snapshot."""
_THINGS = 1000

Filter = frozenset[Address] | None
"""Which things a viewer wants; None = all."""


def parse_filter(text: str) -> Filter:
    """From `node/thing,node/thing`; raises WebError (400). "" means all."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        return None
    if len(names) > _THINGS:
        raise WebError(
            400, "bad-query", f"{len(names)} things are too many for one stream", remedy="Ask for all: no things="
        )
    try:
        return frozenset(Address.parse(name) for name in names)
    except BadName as error:
        raise WebError(400, "bad-query", error.what, why=error.why, nearest=error.nearest) from None


class Viewer:
    """One live connection. `wake` is called when there is something to take and was nothing before."""

    def __init__(self, wanted: Filter, wake: Callable[[], None]) -> None:
        self.wanted = wanted
        self.closed = False
        self.behind = True
        """Whether it needs a snapshot before anything else: at first, and after its queue ran over."""
        self._wake = wake
        self._frames: deque[bytes] = deque()

    def push(self, frame: bytes) -> None:
        """A frame for it. While it is behind nothing is queued: the snapshot will have it all."""
        if self.behind or self.closed:
            return
        if len(self._frames) >= FRAMES:
            self._frames.clear()
            self.behind = True
            self._wake()
            return
        self._frames.append(frame)
        if len(self._frames) == 1:
            self._wake()

    def caught_up(self) -> None:
        """It is getting a snapshot of this very moment."""
        self.behind = False
        self._frames.clear()

    def take(self) -> bytes:
        """All that waits, in one piece; b"" for nothing."""
        if len(self._frames) == 1:
            return self._frames.popleft()
        data = b"".join(self._frames)
        self._frames.clear()
        return data

    def close(self) -> None:
        """It went away, or the hub stops."""
        self.closed = True
        self._frames.clear()
        self._wake()

    def __len__(self) -> int:
        return len(self._frames)
