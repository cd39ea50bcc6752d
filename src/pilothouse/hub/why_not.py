"""Why somebody may not do something right now, said before the press: all that stands against it, in one list.

The hub decides about rights, the agent about everything else; of that the hub tells what it knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from pilothouse.bus.messages import Latch
from pilothouse.errors import NotThere, nearest
from pilothouse.hub.allowed import Allowed, takes, who_lifts
from pilothouse.hub.directory import NodeLife, NodeView
from pilothouse.hub.stand_view import StandView
from pilothouse.model import Address, Bar
from pilothouse.model.stands import hour
from pilothouse.rights import Deed, Place, refusal

if TYPE_CHECKING:
    from pilothouse.hub.site import Site


_NO_LEASE = "Holding it takes a right that you do not have."
"""The remedy of a lease for whoever may switch a thing and not hold the stand that it belongs to."""


class Reason(Struct, kw_only=True, frozen=True):
    """One thing that stands against it."""

    rule: str
    """"rights", "stop", "lease", "interlock", "exclusive", "min-off", "device", "away" or "read-only"."""
    text: str
    """In one sentence."""
    remedy: str = ""
    """What would lift it."""
    until: int = 0
    """When it is over by itself, hub's clock in Unix milliseconds; 0 = nobody can say."""
    holder: str = ""
    """Who holds the stand, for "lease"."""


def why_not(site: Site, allowed: Allowed, address: Address, name: str) -> list[Reason]:
    """Why somebody may not call an action or switch an output from its safe value now; [] = nothing is known against
    it. `site` is what they may see. Raises NotThere for no such thing, property or action.
    """
    thing, description = site.directory.thing(address), site.directory.description(address)
    described = description.properties.get(name)
    if described is None and name not in description.actions:
        near = nearest(name, [*description.properties, *description.actions])
        raise NotThere(f"{address} has no property or action {name[:63]!r}", nearest=near)
    if described is not None and not described.writable:
        return [Reason(rule="read-only", text=f"{name} can only be read.")]
    node = site.directory.node(address.node)
    bar, now = thing.bars.get(name), site.clock.now()
    return [
        *(replace(reason, remedy=_who_gives(allowed, address)) for reason in of_rights(allowed, address)),
        *of_link(site.link_up, node, now),
        *of_stops([*site.holding.latches, *node.stops], allowed, now),
        *of_stands(_leases(site, allowed, address), allowed, now),
        *([of_bar(bar, node.clock_offset)] if bar is not None else []),
    ]


def against_all(site: Site, allowed: Allowed, address: Address) -> list[Reason]:
    """What stands against all of a thing that is there, said once on its page: rights, stop, somebody's lease."""
    rights = of_rights(allowed, address)
    if rights:
        return rights  # of the others none helps whoever may not switch it at all
    node, now = site.directory.node(address.node), site.clock.now()
    return [
        *of_stops([*site.holding.latches, *node.stops], allowed, now),
        *of_stands(site.stands.of(address), allowed, now),
    ]


def of_rights(allowed: Allowed, address: Address) -> list[Reason]:
    """That somebody may only look at a thing."""
    return [] if allowed.operate(address) else [_only_looks(allowed, Deed.OPERATE, "switching")]


def _who_gives(allowed: Allowed, address: Address) -> str:
    return refusal(allowed.who, allowed.rights, Deed.OPERATE, Place(address)).remedy


def of_lease_rights(allowed: Allowed, stand: str) -> list[Reason]:
    """That somebody may only look at who holds a stand."""
    return [] if allowed.hold(stand) else [_only_looks(allowed, Deed.HOLD, "holding it")]


def _only_looks(allowed: Allowed, deed: Deed, what: str) -> Reason:
    if allowed.guest:
        return Reason(rule="rights", text=f"You look on as a guest; {what} takes an account.")
    return Reason(rule="rights", text=f"You may look; {what} takes {takes(deed)}.")


def _leases(site: Site, allowed: Allowed, address: Address) -> list[StandView]:
    """The stands of a thing whose leases matter to somebody: of those that they may not see only where they stand
    against what is theirs to command.
    """
    if allowed.operate(address):
        return site.stands.of(address)
    return [stand for stand in site.stands.views() if stand.has(address)]


def of_link(link_up: bool, node: NodeView, now: int) -> list[Reason]:
    """What keeps a command from its agent."""
    if not link_up:
        return [Reason(rule="away", text="The hub has no link to the bus.", remedy="It is tried again by itself.")]
    if node.life is NodeLife.HERE:
        return []
    gone = "has left" if node.life is NodeLife.LEFT else "is away"
    since = f" since {hour(node.since, now)}" if node.since else ""
    remedy = "Look whether its agent runs and has a link to the bus."
    return [Reason(rule="away", text=f"Node {node.node} {gone}{since}.", remedy=remedy)]


def of_stops(latches: Sequence[Latch], allowed: Allowed, now: int) -> list[Reason]:
    """One reason for all stops that hold: lifting them is one act."""
    if not latches:
        return []
    first = min(latches, key=lambda latch: latch.time)
    reason = f": {first.reason.rstrip('.')}" if first.reason else ""
    text = f"Stop was pressed by {first.who} at {hour(first.time, now)}{reason}."
    remedy = "Lift the stop, with a reason, when it is safe." if allowed.of_site(Deed.LIFT) else who_lifts()
    return [Reason(rule="stop", text=text, remedy=remedy)]


def of_stands(stands: Iterable[StandView], allowed: Allowed, now: int) -> list[Reason]:
    """Stands that somebody else holds, or that nobody holds and somebody must."""
    found = []
    for stand in stands:
        if stand.holder and stand.holder != allowed.who:
            text = f"Stand {stand.stand} is held by {stand.holder} until {hour(stand.until, now)}."
            found.append(
                Reason(
                    rule="lease",
                    text=text,
                    remedy=f"Ask {stand.holder} for it." if allowed.hold(stand.stand) else _NO_LEASE,
                    until=stand.until,
                    holder=stand.holder,
                )
            )
        elif stand.required and not stand.holder:
            text = f"Stand {stand.stand} must be held before it is used, and nobody holds it."
            found.append(Reason(rule="lease", text=text, remedy="Take it." if allowed.hold(stand.stand) else _NO_LEASE))
    return found


def of_bar(bar: Bar, clock_offset: int = 0) -> Reason:
    """What the agent says stands against it; `clock_offset` is how far the node's wall clock is ahead of the hub's."""
    until = bar.until - clock_offset if bar.until else 0
    return Reason(rule=bar.rule, text=bar.text, remedy=bar.remedy, until=until)
