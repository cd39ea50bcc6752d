"""Readings of other nodes, for interlocks that name them: known only while the node is heard and the reading is fresh.

Whatever is doubtful is not known: a node that is silent or has left, a word of its run before, a reading that is old by
its own clock or by ours, a thing that it has not described.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from pilothouse.agent.uplink import Link
from pilothouse.agent.words import at_time
from pilothouse.bus import Subjects, Synced, streams
from pilothouse.bus.messages import Batch, Described, Message, Presence, State
from pilothouse.clock import Clock
from pilothouse.errors import BadName
from pilothouse.guard.expression import Known, Ref
from pilothouse.model import PropertyDescription, Quality, Value
from pilothouse.model.names import is_name

HEARD = 5000
"""Milliseconds after its last word for which a node counts as here."""
FRESH = 2.5
"""Heartbeats for which a reading is fresh."""
_AHEAD = 5000
"""Milliseconds that a reading may lie in its node's future: clocks are set between two presences."""


class _Heard(NamedTuple):
    """One reading of another node."""

    value: Value
    quality: Quality
    time: int
    """By that node's clock."""
    mono: int
    """When we had it first, by our own monotonic clock."""
    epoch: int
    seq: int
    """Of the batch that it came with, or that the state told of."""


class Peer:
    """What is known of one other node. Pure: it is told the time, in our own monotonic milliseconds."""

    def __init__(self, node: str, wanted: Iterable[tuple[str, str]]) -> None:
        self.node = node
        self.wanted = frozenset(wanted)
        """(thing, property); nothing else is remembered."""
        self._presence: Presence | None = None
        self._heard_at = 0
        self._readings: dict[tuple[str, str], _Heard] = {}
        self._described: dict[str, dict[str, PropertyDescription]] = {}

    def present(self, presence: Presence, mono: int) -> None:
        """It said that it is there. An older word than one heard before, come late, counts for nothing."""
        before = self._presence
        if before is not None and (presence.epoch, presence.mono) <= (before.epoch, before.mono):
            return
        self._presence = presence
        self._heard_at = mono

    def described(self, message: Described) -> None:
        """It said what a thing is."""
        self._described[message.thing] = dict(message.description.properties)

    def state(self, message: State, mono: int) -> bool:
        """It said the latest of a thing; whether anything that is wanted is new."""
        new = False
        for name, state in message.properties.items():
            if state.time and (message.thing, name) in self.wanted:
                heard = _Heard(state.value, state.quality, state.time, mono, message.epoch, message.seq)
                new |= self._take((message.thing, name), heard)
        return new

    def batch(self, message: Batch, mono: int) -> bool:
        """Readings came; whether any that is wanted is new."""
        new = False
        for reading in message.readings:
            key = (reading.thing, reading.property)
            if key in self.wanted:
                heard = _Heard(reading.value, reading.quality, reading.time, mono, message.epoch, message.seq)
                new |= self._take(key, heard)
        return new

    def _take(self, key: tuple[str, str], heard: _Heard) -> bool:
        before = self._readings.get(key)
        if before is not None:
            if (heard.epoch, heard.seq) < (before.epoch, before.seq):
                return False
            if (heard.epoch, heard.time) == (before.epoch, before.time):
                heard = heard._replace(mono=before.mono)  # told again, and no younger for that
        self._readings[key] = heard
        return True

    def lookup(self, thing: str, name: str, mono: int) -> Known | str:
        """The reading, or why it is not known."""
        presence = self._presence
        if presence is None:
            return f"node {self.node} has not been heard yet"
        if presence.state == "leaving":
            return f"node {self.node} has left"
        if mono >= self._heard_at + HEARD:
            return f"node {self.node} is away"
        if thing not in presence.things:
            return f"node {self.node} has no thing {thing!r}"
        heard, described = self._readings.get((thing, name)), self._described.get(thing, {}).get(name)
        if heard is None or described is None or heard.epoch != presence.epoch:
            return f"node {self.node} has not told it yet"
        if heard.quality is not Quality.GOOD:
            return "it cannot be read" if heard.quality is Quality.BAD else f"its reading is {heard.quality}"
        until = self._until(heard, described)
        if mono >= until or self._now(mono) + _AHEAD < heard.time:
            return f"it has not been read since {at_time(heard.time)}"
        return Known(heard.value, described.unit, min(until, self._heard_at + HEARD))

    def _now(self, mono: int) -> int:
        """That node's clock."""
        assert self._presence is not None
        return self._presence.time + mono - self._heard_at

    def _until(self, heard: _Heard, described: PropertyDescription) -> int:
        """When a reading is no longer fresh, by that node's clock or by ours."""
        fresh = round(FRESH * described.heartbeat * 1000)
        assert self._presence is not None
        return min(heard.time - self._presence.time + self._heard_at, heard.mono) + fresh


class Peers:
    """All other nodes that interlocks name; `changed` is told when something about one of them is new."""

    def __init__(self, own: str, subjects: Subjects, clock: Clock, changed: Callable[[], None]) -> None:
        self._own = own
        self._subjects = subjects
        self._clock = clock
        self._changed = changed
        self._peers: dict[str, Peer] = {}
        self._bus: Link | None = None

    def want(self, refs: Collection[Ref]) -> None:
        """These are named; to be called before `hear`."""
        nodes = {ref.node for ref in refs} - {self._own}
        for node in sorted(nodes):
            if not is_name(node):
                continue  # there can be no such node
            self._peers[node] = Peer(node, ((ref.thing, ref.property) for ref in refs if ref.node == node))

    def lookup(self, ref: Ref) -> Known | str:
        """A reading of another node, or why it is not known."""
        if self._bus is None or not self._bus.up:
            return "there is no link to the bus"
        peer = self._peers.get(ref.node)
        if peer is None:
            return f"there is no node {ref.node!r}"
        return peer.lookup(ref.thing, ref.property, self._clock.mono())

    async def hear(self, bus: Link) -> None:
        """Listen for ever; returns at once when no other node is named."""
        self._bus = bus
        if not self._peers:
            return
        async with asyncio.TaskGroup() as tasks:
            for node, peer in self._peers.items():
                tasks.create_task(self._presences(bus, node, peer))
                tasks.create_task(self._batches(bus, node, peer))
            tasks.create_task(self._kept(bus))

    async def _presences(self, bus: Link, node: str, peer: Peer) -> None:
        """Live ones only: what the bus has kept says nothing about now."""
        async for _, presence in bus.listen(self._subjects.presence(node), Presence):
            if presence.node == node:
                peer.present(presence, self._clock.mono())
                self._changed()

    async def _batches(self, bus: Link, node: str, peer: Peer) -> None:
        async for _, batch in bus.listen(self._subjects.data(node), Batch):
            if batch.node == node and peer.batch(batch, self._clock.mono()):
                self._changed()

    async def _kept(self, bus: Link) -> None:
        rows = list(self._rows())
        async for heard in bus.watch(streams(self._subjects.site)["now"], rows):
            if not isinstance(heard, Synced):
                self._told(heard[1])

    def _rows(self) -> Iterator[tuple[str, type[Message]]]:
        for node, peer in self._peers.items():
            for thing in sorted({thing for thing, _ in peer.wanted}):
                try:
                    yield self._subjects.state(node, thing), State
                    yield self._subjects.description(node, thing), Described
                except BadName:
                    continue  # no node can have a thing of that name, so it stays unknown

    def _told(self, message: Message) -> None:
        peer = self._peers.get(message.node) if isinstance(message, State | Described) else None
        if peer is None:
            return
        if isinstance(message, Described):
            peer.described(message)
            self._changed()
        elif isinstance(message, State) and peer.state(message, self._clock.mono()):
            self._changed()
