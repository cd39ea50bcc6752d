"""CPU: how busy, in all and per core, load, clock frequency, processes."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import psutil

from pilothouse.drivers.host.gauge import Gauge, read_number, read_text
from pilothouse.model import Value

Times = tuple[float, float]
"""Seconds since boot that a core was idle, and in all."""


def percents(before: Sequence[Times], after: Sequence[Times]) -> list[float]:
    """How busy each core was between two looks, percent; [] when the number of cores has changed."""
    if len(before) != len(after):
        return []
    busy = []
    for (idle_0, total_0), (idle_1, total_1) in zip(before, after, strict=True):
        passed, idle = total_1 - total_0, idle_1 - idle_0
        # The kernel's idle and iowait may go back by a tick; that is no load below 0 or above 100.
        busy.append(min(max(100 * (1 - idle / passed), 0.0), 100.0) if passed > 0 else 0.0)
    return busy


class Cpu(Gauge):
    """How busy: everything but idle and waiting for disks counts, also interrupts and what a hypervisor stole."""

    every = 1.0
    _before: Sequence[Times] = ()

    def find(self) -> Collection[str]:
        """As in Gauge."""
        self._before = self._look()
        return ("cpu", "cpu_cores") if self._before else ()

    def sample(self, mono: int) -> Mapping[str, Value]:
        """As in Gauge."""
        after = self._look()
        busy = percents(self._before, after)
        if busy and after == self._before:
            return {}  # not a tick has passed
        self._before = after
        if not busy:
            return {}
        return {"cpu": round(sum(busy) / len(busy), 1), "cpu_cores": [round(core) for core in busy]}

    @staticmethod
    def _look() -> list[Times]:
        return [_times(core) for core in psutil.cpu_times(percpu=True)]


def _times(core: Any) -> Times:
    idle = core.idle + getattr(core, "iowait", 0.0)
    # user and nice hold the time of guests already.
    total = sum(core) - getattr(core, "guest", 0.0) - getattr(core, "guest_nice", 0.0)
    return idle, total


class Load(Gauge):
    """Mean number of processes that run or wait for a disk."""

    every = 5.0

    def find(self) -> Collection[str]:
        """As in Gauge."""
        return tuple(self.sample(0))

    def sample(self, mono: int) -> Mapping[str, Value]:
        """As in Gauge."""
        text = read_text(self.root / "proc/loadavg")
        loads = [float(word) for word in text.split()[:3]] if text else os.getloadavg()
        return dict(zip(("load_1", "load_5", "load_15"), loads, strict=True))


class Frequency(Gauge):
    """Clock of the cores, mean of all, MHz; many virtual machines do not tell."""

    every = 5.0

    def find(self) -> Collection[str]:
        """As in Gauge."""
        self._paths = sorted(self.root.glob("sys/devices/system/cpu/cpufreq/policy*/scaling_cur_freq"))
        return tuple(self.sample(0))

    def sample(self, mono: int) -> Mapping[str, Value]:
        """As in Gauge."""
        kilohertz = [number for path in self._paths if (number := read_number(path))]
        megahertz = [number / 1000 for number in kilohertz] if kilohertz else self._from_cpuinfo()
        return {"cpu_frequency": round(sum(megahertz) / len(megahertz))} if megahertz else {}

    def _from_cpuinfo(self) -> list[float]:
        found = []
        for line in (read_text(self.root / "proc/cpuinfo") or "").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "cpu MHz":
                found.append(float(value))
        return [number for number in found if number > 0]


class Processes(Gauge):
    """How many there are."""

    every = 10.0

    def find(self) -> Collection[str]:
        """As in Gauge."""
        return ("processes",)

    def sample(self, mono: int) -> Mapping[str, Value]:
        """As in Gauge."""
        return {"processes": len(psutil.pids())}
