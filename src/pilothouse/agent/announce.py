"""What the node says of itself: presence, descriptions of its things, and their latest states."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

import pilothouse
from pilothouse.agent.alarm import Alarm
from pilothouse.bus.messages import LIMIT, Described, Latch, Message, Presence, State
from pilothouse.bus.subjects import Subjects
from pilothouse.clock import Clock
from pilothouse.errors import BadMessage, BusDown
from pilothouse.model import Bar, Health, PropertyState, ThingDescription

log = logging.getLogger(__name__)

EVERY = 2.0
"""Seconds between two presences."""
CALM = 1000
"""Milliseconds between two states of a thing that only has new readings."""
URGENT = 100
"""Milliseconds between two states of a thing that is being commanded."""
BEHIND = 10
"""Milliseconds that a state lets its readings go first, so that those of many things travel as one batch."""
NOTE_LASTS = 600_000
"""Milliseconds that a note is shown."""


class Publishes(Protocol):
    """The one thing that announcing needs of the bus."""

    async def publish(self, subject: str, message: Message) -> None:
        """Send at most once; raises BusDown."""
        ...


class Shown(Protocol):
    """What is announced of a thing."""

    description: ThingDescription
    health: Health
    opened: asyncio.Event
    """Set when it is known whether the device can be opened; before, a thing is not described."""

    def states(self) -> dict[str, PropertyState]:
        """The latest of all its properties."""
        ...


class Announcer:
    """Publishes the last values that the bus keeps; whatever is missed while the link is down is said anew after.

    `seq` gives the number of the last batch of readings, after making a batch of those that wait.
    """

    def __init__(
        self, node: str, subjects: Subjects, things: Mapping[str, Shown], clock: Clock, seq: Callable[[], int]
    ) -> None:
        self.epoch = 0
        self.stops: Callable[[], tuple[Latch, ...]] = tuple
        """Gives the stops that this node obeys."""
        self.bars: Callable[[str], dict[str, Bar]] = _no_bars
        """Gives why outputs and actions of a thing cannot be switched on or called now."""
        self._seq = seq
        self._node = node
        self._subjects = subjects
        self._things = things
        self._clock = clock
        self._bus: Publishes | None = None
        self._numbers: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._dirty: dict[str, int] = {}
        self._alarm = Alarm(clock)
        self._said: deque[tuple[int, int]] = deque(maxlen=100)
        self._notes: dict[str, tuple[int, str]] = {}

    # what to say

    def add(self, thing: str) -> None:
        """A thing belongs to this node."""
        self._numbers[thing] = 0
        self._sent[thing] = self._clock.mono() - CALM

    def note(self, key: str, text: str) -> None:
        """Have people told something about this node for ten minutes; a new text of the same key replaces the old."""
        self._notes[key] = (self._clock.mono() + NOTE_LASTS, text)

    def changed(self, thing: str, *, at_once: bool = False) -> None:
        """A thing's state is to be said again: at once, or a second after the last time."""
        mono = self._clock.mono()
        due = max(self._sent[thing] + URGENT, mono) if at_once else max(self._sent[thing] + CALM, mono + BEHIND)
        before = self._dirty.get(thing)
        if before is None or due < before:
            self._dirty[thing] = due
            self._alarm.ring()

    # when

    async def run(self) -> None:
        """Say states as they fall due, for ever."""
        while True:
            await self._alarm.wait(min(self._dirty.values(), default=None))
            mono = self._clock.mono()
            for thing in [thing for thing, due in self._dirty.items() if due <= mono]:
                await self.state(thing)

    async def presence_for_ever(self) -> None:
        """Say every two seconds that the node is here."""
        while True:
            await self.presence()
            await self._clock.sleep(EVERY)

    async def up(self, bus: Publishes) -> None:
        """There is a link: say everything."""
        self._bus = bus
        await self.presence()
        for name, thing in self._things.items():
            if thing.opened.is_set():
                await self.whole(name)

    async def whole(self, thing: str) -> None:
        """Say what a thing is and its latest."""
        await self.description(thing)
        await self.state(thing)

    def fall_silent(self) -> None:
        """Say nothing more: another agent speaks for this node now."""
        self._bus = None

    def is_mine(self, presence: Presence) -> bool:
        """Whether this very agent has said it."""
        return (presence.time, presence.mono) in self._said

    # saying

    async def presence(self, *, leaving: bool = False) -> None:
        """Say that the node is here, or that it goes."""
        mono = self._clock.mono()
        self._notes = {key: note for key, note in self._notes.items() if note[0] > mono}
        message = Presence(
            node=self._node,
            epoch=self.epoch,
            version=pilothouse.__version__,
            time=self._clock.now(),
            mono=mono,
            every=EVERY,
            state="leaving" if leaving else "here",
            seq=self._seq(),
            things=tuple(self._things),
            stops=self.stops(),
            notes=tuple(text for _, text in self._notes.values()),
        )
        self._said.append((message.time, message.mono))
        await self._publish(self._subjects.presence(self._node), message)

    async def description(self, thing: str) -> None:
        """Say what a thing is."""
        described = self._things[thing].description
        message = Described(node=self._node, epoch=self.epoch, thing=thing, description=described)
        await self._publish(self._subjects.description(self._node, thing), message)

    async def state(self, thing: str) -> None:
        """Say the latest of a thing."""
        self._dirty.pop(thing, None)
        self._sent[thing] = self._clock.mono()
        if self._bus is None:
            return
        self._numbers[thing] += 1
        shown = self._things[thing]
        message = State(
            node=self._node,
            epoch=self.epoch,
            thing=thing,
            number=self._numbers[thing],
            seq=self._seq(),
            time=self._clock.now(),
            health=shown.health,
            properties=fitting(shown.states()),
            bars=self.bars(thing),
        )
        await self._publish(self._subjects.state(self._node, thing), message)

    async def _publish(self, subject: str, message: Message) -> None:
        if self._bus is None:
            return
        try:
            await self._bus.publish(subject, message)
        except BusDown:
            pass  # everything is said anew when the link is back
        except BadMessage as error:
            log.error("%s was not said: %s", subject, error)


def _no_bars(_thing: str) -> dict[str, Bar]:
    """What stands against a thing while nobody guards it."""
    return {}


def fitting(states: dict[str, PropertyState], limit: int = LIMIT * 3 // 4) -> dict[str, PropertyState]:
    """`states` without the largest, until they fit into one message; those left out travel with their readings."""
    if not any(
        isinstance(s.value, str | list | dict) or isinstance(s.wish, str | list | dict) for s in states.values()
    ):
        return states
    sizes = {name: len(msgspec.json.encode(state)) + len(name) + 4 for name, state in states.items()}
    total = sum(sizes.values())
    kept = dict(states)
    for name in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if total <= limit:
            break
        total -= sizes[name]
        del kept[name]
    return kept
