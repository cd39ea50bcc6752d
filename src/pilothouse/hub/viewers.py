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

    def __init__(self, wake: Callable[[], None]) -> None:
        self.closed = False
        self.leaving = False
        """Whether it was told its last, and is over once it has taken that."""
        self.behind = True
        """Whether it needs a snapshot before anything else: at first, and after its queue ran over."""
        self._wake = wake
        self._first = b""
        self._frames: deque[bytes] = deque()

    def push(self, frame: bytes) -> None:
        """A frame for it. While it is behind nothing is queued: the snapshot will have it all."""
        if self.behind or self.closed:
            return
        if len(self._frames) >= FRAMES:
            self.start_anew()
            return
        self._frames.append(frame)
        if len(self._frames) == 1:
            self._wake()

    def start_anew(self) -> None:
        """What waits for it is not for it any more: it gets a fresh snapshot instead."""
        self._frames.clear()
        self.behind = True
        self._wake()

    def interrupt(self, frame: bytes) -> None:
        """A frame that comes before all else, also when it is behind; a fresh snapshot follows."""
        if not (self.closed or self.leaving):
            self._first += frame
            self.start_anew()

    def dismiss(self, frame: bytes) -> None:
        """Its last frame; nothing else is given to it any more, not even what waits."""
        if not (self.closed or self.leaving):
            self._first = frame
            self.leaving = True
            self.start_anew()

    def first(self) -> bytes:
        """What comes before all else; b"" for nothing."""
        data, self._first = self._first, b""
        return data

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
        """It went away, was dismissed, or the hub stops."""
        self.closed = True
        self._frames.clear()
        self._wake()

    def __len__(self) -> int:
        return len(self._frames)
