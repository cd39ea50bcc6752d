"""The number that counts changes about people: raised in the transaction of each, and looked at to see others'."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from pilothouse.record.database import Database

T = TypeVar("T")


class Revision:
    """What this process knows of the number, and who wants to hear when it rises."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.number = 0
        """The highest that was seen; 0 = none yet."""
        self.on_change: list[Callable[[], None]] = []
        """Called in the event loop, after each change here and after each of another process that was seen."""

    async def change(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction; it calls `bump` when it changes something. Raises what it raises."""

        def whole(connection: sqlite3.Connection) -> tuple[T, int, int]:
            before = revision_of(connection)
            return work(connection), before, revision_of(connection)

        done, before, after = await self._database.write(whole)
        if after != before or self.number:
            self._see(after)
        return done

    async def refresh(self) -> bool:
        """Look whether another process changed something since the last look; raises RecordError."""
        number = await self._database.read(revision_of)
        if self.number == 0:
            self.number = number
            return False
        return self._see(number)

    def saw(self, number: int) -> None:
        """Take note of a number that came with something else that was read."""
        if self.number == 0:
            self.number = number
        self._see(number)

    def _see(self, number: int) -> bool:
        # An older one comes from a read that began before a change of ours.
        if number <= self.number:
            return False
        self.number = number
        for tell in tuple(self.on_change):
            tell()
        return True


def bump(connection: sqlite3.Connection) -> None:
    """Raise the number. Where a change depends on what is there, this comes first, for it keeps others waiting."""
    connection.execute("UPDATE people_revision SET revision = revision + 1 WHERE one = 1")


def revision_of(connection: sqlite3.Connection) -> int:
    """The number as it stands."""
    return int(connection.execute("SELECT revision FROM people_revision WHERE one = 1").fetchone()[0])
