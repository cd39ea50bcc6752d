"""People: who may come in, with what, and what they may. The parts are in `persons`, `sessions`, `tokens`, `links` and
`guests`; here is what a request asks.

Of every secret only a hash is stored, and of every password only what `passwords` makes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pilothouse.clock import Clock
from pilothouse.record.database import Database
from pilothouse.record.guests import Guests
from pilothouse.record.links import Links
from pilothouse.record.lookups import Lookups
from pilothouse.record.people_rows import Known
from pilothouse.record.persons import Persons
from pilothouse.record.revision import Revision
from pilothouse.record.sessions import Sessions
from pilothouse.record.tokens import Tokens

SESSION_IDLE = 7 * 86_400.0
"""Seconds that a session lasts without use, unless the configuration says otherwise."""
SESSION_LIFE = 30 * 86_400.0
"""Seconds that a session lasts at all, unless the configuration says otherwise."""
_EXACT = 300_000
"""Milliseconds after which a use is written down."""


class People:
    """People in main.db, which other hubs and the command line change as well: `refresh` sees what they did."""

    def __init__(
        self, database: Database, clock: Clock, *, idle: float = SESSION_IDLE, life: float = SESSION_LIFE
    ) -> None:
        """Use the same open database as a Ledger: `People(ledger.database, clock)`.

        `idle` and `life` are how many seconds a session lasts without use, and at all.
        """
        self._database = database
        self._revision = revision = Revision(database)
        unused, whole = int(idle * 1000), int(life * 1000)
        exact = max(1, min(_EXACT, unused // 10))
        self.persons = Persons(database, clock, revision)
        self.sessions = Sessions(database, clock, revision, (unused, whole, exact))
        self.tokens = Tokens(database, clock, revision)
        self.links = Links(database, clock, revision)
        self.guests = Guests(database, clock, revision, unused)
        self._of_sessions = Lookups("session", database, clock, revision, idle=unused, exact=exact)
        self._of_tokens = Lookups("token", database, clock, revision, idle=0, exact=_EXACT)

    @classmethod
    async def open(cls, path: Path, clock: Clock, *, idle: float = SESSION_IDLE, life: float = SESSION_LIFE) -> People:
        """Open main.db at `path`; raises CannotStart."""
        return cls(await Database.open(path, "main", sync="FULL"), clock, idle=idle, life=life)

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()

    @property
    def revision(self) -> int:
        """Number of the last change that was seen here; 0 = nothing was asked yet."""
        return self._revision.number

    @property
    def on_change(self) -> list[Callable[[], None]]:
        """What is called, in the event loop, after each change about people, here or seen to be made elsewhere."""
        return self._revision.on_change

    async def refresh(self) -> bool:
        """Look whether another process changed something, one small read; raises RecordError."""
        return await self._revision.refresh()

    async def by_session(self, secret: str) -> Known | None:
        """Whose session this is, and this is a use of it; None when it ended or never was. Raises RecordError."""
        return await self._of_sessions.known(secret)

    async def by_token(self, secret: str) -> Known | None:
        """Whose token this is, and this is a use of it; None when it ended or never was. Raises RecordError."""
        return await self._of_tokens.known(secret)
