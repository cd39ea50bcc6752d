"""Roll-ups of a minute and an hour: lowest, highest, mean, count.

A property is reported when it changes, so a value holds until the next reading; the mean is weighted by that time, and
a value that was held when the minute began belongs to the minute. It holds no longer than its series says (`hold`,
two and a half heartbeats), and not beyond a gap or a bad reading.

Which are due is decided here without I/O; the arithmetic is one SQL statement a series, which runs without Python's
lock. A minute that gets readings later (`dirty`) is simply rolled up again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pilothouse.record.cells import OTHER
from pilothouse.record.meta import get_meta

MINUTE = 60_000
HOUR = 3_600_000
SPAN = (MINUTE, HOUR)
TABLE = ("minute", "hour")
_PATIENCE = (2 * HOUR, 6 * HOUR)
"""The newest of a node is not complete until the next begins, or until nothing came for so long."""


class Dirty(NamedTuple):
    """A minute (tier 0) or hour (tier 1) of a node that is to be rolled up."""

    tier: int
    node: str
    time: int
    stamp: int
    """When readings last came for it, keeper's clock."""


Rolled = tuple[int, int, float | None, float | None, float | None, int, int, int]
"""(series, time, low, high, mean, count, held, broken)"""


def dirty(connection: sqlite3.Connection, tier: int) -> list[Dirty]:
    """All that are to be done."""
    sql = "SELECT tier, node, time, stamp FROM dirty WHERE tier = ? ORDER BY node, time"
    return [Dirty(*row) for row in connection.execute(sql, (tier,))]


def due(found: Iterable[Dirty], now: int, bunch: int = 0) -> list[Dirty]:
    """Those that are complete: a later one of the same node has begun, or nothing came for a long time.

    A node's wait for each other until they span `bunch` milliseconds: roll-ups of an hour lie on the same page, and a
    card wears by pages.
    """
    items = list(found)
    newest: dict[str, int] = {}
    oldest: dict[str, int] = {}
    for item in items:
        newest[item.node] = max(newest.get(item.node, item.time), item.time)
        oldest[item.node] = min(oldest.get(item.node, item.time), item.time)
    ready = {node for node in newest if newest[node] - oldest[node] >= bunch}
    ready |= {item.node for item in items if _silent(item, now)}
    return [item for item in items if item.node in ready and (item.time < newest[item.node] or _silent(item, now))]


def _silent(item: Dirty, now: int) -> bool:
    return abs(now - item.stamp) >= _PATIENCE[item.tier]


_SERIES = f"SELECT id, hold FROM series WHERE node = ? AND kind <> {OTHER}"  # noqa: S608 - a number of ours
_ROLL_MINUTE = """
WITH piece AS (
    SELECT time, CASE WHEN typeof(value) <> 'text' THEN value END AS value FROM reading
    WHERE series = :series AND time < :end AND time >= coalesce(
        (SELECT max(time) FROM reading WHERE series = :series AND time < :start AND time >= :start - :hold), :start)
), held AS (
    SELECT time, value,
        min(coalesce(lead(time) OVER (ORDER BY time), :end), time + :hold, :end) - max(time, :start) AS ms FROM piece
)
SELECT min(value), max(value), sum(value * max(ms, 0)), sum(max(ms, 0)) FILTER (WHERE value IS NOT NULL), avg(value),
    count(*) FILTER (WHERE time >= :start AND value IS NOT NULL), count(*) FILTER (WHERE time >= :start),
    max(time), max(time) FILTER (WHERE value IS NULL)
FROM held
"""
_ROLL_HOUR = """
SELECT series, min(low), max(high), sum(mean * held) / nullif(sum(held), 0), avg(mean), sum(count), sum(held),
    max(time), max(time) FILTER (WHERE broken)
FROM minute WHERE series = ? AND time >= ? AND time < ? GROUP BY series
"""


def compute(connection: sqlite3.Connection, item: Dirty) -> list[Rolled]:
    """The rolled rows of one minute or hour of a node; only reads."""
    if item.tier == 0 and item.time < int(get_meta(connection, "raw_from") or 0):
        return []  # its readings are deleted already; what comes so late must not replace what was made of them
    series = connection.execute(_SERIES, (item.node,)).fetchall()
    roll = _roll_minute if item.tier == 0 else _roll_hour
    rows = (roll(connection, id, hold, item.time) for id, hold in series)
    return [row for row in rows if row is not None]


def _roll_minute(connection: sqlite3.Connection, series: int, hold: int, start: int) -> Rolled | None:
    names = {"series": series, "hold": hold, "start": start, "end": start + MINUTE}
    row = connection.execute(_ROLL_MINUTE, names).fetchone()
    low, high, weighted, held, plain, count, entries, last, broken = row
    if not entries:
        return None
    mean = weighted / held if held else plain
    return (
        series,
        start,
        _real(low),
        _real(high),
        _real(mean),
        count,
        held or 0,
        int(broken is not None and broken == last),
    )


def _roll_hour(connection: sqlite3.Connection, series: int, _hold: int, start: int) -> Rolled | None:
    row = connection.execute(_ROLL_HOUR, (series, start, start + HOUR)).fetchone()
    if row is None:
        return None
    _, low, high, weighted, plain, count, held, last, broken = row
    mean = weighted if weighted is not None else plain
    return series, start, low, high, mean, count, held, int(broken is not None and broken == last)


def _real(number: Any) -> float | None:
    return None if number is None else float(number)


def store(connection: sqlite3.Connection, items: Sequence[Dirty], rows: Sequence[Rolled], now: int) -> None:
    """Write what `compute` gave for items of one tier; one stays to be done when readings came for it meanwhile."""
    tier = items[0].tier
    connection.executemany(
        f"INSERT INTO {TABLE[tier]} (series, time, low, high, mean, count, held, broken) VALUES (?,?,?,?,?,?,?,?)"  # noqa: S608
        " ON CONFLICT (series, time) DO UPDATE SET low = excluded.low, high = excluded.high, mean = excluded.mean,"
        " count = excluded.count, held = excluded.held, broken = excluded.broken",
        rows,
    )
    connection.executemany("DELETE FROM dirty WHERE tier = ? AND node = ? AND time = ? AND stamp = ?", items)
    if tier == 0:
        hours = {(item.node, item.time - item.time % HOUR) for item in items}
        connection.executemany(
            "INSERT INTO dirty (tier, node, time, stamp) VALUES (1, ?, ?, ?) ON CONFLICT (tier, node, time)"
            " DO UPDATE SET stamp = excluded.stamp",
            [(*hour, now) for hour in sorted(hours)],
        )
