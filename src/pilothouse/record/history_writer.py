"""Writes readings, events and descriptions into history.db; the one leading keeper has it open.

Readings are gathered and written in few large transactions: a card wears by pages, and one second's readings touch as
many pages as a quarter of an hour's. Until then they are safe on the bus's disk (the stream's position in the record
moves only together with the rows), and readers see them through a small file in memory (`recent`).
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from pilothouse.clock import Clock
from pilothouse.errors import RecordError
from pilothouse.record import recent, retention, rollup
from pilothouse.record.bulk import insert_rows, write_pending
from pilothouse.record.database import Database
from pilothouse.record.gaps import Track
from pilothouse.record.intake import Intake, Pending, SeriesRow
from pilothouse.record.meta import set_meta
from pilothouse.record.positions import read_position
from pilothouse.record.rows import Position

log = logging.getLogger(__name__)

_ROLLED_AT_ONCE = 100
"""Minutes of nodes that are rolled up in one transaction."""
LARGE = 50_000
"""Readings that are worth a transaction whatever the time."""


class HistoryWriter:
    """Gathers in `intake`, shows by `show`, writes by `settle`."""

    def __init__(self, database: Database, intake: Intake, clock: Clock, shown: Database | None) -> None:
        self.intake = intake
        self._database = database
        self._clock = clock
        self._shown = shown
        self._settling: Pending | None = None
        """What a failed `settle` could not write; goes first in the next."""
        self._settled = clock.mono()
        self._unrolled = 0
        """Readings that were written since the last roll-up that did not wait."""

    @classmethod
    async def open(cls, path: Path, clock: Clock) -> HistoryWriter:
        """Open history.db at `path` for writing; raises CannotStart. Nobody else may have it open for writing."""
        database = await Database.open(path, "history", sync="NORMAL")
        try:
            intake = await database.read(_load)
            shown = await recent.open_place(path)
            place = str(shown.path) if shown is not None else ""
            await database.write(lambda connection: set_meta(connection, "recent", place))
        except BaseException:
            await database.close()
            raise
        return cls(database, intake, clock, shown)

    async def close(self) -> None:
        """Write what waits (if that is possible) and close."""
        try:
            await self.settle()
        except RecordError as error:
            log.warning(
                "stopped with readings not in the record yet; they come from the bus at the next start: %s", error
            )
        if self._shown is not None:
            place, self._shown = self._shown, None
            await recent.close_place(place)
        await self._database.close()

    async def position(self, stream: str) -> Position:
        """Up to where `stream` is in the record, or waits to be."""
        for pending in (self.intake.pending, self._settling):
            if pending is not None and stream in pending.positions:
                return pending.positions[stream]
        return await self._database.read(lambda connection: read_position(connection, stream))

    @property
    def waiting(self) -> int:
        """Readings that are not in the record yet."""
        return self.intake.count + (len(self._settling.rows) if self._settling is not None else 0)

    def due(self, settle: float) -> bool:
        """Whether it is time for `settle`, which should come every `settle` seconds at least."""
        pending, age = self.intake.pending, (self._clock.mono() - self._settled) / 1000
        if self._settling is not None or self.waiting >= LARGE:
            return True
        limit = settle if pending.within is None else min(settle, pending.within)
        return age >= limit and bool(pending or self.intake.fresh)

    async def show(self) -> None:
        """Let readers see what came, without wearing the disk."""
        fresh = self.intake.fresh
        # Before the first await: what comes meanwhile is shown the next time.
        self.intake.shown()
        if self._shown is None or not fresh:
            return
        rows = sorted(fresh.items())
        try:
            await self._shown.write(lambda connection: insert_rows(connection, "recent", rows))
        except RecordError as error:
            # Memory is short or the folder went away: readers wait for the next `settle` instead.
            log.warning("readers will see readings later: %s", error)
            await self._hide()

    async def settle(self) -> int:
        """Write all that waits in one transaction, with the positions; gives the number of readings.

        Raises RecordError (NoRoom when the disk is full); then nothing is lost, and the next call tries again.
        """
        count = 0
        while True:
            if self._settling is None:
                self.intake.shown()
                self._settled = self._clock.mono()
                if not self.intake.pending:
                    return count
                self._settling, self.intake.pending = self.intake.pending, Pending()
            batch = self._settling
            tracks = {node: msgspec.json.encode(self.intake.tracks[node]).decode() for node in batch.tracks}
            stamp = self._clock.now()
            await self._database.write(lambda connection: write_pending(connection, batch, tracks, stamp))  # noqa: B023
            self._settling = None
            count += len(batch.rows)
            self._unrolled += len(batch.rows)
            await self._clear_shown()

    async def roll_up(self, *, hurry: bool = False) -> int:
        """Roll up the minutes and hours that are complete; gives how many of a node it did.

        Minutes are done an hour at a time, unless there are so many readings that charts would be slow without, or
        one is in a `hurry`.
        """
        done = 0
        bunch = 0 if hurry or self._unrolled >= LARGE else rollup.HOUR
        self._unrolled = 0 if not bunch else self._unrolled
        for tier in (0, 1):
            found = await self._database.read(partial(rollup.dirty, tier=tier))
            waiting = rollup.due(found, self._clock.now(), 0 if tier else bunch)
            done += len(waiting)
            while waiting:
                # Many in one transaction: the minutes of a series lie on the same page.
                some, waiting = waiting[:_ROLLED_AT_ONCE], waiting[_ROLLED_AT_ONCE:]
                rows = [row for item in some for row in await self._database.read(partial(rollup.compute, item=item))]
                await self._database.write(partial(rollup.store, items=some, rows=sorted(rows), now=self._clock.now()))
        return done

    async def retain(self, keep: retention.Keep, now: int) -> int:
        """Delete what is older than `keep` says, in small transactions; gives the number of rows."""
        reference = await self._database.write(lambda c: retention.begin(c, keep, now))
        deleted = 0
        for piece in retention.pieces(keep, reference):
            deleted += await self._delete(piece)
        return deleted

    async def _delete(self, piece: retention.Piece) -> int:
        deleted = 0
        for series in await self._database.read(lambda c: retention.holders(c, piece)):
            more: Callable[[sqlite3.Connection], int] = lambda c, s=series: retention.delete_some(c, piece, s)  # type: ignore[misc]  # noqa: E731
            while count := await self._database.write(more):
                deleted += count
        return deleted

    async def _clear_shown(self) -> None:
        """What is in the record now need not be shown apart any more."""
        if self._shown is None:
            return
        rest = sorted(self.intake.pending.rows.items())

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM recent")
            insert_rows(connection, "recent", rest)

        try:
            await self._shown.write(work)
        except RecordError as error:
            log.warning("readers will see readings later: %s", error)
            await self._hide()

    async def _hide(self) -> None:
        place, self._shown = self._shown, None
        if place is not None:
            await recent.close_place(place)


def _load(connection: sqlite3.Connection) -> Intake:
    sql = "SELECT id, node, thing, property, kind, unit, hold FROM series"
    series = [SeriesRow(*row) for row in connection.execute(sql)]
    tracks = {
        node: msgspec.json.decode(state, type=Track)
        for node, state in connection.execute("SELECT node, state FROM track")
    }
    described = connection.execute("SELECT node, thing, described FROM thing")
    return Intake(series, tracks, {(node, thing): text for node, thing, text in described})
