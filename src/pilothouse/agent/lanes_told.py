"""What people see of the lanes: what runs and waits there for more than a moment, and taking back what waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from pilothouse.agent.announce import Publishes
from pilothouse.agent.lane import Cancelled as TakenBack
from pilothouse.agent.lane import Lane, Slot, Watch
from pilothouse.agent.owned import Owned
from pilothouse.agent.words import at_time
from pilothouse.bus.messages import Call, Cancel, Cancelled, Lanes, LaneView, Outcome
from pilothouse.bus.subjects import Subjects
from pilothouse.clock import Clock
from pilothouse.errors import BusDown

A_MOMENT = 100
"""Milliseconds that a call may take unseen."""
EVERY = 250
"""Milliseconds between two tellings."""
SHOWN = 50
"""Waiting calls of a lane that are told one by one."""


class LanesTold:
    """Tells of the lanes of one node; costs nothing while all of them are quick."""

    def __init__(self, node: str, subjects: Subjects, watch: Watch, things: Mapping[str, Owned], clock: Clock) -> None:
        self.epoch = 0
        """Of this run."""
        self._node = node
        self._subjects = subjects
        self._watch = watch
        self._things = things
        self._clock = clock
        self._bus: Publishes | None = None
        self._seen: tuple[LaneView, ...] = ()
        self._looked = clock.mono() - EVERY
        self._news = asyncio.Event()
        watch.looked = self.look

    def look(self) -> None:
        """Look at the lanes, which are working or have just come to rest."""
        mono = self._clock.mono()
        slow = [lane for lane in self._watch.lanes() if lane.oldest() > A_MOMENT]
        resting = not slow or all(lane.hang for lane in slow)
        if not slow and not self._seen:
            return
        if not resting and mono - self._looked < EVERY:
            return
        self._looked = mono
        seen = tuple(self._view(lane) for lane in slow)
        if seen != self._seen:
            self._seen = seen
            self._news.set()

    async def run(self) -> None:
        """Tell what was seen, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self._tell()

    async def up(self, bus: Publishes) -> None:
        """There is a link: tell it in any case, for what stands on the bus may be of an earlier run."""
        self._bus = bus
        await self._tell()

    def _view(self, lane: Lane) -> LaneView:
        waiting, running = lane.waiting(), lane.running()
        return LaneView(
            name=lane.name,
            things=tuple(thing for thing, owned in self._things.items() if owned.lane is lane),
            hung_since=lane.hang.since if lane.hang else 0,
            running=_call(running) if running else None,
            waiting=tuple(_call(slot) for slot in waiting[:SHOWN]),
            more=max(0, len(waiting) - SHOWN),
        )

    async def _tell(self) -> None:
        if self._bus is None:
            return
        message = Lanes(node=self._node, epoch=self.epoch, time=self._clock.now(), lanes=self._seen)
        try:
            await self._bus.publish(self._subjects.lanes(self._node), message)
        except BusDown:
            pass  # it is told anew when the link is back


def _call(slot: Slot) -> Call:
    return Call(thing=slot.thing, label=slot.label, since=slot.since, id=slot.by.id, name=slot.by.name, who=slot.by.who)


class Knows(Protocol):
    """What taking back needs of the book of commands."""

    def outcome(self, id: str) -> Outcome | None:
        """How a command ended; None while it runs or when it never came."""
        ...


class TakingBack:
    """Takes back commands that wait for their device."""

    def __init__(self, node: str, watch: Watch, book: Callable[[], Knows]) -> None:
        self._node = node
        self._watch = watch
        self._book = book

    async def handle(self, _subject: str, cancel: Cancel) -> Cancelled:
        """Take it back, or say why that cannot be done."""
        because = f": {cancel.reason}" if cancel.reason else ""
        error = TakenBack(f"{cancel.who} took it back while it waited for the device{because}")
        if any(lane.take_back(cancel.id, error) for lane in self._watch.lanes()):
            return Cancelled(done=True)
        return Cancelled(done=False, detail=self._why_not(cancel.id))

    def _why_not(self, id: str) -> str:
        for lane in self._watch.lanes():
            running = lane.running()
            if running is not None and running.by.id == id:
                return f"it runs already: the device was asked at {at_time(running.since)}"
        outcome = self._book().outcome(id)
        if outcome is not None:
            return f"it is over already: {outcome.end}" + (f" ({outcome.detail})" if outcome.detail else "")
        return f"no command of this id waits for a device of node {self._node}"
