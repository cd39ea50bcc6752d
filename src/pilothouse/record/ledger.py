"""The ledger: every command with its intent, which is written before the bus sees it, and its one honest end."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from pilothouse.bus.messages import End, Outcome, Why
from pilothouse.clock import Clock
from pilothouse.model import Value
from pilothouse.record.database import Database
from pilothouse.record.positions import read_position, write_position
from pilothouse.record.rows import Intent, LaterTruth, Line, Position

log = logging.getLogger(__name__)

_FIELDS = "id, node, thing, kind, name, input, who, origin, reason, made, ttl, epoch"
_ENDING = "ended_as, why, detail, remedy, value, accepted, asked, ended, took_ms"
_INTEND = f"INSERT INTO command ({_FIELDS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING"  # noqa: S608
_SELECT = f"SELECT {_FIELDS}, {_ENDING} FROM command"  # noqa: S608
_END = (
    "UPDATE command SET ended_as = ?, why = ?, detail = ?, remedy = ?, value = ?, accepted = ?, asked = ?, ended = ?,"
    " took_ms = ? WHERE id = ? AND ended_as = ''"
)
_STORE = (
    f"INSERT INTO command ({_FIELDS}, {_ENDING}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608
    " ON CONFLICT (id) DO NOTHING"
)
_LATER = "INSERT INTO later_truth (id, ended_as, detail, value, time) VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING"
_LIMIT = 1000


class Ledger:
    """Commands in main.db. Hubs and the keeper have it open at the same time."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self._clock = clock

    @classmethod
    async def open(cls, path: Path, clock: Clock) -> Ledger:
        """Open main.db at `path`; raises CannotStart."""
        return cls(await Database.open(path, "main", sync="FULL"), clock)

    async def close(self) -> None:
        """Finish what was submitted, then close."""
        await self.database.close()

    async def intend(self, intent: Intent) -> Line | None:
        """Write an intent down. None = it is new and on the disk now, so it may be sent.

        Otherwise the line that is there already under this id: nothing may be sent again. Raises RecordError when it
        could not be written, and then nothing may be sent either.
        """
        row = _intent_row(intent)

        def work(connection: sqlite3.Connection) -> Line | None:
            if connection.execute(_INTEND, row).rowcount:
                return None
            return _line(connection, intent.id)

        return await self.database.write(work)

    async def end(self, outcome: Outcome) -> None:
        """Write down how a command ended. The first end stands.

        A different end that comes later is added as later truth, unless it is only an "unknown". The same end again
        changes nothing. An outcome whose intent is not here gets a line of its own.
        """
        await self.end_some([outcome])

    async def end_some(self, outcomes: Sequence[Outcome]) -> None:
        """As `end`, for many in one transaction."""
        now = self._clock.now()

        def work(connection: sqlite3.Connection) -> None:
            for outcome in outcomes:
                _end(connection, outcome, now)

        await self.database.write(work)

    async def end_all(self, outcomes: Sequence[Outcome], stream: str, position: Position) -> None:
        """Write outcomes from the bus down, and up to where the stream has been read, in one transaction."""
        now = self._clock.now()

        def work(connection: sqlite3.Connection) -> None:
            for outcome in outcomes:
                _end(connection, outcome, now)
            write_position(connection, stream, position)

        await self.database.write(work)

    async def position(self, stream: str) -> Position:
        """Up to where `stream` is in the ledger."""
        return await self.database.read(lambda connection: read_position(connection, stream))

    async def line(self, id: str) -> Line | None:
        """The line of a command, None when there is none."""
        return await self.database.read(lambda connection: _line(connection, id))

    async def lines(
        self,
        *,
        node: str | None = None,
        thing: str | None = None,
        end: str | None = None,
        who: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> list[Line]:
        """Lines, newest first; `end` "" means the open ones; `before` is the id of the last line of the page before."""
        wanted = {"node": node, "thing": thing, "ended_as": end, "who": who}
        given = {column: value for column, value in wanted.items() if value is not None}
        tests = [f"{column} = ?" for column in given]
        arguments: list[Any] = list(given.values())
        if before is not None:
            tests.append("n < (SELECT n FROM command WHERE id = ?)")
            arguments.append(before)
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        arguments.append(max(1, min(limit, _LIMIT)))

        def work(connection: sqlite3.Connection) -> list[Line]:
            rows = connection.execute(f"{_SELECT}{where} ORDER BY n DESC LIMIT ?", arguments).fetchall()
            return _lines(connection, rows)

        return await self.database.read(work)

    async def close_open(self, older_than_ms: int) -> int:
        """End every open line whose time to live passed `older_than_ms` ago or more as "unknown"; gives how many."""
        now = self._clock.now()
        late = now - older_than_ms

        def find(connection: sqlite3.Connection) -> int:
            test = "SELECT count(*) FROM command WHERE ended_as = '' AND made + ttl * 1000 <= ?"
            return int(connection.execute(test, (late,)).fetchone()[0])

        def work(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "UPDATE command SET ended_as = ?, why = ?, detail = ?, remedy = ?, ended = ?"
                " WHERE ended_as = '' AND made + ttl * 1000 <= ?",
                (
                    End.UNKNOWN.value,
                    Why.TIME.value,
                    "nobody told how it ended",
                    "Look at the device; what its node says later is added here",
                    now,
                    late,
                ),
            ).rowcount

        # Looked at first, because a write transaction that finds nothing still takes the lock from the hubs.
        return await self.database.write(work) if await self.database.read(find) else 0


def _intent_row(intent: Intent) -> tuple[Any, ...]:
    return (
        intent.id,
        intent.node,
        intent.thing,
        intent.kind,
        intent.name,
        _json(intent.input),
        intent.who,
        intent.origin,
        intent.reason,
        intent.made,
        float(intent.ttl),
        intent.epoch,
    )


def _end(connection: sqlite3.Connection, outcome: Outcome, now: int) -> None:
    value = _json(outcome.value)
    end, why = outcome.end.value, outcome.why.value
    stamps = (outcome.accepted, outcome.asked, outcome.ended or now, float(outcome.took_ms))
    ending = (end, why, outcome.detail, outcome.remedy, value, *stamps)
    if connection.execute(_END, (*ending, outcome.id)).rowcount:
        return
    made = outcome.accepted or outcome.ended or now
    bare = (outcome.id, outcome.node, outcome.thing, "", outcome.name, "null", "", "", "", made, 0.0, outcome.epoch)
    if connection.execute(_STORE, (*bare, *ending)).rowcount:
        log.warning("a command of unknown origin ended at %s/%s: %s", outcome.node, outcome.thing, outcome.id)
        return
    first = connection.execute("SELECT ended_as FROM command WHERE id = ?", (outcome.id,)).fetchone()[0]
    if first != end and outcome.end is not End.UNKNOWN:
        connection.execute(_LATER, (outcome.id, end, outcome.detail, value, now))


def _line(connection: sqlite3.Connection, id: str) -> Line | None:
    row = connection.execute(f"{_SELECT} WHERE id = ?", (id,)).fetchone()
    return None if row is None else _lines(connection, [row])[0]


def _lines(connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> list[Line]:
    later: dict[str, list[LaterTruth]] = {}
    for start in range(0, len(rows), 100):
        ids = [row[0] for row in rows[start : start + 100]]
        marks = ",".join("?" * len(ids))
        found = connection.execute(
            f"SELECT id, ended_as, detail, value, time FROM later_truth WHERE id IN ({marks}) ORDER BY time",  # noqa: S608
            ids,
        )
        for id, end, detail, value, time in found:
            later.setdefault(id, []).append(LaterTruth(end=end, detail=detail, value=_value(value), time=time))
    return [_struct(row, later.get(row[0], [])) for row in rows]


def _struct(row: tuple[Any, ...], later: list[LaterTruth]) -> Line:
    return Line(
        id=row[0],
        node=row[1],
        thing=row[2],
        kind=row[3],
        name=row[4],
        input=_value(row[5]),
        who=row[6],
        origin=row[7],
        reason=row[8],
        made=row[9],
        ttl=row[10],
        epoch=row[11],
        end=row[12],
        why=row[13],
        detail=row[14],
        remedy=row[15],
        value=_value(row[16]),
        accepted=row[17],
        asked=row[18],
        ended=row[19],
        took_ms=row[20],
        later=later,
    )


def _json(value: Value) -> str:
    return msgspec.json.encode(value).decode()


def _value(text: str) -> Value:
    value: Value = msgspec.json.decode(text)
    return value
