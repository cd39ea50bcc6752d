"""What the machine is, and since when it runs."""

from __future__ import annotations

import os
import platform
import socket
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pilothouse.clock import Clock
from pilothouse.drivers.host.gauge import Gauge, read_text
from pilothouse.model import Value

_CLOCK_MOVED_MS = 5_000
"""A boot time that differs by less than this is the same one, seen through a clock that is being steered."""


class Uptime(Gauge):
    """Seconds since boot, and the time of boot by the clock as it is now."""

    every = 10.0

    def __init__(self, root: Path, clock: Clock) -> None:
        super().__init__(root)
        self._clock = clock
        self._booted: int | None = None

    def find(self) -> Collection[str]:
        """As in Gauge."""
        return ("uptime", "boot_time")

    def sample(self, mono: int) -> Mapping[str, Value]:
        """As in Gauge."""
        seconds = self._seconds()
        booted = self._clock.now() - round(seconds * 1000)
        if self._booted is None or abs(booted - self._booted) > _CLOCK_MOVED_MS:
            self._booted = booted
        at = datetime.fromtimestamp(self._booted / 1000, UTC)
        return {"uptime": int(seconds), "boot_time": at.isoformat(timespec="seconds").replace("+00:00", "Z")}

    def _seconds(self) -> float:
        text = read_text(self.root / "proc/uptime")
        # Where there is no such file the monotonic clock starts at boot too, but may stand still while it sleeps.
        return float(text.split()[0]) if text else time.monotonic()


class Machine(Gauge):
    """Names and versions."""

    every = 60.0

    def find(self) -> Collection[str]:
        """As in Gauge."""
        return ("about",)

    def sample(self, mono: int) -> Mapping[str, Value]:
        """As in Gauge."""
        known: dict[str, Value] = {
            "hostname": read_text(self.root / "proc/sys/kernel/hostname") or socket.gethostname(),
            "os": self._os(),
            "kernel": read_text(self.root / "proc/sys/kernel/osrelease") or platform.release(),
            "machine": platform.machine(),
            "model": self._model(),
            "cores": os.cpu_count() or 1,
            "python": platform.python_version(),
        }
        return {"about": known}

    def _os(self) -> str:
        for line in (read_text(self.root / "etc/os-release") or "").splitlines():
            key, _, value = line.partition("=")
            if key == "PRETTY_NAME":
                return value.strip().strip("\"'")
        return platform.system()

    def _model(self) -> str:
        board = read_text(self.root / "proc/device-tree/model")
        return board or read_text(self.root / "sys/class/dmi/id/product_name") or ""
