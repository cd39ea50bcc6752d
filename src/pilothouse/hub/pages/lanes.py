"""The lanes of a node as its page shows them: what runs, what waits in which order, and what hangs. Pure."""

from __future__ import annotations

from msgspec import Struct

from pilothouse.bus.messages import Call, Lanes, LaneView
from pilothouse.errors import NotThere
from pilothouse.hub.allowed import Allowed
from pilothouse.hub.directory import Directory
from pilothouse.model import Address, title_of


class CallRow(Struct, frozen=True, kw_only=True):
    """One call that runs or waits."""

    id: str
    """The command that it belongs to, "" for the agent's own reading."""
    what: str
    """What it does, in words."""
    thing: str
    thing_title: str
    who: str
    since: int
    """Since when it runs or waits, hub's clock."""
    take_back: bool
    """Whether it waits and whoever looks may take it back."""


class LaneRow(Struct, frozen=True, kw_only=True):
    """One lane on which something has taken longer than a moment."""

    name: str
    things: str
    """Titles of the things that share it."""
    hung_since: int
    """When its running call should have ended, hub's clock; 0 = it is not overdue."""
    running: CallRow | None
    """What its devices are busy with."""
    waiting: tuple[CallRow, ...]
    """In the order of their turn."""
    more: int
    """How many wait beyond those."""


def lane_rows(directory: Directory, node: str, allowed: Allowed) -> list[LaneRow]:
    """The busy lanes of a node for somebody, those that hang first; [] when all are idle or quick."""
    said: Lanes | None = directory.lanes(node)
    if said is None:
        return []
    ahead = directory.node(node).clock_offset
    rows = [_lane(directory, node, each, ahead, allowed) for each in said.lanes]
    return sorted(rows, key=lambda row: (not row.hung_since, row.name))


def _lane(directory: Directory, node: str, lane: LaneView, ahead: int, allowed: Allowed) -> LaneRow:
    return LaneRow(
        name=lane.name,
        things=", ".join(_title(directory, node, thing) for thing in lane.things),
        hung_since=lane.hung_since - ahead if lane.hung_since else 0,
        running=_call(directory, node, lane.running, ahead) if lane.running else None,
        waiting=tuple(_call(directory, node, each, ahead, allowed) for each in lane.waiting),
        more=lane.more,
    )


def _call(directory: Directory, node: str, call: Call, ahead: int, allowed: Allowed | None = None) -> CallRow:
    """A call; one that runs is nobody's to take back."""
    return CallRow(
        id=call.id,
        what=call.label or title_of(call.name),
        thing=call.thing,
        thing_title=_title(directory, node, call.thing),
        who=call.who,
        since=call.since - ahead,
        take_back=allowed is not None and call.id != "" and allowed.take_back(Address(node, call.thing), call.who),
    )


def _title(directory: Directory, node: str, thing: str) -> str:
    try:
        return directory.description(Address(node, thing)).title or thing
    except NotThere:
        return thing
