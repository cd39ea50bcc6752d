"""Events of things, from whatever thread of a driver to the bus's stream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from pilothouse.agent.sense import plain_value
from pilothouse.agent.spool import Spool
from pilothouse.agent.words import in_words
from pilothouse.bus.messages import Happened, Message
from pilothouse.bus.subjects import Subjects
from pilothouse.clock import Clock
from pilothouse.model import Value, new_id

log = logging.getLogger(__name__)

MOST = 1000
"""Events that may wait; beyond it new ones (for the event loop) or the oldest (for the bus) are dropped."""


class Events:
    """Takes events of all things of a node."""

    def __init__(self, node: str, subjects: Subjects, epoch: Callable[[], int], clock: Clock) -> None:
        self._node = node
        self._subjects = subjects
        self._epoch = epoch
        self._clock = clock
        self._coming = 0
        self._dropped = 0
        self.spool = Spool(
            lambda message: subjects.event(node, message.thing) if isinstance(message, Happened) else "",
            clock,
            window=1,
            most=MOST,
            dropped=self._drop,
        )

    def emitter(self, loop: asyncio.AbstractEventLoop, thing: str) -> Callable[[str, Value], None]:
        """What a thing calls, from any thread, to say that something happened."""
        return partial(self._emit, loop, thing)

    def _emit(self, loop: asyncio.AbstractEventLoop, thing: str, name: str, data: Value) -> None:
        if self._coming >= MOST:
            self._drop(None)
            return
        self._coming += 1
        try:
            loop.call_soon_threadsafe(self._take, thing, name, data, self._clock.now())
        except RuntimeError:
            pass  # the agent has ended, and the driver's thread does not know yet

    def _take(self, thing: str, name: str, data: Value, time: int) -> None:
        self._coming -= 1
        try:
            plain = plain_value(data)
        except Exception as error:  # noqa: BLE001 - edge: a driver may give any object
            log.warning("%s: event %s came with what cannot be sent: %s", thing, name, in_words(error))
            plain = None
        epoch = self._epoch()
        id = new_id(time)
        self.spool.add(id, Happened(id=id, node=self._node, epoch=epoch, thing=thing, name=name, time=time, data=plain))

    def _drop(self, _message: Message | None) -> None:
        self._dropped += 1
        if self._dropped in (1, 10, 100) or self._dropped % 1000 == 0:
            log.warning("%d events are lost: more came than could be sent", self._dropped)
