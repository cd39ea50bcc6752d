"""What is told of stops to somebody who sees a part of the site only: other nodes count, without their names. Pure.

A stop stops them all, whoever presses it, so whether all are safe is everybody's business; what they are called is not.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pilothouse.hub.stops import NodeStopped, Pressed, StopNow
from pilothouse.rights import Rights

if TYPE_CHECKING:
    from pilothouse.hub.site import Site


def nodes_seen(site: Site, rights: Rights) -> frozenset[str] | None:
    """Nodes that are there for somebody, `site` being what they see; None = all, also those that nobody knows yet."""
    return None if rights.sees_all else frozenset(node.node for node in site.directory.nodes())


def pressed_for(pressed: Pressed, here: Collection[str] | None) -> Pressed:
    """What became of a stop, for somebody to whom these nodes are there."""
    if here is None:
        return pressed
    nodes = [each for each in pressed.nodes if each.node in here]
    others = [each for each in pressed.nodes if each.node not in here]
    if others:
        unsafe = sum(bool(each.mistakes) for each in others)
        nodes.append(
            NodeStopped(
                node=_others(len(others)),
                outputs=sum(each.outputs for each in others),
                mistakes=[f"{unsafe} may not be safe"] if unsafe else [],
                took_ms=max(each.took_ms for each in others),
            )
        )
    return replace(pressed, nodes=nodes, silent=_named(pressed.silent, here))


def holds_for(now: StopNow, here: Collection[str] | None, *, sees: bool) -> StopNow:
    """Which stops hold, for somebody to whom these nodes are there; nothing for whoever may see nothing at all."""
    if here is None:
        return now
    if not sees:
        return replace(now, stops=[], missing=[])
    stops = [replace(each, nodes=_named(each.nodes, here)) for each in now.stops]
    return replace(now, stops=stops, missing=_named(now.missing, here))


def _named(nodes: Collection[str], here: Collection[str]) -> list[str]:
    """Nodes by name, the others together."""
    named = [node for node in nodes if node in here]
    return [*named, _others(len(nodes) - len(named))] if len(named) < len(nodes) else named


def _others(number: int) -> str:
    """No name that a node can have."""
    return f"({number} {'other' if number == 1 else 'others'})"
