"""What changes about people are made of: pieces of SQL, each within a transaction of somebody's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from pilothouse.errors import BadValue, NotThere, nearest
from pilothouse.record.people_errors import LastAdmin, NotLetIn, Taken
from pilothouse.record.people_rows import Person, Source
from pilothouse.rights import Role, parse_grants

_FIELDS = "name, title, active, source, password <> '', made, seen, note"
_INSERT = (
    "INSERT INTO person (name, title, active, source, subject, password, made, seen, note)"
    " VALUES (?,?,1,?,?,?,?,0,'') ON CONFLICT DO NOTHING"
)
_GRANT = "INSERT INTO granted (who, what) VALUES (?,?)"
_ADMINS = (
    "SELECT count(*) FROM granted JOIN person ON person.name = granted.who"
    " WHERE granted.what = ? AND active = 1 AND (password <> '' OR source <> '')"
)
TITLE = 100
"""Characters of a title."""
NOTE = 500
"""Characters of a note."""


def person_of(connection: sqlite3.Connection, name: str) -> Person | None:
    """The person of this name."""
    row = connection.execute(f"SELECT {_FIELDS} FROM person WHERE name = ?", (name,)).fetchone()  # noqa: S608
    if row is None:
        return None
    grants = connection.execute("SELECT what FROM granted WHERE who = ? ORDER BY what", (name,))
    return _struct(row, tuple(what for (what,) in grants))


def everybody(connection: sqlite3.Connection) -> list[Person]:
    """All people, by name."""
    grants: dict[str, list[str]] = {}
    for who, what in connection.execute("SELECT who, what FROM granted ORDER BY who, what"):
        grants.setdefault(who, []).append(what)
    rows = connection.execute(f"SELECT {_FIELDS} FROM person ORDER BY name")  # noqa: S608
    return [_struct(row, tuple(grants.get(row[0], ()))) for row in rows]


def require(connection: sqlite3.Connection, name: str) -> Person:
    """The person of this name; raises NotThere with the nearest."""
    found = person_of(connection, name)
    if found is not None:
        return found
    names = [each for (each,) in connection.execute("SELECT name FROM person")]
    raise NotThere(f"There is nobody called {name[:64]!r} here", nearest=nearest(name, names))


def require_active(connection: sqlite3.Connection, name: str) -> Person:
    """The person of this name, when they are not disabled; raises NotThere, NotLetIn."""
    person = require(connection, name)
    if not person.active:
        raise NotLetIn(f"The account of {name} is disabled", remedy=f"Enable it with: pilothouse user enable {name}")
    return person


def insert_person(connection: sqlite3.Connection, person: Person, *, subject: str, password: str) -> None:
    """A new one; raises Taken."""
    row = (person.name, person.title, person.source, subject, password, person.made)
    if not connection.execute(_INSERT, row).rowcount:
        raise _taken(connection, person.name)
    store_grants(connection, person.name, person.grants)


def store_grants(connection: sqlite3.Connection, name: str, grants: Iterable[str]) -> None:
    """These instead of those that they had."""
    connection.execute("DELETE FROM granted WHERE who = ?", (name,))
    connection.executemany(_GRANT, [(name, grant) for grant in grants])


def store_password(connection: sqlite3.Connection, name: str, password: str, keep_session: str = "") -> int:
    """A new one, which ends their sessions but one, and links of theirs that would let in; gives how many sessions.

    Raises NotThere, and BadValue when their password is somebody else's matter.
    """
    person = require(connection, name)
    if person.source:
        raise BadValue(
            f"{name} has no password here",
            why="they log in at the proxy" if person.source == "proxy" else "they log in at the identity provider",
            remedy="Change it there",
        )
    connection.execute("UPDATE person SET password = ? WHERE name = ?", (password, name))
    connection.execute("DELETE FROM link WHERE who = ?", (name,))
    return connection.execute("DELETE FROM session WHERE who = ? AND id <> ?", (name, keep_session)).rowcount


def shut_out(connection: sqlite3.Connection, name: str) -> None:
    """End all sessions, tokens and links of theirs."""
    for table in ("session", "token", "link"):
        connection.execute(f"DELETE FROM {table} WHERE who = ?", (name,))  # noqa: S608


def has_admin(connection: sqlite3.Connection) -> bool:
    """Whether there is an administrator who can come in."""
    return bool(connection.execute(_ADMINS, (str(Role.ADMIN),)).fetchone()[0])


def check_admins(connection: sqlite3.Connection, name: str, *, before: bool, force: bool = False) -> None:
    """What every change ends with; raises LastAdmin when there was an administrator `before` it and is none now.

    While there is one, no link may make a first one.
    """
    if has_admin(connection):
        connection.execute("DELETE FROM link WHERE kind = 'first'")
    elif before and not force:
        raise LastAdmin(
            f"{name} is the last administrator",
            why="nobody could let people in any more",
            remedy="Make somebody else an administrator first",
        )


def known_grants(grants: Iterable[str]) -> tuple[str, ...]:
    """Rights as they are stored; raises BadName."""
    return tuple(str(grant) for grant in parse_grants(grants))


def known_text(text: str, most: int, what: str) -> str:
    """A line of text without blanks around; raises BadValue when it is too long or no line."""
    line = text.strip()
    if len(line) > most:
        raise BadValue(f"{what} of {len(line)} characters is too long", why=f"there may be {most}")
    if line and not line.isprintable():
        raise BadValue(f"{what} must be one line of plain text", why="it holds signs that cannot be shown")
    return line


def _taken(connection: sqlite3.Connection, name: str) -> Taken:
    names = {each for (each,) in connection.execute("SELECT name FROM person")}
    if name not in names:
        return Taken("This identity belongs to somebody else here already")
    free = next(near for number in range(2, len(names) + 3) if (near := f"{name[:58]}-{number}") not in names)
    return Taken(f"Somebody is called {name} here already", nearest=free)


def _struct(row: tuple[Any, ...], grants: tuple[str, ...]) -> Person:
    source: Source = row[3]
    return Person(
        name=row[0],
        title=row[1],
        grants=grants,
        active=bool(row[2]),
        source=source,
        has_password=bool(row[4]),
        made=row[5],
        seen=row[6],
        note=row[7],
    )
