"""A device whose work takes until a test says that it is done."""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pilothouse.model import Thing, Writable, action, setting, writable


class Slow(Thing):
    """Works until a file is there; everything else waits for it, as on every device with one line."""

    done: str = setting("", doc="file whose being there ends the work")

    level: Writable[float] = writable(doc="a level", minimum=0, maximum=10)

    _level = 0.0

    def __init__(self, settings: Any = None) -> None:
        super().__init__(settings)
        self._closed = threading.Event()

    def close(self) -> None:
        """Let go, also of work that is under way."""
        self._closed.set()

    def read(self, names: Collection[str]) -> dict[str, Any]:
        """The level."""
        return {"level": self._level}

    def write(self, name: str, value: Any) -> None:
        """The level."""
        self._level = value

    @action(doc="work until it is done", timeout=60.0)
    def work(self) -> None:
        """Wait for the file."""
        while not Path(self.done).exists() and not self._closed.wait(0.02):
            pass
