"""The bus as every process of ours uses it: one connection that comes back by itself and hides nothing.

What is sent is sent now or not at all; nothing waits for a link. What is heard goes through bounded mailboxes. What
cannot be read is counted and said once, and never raises at whoever listens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

from pilothouse.bus import jetstream
from pilothouse.bus.address import BusAddress
from pilothouse.bus.feed import Feed, Fifo, Mailbox
from pilothouse.bus.jetstream import Stored, StreamInfo
from pilothouse.bus.link import Delivery, Link
from pilothouse.bus.messages import M, Message, decode, encode
from pilothouse.bus.read import read
from pilothouse.bus.recent import Appended, Recent
from pilothouse.bus.replies import Replies
from pilothouse.bus.serve import Handler, Subscription
from pilothouse.bus.subjects import TABLE, Kept, Stream
from pilothouse.bus.subjects import streams as streams_of
from pilothouse.bus.watch import Watch, Watched, feed_of
from pilothouse.clock import Clock
from pilothouse.errors import BadMessage, BusDown, CannotStart, PilothouseError, TimedOut

log = logging.getLogger(__name__)

OnUp = Callable[[], Awaitable[None]]
_KINDS_OF_BAD = 500
"""Subjects and sentences that are told apart in the counts; the rest is counted as one."""
_RETRY_FIRST, _RETRY_MOST = 0.05, 1.0
_UNTIL_KEPT = (0.01, 0.05, 0.2, 0.5)
"""Seconds between looks whether the bus keeps what was heard."""
_LAZY = [row.pattern.split(".")[2:3] for row in TABLE.values() if row.kept is Kept.TELEMETRY]
"""Third part of the subjects whose stream is flushed lazily."""


class Bus:
    """A connection to the bus. `bad` and `problems` are for `doctor` and the pages."""

    def __init__(self, address: BusAddress, name: str, clock: Clock) -> None:
        self.clock = clock
        self.bad: dict[str, int] = {}
        """Messages that could not be read, by subject."""
        self.problems: dict[str, int] = {}
        """What the bus does not allow us, or we could not keep up with: sentence → how often."""
        self.down_since: int | None = clock.mono()
        """Monotonic milliseconds at which the link was lost; None while it is up."""
        self.links = 0
        """How often the link has come up."""
        self.closed = False
        self.link = Link(address, self._came, self._went)
        self.link.problem = self.note_problem
        self.replies = Replies(self.link, name)
        self._name = name
        self._up = asyncio.Event()
        self._closing = asyncio.Event()
        self._sites: list[str] = []
        self._on_up: list[OnUp] = []
        self._watches: set[Watch] = set()
        self._boxes: set[Mailbox] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._arrival: asyncio.Task[None] | None = None
        self._said: set[str] = set()
        self._recent = Recent()
        self._lost_at = 0
        self._caught_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Of this link: done when what a lost one may have taken with it stands again; nothing is appended before."""

    # life

    @classmethod
    async def connect(cls, address: BusAddress, *, name: str, clock: Clock, wait: float = 30.0) -> Bus:
        """A connection as `name`; raises BusDown when there is no link within `wait` seconds."""
        bus = cls(address, name, clock)
        await bus.link.open(name, wait)
        return bus

    @property
    def up(self) -> bool:
        """Whether there is a link now."""
        return self.link.ready

    async def until_up(self) -> None:
        """Wait for a link; returns at once when there is one, and when the bus is closed."""
        await self._up.wait()

    async def pause(self, seconds: float) -> None:
        """Wait that long, less when the bus is closed meanwhile."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

    async def close(self) -> None:
        """End everything that runs on this connection, then the connection."""
        if self.closed:
            return
        self.closed = True
        self._closing.set()
        self._up.set()
        for watch in self._watches:
            watch.stop()
        for box in self._boxes:
            box.close()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.replies.end()
        await self.link.shut()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def on_up(self, callback: OnUp) -> None:
        """Have `callback` awaited after every time that the link comes up, and now if it is up.

        Callbacks run one after the other, after the streams are there; a BusDown in one ends only that one.
        """
        self._on_up.append(callback)
        if self.up and (self._arrival is None or self._arrival.done()):
            self.spawn(self._call(callback))

    def _came(self) -> None:
        if self.closed:
            return
        self.links += 1
        self.down_since = None
        self._up.set()
        self._caught_up = asyncio.get_running_loop().create_future()
        for watch in self._watches:
            watch.start()
        if self._arrival is not None:
            self._arrival.cancel()
        self._arrival = self.spawn(self._arrive())
        if self.links > 1:
            log.info("the link to the bus is back")

    def _went(self, reason: str) -> None:
        self.down_since = self._lost_at = self.clock.mono()
        self._caught_up.cancel()
        if not self.closed:
            self._up.clear()
            log.warning("the link to the bus is gone: %s", reason)
        self.replies.lost()

    async def _arrive(self) -> None:
        for site in self._sites:
            await self._ensure_again(site)
        try:
            for item in self._recent.before(self._lost_at) if self.links > 1 else ():
                await jetstream.append(self.replies, item.subject, item.data, 5.0, id=item.id)
        except (BusDown, TimedOut) as error:
            log.debug("not all could be appended again: %s", error)
        if not self._caught_up.done():
            self._caught_up.set_result(None)
        for callback in self._on_up:  # also those that are added meanwhile
            await self._call(callback)

    async def _ensure_again(self, site: str) -> None:
        wait = _RETRY_FIRST
        while self.up:
            try:
                await self._ensure(site)
                return
            except CannotStart as error:
                self.note_problem(str(error))
                return
            except (BusDown, TimedOut) as error:
                log.debug("the streams are not there yet: %s", error)
            await self.pause(wait)
            wait = min(_RETRY_MOST, wait * 2)

    async def _call(self, callback: OnUp) -> None:
        try:
            await callback()
        except (BusDown, TimedOut) as error:
            log.debug("the link went before all was said: %s", error)
        except Exception:  # edge: what one part does on a new link must not keep the others from theirs
            log.exception("what is to be done on a new link failed")

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that ends with this connection."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # what went wrong

    def note_bad(self, subject: str, error: BadMessage) -> None:
        """Count a message that could not be read; say it once per subject and reason."""
        subject = subject[:200]
        known = subject in self.bad or len(self.bad) < _KINDS_OF_BAD
        key = subject if known else "…"
        self.bad[key] = self.bad.get(key, 0) + 1
        self._say_once(f"on {key}: {error.what}", f"a message on {key} was dropped: {error}")

    def note_problem(self, sentence: str) -> None:
        """Count and say once what the bus does not allow us, or what was too much."""
        sentence = sentence[:300]
        known = sentence in self.problems or len(self.problems) < _KINDS_OF_BAD
        key = sentence if known else "…"
        self.problems[key] = self.problems.get(key, 0) + 1
        self._say_once(key, key)

    def _say_once(self, key: str, sentence: str) -> None:
        if key not in self._said and len(self._said) < 2 * _KINDS_OF_BAD:
            self._said.add(key)
            log.warning("%s", sentence)

    # sending

    async def publish(self, subject: str, message: Message) -> None:
        """Send, at most once. Raises BusDown at once when there is no link, and then it will never be sent."""
        if self.link.crowded:
            await self.link.room()
        self.link.post(subject, encode(message))

    async def request(self, subject: str, message: Message, reply: type[M], timeout: float) -> M:
        """Send and have the answer.

        Raises BusDown: not sent, and never will be. NodeAway: nobody is there, said at once. TimedOut: it was sent,
        nobody can say what became of it. BadMessage: the answer cannot be read. A peer that stands still may read
        what was sent before the link was given up once it goes on; so what must not be done late carries a deadline.
        """
        answer = await self.replies.one(subject, encode(message), timeout)
        try:
            return decode(reply, answer.data)
        except BadMessage as error:
            self.note_bad(subject, error)
            raise

    async def ask_all(self, subject: str, message: Message, reply: type[M], timeout: float, *, enough: int) -> list[M]:
        """Send to all who listen and have their answers: `enough` of them, or those that came within `timeout`.

        Raises BusDown. An answer that cannot be read is counted and left out.
        """
        found: list[M] = []
        for answer in await self.replies.several(subject, encode(message), timeout, enough=enough):
            try:
                found.append(decode(reply, answer.data))
            except BadMessage as error:
                self.note_bad(subject, error)
        return found

    async def prove(self, timeout: float) -> None:
        """Have the bus answer over the link as it is right now; raises BusDown when it does not in time."""
        await self.link.settle(timeout)

    async def latest(self, stream: Stream, subject: str, kind: type[M]) -> tuple[int, M | None]:
        """(position, message) that a stream keeps last of one subject; (0, None) when it keeps none.

        One that cannot be read is None at its position, so that it can be replaced. Raises BusDown or TimedOut.
        """
        stored = await jetstream.last_of(self.replies, stream, subject)
        if stored is None:
            return 0, None
        try:
            return stored.seq, decode(kind, stored.data)
        except BadMessage as error:
            self.note_bad(subject, error)
            return stored.seq, None

    async def confirmed(self, stream: Stream, subject: str, heard: M) -> tuple[int, M | None]:
        """As `latest`, once the bus keeps what was heard live, or surely never will.

        Of two who write by compare-and-set everybody hears both, the loser too; and the winner's message may be heard
        a moment before it is kept.
        """
        for wait in _UNTIL_KEPT:
            seq, kept = await self.latest(stream, subject, type(heard))
            if kept == heard:
                return seq, kept
            await self.clock.sleep(wait)
        return await self.latest(stream, subject, type(heard))

    async def replace(self, subject: str, message: Message, *, after: int, timeout: float = 5.0) -> int:
        """Have the bus keep a message only if the subject's last position still is `after`; gives its own position.

        Raises WrongRevision (somebody was faster; nothing was changed), BusDown or TimedOut (look what stands there).
        """
        return await jetstream.append(self.replies, subject, encode(message), timeout, after=after)

    async def append(self, subject: str, message: Message, *, id: str, timeout: float = 5.0) -> int:
        """Have the bus keep a message, gives its position; the same `id` within two minutes is kept once.

        Raises BusDown or TimedOut; both mean: try again with the same id.
        """
        data = encode(message)
        if not self.up:
            raise self.link.down()
        caught_up = self._caught_up
        if not caught_up.done():
            await asyncio.wait((caught_up,), timeout=timeout)
        if caught_up.cancelled():
            raise self.link.down()
        if not caught_up.done():
            raise TimedOut("The bus has not caught up yet")
        seq = await jetstream.append(self.replies, subject, data, timeout, id=id)
        if subject.split(".")[2:3] in _LAZY:
            self._recent.add(Appended(self.clock.mono(), subject, data, id))
        return seq

    # hearing

    async def serve(self, subject: str, kind: type[M], handler: Handler[M], *, limit: int = 1000) -> Subscription[M]:
        """Have every message of `subject` handled, each as a task of its own, at most `limit` at once.

        What comes beyond that is dropped and counted. Returns when the bus knows of it, if there is a link.
        """
        subscription = Subscription(self, subject, kind, handler, limit)
        if self.up:
            try:
                await self.link.settle()
            except BusDown:
                pass  # it is subscribed with the next link
        return subscription

    def listen(self, subject: str, kind: type[M], *, limit: int = 10_000) -> Feed[tuple[str, M]]:
        """Messages of `subject` from now on; when `limit` wait, the oldest are dropped and counted."""
        box = Fifo(limit)

        def take(delivery: Delivery) -> None:
            box.put(delivery.subject, delivery.data)

        def opened(key: str, data: bytes) -> tuple[str, M] | None:
            try:
                return key, decode(kind, data)
            except BadMessage as error:
                self.note_bad(key, error)
                return None

        self._boxes.add(box)
        number = self.link.tap(subject, take)
        return Feed(box, opened, partial(self._end_listening, box, number))

    def _end_listening(self, box: Mailbox, number: int) -> None:
        self._boxes.discard(box)
        self.link.untap(number)

    def watch(self, stream: Stream, rows: Sequence[tuple[str, type[Message]]]) -> Feed[Watched]:
        """What `stream` keeps of each subject (wildcards allowed), then Synced(), then what changes.

        After every reconnect what is kept comes again, then Synced() again. A slow reader gets the newest of each
        subject. Before Synced() live messages may come between.
        """
        watch = Watch(self, stream, rows)
        self._watches.add(watch)
        if self.up:
            watch.start()
        return feed_of(self, watch, partial(self._end_watch, watch))

    def _end_watch(self, watch: Watch) -> None:
        self._watches.discard(watch)
        watch.stop()

    # what the bus keeps

    async def ensure_streams(self, site: str) -> None:
        """Make the site's streams or bring their settings up to date, now and after every reconnect.

        Raises BusDown or TimedOut (it is tried again with the next link) or CannotStart with the reason.
        """
        if site not in self._sites:
            self._sites.append(site)
        await self._ensure(site)

    async def _ensure(self, site: str) -> None:
        for stream in streams_of(site).values():
            await jetstream.ensure(self.replies, stream)

    async def last(self, stream: Stream, subject: str, kind: type[M]) -> list[tuple[str, M]]:
        """What a stream of last values keeps of `subject` (wildcards allowed); raises BusDown or TimedOut."""
        if stream.kept not in (Kept.LAST, Kept.LEASE):
            raise PilothouseError(f"{stream.name} does not keep last values only")
        found: list[tuple[str, M]] = []
        async for stored in jetstream.scan(self.replies, stream, subject):
            try:
                found.append((stored.subject, decode(kind, stored.data)))
            except BadMessage as error:
                self.note_bad(stored.subject, error)
        return found

    def read(self, stream: Stream, *, after: int, batch: int = 500, since: int = 0) -> AsyncIterator[list[Stored]]:
        """Batches of what comes after position `after`, in order, for ever; nothing is left out.

        Some may come a second time, with positions that go back, when the bus came back with less than it had. Give
        as `since` the time_ms of the message at `after`, so that this is also seen when it happened in between.
        """
        return read(self, stream, after, since, batch)

    async def stream_info(self, stream: Stream) -> StreamInfo:
        """Positions that the stream holds; raises BusDown, also when there is no such stream, or TimedOut."""
        return await jetstream.info(self.replies, stream)
