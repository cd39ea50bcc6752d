"""Plain SQLite, one table, no bus: how fast rows go in, how fast a day comes out in buckets, what a paced writer costs.

Commands, each printing one line of JSON: `insert FILE ROWS`, `fill FILE SERIES SECONDS` and `chart FILE SERIES POINTS`,
`paced FILE ROWS_A_SECOND SECONDS`, `durable FILE ROWS`.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

BATCH = 1000
_DAY = 86_400_000


def opened(path: str) -> sqlite3.Connection:
    """A database as a telemetry writer would want it."""
    link = sqlite3.connect(path, isolation_level=None)
    link.execute("PRAGMA journal_mode=WAL")
    link.execute("PRAGMA synchronous=NORMAL")
    link.execute(
        "CREATE TABLE IF NOT EXISTS row(series INTEGER NOT NULL, time INTEGER NOT NULL, value REAL, "
        "PRIMARY KEY(series, time)) STRICT, WITHOUT ROWID"
    )
    return link


def write(link: sqlite3.Connection, rows: Iterable[tuple[int, int, float]]) -> None:
    """One transaction."""
    link.execute("BEGIN IMMEDIATE")
    link.executemany("INSERT INTO row VALUES (?, ?, ?)", rows)
    link.execute("COMMIT")


def insert(path: str, rows: int) -> dict[str, float]:
    """Rows a second in transactions of BATCH."""
    link = opened(path)
    began = time.perf_counter()
    for first in range(0, rows, BATCH):
        write(link, [(n % 20, n, n * 0.5) for n in range(first, first + BATCH)])
    elapsed = time.perf_counter() - began
    [(count,)] = link.execute("SELECT count(*) FROM row")
    link.close()
    return {"rate": rows / elapsed, "count": count}


def durable(path: str, rows: int) -> dict[str, Any]:
    """Milliseconds of one row in a transaction of its own that is on the disk when it returns."""
    link = opened(path)
    link.execute("PRAGMA synchronous=FULL")
    latencies = []
    first = time.time_ns()
    for number in range(rows):
        began = time.perf_counter()
        write(link, [(0, first + number, 0.5)])
        latencies.append(1000 * (time.perf_counter() - began))
    link.close()
    return {"latencies": latencies}


def fill(path: str, series: int, seconds: int) -> dict[str, float]:
    """The last `seconds` of `series` series at 1 Hz."""
    link = opened(path)
    for one in range(series):
        write(link, ((one, _DAY + 1000 * n, n * 0.5) for n in range(seconds)))
    link.close()
    return {"count": series * seconds}


def chart(path: str, series: int, points: int) -> dict[str, float]:
    """Milliseconds for all rows of each series as minimum, maximum and mean a bucket, encoded as JSON."""
    link = opened(path)
    bucket = _DAY // points
    began = time.perf_counter()
    query = "SELECT time / ?1, min(value), max(value), avg(value) FROM row WHERE series = ?2 GROUP BY time / ?1"
    found = [link.execute(query, (bucket, one)).fetchall() for one in range(series)]
    json.dumps(found)
    elapsed = time.perf_counter() - began
    link.close()
    return {"ms": 1000 * elapsed, "points": sum(len(rows) for rows in found)}


def paced(path: str, rows: int, seconds: float) -> dict[str, float]:
    """A transaction of `rows` rows every second; the bytes that this process has sent to storage for it."""
    before = _written()
    link = opened(path)
    end = time.monotonic() + seconds
    tick = 0
    while time.monotonic() < end:
        write(link, [(n, 1000 * tick, n * 0.5) for n in range(rows)])
        tick += 1
        time.sleep(1.0)
    written = _written() - before
    link.close()
    return {"bytes": written, "seconds": seconds}


def _written() -> int:
    values = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines())
    return int(values["write_bytes"]) - int(values["cancelled_write_bytes"])


def main(argv: list[str]) -> dict[str, Any]:
    """Do one command of the module's text."""
    command, path, *numbers = argv
    if command == "insert":
        return insert(path, int(numbers[0]))
    if command == "durable":
        return durable(path, int(numbers[0]))
    if command == "fill":
        return fill(path, int(numbers[0]), int(numbers[1]))
    if command == "chart":
        return chart(path, int(numbers[0]), int(numbers[1]))
    return paced(path, int(numbers[0]), float(numbers[1]))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
