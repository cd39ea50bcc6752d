"""Directory and stands as somebody sees them who may not see all: what is hidden is not there, nor named anywhere.

Views of the whole, which is asked anew each time; they hold for as long as no thing comes or goes (`shape`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set
from copy import copy

from msgspec.structs import replace

from pilothouse.bus.messages import LaneView
from pilothouse.hub.directory import Directory, _Node, no_node
from pilothouse.hub.lease_acts import Do, LeaseWish
from pilothouse.hub.stand_view import StandView
from pilothouse.hub.stands import Stands, no_stand
from pilothouse.model import Address


class DirectoryPart(Directory):
    """These things of a directory, and the nodes that have some of them. Nothing that comes up is told to it."""

    def __init__(self, whole: Directory, things: Set[Address]) -> None:
        super().__init__()
        self._whole = whole
        self._things = {address: whole._things[address] for address in things if address in whole._things}
        here: dict[str, set[str]] = {}
        for address in self._things:
            here.setdefault(address.node, set()).add(address.thing)
        self._here = here

    def _names(self) -> Collection[str]:
        return self._here.keys()

    def _node(self, name: str) -> _Node:
        here = self._here.get(name)
        if here is None:
            raise no_node(name, self._here)
        return _node_part(self._whole._nodes[name], here)


def _node_part(whole: _Node, here: Set[str]) -> _Node:
    """A node with these of its things; its notes may name others."""
    made = copy(whole)
    things = [thing for thing in whole.view.things if thing in here]
    made.view = replace(whole.view, things=things, notes=[])
    if whole.lanes is not None:
        made.lanes = replace(whole.lanes, lanes=tuple(_lanes_part(whole.lanes.lanes, here)))
    return made


def _lanes_part(lanes: Iterable[LaneView], here: Set[str]) -> Iterator[LaneView]:
    """Lanes with the calls of these things; of others that share one only how many calls of theirs wait."""
    for lane in lanes:
        things = tuple(thing for thing in lane.things if thing in here)
        if things:
            waiting = tuple(call for call in lane.waiting if call.thing in here)
            running = lane.running if lane.running is None or lane.running.thing in here else None
            more = lane.more + len(lane.waiting) - len(waiting)
            name = lane.name if lane.name in here or lane.name not in lane.things else things[0]
            yield replace(lane, name=name, things=things, running=running, waiting=waiting, more=more)


class StandsPart(Stands):
    """These of the stands. What is done to one is done to the whole."""

    def __init__(self, whole: Stands, names: Set[str]) -> None:
        self._whole = whole
        self._seen = names

    def views(self) -> list[StandView]:
        """Those that may be seen, by name."""
        return [view for view in self._whole.views() if view.stand in self._seen]

    def view(self, name: str) -> StandView:
        """One stand; raises NotThere with the nearest name of those that may be seen."""
        there = [view.stand for view in self.views()]
        if name not in there:
            raise no_stand(name, there)
        return self._whole.view(name)

    def names_of(self, address: Address) -> tuple[str, ...]:
        """Names of all stands that a thing belongs to: rights are asked with them, and nobody is told."""
        return self._whole.names_of(address)

    def of(self, address: Address) -> list[StandView]:
        """The stands that a thing belongs to, also those that may not be seen: who holds one of these stands against a
        command to the thing all the same. Of such a one nothing else is told.
        """
        return [view if view.stand in self._seen else _bare(view, address) for view in self._whole.of(address)]

    async def act(self, name: str, do: Do, wish: LeaseWish) -> StandView:
        """As of the whole, for one that may be seen."""
        self.view(name)
        return await self._whole.act(name, do, wish)


def _bare(view: StandView, address: Address) -> StandView:
    return replace(view, things=[str(address)], doc="", asks=[], last="")
