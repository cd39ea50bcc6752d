"""What the live stream says: changes gathered over a moment, and frames of Server-Sent Events made of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from pilothouse.bus.messages import Lanes, Outcome
from pilothouse.hub.directory import Change, Directory, NodeView, ThingView
from pilothouse.hub.seen import EVERYTHING, Sight
from pilothouse.hub.stand_view import StandView
from pilothouse.hub.viewers import Filter
from pilothouse.model import Address, Quality, Value

Row = tuple[str, str, str, int, Value, Quality]
"""(node, thing, property, time, value, quality)."""


class Ended(Struct, frozen=True):
    """A command that ended, as pages show it in passing."""

    id: str
    node: str
    thing: str
    name: str
    end: str
    detail: str


class ChangeFrame(Struct, omit_defaults=True, kw_only=True):
    """Data of `event: change`; members only when there is something in them."""

    time: int
    values: list[Row] = []
    things: list[ThingView] = []
    nodes: list[NodeView] = []
    hub: dict[str, Any] | None = None
    described: bool = False
    ended: list[Ended] = []
    stands: list[StandView] = []
    lanes: list[Lanes] = []
    """Of nodes whose lanes changed, when a wanted thing is theirs."""


class SnapshotFrame(Struct, kw_only=True):
    """Data of `event: snapshot`, without its time, which is put in when it is sent."""

    hub: dict[str, Any]
    """The link, the processes of the hub's machine, and the stops that hold."""
    nodes: list[NodeView]
    things: list[ThingView]
    stands: list[StandView]
    lanes: list[Lanes]


class Gathered:
    """Everything that changed since the last frame; the newest reading of a property only."""

    def __init__(self) -> None:
        self.values: dict[Address, dict[str, Row]] = {}
        self.things: set[Address] = set()
        self.nodes: set[str] = set()
        self.described = False
        self.described_of: set[Address] = set()
        """Things that were described."""
        self.ended: list[Ended] = []
        self.hub: dict[str, Any] | None = None
        self.stands: dict[str, StandView] = {}
        self.lanes: set[str] = set()

    def __bool__(self) -> bool:
        parts = (self.values, self.things, self.nodes, self.described, self.ended, self.stands, self.lanes)
        return any(parts) or self.hub is not None

    def add(self, change: Change) -> None:
        """What a message changed in the directory."""
        for node, reading in change.readings:
            rows = self.values.setdefault(Address(node, reading.thing), {})
            rows[reading.property] = (
                node,
                reading.thing,
                reading.property,
                reading.time,
                reading.value,
                reading.quality,
            )
        self.things |= change.things
        self.nodes |= change.nodes
        self.lanes |= change.lanes
        if change.described:
            self.described = True
            self.described_of |= change.things

    def end(self, outcome: Outcome) -> None:
        """A command ended."""
        self.ended.append(
            Ended(outcome.id, outcome.node, outcome.thing, outcome.name, outcome.end.value, outcome.detail)
        )

    def frame(self, directory: Directory, wanted: Filter, *, now: int, sight: Sight = EVERYTHING) -> ChangeFrame | None:
        """What a viewer of the `wanted` things is told who has this `sight`, and for whom `directory` is all there is;
        None = nothing.
        """
        wanted = sight.wanted(wanted)
        addresses = self.values.keys() if wanted is None else self.values.keys() & wanted
        things = self.things if wanted is None else self.things & wanted
        frame = ChangeFrame(
            time=now,
            values=[row for address in addresses for row in self.values[address].values()],
            things=[directory.thing(address) for address in sorted(things) if address in directory],
            # Nodes and stands are few and small, and a page shows the state of all: who sees them gets them.
            nodes=[directory.node(name) for name in sorted(self.nodes) if directory.has_node(name)],
            hub=None if self.hub is None else sight.hub_status(self.hub),
            described=self.described if sight.things is None else not self.described_of.isdisjoint(sight.things),
            ended=[one for one in self.ended if wanted is None or Address(one.node, one.thing) in wanted],
            stands=[view for name, view in self.stands.items() if sight.sees_stand(name)],
            lanes=_lanes(directory, sorted(self.lanes), wanted),
        )
        members = (frame.values, frame.things, frame.nodes, frame.described, frame.ended, frame.stands, frame.lanes)
        return frame if any(members) or frame.hub is not None else None


def snapshot(directory: Directory, wanted: Filter, hub: dict[str, Any], stands: Sequence[StandView] = ()) -> bytes:
    """All that is known of the `wanted` things, as JSON of a SnapshotFrame."""
    if wanted is None:
        things = directory.things()
    else:
        things = [directory.thing(address) for address in sorted(wanted) if address in directory]
    nodes = directory.nodes()
    lanes = _lanes(directory, [node.node for node in nodes], wanted)
    frame = SnapshotFrame(hub=hub, nodes=nodes, things=things, stands=list(stands), lanes=lanes)
    return msgspec.json.encode(frame)


def _lanes(directory: Directory, nodes: Iterable[str], wanted: Filter) -> list[Lanes]:
    """Of those nodes that are there and have a wanted thing."""
    of = None if wanted is None else {address.node for address in wanted}
    found = (directory.lanes(node) for node in nodes if directory.has_node(node) and (of is None or node in of))
    return [lanes for lanes in found if lanes is not None]


def event(name: str, number: int, data: bytes) -> bytes:
    """One Server-Sent Event; `data` is JSON and so has no line break in it."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, name.encode(), data)


def timed(time: int, data: bytes) -> bytes:
    """`data`, a JSON object with something in it, with "time" as its first member."""
    return b'{"time":%d,%s' % (time, data[1:])


COMMENT = b": here\n\n"
"""Keeps proxies from taking a quiet stream for a dead one."""
