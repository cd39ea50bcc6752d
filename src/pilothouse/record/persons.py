"""People: who there is, what they were given, whether they may come in."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable

from pilothouse.clock import Clock
from pilothouse.errors import BadValue
from pilothouse.record import accounts
from pilothouse.record.database import Database
from pilothouse.record.people_rows import Person, Source
from pilothouse.record.revision import Revision, bump
from pilothouse.rights import check_person

Change = Callable[[sqlite3.Connection], object]


class Persons:
    """The people of main.db. Every change takes hold of remembered sessions and tokens at once."""

    def __init__(self, database: Database, clock: Clock, revision: Revision) -> None:
        self._database = database
        self._clock = clock
        self._revision = revision

    async def add(
        self,
        name: str,
        *,
        title: str = "",
        grants: Iterable[str] = (),
        password_hash: str = "",
        source: Source = "",
        subject: str = "",
    ) -> Person:
        """Somebody new; raises Taken, BadName for a bad name or right, BadValue for a bad title.

        `subject` is what `source` knows them as. Without both and without a password they can come in by a link only.
        """
        person = self._new(name, title, grants, source, subject)

        def work(connection: sqlite3.Connection) -> Person:
            bump(connection)
            accounts.insert_person(connection, person, subject=subject, password=password_hash)
            accounts.check_admins(connection, name, before=False)
            return accounts.require(connection, name)

        return await self._revision.change(work)

    async def get(self, name: str) -> Person | None:
        """The person of this name."""
        return await self._database.read(lambda connection: accounts.person_of(connection, name))

    async def all(self) -> list[Person]:
        """Everybody, by name."""
        return await self._database.read(accounts.everybody)

    async def has_admin(self) -> bool:
        """Whether there is an administrator who can come in: active, with a password or known from outside."""
        return await self._database.read(accounts.has_admin)

    async def password_hash(self, name: str) -> str:
        """What their password is tested against; "" = there is nobody, they are disabled, or they have none."""
        sql = "SELECT password FROM person WHERE name = ? AND active = 1 AND source = ''"
        row = await self._database.read(lambda connection: connection.execute(sql, (name,)).fetchone())
        return "" if row is None else str(row[0])

    async def set_grants(self, name: str, grants: Iterable[str], *, force: bool = False) -> Person:
        """These rights instead of theirs; raises NotThere, BadName, and LastAdmin unless it is forced."""
        given = accounts.known_grants(grants)
        return await self._change(name, lambda at: accounts.store_grants(at, name, given), force=force)

    async def set_active(self, name: str, active: bool, *, force: bool = False) -> Person:
        """Enable or disable; disabled, all their sessions, tokens and links end.

        Raises NotThere, and LastAdmin unless it is forced.
        """

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE person SET active = ? WHERE name = ?", (int(active), name))
            if not active:
                accounts.shut_out(connection, name)

        return await self._change(name, change, force=force)

    async def remove(self, name: str, *, force: bool = False) -> Person:
        """Forget somebody, with their sessions, tokens and links; guest links that they gave stay. Gives who it was.

        Raises NotThere, and LastAdmin unless it is forced.
        """

        def work(connection: sqlite3.Connection) -> Person:
            bump(connection)
            person, before = accounts.require(connection, name), accounts.has_admin(connection)
            accounts.shut_out(connection, name)
            connection.execute("DELETE FROM granted WHERE who = ?", (name,))
            connection.execute("DELETE FROM person WHERE name = ?", (name,))
            accounts.check_admins(connection, name, before=before, force=force)
            return person

        return await self._revision.change(work)

    async def set_password(self, name: str, password_hash: str, *, keep_session: str = "") -> int:
        """A new password, "" = none any more; gives how many sessions of theirs that ended.

        Links for them end too; the session with the id `keep_session` goes on. Raises NotThere, LastAdmin, and
        BadValue for somebody from outside.
        """

        def work(connection: sqlite3.Connection) -> int:
            bump(connection)
            before = accounts.has_admin(connection)
            ended = accounts.store_password(connection, name, password_hash, keep_session)
            accounts.check_admins(connection, name, before=before)
            return ended

        return await self._revision.change(work)

    async def renew_hash(self, name: str, *, old: str, new: str) -> bool:
        """Another hash of the same password, which ends nothing; False when the password was changed meanwhile."""
        sql = "UPDATE person SET password = ? WHERE name = ? AND password = ? AND password <> ''"
        return bool(await self._database.write(lambda at: at.execute(sql, (new, name, old)).rowcount))

    async def set_title(self, name: str, title: str) -> Person:
        """What pages call them; raises NotThere, BadValue."""
        text = accounts.known_text(title, accounts.TITLE, "A title")
        sql = "UPDATE person SET title = ? WHERE name = ?"
        return await self._change(name, lambda at: at.execute(sql, (text, name)))

    async def set_note(self, name: str, note: str) -> Person:
        """Words of the administrators about them; raises NotThere, BadValue."""
        text = accounts.known_text(note, accounts.NOTE, "A note")
        sql = "UPDATE person SET note = ? WHERE name = ?"
        return await self._change(name, lambda at: at.execute(sql, (text, name)))

    async def arrive(
        self, name: str, source: Source, subject: str, grants: Iterable[str] | None, title: str = ""
    ) -> Person:
        """Somebody whom `source` knows as `subject`: made, or brought up to date, also when that demotes the last
        administrator; grants None = as they are here.

        Who came before keeps the name they have here. They may be disabled: look at `active`. Raises Taken when the
        name is somebody else's, BadName when nobody can be called so.
        """
        # What a provider calls somebody is no reason to keep them out.
        line = "".join(sign if sign.isprintable() else " " for sign in title).strip()[: accounts.TITLE]
        fresh = self._new(name, line, grants or (), source, subject)
        if not source:
            raise BadValue("Somebody from outside needs to be known there", why="source is empty")

        def work(connection: sqlite3.Connection) -> Person:
            bump(connection)
            called = _called(connection, source, subject)
            if called is None:
                called = name
                accounts.insert_person(connection, fresh, subject=subject, password="")
            else:
                if grants is not None:
                    accounts.store_grants(connection, called, fresh.grants)
                if fresh.title:
                    connection.execute("UPDATE person SET title = ? WHERE name = ?", (fresh.title, called))
            accounts.check_admins(connection, called, before=False)
            return accounts.require(connection, called)

        def as_it_is(connection: sqlite3.Connection) -> Person | None:
            called = _called(connection, source, subject)
            found = None if called is None else accounts.require(connection, called)
            if found is None or (grants is not None and set(found.grants) != set(fresh.grants)):
                return None
            return found if fresh.title in ("", found.title) else None

        # Nearly always nothing is new, and then nobody's remembered answer need go.
        found: Person | None = await self._database.read(as_it_is)
        return await self._revision.change(work) if found is None else found

    async def _change(self, name: str, change: Change, *, force: bool = False) -> Person:
        """Change somebody who is there; raises NotThere, LastAdmin."""

        def work(connection: sqlite3.Connection) -> Person:
            bump(connection)
            accounts.require(connection, name)
            before = accounts.has_admin(connection)
            change(connection)
            accounts.check_admins(connection, name, before=before, force=force)
            return accounts.require(connection, name)

        return await self._revision.change(work)

    def _new(self, name: str, title: str, grants: Iterable[str], source: Source, subject: str) -> Person:
        """Somebody as they are added; raises BadName, BadValue."""
        if bool(source) != bool(subject):
            raise BadValue("Somebody from outside has a source and a subject there", why="one of them is empty")
        return Person(
            name=check_person(name),
            title=accounts.known_text(title, accounts.TITLE, "A title"),
            grants=accounts.known_grants(grants),
            source=source,
            made=self._clock.now(),
        )


def _called(connection: sqlite3.Connection, source: str, subject: str) -> str | None:
    """What somebody from outside is called here."""
    sql = "SELECT name FROM person WHERE source = ? AND subject = ? AND source <> ''"
    row = connection.execute(sql, (source, subject)).fetchone()
    return None if row is None else str(row[0])
