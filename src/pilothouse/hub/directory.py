"""What is known of every node and thing right now: merges what comes up from the bus, drops what is old.

Pure: it is told the time and given messages, and says what changed. `hub.follow` feeds it, `hub.live` sends on what
changed. Two hubs that see the same bus hold the same directory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum

from msgspec import Struct

from pilothouse.bus.messages import Batch, Described, Lanes, Latch, Outcome, Presence, State
from pilothouse.errors import NotThere, nearest
from pilothouse.hub.pulse import Pulse
from pilothouse.model import (
    Address,
    Bar,
    Health,
    PropertyDescription,
    PropertyState,
    Quality,
    Reading,
    ThingDescription,
)

AWAY_AFTER = 5.0
"""Seconds without a word after which a node is away; presence comes every 2 s."""


_EARLY = 10_000
"""States that are kept for things not described yet; more would be somebody's mistake or malice."""


class NodeLife(StrEnum):
    """Whether a node is there."""

    HERE = "here"
    AWAY = "away"
    """It fell silent."""
    LEFT = "left"
    """It said that it was going."""


class NodeView(Struct, kw_only=True):
    """One node as pages and REST show it."""

    node: str
    life: NodeLife = NodeLife.AWAY
    since: int = 0
    """Since when it is as it is, hub's wall clock in Unix milliseconds."""
    last_seen: int = 0
    """When its last presence came, hub's wall clock; 0 = not in the life of this hub."""
    epoch: int = 0
    version: str = ""
    clock_offset: int = 0
    """Milliseconds that the node's wall clock is ahead of the hub's, as well as one message can tell."""
    things: list[str] = []
    stops: list[Latch] = []
    """Stops that it said it obeys."""
    notes: list[str] = []


class ThingView(Struct, kw_only=True):
    """One thing as pages and REST show it, without its description."""

    node: str
    thing: str
    title: str = ""
    health: Health
    properties: dict[str, PropertyState]
    bars: dict[str, Bar] = {}
    """Why an output (by its property) may not leave its safe value, or an action not be called, right now."""


class Change(Struct, kw_only=True):
    """What a message changed."""

    nodes: set[str] = set()
    things: set[Address] = set()
    """Things whose view must be sent whole: description, health, wish or a bar changed."""
    readings: list[tuple[str, Reading]] = []
    """(node, reading), newest only."""
    lanes: set[str] = set()
    """Nodes that told of their lanes."""
    described: bool = False
    """Whether a description changed, so that pages need a reload of what is there."""


class _Node:
    def __init__(self, name: str) -> None:
        self.view = NodeView(node=name)
        self.pulse = Pulse()
        self.epoch = 0
        """Highest epoch of any message; what is older is dropped."""
        self.lanes: Lanes | None = None


class _Thing:
    def __init__(self, description: ThingDescription) -> None:
        self.description = description
        self.health = Health()
        self.bars: dict[str, Bar] = {}
        self.properties: dict[str, PropertyState] = {}
        self.heard: tuple[int, int] = (0, 0)
        """(epoch, number) of the last state taken."""
        self.stamps: dict[str, tuple[int, int]] = {}
        """(epoch, seq) of what each property's value came from. Wall clocks jump; these never do."""


class Directory:
    """All nodes and things of a site; see the module's text."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Node] = {}
        self._things: dict[Address, _Thing] = {}
        self._early: dict[Address, State] = {}
        """States that came before the description of their thing."""
        self.shape = 0
        """Grows whenever a thing comes or goes."""

    # what comes up

    def presence(self, message: Presence, *, now: int, mono: int) -> Change:
        """A node said that it is there. `now` and `mono` are the hub's clocks in milliseconds."""
        node = self._nodes.setdefault(message.node, _Node(message.node))
        age = node.pulse.beat(message, now=now, mono=mono)
        if age is None or message.epoch < node.epoch:
            return Change()
        node.epoch = message.epoch
        view = node.view
        life = NodeLife.AWAY if age > AWAY_AFTER * 1000 else NodeLife.HERE
        if message.state == "leaving":
            life = NodeLife.LEFT
        new = message.epoch != view.epoch or list(message.things) != view.things
        changed = new or (life, [*message.notes], [*message.stops]) != (view.life, view.notes, view.stops)
        if life is not view.life:
            view.since = now - age
        view.life = life
        view.epoch = message.epoch
        view.version = message.version
        view.last_seen = max(view.last_seen, now - age)
        view.clock_offset = message.time - (now - age)
        view.things = list(message.things)
        view.notes = list(message.notes)
        view.stops = list(message.stops)
        gone = self._drop_gone(message) if new else False
        return Change(nodes={message.node}, described=gone) if changed else Change()

    def _drop_gone(self, message: Presence) -> bool:
        """Forget things that the node has no longer: also those that only the record or an old message named."""
        gone = [a for a in self._things if a.node == message.node and a.thing not in message.things]
        for address in gone:
            del self._things[address]
            self.shape += 1
        return bool(gone)

    def described(self, message: Described) -> Change:
        """A thing was described."""
        node = self._nodes.setdefault(message.node, _Node(message.node))
        if message.epoch < node.epoch:
            return Change()
        node.epoch = message.epoch
        address = Address(message.node, message.thing)
        thing = self._things.get(address)
        if thing is not None and thing.description == message.description:
            return Change()
        if thing is None:
            thing = self._things[address] = _Thing(message.description)
            self.shape += 1
        thing.description = message.description
        thing.properties = {
            name: thing.properties.get(name, PropertyState()) for name in message.description.properties
        }
        early = self._early.pop(address, None)
        if early is not None:
            self.state(early)
        return Change(things={address}, described=True)

    def state(self, message: State) -> Change:
        """A thing's latest came."""
        address = Address(message.node, message.thing)
        thing = self._things.get(address)
        if message.epoch < self._epoch(message.node):
            return Change()
        if thing is None:
            self._keep_early(address, message)
            return Change()
        order = (message.epoch, message.number)
        if order < thing.heard:
            return Change()
        thing.heard = order
        changed = (message.health, message.bars) != (thing.health, thing.bars)
        thing.health, thing.bars = message.health, message.bars
        stamp = (message.epoch, message.seq)
        for name, new in message.properties.items():
            old = thing.properties.get(name)
            if old is None:
                continue
            fresh = new.time != 0 and stamp >= thing.stamps.get(name, (0, 0))
            if fresh:
                thing.stamps[name] = stamp
            merged = _merged(new if fresh else old, new)
            if merged != old:
                thing.properties[name] = merged
                changed = True
        return Change(things={address}) if changed else Change()

    def _keep_early(self, address: Address, message: State) -> None:
        kept = self._early.get(address)
        if kept is None and len(self._early) >= _EARLY:
            return
        if kept is None or (message.epoch, message.number) >= (kept.epoch, kept.number):
            self._early[address] = message

    def batch(self, message: Batch) -> Change:
        """Readings came."""
        if message.epoch < self._epoch(message.node):
            return Change()
        stamp = (message.epoch, message.seq)
        fresh: list[tuple[str, Reading]] = []
        for reading in message.readings:
            thing = self._things.get(Address(message.node, reading.thing))
            old = thing.properties.get(reading.property) if thing else None
            if thing is None or old is None or reading.quality is Quality.GAP:
                continue
            if stamp < thing.stamps.get(reading.property, (0, 0)):
                continue
            thing.stamps[reading.property] = stamp
            new = PropertyState(value=reading.value, time=reading.time, quality=reading.quality)
            thing.properties[reading.property] = _merged(new, old)
            fresh.append((message.node, reading))
        return Change(readings=fresh)

    def told_lanes(self, message: Lanes) -> Change:
        """A node told of its lanes."""
        node = self._nodes.setdefault(message.node, _Node(message.node))
        if message.epoch < node.epoch or (node.lanes is not None and message.epoch < node.lanes.epoch):
            return Change()
        node.lanes = message
        return Change(lanes={message.node})

    def confirmed(self, outcome: Outcome) -> Change:
        """A write was confirmed: its readback is known here before the batch that carries it comes.

        So whoever wrote and then asks sees what they were told.
        """
        thing = self._things.get(Address(outcome.node, outcome.thing))
        old = thing.properties.get(outcome.name) if thing else None
        if thing is None or old is None or outcome.epoch < self._epoch(outcome.node) or old.value == outcome.value:
            return Change()
        new = PropertyState(value=outcome.value, time=outcome.ended)
        thing.properties[outcome.name] = _merged(new, old)
        reading = Reading(outcome.thing, outcome.name, outcome.ended, outcome.value)
        return Change(readings=[(outcome.node, reading)])

    def tick(self, *, now: int, mono: int) -> Change:
        """Time passed: nodes that fell silent are away from now on. Call it at least every half second."""
        change = Change()
        for name, node in self._nodes.items():
            if node.view.life is NodeLife.HERE and mono - node.pulse.seen > AWAY_AFTER * 1000:
                node.view.life = NodeLife.AWAY
                node.view.since = now
                change.nodes.add(name)
        return change

    def hiccup(self, mono: int) -> None:
        """The hub itself or its link was away: nobody's silence up to now counts against them."""
        for node in self._nodes.values():
            node.pulse.seen = mono

    def remember(self, description: ThingDescription, properties: dict[str, PropertyState], *, last_seen: int) -> None:
        """Take a thing from the record at start; anything that the bus says replaces it."""
        address = Address(description.node, description.name)
        node = self._nodes.setdefault(description.node, _Node(description.node))
        node.view.last_seen = max(node.view.last_seen, last_seen)
        node.view.since = node.view.since or last_seen
        if address not in self._things:
            thing = self._things[address] = _Thing(description)
            self.shape += 1
            thing.properties = {name: properties.get(name, PropertyState()) for name in description.properties}
            if description.name not in node.view.things:
                node.view.things = [*node.view.things, description.name]

    # what is asked

    def nodes(self) -> list[NodeView]:
        """All nodes by name."""
        return [self._node(name).view for name in sorted(self._names())]

    def things(self, node: str | None = None) -> list[ThingView]:
        """All things (of one node) by address."""
        return [self._view(a) for a in sorted(self._things) if node is None or a.node == node]

    def node(self, name: str) -> NodeView:
        """One node; raises NotThere with the nearest name."""
        return self._node(name).view

    def has_node(self, name: str) -> bool:
        """Whether there is one of this name."""
        return name in self._names()

    def lanes(self, name: str) -> Lanes | None:
        """What runs and waits on a node, None when this run of it has not said; raises NotThere."""
        node = self._node(name)
        return node.lanes if node.lanes is not None and node.lanes.epoch >= node.epoch else None

    def thing(self, address: Address) -> ThingView:
        """One thing; raises NotThere with the nearest name."""
        self._find(address)
        return self._view(address)

    def description(self, address: Address) -> ThingDescription:
        """A thing's description; raises NotThere with the nearest name."""
        return self._find(address).description

    def property(self, address: Address, name: str) -> tuple[PropertyDescription, PropertyState]:
        """A property's description and state; raises NotThere with the nearest name."""
        thing = self._find(address)
        described = thing.description.properties.get(name)
        if described is None:
            raise NotThere(
                f"{address} has no property {name[:63]!r}", nearest=nearest(name, thing.description.properties)
            )
        return described, thing.properties.get(name, PropertyState())

    def deadline(self, node: str, ttl: float, *, mono: int) -> tuple[int, int]:
        """(epoch, deadline) for a command that is made now and lives `ttl` seconds.

        The deadline is in the node's own monotonic clock, so neither side's wall clock matters, and a command that
        lay in the socket of a frozen agent is seen to be too old when the agent wakes.
        """
        found = self._node(node)
        return found.view.epoch, mono + found.pulse.ahead + int(ttl * 1000)

    def __contains__(self, address: object) -> bool:
        return address in self._things

    def __iter__(self) -> Iterator[Address]:
        return iter(sorted(self._things))

    def _names(self) -> Collection[str]:
        return self._nodes.keys()

    def _node(self, name: str) -> _Node:
        found = self._nodes.get(name)
        if found is None:
            raise no_node(name, self._names())
        return found

    def _epoch(self, node: str) -> int:
        found = self._nodes.get(node)
        return found.epoch if found else 0

    def _find(self, address: Address) -> _Thing:
        found = self._things.get(address)
        if found is None:
            self.node(address.node)
            here = [a.thing for a in self._things if a.node == address.node]
            raise NotThere(
                f"Node {address.node} has no thing {address.thing[:63]!r}", nearest=nearest(address.thing, here)
            )
        return found

    def _view(self, address: Address) -> ThingView:
        thing = self._things[address]
        return ThingView(
            node=address.node,
            thing=address.thing,
            title=thing.description.title,
            health=thing.health,
            properties=dict(thing.properties),
            bars=thing.bars,
        )


def no_node(name: str, there: Collection[str]) -> NotThere:
    """The error for a node that is not among those that are `there`."""
    return NotThere(f"There is no node {name[:63]!r}", nearest=nearest(name, there))


def _merged(value: PropertyState, wish: PropertyState) -> PropertyState:
    """The reading of the one with all that is known besides from the other: what was wished and what was accepted."""
    return PropertyState(
        value=value.value,
        time=value.time,
        quality=value.quality,
        wish=wish.wish,
        wish_time=wish.wish_time,
        wish_id=wish.wish_id,
        accepted=wish.accepted,
        accepted_time=wish.accepted_time,
        differs_since=wish.differs_since,
    )
