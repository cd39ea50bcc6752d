"""The right to speak and act for a node: the data folder's lock, the number of the run, the agent before."""

from __future__ import annotations

import asyncio
import logging

from pilothouse.agent import epoch as epochs
from pilothouse.agent.handover import Answer, Asked, DataLock, ask, begin_epoch, note_of
from pilothouse.agent.uplink import Link
from pilothouse.bus import Subjects, streams
from pilothouse.bus.messages import Presence
from pilothouse.clock import Clock
from pilothouse.config.places import Places
from pilothouse.errors import BusDown, PilothouseError, TimedOut

log = logging.getLogger(__name__)

_FOR_A_LINK = 0.25
"""Seconds that the hardware waits for a link through which another agent could be asked to let go of it."""
_FOR_AN_ANSWER = 4.0
_TO_EXIT = 2.5
"""Seconds that the agent before may take to end after it has let go."""


class Claim:
    """See the module's text; one a run."""

    def __init__(self, node: str, site: str, places: Places, clock: Clock) -> None:
        self.epoch = 0
        self.note = ""
        self.owning = False
        """Whether the hardware is ours."""
        self.linked = asyncio.Event()
        """To be set at the first link."""
        self._node = node
        self._site = site
        self._subjects = Subjects(site)
        self._places = places
        self._clock = clock
        self._lock = DataLock(places.agent / "lock")
        self._asked: Asked | None = None
        self._answered = asyncio.Event()
        self._hardware = asyncio.Event()
        self._named = False

    def begin(self) -> int:
        """Take the next epoch; raises CannotStart."""
        self.epoch = begin_epoch(self._places.agent, self._places.epoch, self._clock.now())
        return self.epoch

    async def hardware(self) -> bool:
        """Wait until the hardware is ours; False when a newer agent has it."""
        ours = self._lock.take()
        if await self._within(self.linked, _FOR_A_LINK):
            await self._within(self._answered, _FOR_AN_ANSWER)
        if not ours:
            log.warning("another agent works with %s; waiting for it to end", self._places.data)
        while not ours and self._worth_waiting():
            ours = await self._lock.wait(self._clock, _TO_EXIT)
        if not ours and self._asked is not None and self._asked.answer is Answer.LET_GO:
            await self._lock.wait(self._clock, _TO_EXIT)
        if self._asked is not None and self._asked.answer is Answer.NEWER:
            return False
        self.owning = True
        self._hardware.set()
        return True

    async def keep_lock(self) -> None:
        """Take the data folder's lock as soon as it is free: an agent that was frozen may still hold it."""
        await self._lock.wait(self._clock, every=1.0)

    def _worth_waiting(self) -> bool:
        """An agent that cannot be asked is waited for; one that was asked has had its time to end."""
        return self._asked is None or self._asked.answer is Answer.NOBODY

    async def name(self, bus: Link) -> bool:
        """Make sure, at the first link, that nobody else speaks for this node; False when a newer agent does.

        Returns when the hardware is ours too. Raises BusDown when the link goes meanwhile: call it again.
        """
        if not self._named:
            asked = await ask(bus, self._subjects, self._node, self.epoch)
            if asked.answer is Answer.NEWER and asked.epoch == self.epoch:
                self._raise_to(asked.epoch + 1)
                asked = await ask(bus, self._subjects, self._node, self.epoch)
            self._asked = asked
            self._answered.set()
            if asked.answer is Answer.NEWER:
                log.error("a newer agent of this node name runs on %s; this one ends", asked.host)
                return False
            if asked.answer is not Answer.NOBODY:
                self.note = note_of(asked, self._clock.now())
                log.warning("this agent %s", self.note)
            await self._outgrow(bus)
            self._named = True
        await self._hardware.wait()
        return True

    async def _outgrow(self, bus: Link) -> None:
        """Have a higher number than any that this node's name was ever seen with.

        A machine with a wrong clock and a new card would else be taken for an old word of itself, for ever.
        """
        try:
            await bus.ensure_streams(self._site)
            said = await bus.last(streams(self._site)["now"], self._subjects.presence(self._node), Presence)
        except (BusDown, TimedOut):
            raise
        except PilothouseError as error:
            log.error("%s", error)
            return
        highest = max((p.epoch for _, p in said if p.node == self._node and p.epoch < epochs.LARGEST), default=0)
        if highest >= self.epoch:
            self._raise_to(highest + 1)

    def _raise_to(self, epoch: int) -> None:
        log.warning("the number of this run goes from %d to %d: this node's name was seen with it", self.epoch, epoch)
        epochs.keep(self._places.epoch, epoch)
        self.epoch = epoch

    async def _within(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for an event, at most so long; whether it came."""
        sleeper = asyncio.create_task(self._clock.sleep(seconds))
        waiter = asyncio.create_task(event.wait())
        try:
            await asyncio.wait((sleeper, waiter), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            waiter.cancel()
        return event.is_set()

    def release(self) -> None:
        """Let the next agent have the data folder."""
        self._lock.release()
