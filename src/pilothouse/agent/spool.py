"""What must reach the bus's streams: kept in memory until the stream has acknowledged it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

import msgspec

from pilothouse.bus.messages import Batch, Message, decode, encode
from pilothouse.clock import Clock
from pilothouse.errors import BadMessage, BusDown, PilothouseError

log = logging.getLogger(__name__)

_PACK_FROM = 64
"""Waiting messages from which on new ones are kept as bytes, which need a fifth of the memory."""
_TRY_AGAIN = 0.5


def batch_id(node: str, epoch: int, seq: int) -> str:
    """What the stream knows a repetition of a batch by."""
    return f"{node}-{epoch}-{seq}"


class Appends(Protocol):
    """What a spool needs of the bus."""

    @property
    def up(self) -> bool:
        """Whether there is a link."""
        ...

    async def append(self, subject: str, message: Message, *, id: str) -> int:
        """Have the stream keep a message; raises BusDown and others."""
        ...


class _Entry:
    __slots__ = ("id", "late", "message", "packed", "size")

    def __init__(self, id: str, message: Message, size: int) -> None:
        self.id = id
        self.message: Message | None = message
        self.packed = b""
        self.size = size
        self.late = False


class Spool:
    """Sends messages to one subject of a stream, each until it is acknowledged, up to `window` at a time.

    With a window of 1 they arrive in order. Over `limit` bytes or `most` messages the oldest that is not on its way is
    dropped and `dropped` is told; a spool that may not drop (`dropped` None) says `full` instead and goes on taking.
    """

    def __init__(
        self,
        subject: str | Callable[[Message], str],
        clock: Clock,
        *,
        window: int,
        most: int,
        limit: int = 8 * 1024 * 1024,
        dropped: Callable[[Message], None] | None = None,
    ) -> None:
        self._subject = subject
        self._clock = clock
        self._most = most
        self._limit = limit
        self._dropped = dropped
        self._bus: Appends | None = None
        self._waiting: deque[_Entry] = deque()
        self._sent: dict[asyncio.Task[None], _Entry] = {}
        self._window = window
        self._size = 0
        self._link = asyncio.Event()
        self._work = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._said = ""
        self._kind: type[Message] = Message

    def __len__(self) -> int:
        return len(self._waiting) + len(self._sent)

    @property
    def full(self) -> bool:
        """Whether more is waiting than should."""
        return len(self) >= self._most or self._size >= self._limit

    def add(self, id: str, message: Message, size: int = 300) -> None:
        """Take a message of about `size` bytes; `id` is what the stream knows a repetition by."""
        entry = _Entry(id, message, size)
        if not self._link.is_set():
            entry.late = True
        if len(self._waiting) >= _PACK_FROM and not self._pack(entry):
            return
        self._waiting.append(entry)
        self._size += entry.size
        while self._dropped is not None and self._waiting and (len(self) > self._most or self._size > self._limit):
            self._drop_oldest(self._dropped)
        self._empty.clear()
        self._work.set()

    def up(self, bus: Appends) -> None:
        """There is a link."""
        self._bus = bus
        self._link.set()

    def renumber(self, epoch: int) -> None:
        """The run's number was found to be too low before anything was sent: give all that waits the new one."""
        for entry in self._waiting:
            message = self._unpacked(entry)
            if isinstance(message, Batch):
                entry.message = msgspec.structs.replace(message, epoch=epoch)
                entry.id = batch_id(message.node, epoch, message.seq)

    async def run(self) -> None:
        """Send, for ever."""
        try:
            while True:
                await self._work.wait()
                await self._link.wait()
                while self._waiting and len(self._sent) < self._window:
                    entry = self._waiting.popleft()
                    task = asyncio.create_task(self._deliver(entry))
                    self._sent[task] = entry
                    task.add_done_callback(self._delivered)
                self._work.clear()
        finally:
            for task in list(self._sent):
                task.cancel()

    async def drained(self) -> None:
        """Wait until everything is acknowledged."""
        await self._empty.wait()

    async def _deliver(self, entry: _Entry) -> None:
        while True:
            await self._link.wait()
            message = self._unpacked(entry)
            if message is None or self._bus is None:
                return
            try:
                await self._bus.append(self._subject_of(message), message, id=entry.id)
            except BadMessage as error:
                log.error("a message was not sent: %s", error)
                return
            except BusDown as error:
                self._missed(entry)
                if self._bus.up:
                    self._say(str(error))
                    await self._clock.sleep(_TRY_AGAIN)
                else:
                    self._link.clear()  # `up` is called with the next link
            except PilothouseError as error:
                self._missed(entry)
                self._say(str(error))
                await self._clock.sleep(_TRY_AGAIN)
            else:
                self._said = ""
                return

    def _subject_of(self, message: Message) -> str:
        return self._subject if isinstance(self._subject, str) else self._subject(message)

    def _missed(self, entry: _Entry) -> None:
        entry.late = True
        for other in self._waiting:
            other.late = True

    def _delivered(self, task: asyncio.Task[None]) -> None:
        entry = self._sent.pop(task)
        self._size -= entry.size
        if not task.cancelled() and task.exception() is not None:
            log.error("a message was not sent", exc_info=task.exception())
        self._work.set()
        if not len(self):
            self._empty.set()

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            log.warning("the bus does not keep what this node sends: %s", text)

    def _drop_oldest(self, dropped: Callable[[Message], None]) -> None:
        entry = self._waiting.popleft()
        self._size -= entry.size
        message = self._unpacked(entry)
        if message is not None:
            dropped(message)

    def _pack(self, entry: _Entry) -> bool:
        assert entry.message is not None
        try:
            entry.packed = encode(entry.message)
        except BadMessage as error:
            log.error("a message was not sent: %s", error)
            return False
        self._kind = type(entry.message)
        entry.message = None
        entry.size = len(entry.packed)
        return True

    def _unpacked(self, entry: _Entry) -> Message | None:
        message = entry.message
        if message is None:
            message = decode(self._kind, entry.packed)
        if entry.late and isinstance(message, Batch) and not message.late:
            message = msgspec.structs.replace(message, late=True)
        return message
