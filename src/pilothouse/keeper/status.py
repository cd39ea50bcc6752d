"""What the leading keeper says of itself in a file, for pages and `doctor`.

Written when it changes and every few minutes, not more: each time wears the card.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, Literal

import msgspec

from pilothouse.clock import Clock
from pilothouse.process import write_atomically

log = logging.getLogger(__name__)

State = Literal["starting", "standing by", "leading", "waiting for disk", "waiting for bus", "stopped"]
_AGAIN = 300.0


class Status:
    """The file's content; `set` changes it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.state: State = "starting"
        self.note = ""
        """Why, in a sentence for people; "" when all is well."""
        self.positions: dict[str, int] = {}
        """Up to where each stream is read."""
        self.lag: dict[str, int] = {}
        """Messages of each stream that are not read yet."""
        self.waiting = 0
        """Readings that are gathered in memory."""
        self._path = path
        self._clock = clock

    def set(self, state: State, note: str = "") -> None:
        """Change state; written at once when it differs."""
        if (state, note) != (self.state, self.note):
            self.state, self.note = state, note
            self.write()

    def write(self) -> None:
        """Write the file; a full disk is no reason to stop for it."""
        content: dict[str, Any] = {
            "time": self._clock.now(),
            "pid": os.getpid(),
            "state": self.state,
            "note": self.note,
            "positions": self.positions,
            "lag": self.lag,
            "waiting": self.waiting,
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, msgspec.json.encode(content), sync=False)
        except OSError as error:
            log.debug("cannot write %s: %s", self._path, error)

    async def keep_fresh(self) -> None:
        """Write it now and then, for ever."""
        while True:
            self.write()
            await self._clock.sleep(_AGAIN)
