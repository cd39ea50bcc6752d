"""Disks: how full, and how much is read and written."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import NamedTuple

import psutil

from pilothouse.drivers.host.gauge import NUMBER, Count, Gauge, property_name, rate
from pilothouse.model import PropertyDescription, Value

_NO_DISK = frozenset({"squashfs", "iso9660", "udf", "cramfs", "erofs"})
"""File systems that are full by nature."""
_MOST = 12


class _Mount(NamedTuple):
    percent: str
    free: str
    path: str


class Disks(Gauge):
    """How full each file system on a real disk is. Asked on a thread of its own: a dying disk hangs who asks it."""

    every = 30.0

    def find(self) -> Collection[str]:
        """As in Gauge; each device counts once, however often it is mounted, and `/` always."""
        mounts = {"/": "/"} | {
            part.device: part.mountpoint
            for part in reversed(psutil.disk_partitions())
            if part.fstype not in _NO_DISK and self._is_folder(part.mountpoint) and part.mountpoint != "/"
        }
        roots = {part.device for part in psutil.disk_partitions() if part.mountpoint == "/"}
        shown = sorted({path for device, path in mounts.items() if device not in roots})[:_MOST]
        self._mounts = [self._describe(path) for path in shown]
        return list(self.described)

    def sample(self, mono: int) -> Mapping[str, Value]:
        """As in Gauge; a disk that has gone is left out, alone."""
        values: dict[str, Value] = {}
        for mount in self._mounts:
            try:
                usage = psutil.disk_usage(self._rooted(mount.path))
            except OSError:
                continue
            if usage.total:
                values |= {mount.percent: round(usage.percent, 1), mount.free: usage.free}
        return values

    def _describe(self, path: str) -> _Mount:
        label = "root" if path == "/" else path
        percent = property_name("disk_", label, "", self.described)
        self.described[percent] = PropertyDescription(
            name=percent,
            title=f"Disk {path}",
            doc=f"used of the file system at {path}, by what programs may use",
            schema=NUMBER | {"minimum": 0, "maximum": 100},
            minimum=0,
            maximum=100,
            unit="%",
            precision=1,
            every=self.every,
            dead_band=0.2,
            heartbeat=300.0,
        )
        free = property_name("disk_", label, "_free", self.described)
        self.described[free] = PropertyDescription(
            name=free,
            title=f"Disk {path} free",
            doc=f"free for programs in the file system at {path}",
            schema={"type": "integer"},
            unit="By",
            every=self.every,
            dead_band=32 * 1024 * 1024,
            heartbeat=300.0,
        )
        return _Mount(percent, free, path)

    def _is_folder(self, mountpoint: str) -> bool:
        # Containers have single files such as /etc/hosts mounted from the disk of their host.
        return os.path.isdir(self._rooted(mountpoint))

    def _rooted(self, mountpoint: str) -> str:
        return str(self.root / mountpoint.lstrip("/"))


class DiskRates(Gauge):
    """Bytes a second to and from all disks together."""

    every = 5.0
    _before: tuple[Count, Count] | None = None

    def find(self) -> Collection[str]:
        """As in Gauge."""
        # Whole disks only: partitions, dm, md, loop and zram would count the same bytes again.
        counters = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
        self._names = [name for name in counters if (self.root / "sys/block" / name / "device").exists()]
        return ("disk_read", "disk_written") if self._names else ()

    def sample(self, mono: int) -> Mapping[str, Value]:
        """As in Gauge."""
        counters = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
        found = [counters[name] for name in self._names if name in counters]
        after = (
            Count(mono, sum(disk.read_bytes for disk in found)),
            Count(mono, sum(disk.write_bytes for disk in found)),
        )
        before, self._before = self._before, after
        if before is None:
            return {}
        read, written = rate(before[0], after[0]), rate(before[1], after[1])
        return {
            name: round(value) for name, value in (("disk_read", read), ("disk_written", written)) if value is not None
        }
