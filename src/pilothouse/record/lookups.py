"""Whose session or token a request carries: asked of the record once, then remembered while the revision stands.

A use is remembered here and written now and then, so that neither a read nor a write stands in a request's way.
"""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pilothouse.clock import Clock
from pilothouse.errors import RecordError
from pilothouse.record.database import Database
from pilothouse.record.hashes import hash_of
from pilothouse.record.people_rows import Known
from pilothouse.record.revision import Revision, revision_of
from pilothouse.record.tokens import PREFIX, SCOPES
from pilothouse.rights import MACHINE, Grant, Rights, Role, parse_grants

log = logging.getLogger(__name__)

_REUSED = 1_000
"""Answers that are remembered."""
_LONGEST = 200
"""Characters that a secret may have to be looked up at all."""
_SESSION = "SELECT id, who, how, guest, used, expires FROM session WHERE hash = ?"
_TOKEN = "SELECT id, who, scope, place, used, expires FROM token WHERE hash = ?"  # noqa: S105
_TOUCH = {
    "session": "UPDATE session SET used = ? WHERE hash = ? AND used < ?",
    "token": "UPDATE token SET used = ? WHERE hash = ? AND used < ?",
}


class _Row(NamedTuple):
    """What the record says of a secret."""

    known: Known
    used: int
    expires: int


@dataclass(slots=True)
class _Seen:
    """An answer, and what has become of it since."""

    known: Known
    expires: int
    """When it ends however much it is used; 0 = never."""
    revision: int
    """Which it was true at."""
    used: int
    written: int
    """The last use that was written, or tried to be."""


class Lookups:
    """Remembered answers about one kind of secret."""

    def __init__(
        self,
        table: Literal["session", "token"],
        database: Database,
        clock: Clock,
        revision: Revision,
        *,
        idle: int,
        exact: int,
    ) -> None:
        """`idle` is how long one lasts without use, 0 = for good; `exact`, after how long a use is written; in ms."""
        self._database = database
        self._clock = clock
        self._revision = revision
        self._idle = idle
        self._exact = exact
        self._touch = _TOUCH[table]
        self._find = _session if table == "session" else _token
        self._prefix = "" if table == "session" else PREFIX
        self._seen: dict[bytes, _Seen] = {}

    async def known(self, secret: str) -> Known | None:
        """Whose it is, and this is a use of it; None when it ended or never was. Raises RecordError."""
        if not secret or len(secret) > _LONGEST or not secret.startswith(self._prefix):
            return None
        digest = hash_of(secret)
        seen = self._seen.get(digest)
        if seen is None or seen.revision != self._revision.number or self._is_over(seen):
            # What is over by what is remembered may have been used at another hub.
            seen = await self._ask(digest)
            if seen is None or self._is_over(seen):
                self._seen.pop(digest, None)
                return None
        now = seen.used = max(seen.used, self._clock.now())
        if now - seen.written >= self._exact:
            await self._write(digest, seen)
        ends = min(seen.expires, now + self._idle) if self._idle else seen.expires
        return seen.known._replace(expires=ends)

    def _is_over(self, seen: _Seen) -> bool:
        now = self._clock.now()
        return (seen.expires != 0 and now >= seen.expires) or (self._idle != 0 and now >= seen.used + self._idle)

    async def _ask(self, digest: bytes) -> _Seen | None:
        def work(connection: sqlite3.Connection) -> tuple[_Row | None, int]:
            return self._find(connection, digest), revision_of(connection)

        row, number = await self._database.read(work)
        self._revision.saw(number)
        earlier = self._seen.pop(digest, None)
        if row is None:
            return None
        used = row.used if earlier is None else max(row.used, earlier.used)
        written = row.used if earlier is None else max(row.used, earlier.written)
        while len(self._seen) >= _REUSED:
            del self._seen[next(iter(self._seen))]
        seen = self._seen[digest] = _Seen(row.known, row.expires, number, used, written)
        return seen

    async def _write(self, digest: bytes, seen: _Seen) -> None:
        used = seen.written = seen.used
        sql = self._touch
        try:
            await self._database.write(lambda connection: connection.execute(sql, (used, digest, used)).rowcount)
        except RecordError as error:
            # A full disk keeps nobody out who is in.
            log.warning("the last use of a log-in cannot be written: %s", error)


def _session(connection: sqlite3.Connection, digest: bytes) -> _Row | None:
    row = connection.execute(_SESSION, (digest,)).fetchone()
    if row is None:
        return None
    id, who, how, guest, used, expires = row
    if guest:
        place = connection.execute("SELECT place FROM guest WHERE id = ?", (guest,)).fetchone()
        if place is None:
            return None
        rights = Rights((Grant(Role.VIEWER, place[0]),), through="guest", only=place[0])
    else:
        found = _grants(connection, who)
        if found is None:
            return None
        rights = Rights(found)
    return _Row(Known(who, rights, id, expires, how), used, expires)


def _token(connection: sqlite3.Connection, digest: bytes) -> _Row | None:
    row = connection.execute(_TOKEN, (digest,)).fetchone()
    if row is None:
        return None
    id, who, scope, place, used, expires = row
    if who == MACHINE:
        return _Row(Known(who, Rights((Grant(Role.ADMIN),)), id, expires, "machine"), used, expires)
    found = _grants(connection, who)
    if found is None:
        return None
    rights = Rights(found, through="token", most=SCOPES[scope], only=place)
    return _Row(Known(who, rights, id, expires, "token"), used, expires)


def _grants(connection: sqlite3.Connection, who: str) -> tuple[Grant, ...] | None:
    """What somebody was given; None when nobody of that name may come in."""
    if connection.execute("SELECT 1 FROM person WHERE name = ? AND active = 1", (who,)).fetchone() is None:
        return None
    return parse_grants(what for (what,) in connection.execute("SELECT what FROM granted WHERE who = ?", (who,)))
