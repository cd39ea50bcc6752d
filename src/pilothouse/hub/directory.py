"""What is known of every node and thing right now: merges what comes up from the bus, drops what is old.

Pure: it is told the time and given messages, and says what changed. `hub.follow` feeds it, `hub.live` sends on what
changed. Two hubs that see the same bus hold the same directory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from pilothouse.bus.messages import Batch, Described, Presence, State
from pilothouse.errors import NotThere, nearest
from pilothouse.model import Address, Health, PropertyDescription, PropertyState, Quality, Reading, ThingDescription

AWAY_AFTER = 5.0
"""Seconds without a word after which a node is away; presence comes every 2 s."""


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
    notes: list[str] = []


class ThingView(Struct, kw_only=True):
    """One thing as pages and REST show it, without its description."""

    node: str
    thing: str
    title: str = ""
    health: Health
    properties: dict[str, PropertyState]


class Change(Struct, kw_only=True):
    """What a message changed."""

    nodes: set[str] = set()
    things: set[Address] = set()
    """Things whose view must be sent whole: description, health or wish changed."""
    readings: list[tuple[str, Reading]] = []
    """(node, reading), newest only."""
    described: bool = False
    """Whether a description changed, so that pages need a reload of what is there."""


class _Node:
    def __init__(self, name: str) -> None:
        self.view = NodeView(node=name)
        self.ahead: deque[int] = deque(maxlen=30)
        """How far the node's monotonic clock was seen ahead of ours lately, milliseconds (see `deadline`).

        Only the last minute counts: two quartz clocks drift apart by seconds a day.
        """
        self.seen_mono = 0


class _Thing:
    def __init__(self, description: ThingDescription) -> None:
        self.description = description
        self.health = Health()
        self.health_time = -1
        self.properties: dict[str, PropertyState] = {}


class Directory:
    """All nodes and things of a site; see the module's text."""

    def __init__(self) -> None:
        self._nodes: dict[str, _Node] = {}
        self._things: dict[Address, _Thing] = {}

    # what comes up

    def presence(self, message: Presence, *, now: int, mono: int) -> Change:
        """A node said that it is there. `now` and `mono` are the hub's clocks in milliseconds."""
        node = self._nodes.setdefault(message.node, _Node(message.node))
        view = node.view
        if message.epoch < view.epoch:
            return Change()
        if message.epoch > view.epoch:
            node.ahead.clear()
        # Each presence was a while on its way, so the largest difference is the nearest to the truth; a deadline
        # made from too small a difference only ends a command early, never late.
        node.ahead.append(message.mono - mono)
        life = NodeLife.LEFT if message.state == "leaving" else NodeLife.HERE
        changed = (
            life is not view.life
            or message.epoch != view.epoch
            or list(message.notes) != view.notes
            or list(message.things) != view.things
        )
        if life is not view.life:
            view.since = now
        things_gone = set(view.things) - set(message.things)
        view.life = life
        view.epoch = message.epoch
        view.version = message.version
        view.last_seen = now
        view.clock_offset = message.time - now
        view.things = list(message.things)
        view.notes = list(message.notes)
        node.seen_mono = mono
        for thing in things_gone:
            self._things.pop(Address(message.node, thing), None)
        return Change(nodes={message.node}, described=bool(things_gone)) if changed else Change()

    def described(self, message: Described) -> Change:
        """A thing was described."""
        if message.epoch < self._epoch(message.node):
            return Change()
        address = Address(message.node, message.thing)
        self._nodes.setdefault(message.node, _Node(message.node))
        thing = self._things.get(address)
        if thing is not None and thing.description == message.description:
            return Change()
        if thing is None:
            thing = self._things[address] = _Thing(message.description)
        thing.description = message.description
        kept = {name: thing.properties.get(name, PropertyState()) for name in message.description.properties}
        thing.properties = kept
        return Change(things={address}, described=True)

    def state(self, message: State) -> Change:
        """A thing's latest came."""
        thing = self._things.get(Address(message.node, message.thing))
        if thing is None or message.epoch < self._epoch(message.node):
            return Change()
        change = Change()
        address = Address(message.node, message.thing)
        if message.time >= thing.health_time:
            thing.health_time = message.time
            if message.health != thing.health:
                thing.health = message.health
                change.things.add(address)
        for name, new in message.properties.items():
            old = thing.properties.get(name)
            if old is None:
                continue
            newer = new if new.time >= old.time else old
            wish = new if new.wish_time >= old.wish_time else old
            merged = PropertyState(
                value=newer.value,
                time=newer.time,
                quality=newer.quality,
                wish=wish.wish,
                wish_time=wish.wish_time,
                wish_id=wish.wish_id,
            )
            if merged != old:
                thing.properties[name] = merged
                change.things.add(address)
        return change

    def batch(self, message: Batch) -> Change:
        """Readings came."""
        if message.epoch < self._epoch(message.node):
            return Change()
        fresh: list[tuple[str, Reading]] = []
        for reading in message.readings:
            thing = self._things.get(Address(message.node, reading.thing))
            if thing is None or reading.quality is Quality.GAP:
                continue
            old = thing.properties.get(reading.property)
            if old is None or reading.time < old.time:
                continue
            thing.properties[reading.property] = PropertyState(
                value=reading.value,
                time=reading.time,
                quality=reading.quality,
                wish=old.wish,
                wish_time=old.wish_time,
                wish_id=old.wish_id,
            )
            fresh.append((message.node, reading))
        return Change(readings=fresh)

    def tick(self, *, now: int, mono: int) -> Change:
        """Time passed: nodes that fell silent are away from now on. Call it at least every half second."""
        change = Change()
        for name, node in self._nodes.items():
            if node.view.life is NodeLife.HERE and mono - node.seen_mono > AWAY_AFTER * 1000:
                node.view.life = NodeLife.AWAY
                node.view.since = now
                change.nodes.add(name)
        return change

    def hiccup(self, mono: int) -> None:
        """The hub itself or its link was away: nobody's silence up to now counts against them."""
        for node in self._nodes.values():
            node.seen_mono = mono

    def remember(self, description: ThingDescription, properties: dict[str, PropertyState], *, last_seen: int) -> None:
        """Take a thing from the record at start; anything that the bus says replaces it."""
        address = Address(description.node, description.name)
        node = self._nodes.setdefault(description.node, _Node(description.node))
        node.view.last_seen = max(node.view.last_seen, last_seen)
        node.view.since = node.view.since or last_seen
        if address not in self._things:
            thing = self._things[address] = _Thing(description)
            thing.properties = {name: properties.get(name, PropertyState()) for name in description.properties}
            if description.name not in node.view.things:
                node.view.things = [*node.view.things, description.name]

    # what is asked

    def nodes(self) -> list[NodeView]:
        """All nodes by name."""
        return [self._nodes[name].view for name in sorted(self._nodes)]

    def things(self, node: str | None = None) -> list[ThingView]:
        """All things (of one node) by address."""
        return [self._view(a) for a in sorted(self._things) if node is None or a.node == node]

    def node(self, name: str) -> NodeView:
        """One node; raises NotThere with the nearest name."""
        found = self._nodes.get(name)
        if found is None:
            raise NotThere(f"There is no node {name[:63]!r}", nearest=nearest(name, self._nodes))
        return found.view

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
        found = self._nodes[node]
        return found.view.epoch, mono + max(found.ahead, default=0) + int(ttl * 1000)

    def __iter__(self) -> Iterator[Address]:
        return iter(sorted(self._things))

    def _epoch(self, node: str) -> int:
        found = self._nodes.get(node)
        return found.view.epoch if found else 0

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
        )
