"""Answering: each message that comes is handled as a task of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Generic

from pilothouse.bus.link import Delivery
from pilothouse.bus.messages import M, Message, decode, encode
from pilothouse.errors import BadMessage, BusDown

if TYPE_CHECKING:
    from pilothouse.bus.client import Bus

log = logging.getLogger(__name__)

Handler = Callable[[str, M], Awaitable[Message | None]]
"""Gets subject and message; gives the answer, or None to stay silent."""


class Subscription(Generic[M]):
    """A handler at a subject, until closed. Made by Bus.serve."""

    def __init__(self, bus: Bus, subject: str, kind: type[M], handler: Handler[M], limit: int) -> None:
        self._bus = bus
        self._kind = kind
        self._handler = handler
        self._limit = limit
        self._tasks: set[asyncio.Task[None]] = set()
        self.dropped = 0
        """Messages that were not taken because `limit` handlers were running; whoever asked gets no answer."""
        self._number = bus.link.tap(subject, self._take)

    @property
    def running(self) -> int:
        """How many handlers run now."""
        return len(self._tasks)

    def _take(self, delivery: Delivery) -> None:
        if self._bus.closed:
            return
        if len(self._tasks) >= self._limit:
            self.dropped += 1
            self._bus.note_problem(f"more than {self._limit} messages at once on {delivery.subject[:100]}")
            return
        try:
            message = decode(self._kind, delivery.data)
        except BadMessage as error:
            self._bus.note_bad(delivery.subject, error)
            return
        task = self._bus.spawn(self._handle(delivery, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, delivery: Delivery, message: M) -> None:
        try:
            answer = await self._handler(delivery.subject, message)
            if answer is not None and delivery.reply:
                self._bus.link.post(delivery.reply, encode(answer))
        except BusDown:
            log.debug("the answer on %s found no link", delivery.subject)
        except Exception:  # edge: one message that a handler fails over must not end the serving of others
            log.exception("a %s on %s was not handled", self._kind.__name__, delivery.subject)

    def stop(self) -> None:
        """Take no more messages; handlers that run go on."""
        self._bus.link.untap(self._number)

    async def close(self) -> None:
        """Take no more messages, and wait for the handlers that run."""
        self.stop()
        if self._tasks:
            await asyncio.wait(set(self._tasks))
