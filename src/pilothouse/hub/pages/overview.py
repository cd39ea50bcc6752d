"""The overview: what needs attention first, then stands, then every node with its things, then the last commands."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.response import Response
from msgspec import Struct

from pilothouse.hub.allowed import Allowed, allowed_of
from pilothouse.hub.needs import needs
from pilothouse.hub.pages.attention import Concern, concerns, of_asks, of_stops
from pilothouse.hub.pages.cards import Card, cards, counted
from pilothouse.hub.pages.commands import CommandRow, command_row
from pilothouse.hub.pages.render import page
from pilothouse.hub.pages.stand_cards import StandCard, stand_cards
from pilothouse.hub.pages.stop_rows import stop_rows
from pilothouse.hub.site import Site, site_of
from pilothouse.rights import Deed

COMMANDS = 8
"""Commands that the overview shows."""


class Overview(Struct, frozen=True, kw_only=True):
    """What the overview shows."""

    now: int
    """The hub's clock, Unix milliseconds; every age on the page counts from it."""
    attention: list[Concern]
    """What needs a person, worst first; empty = all is well."""
    stands: list[StandCard]
    """Every stand, those that need whoever looks first."""
    cards: list[Card]
    """Every node, those that need a person first."""
    commands: list[CommandRow]
    """The newest commands, newest first."""
    summary: str
    """All of it in one sentence, for the quiet case and for screen readers."""
    simulated: int
    """How many things are simulated."""
    data: str
    """Folder of data, for the line that says where a configuration goes."""


async def build(site: Site, allowed: Allowed) -> Overview:
    """The overview now, as somebody sees it."""
    now = site.clock.now()
    lines = await site.ledger.lines(limit=COMMANDS)
    commands = [command_row(line, site.directory) for line in lines]
    made = cards(site.directory, allowed, hub_node=site.node, now=now)
    stands = stand_cards(site.stands.views(), site.directory, allowed)
    attention = [
        *of_stops(stop_rows(site.directory, site.holding.latches), lift=allowed.of_site(Deed.LIFT)),
        *concerns(site.directory, link_up=site.link_up, up=site.up_status(), commands=commands, now=now),
        *of_asks(stands),
    ]
    return Overview(
        now=now,
        attention=attention,
        stands=stands,
        cards=made,
        commands=commands,
        summary=summary_of(made),
        simulated=sum(tile.simulated for each in made for tile in each.tiles),
        data=str(site.places.data),
    )


def summary_of(made: list[Card]) -> str:
    """ "1 node and 5 things answer"."""
    alive = [each for each in made if each.life == "here"]
    things = sum(len(each.tiles) + bool(each.vitals_href) for each in alive)
    nodes = f"{len(alive)} of {len(made)} nodes" if len(alive) != len(made) else counted(len(made), "node")
    return f"{nodes} and {counted(things, 'thing')} answer"


@get("/", include_in_schema=False, opt=needs(Deed.SEE, "seen"))
async def overview_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page."""
    return page(
        request, "overview.html", await build(site_of(request), allowed_of(request)), title="Overview", here="overview"
    )
