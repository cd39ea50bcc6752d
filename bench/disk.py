"""What a day writes to disk, with the vitals of this machine at 1 Hz and all settings as by default.

The keeper writes readings into the record in few large transactions (keeper.settle, half an hour), so the watch
lasts one whole period: any window of that length has one of them in it.
"""

from __future__ import annotations

import time
from pathlib import Path

from bench.beside import sqlite
from bench.figures import Figure, summed
from bench.meter import written_bytes
from bench.processes import MB, VITALS
from bench.script import Scale, main
from bench.stack import PROCESSES, CannotMeasure, Stack, folder, running

PERIOD = 1800.0
"""Seconds between two large writes of the keeper, by default."""
DAY = 86_400


def measure(scale: Scale) -> list[Figure]:
    """All figures of this script."""
    period = scale.of(int(PERIOD), 10)
    config = VITALS + (f'[keeper]\nsettle = "{period}s"\n' if scale.quick else "")
    with running(config, things=1) as stack:
        rows = sum(len(thing["properties"]) for thing in stack.get("/api/things")["things"])
        with folder() as beside:
            plain = sqlite("paced", beside / "paced.db", rows, scale.of(60, 4))
        time.sleep(scale.of(20, 1))
        written, elapsed = _watched(stack, period)
    # What stands in the write-ahead logs will be written once more, into the databases themselves.
    a_day = {name: DAY / MB * count / elapsed for name, count in written.items()}
    each = ", ".join(f"{name} {amount:.1f}" for name, amount in a_day.items())
    return [
        summed(
            "written to disk a day, default config, one machine's vitals at 1 Hz", "MB", [sum(a_day.values())],
            target=150,
            reference=(
                f"plain SQLite, {rows} rows in one transaction every second",
                [DAY / MB * plain["bytes"] / plain["seconds"]],
            ),
            note=f"extrapolated from {elapsed:.0f} s of /proc/PID/io (write_bytes), what waits in write-ahead logs "
            f"counted twice; MB a day: {each}; the journal of the file system comes on top",
        )
    ]  # fmt: skip


def _watched(stack: Stack, period: float) -> tuple[dict[str, int], float]:
    """Bytes by process in one period, and how long it was."""
    pids = stack.pids()
    before, logs = {name: written_bytes(pids[name]) for name in PROCESSES}, _logs(stack.data)
    began = time.monotonic()
    time.sleep(period)
    elapsed = time.monotonic() - began
    if stack.pids() != pids:
        raise CannotMeasure(f"a process was started anew meanwhile\n{stack.log_end()}")
    written = {name: written_bytes(pids[name]) - before[name] for name in PROCESSES}
    written["logs to fold back"] = max(0, _logs(stack.data) - logs)
    return written, elapsed


def _logs(data: Path) -> int:
    """Bytes of SQLite's write-ahead logs."""
    return sum(path.stat().st_size for path in (data / "record").glob("*.db-wal"))


if __name__ == "__main__":
    main("disk", measure)
