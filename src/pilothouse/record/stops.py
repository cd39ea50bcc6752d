"""Stops in the record: pressed once, lifted once, by whom and why. Every press and lift is a line of the ledger too."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from pilothouse.bus.messages import Latch
from pilothouse.record.database import Database
from pilothouse.record.ledger import write_act
from pilothouse.record.rows import Act, StopLine

_FIELDS = "id, kind, time, who, origin, reason"
_SELECT = f"SELECT {_FIELDS}, lifted_time, lifted_by, lifted_reason FROM stop"  # noqa: S608
_PRESS = f"INSERT INTO stop ({_FIELDS}) VALUES (?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING"  # noqa: S608
_LIFT = "UPDATE stop SET lifted_time = ?, lifted_by = ?, lifted_reason = ? WHERE id = ? AND lifted_time = 0"
_NAMES = {"hard": "stop", "end": "safe-end"}


class StopRecord:
    """Stops in main.db, the ledger's own file, so that a press and its line are one step."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def press(self, latch: Latch) -> StopLine:
        """Write a stop down and give it as it stands there now: lifted already, when it was written before.

        Raises RecordError.
        """
        row = (latch.id, latch.kind, latch.time, latch.who, latch.origin, latch.reason)

        def work(connection: sqlite3.Connection) -> StopLine:
            connection.execute(_PRESS, row)
            write_act(connection, _act_of(latch))
            return _struct(connection.execute(f"{_SELECT} WHERE id = ?", (latch.id,)).fetchone())

        return await self._database.write(work)

    async def lift(self, ids: Sequence[str], act: Act) -> list[str]:
        """Lift those of these stops that hold; gives their ids. `act` becomes a line when there were any.

        Raises RecordError, and then none is lifted.
        """

        def work(connection: sqlite3.Connection) -> list[str]:
            lifted = [id for id in ids if connection.execute(_LIFT, (act.made, act.who, act.reason, id)).rowcount]
            if lifted:
                write_act(connection, act)
            return lifted

        return await self._database.write(work)

    async def active(self) -> list[StopLine]:
        """Stops that hold, oldest first; raises RecordError."""
        return await self._ask("WHERE lifted_time = 0 ORDER BY time, id", ())

    async def since(self, time: int) -> list[StopLine]:
        """Stops that were pressed or lifted at `time` or later, and all that hold, oldest first; raises RecordError."""
        where = "WHERE lifted_time = 0 OR time >= ? OR lifted_time >= ? ORDER BY time, id"
        return await self._ask(where, (time, time))

    async def some(self, ids: Sequence[str]) -> list[StopLine]:
        """Those of these ids that are in the record; raises RecordError."""
        marks = ",".join("?" * len(ids))
        return await self._ask(f"WHERE id IN ({marks}) ORDER BY time, id", tuple(ids))

    async def _ask(self, where: str, arguments: tuple[Any, ...]) -> list[StopLine]:
        def work(connection: sqlite3.Connection) -> list[StopLine]:
            return [_struct(row) for row in connection.execute(f"{_SELECT} {where}", arguments)]

        return await self._database.read(work)


def _act_of(latch: Latch) -> Act:
    return Act(
        id=latch.id,
        name=_NAMES[latch.kind],
        who=latch.who,
        origin=latch.origin,
        reason=latch.reason,
        made=latch.time,
    )


def _struct(row: tuple[Any, ...]) -> StopLine:
    latch = Latch(id=row[0], kind=row[1], time=row[2], who=row[3], origin=row[4], reason=row[5])
    return StopLine(latch=latch, lifted_time=row[6], lifted_by=row[7], lifted_reason=row[8])
