"""The record of people in tests: somebody in it, logged in; and a database that counts what is asked of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pilothouse.errors import RecordError
from pilothouse.record import People
from pilothouse.record.database import Database

OpenPeople = Callable[..., Awaitable[People]]
"""Opens the people of the test's record once more, as another process does; takes `idle` and `life`."""
HASH = "$argon2id$made-up"
"""What stands where the hash of a password does."""


async def add(people: People, name: str = "ada", *grants: str, password: str = HASH) -> None:
    """Somebody with a password."""
    await people.persons.add(name, grants=grants or ("viewer",), password_hash=password)


async def start(people: People, name: str = "ada", **words: Any) -> str:
    """A session of theirs."""
    return await people.sessions.start(name, "password", **words)


class Counted:
    """A database that counts what is asked of it, and writes nothing when it is told that the disk is full."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reads = self.writes = 0
        self.full = False

    async def read(self, work: Any) -> Any:
        """Counted."""
        self.reads += 1
        return await self._database.read(work)

    async def write(self, work: Any) -> Any:
        """Counted."""
        self.writes += 1
        if self.full:
            raise RecordError("the disk is full")
        return await self._database.write(work)

    async def close(self) -> None:
        """As it is."""
        await self._database.close()
