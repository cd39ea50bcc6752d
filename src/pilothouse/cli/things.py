"""`pilothouse things`: what there is."""

from __future__ import annotations

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access
from pilothouse.client import Node, ThingNow

_LIFE = {"here": "here", "away": "away", "left": "has left"}


def things_(node: str | None = None, /, *, access: Access = HERE) -> None:
    """List nodes and their things.

    For example:
        pilothouse things
        pilothouse things greenhouse --json

    Parameters
    ----------
    node:
        only the things of this node
    """
    with access.connect() as hub:
        things = hub.things(node or "")
        nodes = [one for one in hub.nodes() if not node or one.node == node]
    if access.json:
        print(show.as_json({"nodes": nodes, "things": things}))
        return
    print(_listed(nodes, things))


def _listed(nodes: list[Node], things: list[ThingNow]) -> str:
    if not nodes:
        return "There is no node yet. Start an agent with: pilothouse agent"
    life = {node.node: _LIFE[node.life] for node in nodes}
    rows = []
    for thing in things:
        state = "well" if thing.health.ok else f"fault: {thing.health.error}"
        where = life.get(thing.node, "")
        rows.append((thing.address, thing.title, state if where == "here" else f"node {where}", _names(thing)))
    empty = [(node.node, "", f"node {_LIFE[node.life]}", "no things") for node in nodes if not node.things]
    notes = [f"{node.node}: {note}" for node in nodes for note in node.notes]
    return "\n".join([show.table(rows + empty, ("THING", "TITLE", "STATE", "PROPERTIES")), *notes])


def _names(thing: ThingNow, most: int = 5) -> str:
    names = list(thing.properties)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
