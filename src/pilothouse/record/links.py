"""Links that work once: they make the first administrator, have somebody set a password, or let somebody in."""

from __future__ import annotations

import sqlite3
from typing import Any

from pilothouse.clock import Clock
from pilothouse.errors import BadValue
from pilothouse.record import accounts
from pilothouse.record.database import Database
from pilothouse.record.hashes import hash_of, new_row_id, new_secret
from pilothouse.record.people_errors import NotLetIn
from pilothouse.record.people_rows import LinkKind, LinkRow, Person
from pilothouse.record.revision import Revision, bump
from pilothouse.rights import Role, check_person

LINK_LIFE = 24 * 3600.0
"""Seconds that a link can be used unless said."""
LONGEST = 366 * 86_400.0
"""Seconds that a link may be good for."""
_FIELDS = "id, kind, who, made, expires"
_INSERT = f"INSERT INTO link (hash, {_FIELDS}) VALUES (?,?,?,?,?,?)"  # noqa: S608
_FIND = f"SELECT {_FIELDS} FROM link WHERE hash = ? AND expires > ?"  # noqa: S608


class Links:
    """The one-time links of main.db. Of two who use one at once, one gets in."""

    def __init__(self, database: Database, clock: Clock, revision: Revision) -> None:
        self._database = database
        self._clock = clock
        self._revision = revision

    async def make(self, kind: LinkKind, who: str = "", life: float = LINK_LIFE) -> str:
        """The secret of a new one, good for `life` seconds.

        Raises NotThere and NotLetIn when there is nobody to let in, and BadValue: for a first one when there is an
        administrator, for an invitation of somebody whose password is kept elsewhere, for a life that is none.
        """
        if not 0 < life <= LONGEST:
            raise BadValue("A link cannot last that long", why=f"it may be {LONGEST / 86_400:g} days", nearest="24h")
        secret, now = new_secret(), self._clock.now()
        row = (hash_of(secret), new_row_id(), kind, who, now, now + int(life * 1000))

        def work(connection: sqlite3.Connection) -> None:
            _check(connection, kind, who)
            connection.execute("DELETE FROM link WHERE expires <= ?", (now,))
            connection.execute(_INSERT, row)

        await self._revision.change(work)
        return secret

    async def peek(self, secret: str) -> LinkRow | None:
        """What a link is for; None when it is used, too old or made up."""
        asked = (hash_of(secret), self._clock.now())
        row = await self._database.read(lambda connection: connection.execute(_FIND, asked).fetchone())
        return None if row is None else _struct(row)

    async def use(self, secret: str) -> LinkRow | None:
        """Use a link up; None when that was done already, and when it is too old or made up."""
        now = self._clock.now()
        return await self._revision.change(lambda connection: _use(connection, secret, now))

    async def use_first(self, secret: str, name: str, *, title: str = "", password_hash: str) -> Person:
        """Use a first link up for the first administrator, in one step.

        Raises NotLetIn when it cannot be used, and Taken, BadName, BadValue; it is good still after these.
        """
        now = self._clock.now()
        person = Person(
            name=check_person(name),
            title=accounts.known_text(title, accounts.TITLE, "A title"),
            grants=(str(Role.ADMIN),),
            made=now,
        )

        def work(connection: sqlite3.Connection) -> Person:
            bump(connection)
            _require(connection, secret, "first", now)
            accounts.insert_person(connection, person, subject="", password=password_hash)
            accounts.check_admins(connection, name, before=False)
            return accounts.require(connection, name)

        return await self._revision.change(work)

    async def use_invite(self, secret: str, password_hash: str) -> LinkRow:
        """Use an invitation up for a password, in one step, which ends other links and the sessions of the invited.

        Raises NotLetIn when it cannot be used.
        """
        now = self._clock.now()

        def work(connection: sqlite3.Connection) -> LinkRow:
            bump(connection)
            row = _require(connection, secret, "invite", now)
            before = accounts.has_admin(connection)
            accounts.store_password(connection, row.who, password_hash)
            accounts.check_admins(connection, row.who, before=before)
            return row

        return await self._revision.change(work)

    async def end(self, id: str) -> bool:
        """Make the link of this id useless; False when it was."""
        return await self._end("id", id) == 1

    async def end_kind(self, kind: LinkKind) -> int:
        """Make all links of a kind useless; gives how many there were."""
        return await self._end("kind", kind)

    async def _end(self, column: str, value: str) -> int:
        sql, asked = f"DELETE FROM link WHERE {column} = ? AND expires > ?", (value, self._clock.now())  # noqa: S608
        return await self._database.write(lambda connection: connection.execute(sql, asked).rowcount)

    async def of(self, *kinds: LinkKind) -> list[LinkRow]:
        """Links of these kinds that can still be used, newest first; without kinds, all."""
        marks = f" AND kind IN ({','.join('?' * len(kinds))})" if kinds else ""
        sql = f"SELECT {_FIELDS} FROM link WHERE expires > ?{marks} ORDER BY made DESC, id"  # noqa: S608
        asked = (self._clock.now(), *kinds)
        return await self._database.read(lambda connection: [_struct(row) for row in connection.execute(sql, asked)])


def _check(connection: sqlite3.Connection, kind: LinkKind, who: str) -> None:
    """Whether such a link may be made."""
    if kind == "first":
        if who:
            raise BadValue("The first administrator has no name yet", why="they choose one with the link")
        if accounts.has_admin(connection):
            raise BadValue("There is an administrator already", remedy="Make a log-in link with: pilothouse link")
        return
    person = accounts.require_active(connection, who)
    if kind == "invite" and person.source:
        raise BadValue(f"{who} has no password here", why="they log in elsewhere", remedy="Give them a log-in link")


def _use(connection: sqlite3.Connection, secret: str, now: int) -> LinkRow | None:
    digest = hash_of(secret)
    row = connection.execute(_FIND, (digest, now)).fetchone()
    # Who deletes it has it: of two, one.
    if row is None or not connection.execute("DELETE FROM link WHERE hash = ?", (digest,)).rowcount:
        return None
    link = _struct(row)
    if link.kind == "first":
        connection.execute("DELETE FROM link WHERE kind = 'first'")
    return link


def _require(connection: sqlite3.Connection, secret: str, kind: LinkKind, now: int) -> LinkRow:
    """Use a link of this kind up; raises NotLetIn."""
    link = _use(connection, secret, now)
    if link is None or link.kind != kind:
        raise NotLetIn(
            "This link does not let you in",
            why="it was used already, is too old, or is not whole",
            remedy="Ask whoever gave it for a new one",
        )
    return link


def _struct(row: tuple[Any, ...]) -> LinkRow:
    return LinkRow(id=row[0], kind=row[1], who=row[2], made=row[3], expires=row[4])
