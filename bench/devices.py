"""Simulated devices of the benches, named in a configuration as "bench.devices:Recorder".

They do what no simulated device of the product needs to: write down every write, and carry the time of the reading as
the value itself.
"""

from __future__ import annotations

import os
import time

from pilothouse.model import Readable, Thing, Writable, readable, setting, writable


class Recorder(Thing):
    """Takes a number and writes every write into a file, so that lost and double commands can be counted."""

    simulated = True
    trace: str = setting("", doc='file that gets a line for every write; "" = none')

    level: Writable[int] = writable(doc="any whole number", every=1.0)

    def open(self) -> None:
        """Open the trace for appending; every line is one system call, so a kill loses none."""
        self._level = 0
        self._file = os.open(self.trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if self.trace else -1

    def close(self) -> None:
        """Close the trace."""
        if getattr(self, "_file", -1) >= 0:
            os.close(self._file)
            self._file = -1

    def read_level(self) -> int:
        """The number last taken."""
        return self._level

    def write_level(self, value: int) -> None:
        """Take a number and write it down."""
        if self._file >= 0:
            os.write(self._file, b"%d\n" % value)
        self._level = value


class Stamp(Thing):
    """Its reading is the time at which it was read: who receives it knows how long it was on its way."""

    simulated = True

    at: Readable[float] = readable(unit="s", doc="monotonic clock of this machine at the reading", every=1.0)

    def read_at(self) -> float:
        """Seconds of CLOCK_MONOTONIC, which all processes of one Linux machine share."""
        return time.monotonic()
