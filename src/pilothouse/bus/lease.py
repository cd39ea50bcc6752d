"""A right that one process has at a time, kept on the bus; no clock of anybody else is trusted.

The holder renews it by compare-and-set on the position of its last message. Whoever wants it waits until it has seen
the same position for the whole time to live by its own monotonic clock. nats-py's `create()` is not used: it fails
after an expiry until a marker has expired too.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from types import TracebackType
from typing import NamedTuple, Self

from pilothouse.bus import jetstream
from pilothouse.bus.client import Bus
from pilothouse.bus.jetstream import WrongRevision
from pilothouse.bus.messages import Held, decode, encode
from pilothouse.bus.subjects import Subjects
from pilothouse.bus.subjects import streams as streams_of
from pilothouse.errors import BadMessage, BusDown, TimedOut

log = logging.getLogger(__name__)


class Seen(NamedTuple):
    """What somebody who wants a lease knows of it."""

    seq: int
    """Position of the last message; 0 = never held."""
    holder: str
    ttl: float
    since: int
    """Monotonic milliseconds at which this position was first seen."""


def may_take(seen: Seen, now: int) -> bool:
    """Whether the lease is free: never held, given back, or not renewed for its whole time to live."""
    return not seen.holder or now - seen.since >= seen.ttl * 1000


class Lease:
    """One lease as one process sees it. `async with` waits until it is held and gives it back at the end.

    `lost` is set when it can no longer be sure to be held: before anybody else can have it.
    """

    def __init__(self, bus: Bus, site: str, name: str, holder: str, ttl: float) -> None:
        self.lost = asyncio.Event()
        self.held = False
        self._bus = bus
        self._subject = Subjects(site).lease(name)
        self._stream = streams_of(site)["lease"]
        self._holder = f"{holder}#{secrets.token_hex(4)}"
        """With a part of its own: a process that starts anew under the same name is another one."""
        self._ttl = ttl
        self._seen: Seen | None = None
        self._seq = 0
        self._sure_until = 0
        self._renewing: asyncio.Task[None] | None = None

    async def acquire(self) -> bool:
        """Try once; True when it is held now. Raises BusDown or TimedOut."""
        if self.held:
            return True
        seen = await self._look()
        if not may_take(seen, self._bus.clock.mono()) or not await self._write(self._holder, seen.seq):
            return False
        self.held = True
        self.lost.clear()
        self._renewing = self._bus.spawn(self._renew())
        return True

    async def release(self) -> None:
        """Give it back at once, so that nobody has to wait; does nothing when it is not held."""
        if self._renewing is not None:
            self._renewing.cancel()
            self._renewing = None
        if not self.held:
            return
        self.held = False
        self.lost.set()
        try:
            await self._write("", self._seq)
        except (BusDown, TimedOut) as error:
            log.debug("the lease %s runs out by itself: %s", self._subject, error)

    async def __aenter__(self) -> Self:
        while True:
            try:
                if await self.acquire():
                    return self
            except (BusDown, TimedOut) as error:
                log.debug("waiting for the lease %s: %s", self._subject, error)
            await self._bus.clock.sleep(self._ttl / 6)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()

    async def _look(self) -> Seen:
        stored = await jetstream.last_of(self._bus.replies, self._stream, self._subject)
        seq, held = 0, Held(holder="", ttl=0)
        if stored is not None:
            seq = stored.seq
            try:
                held = decode(Held, stored.data)
            except BadMessage as error:
                # Garbage holds nothing, but may stand in the place of somebody who does: wait as long as we would.
                self._bus.note_bad(self._subject, error)
                held = Held(holder="?", ttl=self._ttl)
        if self._seen is None or self._seen.seq != seq:
            self._seen = Seen(seq, held.holder, held.ttl, self._bus.clock.mono())
        return self._seen

    async def _write(self, holder: str, after: int) -> bool:
        """Compare and set; False when somebody else was faster."""
        asked = self._bus.clock.mono()
        data = encode(Held(holder=holder, ttl=self._ttl))
        try:
            self._seq = await jetstream.append(
                self._bus.replies, self._subject, data, min(5.0, self._ttl / 3), after=after
            )
        except WrongRevision:
            return False
        self._sure_until = asked + int(self._ttl * 1000)
        return True

    async def _renew(self) -> None:
        wait = self._ttl / 3
        while True:
            await self._bus.clock.sleep(wait)
            try:
                kept = await self._write(self._holder, self._seq) or await self._was_mine()
                wait = self._ttl / 3
            except (BusDown, TimedOut) as error:
                log.debug("the lease %s was not renewed: %s", self._subject, error)
                kept = True
                wait = self._ttl / 12
            if not kept or self._bus.clock.mono() + wait * 1000 >= self._sure_until:
                self.held = False
                self.lost.set()
                return

    async def _was_mine(self) -> bool:
        """After a lost answer the message may stand there all the same."""
        stored = await jetstream.last_of(self._bus.replies, self._stream, self._subject)
        try:
            if stored is None or decode(Held, stored.data).holder != self._holder:
                return False
        except BadMessage:
            return False
        self._seq = stored.seq
        return await self._write(self._holder, self._seq)
