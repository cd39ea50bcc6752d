"""Which stops hold on the site as far as this hub knows, and what its nodes must still be told. Pure.

A stop that was lifted never holds again, whatever is heard late: so messages may come twice and in any order, and hubs
that hear the same end with the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from pilothouse.bus.messages import Latch

MOST = 16
"""Stops that hold at once, here and in every agent; of more the newest."""
_LIFTED = 1000
"""Ids of lifted stops that are remembered; what is older is asked of the record."""


class Tell(Struct, frozen=True, kw_only=True):
    """What one node must be told."""

    press: tuple[Latch, ...] = ()
    """Stops that hold, and that it does not obey."""
    lift: tuple[str, ...] = ()
    """Stops that it obeys, and that were lifted."""


class Holding:
    """The stops of a site."""

    def __init__(self) -> None:
        self._latches: dict[str, Latch] = {}
        self._lifted: dict[str, None] = {}

    @property
    def latches(self) -> tuple[Latch, ...]:
        """Stops that hold, oldest first."""
        return tuple(self._latches.values())

    def press(self, latch: Latch) -> bool:
        """A stop was pressed; False when that was known, or it was lifted already."""
        if latch.id in self._latches or latch.id in self._lifted:
            return False
        self._latches[latch.id] = latch
        self._latches = dict(sorted(self._latches.items(), key=lambda item: (item[1].time, item[0])))
        return True

    def lift(self, ids: Iterable[str]) -> list[str]:
        """Stops were lifted; gives those of them that held here."""
        held = []
        for id in ids:
            self._lifted[id] = None
            if self._latches.pop(id, None) is not None:
                held.append(id)
        while len(self._lifted) > _LIFTED:
            del self._lifted[next(iter(self._lifted))]
        return held

    def too_many(self) -> list[str]:
        """Stops beyond MOST, the oldest."""
        return list(self._latches)[:-MOST]

    def knows(self, id: str) -> bool:
        """Whether it holds, or was lifted."""
        return id in self._latches or id in self._lifted

    def unknown(self, nodes: Mapping[str, Collection[Latch]]) -> list[Latch]:
        """Stops that nodes obey and that are not known here: pressed elsewhere, or lifted long ago."""
        found = {latch.id: latch for latches in nodes.values() for latch in latches}
        return [latch for id, latch in found.items() if id not in self._latches and id not in self._lifted]

    def tell(self, nodes: Mapping[str, Collection[Latch]]) -> dict[str, Tell]:
        """What nodes that obey these stops must be told, by node; only those that must be told something."""
        found = {}
        for node, latches in nodes.items():
            obeys = {latch.id for latch in latches}
            press = tuple(latch for latch in self.latches if latch.id not in obeys)
            lift = tuple(sorted(obeys & self._lifted.keys()))
            if press or lift:
                found[node] = Tell(press=press, lift=lift)
        return found

    def missing(self, nodes: Mapping[str, Collection[Latch]]) -> list[str]:
        """Nodes that do not obey every stop that holds."""
        return sorted(node for node, tell in self.tell(nodes).items() if tell.press)
