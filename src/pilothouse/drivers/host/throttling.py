"""Raspberry Pi: whether its supply is too weak or it is too hot, now and since it was started."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

from pilothouse.drivers.host.gauge import Gauge, read_text
from pilothouse.model import Value

_BITS = {"under_voltage": 0, "frequency_capped": 1, "throttled": 2, "temperature_limited": 3}
_SINCE_BOOT = 16
"""The same bits, this much higher, stay set until the next start."""


def decode(bits: int) -> dict[str, Value]:
    """The firmware's word as properties."""
    now = {name: bool(bits >> bit & 1) for name, bit in _BITS.items()}
    return {**now, **{f"{name}_since_boot": bool(bits >> bit + _SINCE_BOOT & 1) for name, bit in _BITS.items()}}


def parse(text: str | None) -> int | None:
    """The word out of "50005" (sysfs) or "throttled=0x50005" (vcgencmd); None when it is something else."""
    found = re.fullmatch(r"(?:throttled=)?(?:0x)?([0-9a-fA-F]{1,8})", (text or "").strip())
    return int(found[1], 16) if found else None


class Throttling(Gauge):
    """Asks the firmware's file, else its program, else the voltage chip that newer kernels have."""

    every = 5.0

    def __init__(self, root: Path, program: str = "vcgencmd") -> None:
        super().__init__(root)
        self._program = program

    def find(self) -> Collection[str]:
        """As in Gauge."""
        self._file = next(iter(self.root.glob("sys/devices/platform/soc*/*:firmware/get_throttled")), None)
        self._alarm = next((chip / "in0_lcrit_alarm" for chip in self._chips("rpi_volt")), None)
        self._command: str | None = None
        if parse(self._from_file()) is None:
            self._file = None
            # A program of that name means something on a Raspberry Pi only.
            model = read_text(self.root / "proc/device-tree/model") or ""
            self._command = shutil.which(self._program) if "Raspberry Pi" in model else None
        if parse(self._from_program()) is None:
            self._command = None
        return tuple(self.sample(0))

    def sample(self, mono: int) -> Mapping[str, Value]:
        """As in Gauge."""
        bits = parse(self._from_file() or self._from_program())
        if bits is not None:
            return decode(bits)
        alarm = read_text(self._alarm) if self._alarm else None
        return {"under_voltage": alarm == "1"} if alarm in ("0", "1") else {}

    def _from_file(self) -> str | None:
        return read_text(self._file) if self._file else None

    def _from_program(self) -> str | None:
        if self._command is None:
            return None
        try:
            done = subprocess.run([self._command, "get_throttled"], capture_output=True, timeout=2, check=True)
        except (OSError, subprocess.SubprocessError):
            return None  # not in group video, most of the time
        return done.stdout.decode(errors="replace")

    def _chips(self, kind: str) -> list[Path]:
        return [chip for chip in self.root.glob("sys/class/hwmon/hwmon*") if read_text(chip / "name") == kind]
