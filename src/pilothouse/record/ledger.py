"""The ledger: every command with its intent, which is written before the bus sees it, and its one honest end.

Acts on the site as a whole, stops and leases, and about people, log-ins and rights, are lines too; they have ended when
they are told.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from pilothouse.bus.messages import End, Outcome, Why
from pilothouse.clock import Clock
from pilothouse.model import Value
from pilothouse.record.database import Database
from pilothouse.record.positions import read_position, write_position
from pilothouse.record.rows import Act, Intent, LaterTruth, Line, Lines, Position, Wanted
from pilothouse.record.search import search
from pilothouse.record.visible import Sees

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
_LATER_FIELDS = "id, ended_as, detail, value, time, accepted, asked, ended"
_LATER = f"INSERT INTO later_truth ({_LATER_FIELDS}) VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"  # noqa: S608
_LIMIT = 1000


class Ledger:
    """Commands in main.db. Hubs and the keeper have it open at the same time."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self._clock = clock
        self._sees: Sees | None = None
        self._without: tuple[str, ...] = ()

    def part(self, sees: Sees | None, *, without: tuple[str, ...] = ()) -> Ledger:
        """As somebody reads it who may see only lines of some things and stands (None = of all), and none of the kinds
        `without`. Shares the database. `sees` is called in another thread.
        """
        made = copy(self)
        made._sees, made._without = sees, without
        return made

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
        changes nothing. An outcome whose intent is not here gets a line of its own; what stands behind it is told by
        the agent when the command was its own.
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
        line = await self.database.read(lambda connection: _line(connection, id))
        if line is None or line.kind in self._without:
            return None
        return line if self._sees is None or self._sees(line.node, line.thing) else None

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
        wanted = Wanted(node=node, thing=thing, end=end, who=who)
        return (await self.page(wanted, before=before or "", limit=limit)).lines

    async def page(self, wanted: Wanted, *, before: str = "", limit: int = 100) -> Lines:
        """A page of the lines that fit, newest first; the next one begins `before` what it gives as `next`.

        A page looks at a bounded part of the ledger: under several filters it may hold fewer lines than `limit`, even
        none, and still have a next one. Raises NotThere when there is no line `before`.
        """
        most = max(1, min(limit, _LIMIT))
        if self._without:
            wanted = replace(wanted, without=(*wanted.without, *self._without))

        def work(connection: sqlite3.Connection) -> Lines:
            found = search(connection, wanted, before, most, sees=self._sees)
            return Lines(lines=_lines(connection, _rows(connection, found.numbers)), next=found.next)

        return await self.database.read(work)

    async def act(self, act: Act) -> None:
        """Write down what was done on the site or about people, which has ended then; the same id twice is once."""
        await self.database.write(lambda connection: write_act(connection, act))

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
    if connection.execute(_STORE, (*_told_by_agent(outcome, now), *ending)).rowcount:
        if outcome.made is None:
            log.warning("a command of unknown origin ended at %s/%s: %s", outcome.node, outcome.thing, outcome.id)
        return
    first = connection.execute("SELECT ended_as FROM command WHERE id = ?", (outcome.id,)).fetchone()[0]
    if first != end and outcome.end is not End.UNKNOWN:
        told = (outcome.accepted, outcome.asked, outcome.ended)
        connection.execute(_LATER, (outcome.id, end, outcome.detail, value, now, *told))


def _told_by_agent(outcome: Outcome, now: int) -> tuple[Any, ...]:
    """The first half of a line whose intent no hub has written."""
    made = outcome.made
    if made is None:
        since = outcome.accepted or outcome.ended or now
        kind, input, who, origin, reason = "", "null", "", "", ""
    else:
        since, kind, input = made.time, made.kind, _json(made.input)
        who, origin, reason = made.who, made.origin, made.reason
    asked_for = (kind, outcome.name, input, who, origin, reason)
    return (outcome.id, outcome.node, outcome.thing, *asked_for, since, 0.0, outcome.epoch)


def write_act(connection: sqlite3.Connection, act: Act) -> None:
    """Write an act on the site or about people down, within a transaction of somebody's; the same id twice is once."""
    asked_for = (act.kind, act.name, _json(act.input), act.who, act.origin, act.reason)
    ending = (End.CONFIRMED.value, "", act.detail, "", "null", 0, 0, act.made, 0.0)
    connection.execute(_STORE, (act.id, "", act.thing, *asked_for, act.made, 0.0, 0, *ending))


def _line(connection: sqlite3.Connection, id: str) -> Line | None:
    row = connection.execute(f"{_SELECT} WHERE id = ?", (id,)).fetchone()
    return None if row is None else _lines(connection, [row])[0]


def _rows(connection: sqlite3.Connection, numbers: list[int]) -> list[tuple[Any, ...]]:
    """The lines of these numbers, in their order."""
    rows: dict[int, tuple[Any, ...]] = {}
    for start in range(0, len(numbers), 100):
        some = numbers[start : start + 100]
        marks = ",".join("?" * len(some))
        sql = f"SELECT {_FIELDS}, {_ENDING}, n FROM command WHERE n IN ({marks})"  # noqa: S608
        rows |= {row[-1]: row for row in connection.execute(sql, some)}
    return [rows[number] for number in numbers]


def _lines(connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> list[Line]:
    later: dict[str, list[LaterTruth]] = {}
    for start in range(0, len(rows), 100):
        ids = [row[0] for row in rows[start : start + 100]]
        marks = ",".join("?" * len(ids))
        found = connection.execute(
            f"SELECT {_LATER_FIELDS} FROM later_truth WHERE id IN ({marks}) ORDER BY time",  # noqa: S608
            ids,
        )
        for row in found:
            later.setdefault(row[0], []).append(_truth(row))
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


def _truth(row: tuple[Any, ...]) -> LaterTruth:
    return LaterTruth(
        end=row[1],
        detail=row[2],
        value=_value(row[3]),
        time=row[4],
        accepted=row[5],
        asked=row[6],
        ended=row[7],
    )


def _json(value: Value) -> str:
    return msgspec.json.encode(value).decode()


def _value(text: str) -> Value:
    value: Value = msgspec.json.decode(text)
    return value
