"""`pilothouse lanes`: what devices are busy with, and what waits for them."""

from __future__ import annotations

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access
from pilothouse.client import Call, LaneNow, LanesNow


def lanes_(node: str | None = None, /, *, access: Access = HERE) -> None:
    """Show lanes on which something takes longer than a moment.

    Each resource (a serial port, a chip, an address) has a lane, on which one
    call runs at a time. What waits can be taken back: pilothouse cancel ID

    For example:
        pilothouse lanes
        pilothouse lanes greenhouse --json

    Parameters
    ----------
    node:
        only the lanes of this node
    """
    with access.connect() as hub:
        names = [node] if node else [one.node for one in hub.nodes() if one.life == "here"]
        found = [hub.lanes(name) for name in names]
    if access.json:
        print(show.as_json(found))
        return
    rows = [row for one in found for lane in one.lanes for row in _rows(one, lane)]
    if not rows:
        print("No lane is busy: nothing waits for a device.")
        return
    print(show.table(rows, ("LANE", "THING", "CALL", "STATE", "WHO", "ID")))


def _rows(now: LanesNow, lane: LaneNow) -> list[tuple[str, ...]]:
    name = f"{now.node}: {lane.name}"
    rows = []
    if lane.running:
        overdue = ", has not answered" if lane.hung_since else ""
        rows.append(_row(name, lane.running, f"runs since {show.moment(lane.running.since)}{overdue}"))
    elif lane.hung_since:
        rows.append(
            (name, ", ".join(lane.things), "", f"has not answered since {show.moment(lane.hung_since)}", "", "")
        )
    rows += [_row(name, call, f"waits since {show.moment(call.since)}") for call in lane.waiting]
    if lane.more:
        rows.append((name, "", "", f"and {lane.more} more", "", ""))
    return rows


def _row(lane: str, call: Call, state: str) -> tuple[str, ...]:
    return (lane, call.thing, call.label, state, call.who, call.id)
