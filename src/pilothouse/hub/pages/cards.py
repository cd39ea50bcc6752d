"""Nodes and things at a glance: the card of a node, the tile of a thing. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

from pilothouse.hub.allowed import Allowed
from pilothouse.hub.directory import Directory, NodeLife, NodeView, ThingView
from pilothouse.hub.pages.rows import PropertyRow, property_row
from pilothouse.model import Address, PropertyDescription, ThingDescription, title_of

ON_A_TILE = 5
"""Properties that a tile shows; the thing's page shows all."""
HOST_DRIVER = "host"
"""Driver of the thing whose properties are a node's vitals."""

LIFE_WORDS: dict[NodeLife, str] = {
    NodeLife.HERE: "alive",
    NodeLife.AWAY: "away",
    NodeLife.LEFT: "left",
}

_VITALS = (r"cpu", r"temperature(_.*)?", r"memory", r"disk_(?!.*(free|read|written)).*", r"load_1")
"""Names of the vitals on a card, the first match of each; all are read in one glance from left to right."""
_ALARMING = ("under_voltage", "throttled", "frequency_capped", "temperature_limited")
"""Flags of a host that are shown on its card when they are true."""


class Tile(Struct, frozen=True, kw_only=True):
    """What a card shows of one thing."""

    node: str
    thing: str
    title: str
    href: str
    simulated: bool
    """No hardware behind it; the tile says so."""
    ok: bool
    """Whether the device answers."""
    error: str
    """The driver's last error, "" when ok."""
    since: int
    """Since when the device answers or not, Unix milliseconds."""
    values: tuple[PropertyRow, ...]
    """Its main properties."""
    more: int
    """How many properties are not on the tile."""


class Card(Struct, frozen=True, kw_only=True):
    """What the overview shows of one node."""

    node: str
    href: str
    life: str
    """here, away or left."""
    word: str
    """The same for people."""
    since: int
    """Since when, Unix milliseconds; 0 = not known."""
    last_seen: int
    version: str
    is_hub: bool
    """Whether this hub runs on it."""
    vitals_href: str
    """Page of the thing that gives the vitals, "" when there is none."""
    vitals: tuple[PropertyRow, ...]
    """A few properties of its host, each with a sparkline."""
    flags: tuple[str, ...]
    """What the hardware complains about: undervoltage, throttling."""
    tiles: tuple[Tile, ...]
    uptime: PropertyRow | None
    notes: tuple[str, ...]

    @property
    def things(self) -> str:
        """ "6 things"."""
        return counted(len(self.tiles) + bool(self.vitals_href), "thing")


def counted(number: int, noun: str) -> str:
    """ "1 node", "2 nodes"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def cards(directory: Directory, allowed: Allowed, *, hub_node: str, now: int) -> list[Card]:
    """All nodes: those that need a person first, then by name."""
    made = [card(directory, view, allowed, hub_node=hub_node, now=now) for view in directory.nodes()]
    return sorted(made, key=lambda each: (each.life != "away", _well(each), each.node))


def _well(card: Card) -> bool:
    return card.life == "here" and not card.flags and all(tile.ok for tile in card.tiles)


def card(directory: Directory, node: NodeView, allowed: Allowed, *, hub_node: str, now: int) -> Card:
    """The card of one node."""
    things = directory.things(node.node)
    host = host_of(directory, things)
    vitals: tuple[PropertyRow, ...] = ()
    uptime = None
    flags: tuple[str, ...] = ()
    if host is not None:
        described = directory.description(Address(host.node, host.thing)).properties
        vitals = tuple(property_row(host, each, node, now=now) for each in vitals_of(described))
        flags = flags_of(host, described)
        if "uptime" in described:
            uptime = property_row(host, described["uptime"], node, now=now)
    return Card(
        node=node.node,
        href=f"/nodes/{node.node}",
        life=node.life.value,
        word=LIFE_WORDS[node.life],
        since=node.since,
        last_seen=node.last_seen,
        version=node.version,
        is_hub=node.node == hub_node,
        vitals_href=f"/things/{host.node}/{host.thing}" if host else "",
        vitals=vitals,
        flags=flags,
        tiles=tuple(tile(directory, each, node, allowed, now=now) for each in things if each is not host),
        uptime=uptime,
        notes=tuple(node.notes),
    )


def tile(directory: Directory, thing: ThingView, node: NodeView, allowed: Allowed, *, now: int) -> Tile:
    """The tile of one thing."""
    address = Address(thing.node, thing.thing)
    description = directory.description(address)
    main, operable = main_properties(description), allowed.operate(address)
    return Tile(
        node=thing.node,
        thing=thing.thing,
        title=description.title or thing.thing,
        href=f"/things/{thing.node}/{thing.thing}",
        simulated=description.simulated,
        ok=thing.health.ok,
        error=thing.health.error,
        since=thing.health.since,
        values=tuple(property_row(thing, each, node, now=now, operable=operable) for each in main),
        more=len(description.properties) - len(main),
    )


def main_properties(description: ThingDescription, most: int = ON_A_TILE) -> list[PropertyDescription]:
    """What a tile shows: switches and readings; setpoints of numbers only where there is room left.

    The order is the description's, so that the author of a driver decides.
    """
    everything = list(description.properties.values())
    simple = [each for each in everything if each.schema.get("type") in ("boolean", "number", "integer", "string")]
    rank = {True: 0, False: 1}
    wanted = sorted(
        simple or everything,
        key=lambda each: rank[not each.writable or each.schema.get("type") == "boolean"],
    )[:most]
    return [each for each in everything if each in wanted]


def host_of(directory: Directory, things: list[ThingView]) -> ThingView | None:
    """The thing that gives a node's vitals."""
    for view in things:
        if directory.description(Address(view.node, view.thing)).driver == HOST_DRIVER:
            return view
    return None


def vitals_of(described: dict[str, PropertyDescription]) -> list[PropertyDescription]:
    """The few properties of a host that a card shows."""
    found = []
    for pattern in _VITALS:
        name = next((each for each in described if re.fullmatch(pattern, each)), None)
        if name is not None:
            found.append(described[name])
    return found


def flags_of(host: ThingView, described: dict[str, PropertyDescription]) -> tuple[str, ...]:
    """What the hardware complains about now, in words."""
    return tuple(
        f"{described[name].title or title_of(name)}: {described[name].doc}"
        for name in _ALARMING
        if name in described and name in host.properties and host.properties[name].value is True
    )
