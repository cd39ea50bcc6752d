"""Who may come in: one-time links, sessions, tokens. Only hashes of secrets are stored.

The secrets are 256 random bits, so a plain SHA-256 is enough: there is nothing to guess from.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from pathlib import Path
from typing import Literal

from pilothouse.clock import Clock
from pilothouse.record.database import Database

Kind = Literal["link", "session", "token"]

LINK_LIFE = 24 * 3600.0
"""Seconds that a one-time link can be used."""
SESSION_LIFE = 30 * 24 * 3600.0
"""Seconds that a browser stays logged in."""
_BELIEVED = 2_000
"""Milliseconds that an answer is reused in this process, so that a request costs no read; another hub's log-out takes
that long to be seen here."""
_REUSED = 1_000
_FOREVER = 0
_INSERT = "INSERT INTO secret (hash, kind, who, name, made, expires) VALUES (?,?,?,?,?,?)"


class People:
    """Secrets in main.db."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Use the same open database as a Ledger: `People(ledger.database, clock)`."""
        self._database = database
        self._clock = clock
        self._seen: dict[bytes, tuple[int, str, int]] = {}
        """(monotonic time of the look-up, who, when it expires) by hash."""

    @classmethod
    async def open(cls, path: Path, clock: Clock) -> People:
        """Open main.db at `path`; raises CannotStart."""
        return cls(await Database.open(path, "main", sync="FULL"), clock)

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()

    async def make_link(self, who: str = "owner", *, life: float = LINK_LIFE) -> str:
        """A secret that lets its first user in as `who`, once, within `life` seconds."""
        return await self._make("link", who, "", self._clock.now() + int(life * 1000))

    async def redeem(self, secret: str) -> str | None:
        """Use a one-time link up: the secret of a new session, or None when it is used, too old or made up."""
        digest, session = _hash(secret), secrets.token_urlsafe(32)
        now = self._clock.now()
        row = (_hash(session), "session", "", now, now + int(SESSION_LIFE * 1000))

        def work(connection: sqlite3.Connection) -> bool:
            connection.execute("DELETE FROM secret WHERE expires <> 0 AND expires <= ?", (now,))
            found = connection.execute("SELECT who FROM secret WHERE hash = ? AND kind = 'link'", (digest,)).fetchone()
            if found is None or not connection.execute("DELETE FROM secret WHERE hash = ?", (digest,)).rowcount:
                return False
            connection.execute(_INSERT, (row[0], row[1], found[0], *row[2:]))
            return True

        return session if await self._database.write(work) else None

    async def session(self, secret: str) -> str | None:
        """Who a session belongs to; None when it ended or never was."""
        return await self._who("session", secret)

    async def end_session(self, secret: str) -> None:
        """Log out."""
        await self._end(_hash(secret))

    async def make_token(self, who: str, name: str) -> str:
        """A secret for programs that acts as `who`; it lasts until it is ended."""
        return await self._make("token", who, name, _FOREVER)

    async def token(self, secret: str) -> str | None:
        """Who a token acts as; None when it was ended or never was."""
        return await self._who("token", secret)

    async def end_token(self, secret: str) -> None:
        """Make a token useless."""
        await self._end(_hash(secret))

    async def _make(self, kind: Kind, who: str, name: str, expires: int) -> str:
        secret = secrets.token_urlsafe(32)
        row = (_hash(secret), kind, who, name, self._clock.now(), expires)
        await self._database.write(lambda connection: connection.execute(_INSERT, row).rowcount)
        return secret

    async def _who(self, kind: Kind, secret: str) -> str | None:
        digest = _hash(f"{kind}:{secret}")
        known = self._seen.get(digest)
        if known is None or self._clock.mono() - known[0] >= _BELIEVED:
            known = await self._look_up(kind, _hash(secret))
            self._seen.pop(digest, None)
            if known is None:
                return None
            while len(self._seen) >= _REUSED:
                del self._seen[next(iter(self._seen))]
            self._seen[digest] = known
        _, who, expires = known
        return who if expires == _FOREVER or self._clock.now() < expires else None

    async def _look_up(self, kind: Kind, digest: bytes) -> tuple[int, str, int] | None:
        sql = "SELECT who, expires FROM secret WHERE hash = ? AND kind = ?"
        row = await self._database.read(lambda connection: connection.execute(sql, (digest, kind)).fetchone())
        return None if row is None else (self._clock.mono(), row[0], row[1])

    async def _end(self, digest: bytes) -> None:
        self._seen.clear()
        await self._database.write(
            lambda connection: connection.execute("DELETE FROM secret WHERE hash = ?", (digest,)).rowcount
        )
        self._seen.clear()


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
