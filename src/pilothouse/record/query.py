"""A series over a range of time, from the coarsest table that does, with what is not rolled up yet from finer ones."""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from pilothouse.model import Series
from pilothouse.record import recent, tiers
from pilothouse.record.cells import OTHER, from_cell
from pilothouse.record.meta import get_meta
from pilothouse.record.rows import Point, SeriesData

_BUCKETS = """
SELECT time / :bucket * :bucket AS slot, min(value), max(value), avg(value), count(value),
    max(time), max(CASE WHEN value IS NULL THEN time END)
FROM ({source}) WHERE value IS NULL OR typeof(value) <> 'text' GROUP BY slot
"""
_ROLLED = """
SELECT time / :bucket * :bucket AS slot, min(low), max(high), coalesce(sum(mean * held) / nullif(sum(held), 0),
    avg(mean)), sum(count), max(time), max(CASE WHEN broken THEN time END)
FROM {table} WHERE series = :series AND time >= :start AND time < :end GROUP BY slot
"""


class _Row(NamedTuple):
    id: int
    kind: int
    unit: str
    hold: int


class Range(NamedTuple):
    """What is asked for: [start, end) in Unix milliseconds, in at most `points` points a series."""

    start: int
    end: int
    points: int


class Reader:
    """Answers on one connection, within one snapshot."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._tables = ["shown.recent", "reading"] if recent.look(connection) else ["reading"]
        self._raw_from = int(get_meta(connection, "raw_from") or 0)
        self._minute_from = int(get_meta(connection, "minute_from") or 0)

    def series(self, wanted: Series, asked: Range, budget: int) -> SeriesData:
        """One series; empty when nothing of that name was ever recorded."""
        sql = "SELECT id, kind, unit, hold FROM series WHERE node = ? AND thing = ? AND property = ?"
        found = self._connection.execute(sql, wanted).fetchone()
        if found is None:
            return SeriesData(series=str(wanted))
        row = _Row(*found)
        if row.kind == OTHER:
            values = self._values(row, asked)
            return SeriesData(series=str(wanted), unit=row.unit, values=values)
        choice = tiers.choose(
            asked.start,
            asked.end,
            asked.points,
            raw_rows=self._count(row, asked, budget),
            raw_whole=asked.start >= self._raw_from,
            minutes_whole=asked.start >= self._minute_from,
        )
        points = self._every(row, asked) if choice.bucket == 0 else self._decimated(row, asked, choice)
        self._carry(row, asked, points)
        return SeriesData(series=str(wanted), unit=row.unit, tier=choice.tier, bucket=choice.bucket, points=points)

    def _source(self, columns: str, where: str) -> str:
        """The readings of a series, wherever they lie, as a part of a statement."""
        return " UNION ALL ".join(f"SELECT {columns} FROM {table} WHERE {where}" for table in self._tables)  # noqa: S608

    def _ask(self, sql: str, row: _Row, start: int, end: int, **more: int) -> list[tuple[Any, ...]]:
        names = {"series": row.id, "start": start, "end": end, **more}
        return self._connection.execute(sql, names).fetchall()

    def _count(self, row: _Row, asked: Range, budget: int) -> int | None:
        """How many readings the range has, None when more than `budget`."""
        rolled = "SELECT sum(count) FROM minute WHERE series = :series AND time >= :start AND time < :end"
        if (self._ask(rolled, row, asked.start, asked.end)[0][0] or 0) > budget:
            return None
        source = self._source("1", "series = :series AND time >= :start AND time < :end")
        sql = f"SELECT count(*) FROM (SELECT 1 FROM ({source}) LIMIT :most)"  # noqa: S608
        count = int(self._ask(sql, row, asked.start, asked.end, most=budget + 1)[0][0])
        return count if count <= budget else None

    def _rows(self, row: _Row, start: int, end: int) -> dict[int, Any]:
        """Every reading by its time; those that lie in both places once."""
        source = self._source("time, value", "series = :series AND time >= :start AND time < :end")
        return dict(sorted(self._ask(source, row, start, end), key=lambda found: int(found[0])))

    def _every(self, row: _Row, asked: Range) -> list[Point]:
        points: list[Point] = []
        for time, value in self._rows(row, asked.start, asked.end).items():
            if isinstance(value, str):
                continue
            number = None if value is None else float(value)
            if number is not None or not points or points[-1][1] is not None:
                points.append((time, number, number, number))
        return points

    def _decimated(self, row: _Row, asked: Range, choice: tiers.Choice) -> list[Point]:
        buckets: dict[int, tiers.Bucket] = {}
        start = asked.start
        for tier, width in (("hour", tiers.HOUR), ("minute", tiers.MINUTE)):
            if tier == choice.tier or (tier == "minute" and choice.tier == "hour"):
                start = self._rolled(row, (start, asked.end), choice.bucket, buckets, (tier, width))
        source = self._source("time, value", "series = :series AND time >= :start AND time < :end")
        sql = _BUCKETS.format(source=source)
        for slot, low, high, mean, count, last, broken in self._ask(sql, row, start, asked.end, bucket=choice.bucket):
            _add(buckets, slot, tiers.Bucket(low, high, mean, count, broken if broken == last else 0))
        return tiers.draw(buckets, asked.start)

    def _rolled(
        self, row: _Row, span: tuple[int, int], bucket: int, buckets: dict[int, tiers.Bucket], tier: tuple[str, int]
    ) -> int:
        """Add what is rolled up; gives from when on it is not."""
        table, width = tier
        start, end = span
        first = start - start % width
        sql = f"SELECT max(time) FROM {table} WHERE series = ? AND time >= ? AND time < ?"  # noqa: S608
        last = self._connection.execute(sql, (row.id, first, end)).fetchone()[0]
        if last is None:
            return start
        rows = self._ask(_ROLLED.format(table=table), row, first, end, bucket=bucket)
        for slot, low, high, mean, count, newest, broken in rows:
            gap = broken + width - 1 if broken is not None and broken == newest else 0
            _add(buckets, slot, tiers.Bucket(low, high, mean, count, gap))
        return int(last) + width

    def _carry(self, row: _Row, asked: Range, points: list[Point]) -> None:
        """Put the value that was held when the range began in front."""
        if points and points[0][0] <= asked.start:
            return
        before = self._before(row, asked.start)
        if before is not None and not isinstance(before[1], str) and before[1] is not None:
            number = float(before[1])
            points.insert(0, (asked.start, number, number, number))

    def _before(self, row: _Row, start: int) -> tuple[int, Any] | None:
        """The last reading before `start` that may still have held then."""
        where = "series = :series AND time < :start AND time >= :start - :hold ORDER BY time DESC LIMIT 1"
        found: list[tuple[int, Any]] = []
        for table in self._tables:
            sql = f"SELECT time, value FROM {table} WHERE {where}"  # noqa: S608
            found += self._ask(sql, row, start, start, hold=row.hold)
        return max(found, key=lambda one: one[0], default=None)

    def _values(self, row: _Row, asked: Range) -> list[tuple[int, Any]]:
        """Where a text or a structure changed; when it did too often, the last of each bucket."""
        rows = self._rows(row, asked.start, asked.end)
        before = self._before(row, asked.start)
        values: list[tuple[int, Any]] = [] if before is None else [(asked.start, before[1])]
        for time, cell in rows.items():
            if not values or cell != values[-1][1]:
                values.append((time, cell))
        if len(values) > asked.points:
            width = max(1, -(-(asked.end - asked.start) // asked.points))
            values = list({time // width: (time, cell) for time, cell in values}.values())
        return [(time, from_cell(cell, row.kind)) for time, cell in values]


def _add(buckets: dict[int, tiers.Bucket], slot: int, bucket: tiers.Bucket) -> None:
    there = buckets.get(slot)
    if there is None:
        buckets[slot] = bucket
    else:
        there.add(bucket)
