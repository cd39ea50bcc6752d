"""The stops that hold, and which nodes obey them, as the banner on every page says it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from pilothouse.bus.messages import Latch
from pilothouse.hub.directory import Directory, NodeLife, NodeView

WORDS = {"hard": "Stopped", "end": "Stopped at the end"}
"""What is said of each kind of stop."""


class StopRow(Struct, frozen=True, kw_only=True):
    """One stop that holds."""

    id: str
    kind: str
    """"hard": safe at once; "end": what ran came to its end first."""
    word: str
    """The same for people."""
    who: str
    origin: str
    time: int
    """When it was pressed, Unix milliseconds."""
    reason: str
    obey: tuple[str, ...]
    """Nodes that say that they obey it."""
    missing: tuple[str, ...]
    """Nodes that do not say so, those that are away with that word."""


def stop_rows(directory: Directory, latches: Iterable[Latch]) -> tuple[StopRow, ...]:
    """What is said of the stops that hold; `static/js/stops.js` says the same in the browser."""
    nodes = [node for node in directory.nodes() if node.life is not NodeLife.LEFT]
    return tuple(_row(latch, nodes) for latch in latches)


def _row(latch: Latch, nodes: list[NodeView]) -> StopRow:
    obey = [node.node for node in nodes if any(each.id == latch.id for each in node.stops)]
    missing = [
        f"{node.node} (away)" if node.life is NodeLife.AWAY else node.node for node in nodes if node.node not in obey
    ]
    return StopRow(
        id=latch.id,
        kind=latch.kind,
        word=WORDS.get(latch.kind, WORDS["hard"]),
        who=latch.who,
        origin=latch.origin,
        time=latch.time,
        reason=latch.reason,
        obey=tuple(obey),
        missing=tuple(missing),
    )
