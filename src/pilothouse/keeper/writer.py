"""Readings, events and outcomes: from the streams of the bus into the record.

Each stream is read from the position that stands in the record beside its rows, so whatever is killed, nothing is left
out and nothing is in twice. A full disk holds everything up, in memory and then on the bus, and loses nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from pilothouse.bus import Bus, Stored, Stream, Subjects, streams
from pilothouse.bus.messages import Batch, Happened, M, Outcome, Outcomes, decode
from pilothouse.clock import Clock
from pilothouse.errors import BadMessage, BadName, BusDown, RecordError, TimedOut
from pilothouse.keeper.status import Status
from pilothouse.model import is_id
from pilothouse.record import Broken, HistoryWriter, Ledger, Position
from pilothouse.record.history_writer import LARGE

log = logging.getLogger(__name__)

MOST = 3 * LARGE
"""Readings that may wait in memory; beyond that the stream is read on only when some were written."""
_AT_ONCE = 200
"""Messages that are read at once; a batch of readings may be large."""
_BEHIND = 1000
"""Messages that may be unread before the status says so."""
_FIRST_RETRY, _LAST_RETRY = 0.5, 15.0


class Writer:
    """Reads the streams and writes; each method that never returns is a task."""

    def __init__(
        self, bus: Bus, site: str, *, history: HistoryWriter, ledger: Ledger, status: Status, clock: Clock
    ) -> None:
        self._bus = bus
        self._subjects = Subjects(site)
        self._streams = streams(site)
        self._history = history
        self._ledger = ledger
        self._status = status
        self._clock = clock
        self._room = asyncio.Event()
        self._crowded = asyncio.Event()
        self._created: dict[str, str] = {}
        bus.on_up(self._note_streams)

    async def readings(self) -> None:
        """Take batches of readings, for ever."""
        async for stored in self._read("data", self._history.position):
            for item in stored:
                message = self._open("data", item, Batch)
                if message is not None:
                    self._guard(item, lambda m: self._history.intake.batch(m.node, m, self._clock.now()), message)
            self._history.intake.pending.positions["data"] = self._position("data", stored[-1])
            if self._history.waiting >= LARGE:
                self._crowded.set()
            while self._history.waiting >= MOST:
                self._room.clear()
                await self._room.wait()

    async def events(self) -> None:
        """Take events, for ever."""
        async for stored in self._read("event", self._history.position):
            for item in stored:
                message = self._open("event", item, Happened)
                if message is not None:
                    self._guard(item, lambda m: self._history.intake.event(m.node, m.thing, m), message)
            self._history.intake.pending.positions["event"] = self._position("event", stored[-1])

    async def outcomes(self) -> None:
        """Write outcomes of commands into the ledger, for ever."""
        async for stored in self._read("ledger", self._ledger.position):
            opened = [self._open("ledger", item, Outcomes) for item in stored]
            found = (outcome for message in opened if message is not None for outcome in message.outcomes)
            outcomes = [outcome for outcome in found if _storable(outcome)]
            position = self._position("ledger", stored[-1])
            await self._insist(lambda: self._ledger.end_all(outcomes, "ledger", position))  # noqa: B023
            self._status.positions["ledger"] = position.seq

    async def flush(self, every: float, settle: float) -> None:
        """Show readings to readers every `every` seconds, write them into the record every `settle`; for ever."""
        while True:
            try:
                async with asyncio.timeout(every):
                    await self._crowded.wait()
            except TimeoutError:
                pass
            self._crowded.clear()
            if self._history.due(settle):
                await self._insist(self._history.settle)
            else:
                await self._history.show()
            self._room.set()

    async def measure(self, every: float) -> None:
        """Keep the status' figures right, for ever."""
        while True:
            for name in ("data", "event", "ledger"):
                source = self._ledger if name == "ledger" else self._history
                try:
                    position = await source.position(name)
                    info = await self._bus.stream_info(self._streams[name])
                except (BusDown, TimedOut, RecordError) as error:
                    log.debug("no figures of %s: %s", name, error)
                    continue
                self._status.positions[name] = position.seq
                self._status.lag[name] = max(0, info.last - position.seq)
            self._status.waiting = self._history.waiting
            if self._status.state == "leading":
                self._status.set("leading", self._note())
            await self._clock.sleep(every)

    def _note(self) -> str:
        if not self._bus.up:
            return "there is no link to the bus"
        return "catching up with the bus" if sum(self._status.lag.values()) > _BEHIND else ""

    async def _read(self, name: str, where: Callable[[str], Awaitable[Position]]) -> AsyncIterator[list[Stored]]:
        stream = self._streams[name]
        position = await where(name)
        created = await self._identity(name, stream)
        if position.created != created:
            if position.seq:
                log.warning("the stream %s was made anew; it is read from its start", stream.name)
            position = Position()
        async for stored in self._bus.read(stream, after=position.seq, since=position.time, batch=_AT_ONCE):
            yield stored

    async def _identity(self, name: str, stream: Stream) -> str:
        while name not in self._created:
            try:
                self._created[name] = (await self._bus.stream_info(stream)).created
            except (BusDown, TimedOut) as error:
                log.debug("%s is not there yet: %s", stream.name, error)
                await self._clock.sleep(0.2)
        return self._created[name]

    async def _note_streams(self) -> None:
        """The link is up again: a bus that lost its folder has made its streams anew."""
        for name in ("data", "event", "ledger"):
            self._created[name] = (await self._bus.stream_info(self._streams[name])).created

    def _position(self, name: str, stored: Stored) -> Position:
        return Position(created=self._created.get(name, ""), seq=stored.seq, time=stored.time_ms)

    def _open(self, row: str, item: Stored, kind: type[M]) -> M | None:
        """The message, if it is one and says the same as its subject; others are counted."""
        try:
            found, names = self._subjects.parse(item.subject)
            message = decode(kind, item.data)
            if found != row or any(getattr(message, key) != name for key, name in names.items()):
                raise BadMessage(f"a {kind.__name__} that belongs to another subject")
        except BadMessage as error:
            self._bus.note_bad(item.subject, error)
            return None
        except BadName as error:
            self._bus.note_bad(item.subject, BadMessage(error.what, why=error.why))
            return None
        return message

    def _guard(self, item: Stored, take: Callable[[M], object], message: M) -> None:
        try:
            take(message)
        except BadMessage as error:
            self._bus.note_bad(item.subject, error)

    async def _insist(self, write: Callable[[], Awaitable[object]]) -> None:
        """Write until it is written; says once that it cannot. Raises Broken."""
        wait, said = _FIRST_RETRY, False
        while True:
            try:
                await write()
                break
            except Broken:
                raise
            except RecordError as error:
                if not said:
                    said = True
                    log.error("nothing is lost, but it cannot be written now: %s", error)
                    self._status.set("waiting for disk", str(error))
                await self._history.show()
                await self._clock.sleep(wait)
                wait = min(_LAST_RETRY, wait * 2)
        if said:
            log.info("the record can be written again")
            self._status.set("leading")


def _storable(outcome: Outcome) -> bool:
    """Whether the ledger can hold it; the bus may carry any garbage."""
    made = outcome.made.time if outcome.made is not None else 0
    numbers = (outcome.epoch, outcome.accepted, outcome.asked, outcome.ended, made)
    return is_id(outcome.id) and all(-(2**62) < number < 2**62 for number in numbers)
