"""What hubs ask of history.db: series for charts, the latest of everything, events. Only reads."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from copy import copy
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from pilothouse.clock import Clock
from pilothouse.errors import BadValue
from pilothouse.model import PropertyState, Series, ThingDescription
from pilothouse.record import recent, tiers
from pilothouse.record.cells import GAP, QUALITIES, from_cell
from pilothouse.record.database import Database
from pilothouse.record.positions import read_position
from pilothouse.record.query import Range, Reader
from pilothouse.record.rows import Occurrence, Position, Remembered, SeriesData
from pilothouse.record.visible import Pair, Sees, visible_pairs

log = logging.getLogger(__name__)

_AHEAD = 60_000
"""Milliseconds that a node's clock may be ahead; a reading further in the future is not the latest of anything."""
_LATEST = """
SELECT s.node, s.thing, s.property, s.kind, r.time, r.value, r.quality FROM series AS s CROSS JOIN {table} AS r
WHERE r.series = s.id AND r.time = (
    SELECT time FROM {table} WHERE series = s.id AND time <= ? AND quality <> ? ORDER BY time DESC LIMIT 1)
"""
_MOST_EVENTS = 1000
_EVENT = "SELECT id, node, thing, name, time, data FROM event"


class History:
    """A reader of history.db; any number of processes may have it open while the keeper writes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._sees: Sees | None = None

    def part(self, sees: Sees) -> History:
        """As somebody reads it who may see these things only: others were never recorded, and nothing happened there.

        Shares the open database. `sees` is called in another thread.
        """
        made = copy(self)
        made._sees = sees
        return made

    @classmethod
    async def open_reader(cls, path: Path, clock: Clock) -> History:
        """Open history.db at `path`, which may not be there yet; raises CannotStart."""
        return cls(await Database.open_reader(path, "history", prepare=recent.attach), clock)

    async def close(self) -> None:
        """Close it."""
        await self._database.close()

    async def query(self, series: Sequence[Series], start: int, end: int, points: int = 1000) -> list[SeriesData]:
        """Each of `series` from `start` to before `end` (Unix milliseconds) in at most `points` buckets.

        Where nobody was reading there is a point without values. A series that was never recorded comes back empty.
        Raises BadValue for a range or a number of points that makes no sense, RecordError.
        """
        if not 0 <= start < end < 2**53:
            raise BadValue(f"the range from {start} to {end} is none", why="it must begin before it ends, after 1970")
        if not 2 <= points <= tiers.MOST_POINTS:
            raise BadValue(f"{points} points cannot be given", why=f"it must be from 2 to {tiers.MOST_POINTS}")
        asked = Range(start, end, points)
        budget = max(1, tiers.RAW_ROWS // max(1, len(series)))

        def work(connection: sqlite3.Connection) -> list[SeriesData]:
            reader = Reader(connection)
            return [
                reader.series(one, asked, budget) if self._shows(one.node, one.thing) else SeriesData(series=str(one))
                for one in series
            ]

        return await self._database.read(work)

    async def latest(self) -> dict[Series, PropertyState]:
        """The last reading of every series that ever was."""
        return await self._database.read(self._latest)

    async def directory(self) -> list[Remembered]:
        """Every thing that is still there as far as the record knows, with the last readings of its properties."""

        def work(connection: sqlite3.Connection) -> list[Remembered]:
            latest = self._latest(connection)
            sql = (
                "SELECT t.node, t.described, coalesce(n.last_seen, t.time) FROM thing AS t"
                " LEFT JOIN node AS n ON n.node = t.node ORDER BY t.node, t.thing"
            )
            rows = connection.execute(sql).fetchall()
            found = [one for one in (_remembered(row, latest) for row in rows) if one is not None]
            return [one for one in found if self._shows(one.description.node, one.description.name)]

        return await self._database.read(work)

    async def events(
        self, *, node: str | None = None, thing: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[Occurrence]:
        """Events, newest first; `before` is the time (Unix milliseconds) that they must be older than."""
        wanted = {"node = ?": node, "thing = ?": thing, "time < ?": before}
        given = {test: value for test, value in wanted.items() if value is not None}
        where = f" WHERE {' AND '.join(given)}" if given else ""
        sql = f"{_EVENT}{where} ORDER BY time DESC, id DESC"
        most = max(1, min(limit, _MOST_EVENTS))

        def work(connection: sqlite3.Connection) -> list[Occurrence]:
            if self._sees is None:
                rows: Iterator[tuple[Any, ...]] = connection.execute(sql, list(given.values()))
            else:
                asked = [
                    pair
                    for pair in visible_pairs(connection, "event", self._sees)
                    if node in (None, pair[0]) and thing in (None, pair[1])
                ]
                rows = _newest(connection, asked, before)
            return [_occurrence(row) for row in islice(rows, most)]

        return await self._database.read(work)

    async def position(self, stream: str) -> Position:
        """Up to where `stream` is in the record."""
        return await self._database.read(lambda connection: read_position(connection, stream))

    def _shows(self, node: str, thing: str) -> bool:
        return self._sees is None or self._sees(node, thing)

    def _latest(self, connection: sqlite3.Connection) -> dict[Series, PropertyState]:
        tables = ["shown.recent", "reading"] if recent.look(connection) else ["reading"]
        latest: dict[Series, PropertyState] = {}
        for table in tables:
            rows = connection.execute(_LATEST.format(table=table), (self._clock.now() + _AHEAD, GAP))
            for node, thing, name, kind, time, cell, quality in rows:
                if not self._shows(node, thing):
                    continue
                series = Series(node, thing, name)
                known = latest.get(series)
                if known is None or known.time < time:
                    state = PropertyState(value=from_cell(cell, kind), time=time, quality=QUALITIES[quality])
                    latest[series] = state
        return latest


def _remembered(row: tuple[str, str, int], latest: dict[Series, PropertyState]) -> Remembered | None:
    node, text, last_seen = row
    try:
        description = msgspec.json.decode(text, type=ThingDescription)
    except msgspec.DecodeError as error:
        # Written by another version; the node tells it anew when it is there.
        log.warning("a description of a thing of %s in the record cannot be read: %s", node, error)
        return None
    states = {name: latest.get(Series(node, description.name, name)) for name in description.properties}
    return Remembered(
        description=description,
        properties={name: state for name, state in states.items() if state is not None},
        last_seen=last_seen,
    )


def _newest(connection: sqlite3.Connection, pairs: Sequence[Pair], before: int | None) -> Iterator[tuple[Any, ...]]:
    """Events of these (node, thing), newest first, read no further than they are taken."""
    older = "" if before is None else " AND time < ?"
    sql = f"{_EVENT} WHERE node = ? AND thing = ?{older} ORDER BY time DESC, id DESC"
    late = () if before is None else (before,)
    return merge(
        *(connection.execute(sql, (*pair, *late)) for pair in pairs), key=lambda row: (row[4], row[0]), reverse=True
    )


def _occurrence(row: tuple[Any, ...]) -> Occurrence:
    id, node, thing, name, time, data = row
    return Occurrence(id=id, node=node, thing=thing, name=name, time=time, data=msgspec.json.decode(data))
