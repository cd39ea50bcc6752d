"""What really happened at a simulated device: every output, with its time, in memory and on request in a file."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import NamedTuple

from pilothouse.model import Value

LENGTH = 10_000
"""Entries kept in memory, the oldest are dropped; the file keeps all."""

_TAIL = 1 << 16
"""Bytes at the end of the file that are searched for the last values."""


class Traced(NamedTuple):
    """One output of the device took one value."""

    mono: int
    """Monotonic milliseconds; with the system's clock comparable between all processes of one machine."""
    property: str
    value: Value


class Trace:
    """The record of one simulated device."""

    def __init__(self, thing: str, path: str = "") -> None:
        self.entries: deque[Traced] = deque(maxlen=LENGTH)
        self._thing = thing
        self._path = Path(path) if path else None

    def note(self, mono: int, name: str, value: Value) -> None:
        """Add one entry; on its way to the disk before this returns, so that a killed process leaves it behind.

        One write to a file opened for appending: several devices and processes may share a file.
        """
        self.entries.append(Traced(mono, name, value))
        if self._path is not None:
            line = json.dumps({"mono": mono, "thing": self._thing, "property": name, "value": value})
            with self._path.open("ab", buffering=0) as file:
                file.write(line.encode() + b"\n")

    def last(self) -> dict[str, Value]:
        """Last value of each output of this device in the file; {} without one."""
        if self._path is None or not self._path.exists():
            return {}
        with self._path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            lines = file.read().split(b"\n")
        found: dict[str, Value] = {}
        for line in lines if size <= _TAIL else lines[1:]:
            try:
                entry = json.loads(line)
                if entry["thing"] == self._thing:
                    found[entry["property"]] = entry["value"]
            except (ValueError, TypeError, KeyError):
                continue  # the rest of a line that a power cut left
        return found
