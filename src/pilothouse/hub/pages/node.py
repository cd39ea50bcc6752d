"""One node: its vitals live and over time, what it is, its things."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Response
from msgspec import Struct

from pilothouse.errors import NotThere
from pilothouse.hub.allowed import Allowed, allowed_of
from pilothouse.hub.needs import needs
from pilothouse.hub.pages.attention import CLOCK_OFF, clock_words
from pilothouse.hub.pages.cards import Card, card, host_of
from pilothouse.hub.pages.charts import ChartSeries, chart_series
from pilothouse.hub.pages.commands import CommandRow, command_row
from pilothouse.hub.pages.errors import not_there
from pilothouse.hub.pages.lanes import LaneRow, lane_rows
from pilothouse.hub.pages.render import page
from pilothouse.hub.pages.rows import PropertyRow, property_rows
from pilothouse.hub.site import Site, site_of
from pilothouse.model import Address, title_of
from pilothouse.rights import Deed

COMMANDS = 10
_FACTS = {"os": "Operating system", "machine": "Architecture", "hostname": "Host name"}
"""Words for what a host says of itself, where its own key is none."""


class Fact(Struct, frozen=True, kw_only=True):
    """One line of what a node is."""

    name: str
    text: str


class NodePage(Struct, frozen=True, kw_only=True):
    """What the page of a node shows."""

    now: int
    card: Card
    """The node as on the overview."""
    epoch: int
    """Number of this run of its agent."""
    clock: str
    """What is wrong with its clock, "" when nothing is."""
    clock_offset: int
    """Milliseconds that its clock is ahead of the hub's."""
    facts: list[Fact]
    """What the machine is, as it says itself."""
    vitals: list[PropertyRow]
    """All simple properties of its host that are not on the card."""
    charts: list[list[ChartSeries]]
    """One chart a vital."""
    lanes: list[LaneRow]
    """Lanes on which something runs or waits for longer than a moment."""
    commands: list[CommandRow]


async def build(site: Site, name: str, allowed: Allowed) -> NodePage:
    """The node's page now, as somebody sees it; raises NotThere."""
    now = site.clock.now()
    view = site.directory.node(name)
    made = card(site.directory, view, allowed, hub_node=site.node, now=now)
    host = host_of(site.directory, site.directory.things(name))
    facts: list[Fact] = []
    rows: list[PropertyRow] = []
    charts: list[list[ChartSeries]] = []
    if host is not None:
        description = site.directory.description(Address(host.node, host.thing))
        about = host.properties.get("about")
        if about is not None and isinstance(about.value, dict):
            facts = [
                Fact(name=_FACTS.get(key) or title_of(key), text=str(text))
                for key, text in about.value.items()
                if text != ""
            ]
        on_card = {each.name for each in made.vitals} | {"about", "uptime"}
        rows = [each for each in property_rows(host, description, view, now=now) if each.name not in on_card]
        charts = [chart_series([each]) for each in made.vitals]
    lines = await site.ledger.lines(node=name, limit=COMMANDS)
    return NodePage(
        now=now,
        card=made,
        epoch=view.epoch,
        clock=clock_words(view.clock_offset) if abs(view.clock_offset) > CLOCK_OFF else "",
        clock_offset=view.clock_offset,
        facts=facts,
        vitals=rows,
        charts=charts,
        lanes=lane_rows(site.directory, name, allowed),
        commands=[command_row(line, site.directory) for line in lines],
    )


@get("/nodes/{name:str}", include_in_schema=False, opt=needs(Deed.SEE, "seen"))
async def node_page(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """The page."""
    try:
        shown = await build(site_of(request), name, allowed_of(request))
    except NotThere as error:
        return not_there(request, error)
    return page(request, "node.html", shown, title=name)
