"""Guest links: whoever has one looks on at one stand, until it ends. They are the site's, not of who gave them."""

from __future__ import annotations

import sqlite3
from typing import Any

from pilothouse.clock import Clock
from pilothouse.errors import BadValue
from pilothouse.model import check_name
from pilothouse.record.database import Database
from pilothouse.record.hashes import hash_of, new_row_id, new_secret
from pilothouse.record.people_errors import Taken
from pilothouse.record.people_rows import GuestRow
from pilothouse.record.revision import Revision, bump
from pilothouse.rights import check_person

LONGEST = 366 * 86_400.0
"""Seconds that a guest link may last."""
_COUNT = "(SELECT count(*) FROM session WHERE session.guest = guest.id AND session.expires > ? AND session.used > ?)"
_SELECT = f"SELECT id, name, place, made_by, made, expires, {_COUNT} FROM guest"  # noqa: S608
_INSERT = (
    "INSERT INTO guest (hash, id, name, place, made_by, made, expires) VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"
)


class Guests:
    """The guest links of main.db."""

    def __init__(self, database: Database, clock: Clock, revision: Revision, idle: int) -> None:
        """`idle` is how long a session lasts without use, in milliseconds."""
        self._database = database
        self._clock = clock
        self._revision = revision
        self._idle = idle

    async def make(self, name: str, where: str, *, by: str, life: float) -> tuple[str, GuestRow]:
        """The secret of a new one to look on at stand `where` for `life` seconds, and what is known of it.

        Raises BadName, BadValue, and Taken when there is a guest link of that name.
        """
        if not 0 < life <= LONGEST:
            raise BadValue(
                "A guest link cannot last that long", why=f"it may be {LONGEST / 86_400:g} days", nearest="7d"
            )
        secret, now = new_secret(), self._clock.now()
        row = GuestRow(
            id=new_row_id(),
            name=check_person(name),
            where=check_name("stand", where),
            made_by=by,
            made=now,
            expires=now + int(life * 1000),
        )
        values = (hash_of(secret), row.id, row.name, row.where, row.made_by, row.made, row.expires)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM guest WHERE expires <= ?", (now,))
            if not connection.execute(_INSERT, values).rowcount:
                raise Taken(f"There is a guest link {name!r} already", remedy="End it first, or choose another name")

        await self._revision.change(work)
        return secret, row

    async def all(self) -> list[GuestRow]:
        """Those that have not ended, newest first."""
        now = self._clock.now()
        sql = f"{_SELECT} WHERE expires > ? ORDER BY made DESC, id"
        asked = (now, now - self._idle, now)
        return await self._database.read(lambda connection: [_struct(row) for row in connection.execute(sql, asked)])

    async def open(self, secret: str) -> GuestRow | None:
        """The link of this secret; None when it has ended or is made up."""
        now = self._clock.now()
        sql = f"{_SELECT} WHERE hash = ? AND expires > ?"
        asked = (now, now - self._idle, hash_of(secret), now)
        row = await self._database.read(lambda connection: connection.execute(sql, asked).fetchone())
        return None if row is None else _struct(row)

    async def end(self, id: str) -> bool:
        """End the one of this id, and whoever came with it is out; False when there is none."""

        def work(connection: sqlite3.Connection) -> bool:
            if not connection.execute("DELETE FROM guest WHERE id = ?", (id,)).rowcount:
                return False
            bump(connection)
            connection.execute("DELETE FROM session WHERE guest = ? AND guest <> ''", (id,))
            return True

        return await self._revision.change(work)


def _struct(row: tuple[Any, ...]) -> GuestRow:
    return GuestRow(
        id=row[0],
        name=row[1],
        where=row[2],
        made_by=row[3],
        made=row[4],
        expires=row[5],
        sessions=row[6],
    )
