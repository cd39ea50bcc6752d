"""Sessions: browsers that are logged in. They end after a while without use, after their whole life, or when ended."""

from __future__ import annotations

import sqlite3
from typing import Any

from pilothouse.clock import Clock
from pilothouse.record.accounts import require_active
from pilothouse.record.database import Database
from pilothouse.record.hashes import hash_of, new_row_id, new_secret
from pilothouse.record.people_errors import NotLetIn
from pilothouse.record.people_rows import How, SessionRow
from pilothouse.record.revision import Revision, bump
from pilothouse.rights import GUEST

MOST = 100
"""Sessions of one person, or of all guests with one link; with one more, the one that was unused for longest ends."""
_AGENT = 120
_FIELDS = "id, who, how, made, used, expires, address, agent"
_INSERT = f"INSERT INTO session (hash, guest, {_FIELDS}) VALUES (?,?,?,?,?,?,?,?,?,?)"  # noqa: S608


class Sessions:
    """The sessions of main.db."""

    def __init__(self, database: Database, clock: Clock, revision: Revision, life: tuple[int, int, int]) -> None:
        """`life` in milliseconds: how long one lasts without use, how long at all, how exact its last use is."""
        self._database = database
        self._clock = clock
        self._revision = revision
        self._idle, self._life, self._exact = life

    async def start(
        self, who: str, how: How, *, address: str = "", agent: str = "", guest_id: str = "", proof: str = ""
    ) -> str:
        """The secret of a new one; raises NotLetIn, also when the account was disabled just now.

        `proof` is the password hash that was found good: when it is not the stored one any more, the password was
        changed meanwhile. For a guest, `who` is "guest:NAME" and `guest_id` the id of the link, with which it ends.
        """
        secret, now = new_secret(), self._clock.now()
        row = (new_row_id(), who, how, now, now)
        tail = (address[:_AGENT], "".join(sign if sign.isprintable() else " " for sign in agent)[:_AGENT])

        def work(connection: sqlite3.Connection) -> None:
            ends = now + self._life
            if how == "guest":
                ends = min(ends, _end_of_link(connection, who, guest_id, now))
            else:
                _check_person(connection, who, proof)
                connection.execute("UPDATE person SET seen = ? WHERE name = ?", (now, who))
            self._tidy(connection, who, now)
            link = guest_id if how == "guest" else ""
            connection.execute(_INSERT, (hash_of(secret), link, *row, ends, *tail))

        await self._revision.change(work)
        return secret

    async def end(self, secret: str) -> bool:
        """Log out; False when it had ended before."""
        return await self._end("hash = ?", (hash_of(secret),)) == 1

    async def end_id(self, who: str | None, id: str) -> bool:
        """End the one of this id, when it is of `who` (None = of anybody); False when there is none."""
        if who is None:
            return await self._end("id = ?", (id,)) == 1
        return await self._end("id = ? AND who = ?", (id, who)) == 1

    async def end_all(self, who: str, but: str = "") -> int:
        """End all of somebody's but the one of this id; gives how many."""
        return await self._end("who = ? AND id <> ?", (who, but))

    async def of(self, who: str) -> list[SessionRow]:
        """Somebody's, the last used first."""
        return await self._list("who = ?", (who,))

    async def all(self) -> list[SessionRow]:
        """Everybody's, the last used first."""
        return await self._list("1 = 1", ())

    async def _end(self, test: str, arguments: tuple[str | bytes, ...]) -> int:
        def work(connection: sqlite3.Connection) -> int:
            ended = connection.execute(f"DELETE FROM session WHERE {test}", arguments).rowcount  # noqa: S608
            if ended:
                bump(connection)
            return ended

        return await self._revision.change(work)

    async def _list(self, test: str, arguments: tuple[str, ...]) -> list[SessionRow]:
        now = self._clock.now()
        sql = f"SELECT {_FIELDS} FROM session WHERE {test} AND expires > ? AND used > ? ORDER BY used DESC, id"  # noqa: S608
        asked = (*arguments, now, now - self._idle)
        return await self._database.read(lambda connection: [_struct(row) for row in connection.execute(sql, asked)])

    def _tidy(self, connection: sqlite3.Connection, who: str, now: int) -> None:
        """Forget those that are over, and make room for one more of `who`."""
        # The last use in the record may lag behind, and whoever used one just now is not to lose it.
        over = (now, now - self._idle - self._exact)
        connection.execute("DELETE FROM session WHERE expires <= ? OR used <= ?", over)
        kept = "SELECT hash FROM session WHERE who = ? ORDER BY used DESC, hash LIMIT ?"
        sql = f"DELETE FROM session WHERE who = ? AND hash NOT IN ({kept})"  # noqa: S608
        if connection.execute(sql, (who, who, MOST - 1)).rowcount:
            bump(connection)


def _check_person(connection: sqlite3.Connection, who: str, proof: str) -> None:
    """Raise NotLetIn unless they may come in."""
    row = connection.execute("SELECT active, password FROM person WHERE name = ?", (who,)).fetchone()
    if row is None:
        raise NotLetIn(f"There is nobody called {who[:64]!r} here any more")
    require_active(connection, who)
    if proof and proof != row[1]:
        raise NotLetIn(f"The password of {who} was changed just now", remedy="Log in with the new one")


def _end_of_link(connection: sqlite3.Connection, who: str, guest_id: str, now: int) -> int:
    """When a guest's link ends; raises NotLetIn when it has."""
    sql = "SELECT name, expires FROM guest WHERE id = ? AND expires > ?"
    row = connection.execute(sql, (guest_id, now)).fetchone()
    if row is None or who != f"{GUEST}{row[0]}":
        raise NotLetIn("This guest link has ended", remedy="Ask whoever gave it for a new one")
    return int(row[1])


def _struct(row: tuple[Any, ...]) -> SessionRow:
    return SessionRow(
        id=row[0],
        who=row[1],
        how=row[2],
        made=row[3],
        used=row[4],
        expires=row[5],
        address=row[6],
        agent=row[7],
    )
