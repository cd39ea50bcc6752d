"""What the kernel says of a process: memory, processor time, bytes written. Linux only."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

_TICK = os.sysconf("SC_CLK_TCK")


class Memory(Struct):
    """Bytes of memory of one process."""

    resident: int
    """RSS: all pages in memory, shared ones too; summed over processes it counts those more than once."""
    proportional: int
    """PSS: shared pages divided by who shares them; sums are honest."""


def memory(pid: int) -> Memory:
    """Memory of `pid` now; raises OSError when it is gone."""
    values = {"Rss": 0, "Pss": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        key, _, rest = line.partition(":")
        if key in values:
            values[key] = int(rest.split()[0]) * 1024
    return Memory(values["Rss"], values["Pss"])


def processor_seconds(pid: int) -> float:
    """User and system time that `pid` has used up, with threads, without children.

    Taken from the scheduler's nanoseconds of each thread where the kernel has them: ticks of 10 ms are too coarse for
    a process that uses 1 % of a core. Time of threads that ended meanwhile is lost that way.
    """
    total = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
        return total / 1e9
    except (OSError, ValueError, IndexError):
        fields = _fields(pid)
        return (int(fields[11]) + int(fields[12])) / _TICK


def written_bytes(pid: int) -> int:
    """Bytes that `pid` has caused to be sent to storage, less what was deleted before it got there."""
    values = {}
    for line in Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines():
        key, _, rest = line.partition(":")
        values[key] = int(rest)
    return values["write_bytes"] - values["cancelled_write_bytes"]


def shares(pids: Iterable[int], seconds: float) -> dict[int, float]:
    """Watch for `seconds`; percent of one core that each process used."""
    listed = list(pids)
    began = time.monotonic()
    before = {pid: processor_seconds(pid) for pid in listed}
    time.sleep(seconds)
    after = {pid: processor_seconds(pid) for pid in listed}
    elapsed = time.monotonic() - began
    return {pid: 100 * (after[pid] - before[pid]) / elapsed for pid in listed}


class Alive(Struct, frozen=True):
    """One life of a process: the number alone may be given to another one later."""

    pid: int
    since: str


def children(pid: int) -> list[Alive]:
    """Direct children of `pid`."""
    lives = ((int(entry.name), _fields(int(entry.name))) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [Alive(number, fields[19]) for number, fields in lives if fields and int(fields[1]) == pid]


def is_alive(process: Alive) -> bool:
    """Whether that very process still runs."""
    fields = _fields(process.pid)
    return bool(fields) and fields[19] == process.since and fields[0] != "Z"


def _fields(pid: int) -> list[str]:
    """What /proc/PID/stat says after the name: state, parent, …; [] when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
