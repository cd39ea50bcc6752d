"""One thing, generated from its description: properties, chart, actions, its commands."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Response
from msgspec import Struct

from pilothouse.errors import NotThere
from pilothouse.hub.allowed import Allowed, allowed_of
from pilothouse.hub.needs import needs
from pilothouse.hub.pages.actions import ActionForm, action_form
from pilothouse.hub.pages.charts import ChartSeries, at_first, chart_series
from pilothouse.hub.pages.commands import CommandRow, command_row
from pilothouse.hub.pages.errors import not_there
from pilothouse.hub.pages.render import page
from pilothouse.hub.pages.rows import PropertyRow, property_rows, standing
from pilothouse.hub.site import Site, site_of
from pilothouse.hub.why_not import Reason, against_all
from pilothouse.model import Address, title_of
from pilothouse.rights import Deed

COMMANDS = 12


class EventRow(Struct, frozen=True, kw_only=True):
    """One kind of event that a thing may say."""

    name: str
    title: str
    doc: str


class ThingPage(Struct, frozen=True, kw_only=True):
    """What the page of a thing shows."""

    now: int
    node: str
    thing: str
    title: str
    doc: str
    """First paragraph of the driver's words."""
    manual: str
    """The rest of them: wiring, settings."""
    driver: str
    tags: tuple[str, ...]
    simulated: bool
    ok: bool
    """Whether the device answers."""
    error: str
    """The driver's last error, "" when ok."""
    since: int
    retry_at: int
    """When it is tried again, Unix milliseconds; 0 when ok."""
    life: str
    """Whether its node is here, away or left."""
    life_since: int
    """Since when, Unix milliseconds."""
    operable: bool
    """Whether whoever looks may operate it: else nothing on the page is a control."""
    controls: list[PropertyRow]
    """What can be written, though not by everybody."""
    hazard: str
    """What all controls may do, said once; "" when they differ."""
    against: Reason | None
    """What stands against all of them for whoever looks, said once: rights, stop, somebody else's lease."""
    readings: list[PropertyRow]
    """What can only be read."""
    actions: list[ActionForm]
    events: list[EventRow]
    chart: list[ChartSeries]
    """What the chart shows at first."""
    chartable: list[ChartSeries]
    """What it can show."""
    commands: list[CommandRow]


async def build(site: Site, address: Address, allowed: Allowed) -> ThingPage:
    """The thing's page now, as somebody sees it; raises NotThere."""
    now = site.clock.now()
    directory = site.directory
    view, description, node = directory.thing(address), directory.description(address), directory.node(address.node)
    operable, against = allowed.operate(address), against_all(site, allowed, address)
    rows = property_rows(view, description, node, now=now, operable=operable, against=against)
    lines = await site.ledger.lines(node=address.node, thing=address.thing, limit=COMMANDS)
    doc, _, manual = description.doc.strip().partition("\n\n")
    return ThingPage(
        now=now,
        node=address.node,
        thing=address.thing,
        title=description.title or address.thing,
        doc=" ".join(doc.split()),
        manual=manual.strip(),
        driver=description.driver,
        tags=description.tags,
        simulated=description.simulated,
        ok=view.health.ok,
        error=view.health.error,
        since=view.health.since,
        retry_at=view.health.retry_at,
        life=node.life.value,
        life_since=node.since,
        operable=operable,
        controls=[row for row in rows if row.writable],
        hazard=_shared([row.hazard for row in rows if row.writable]),
        against=against[0] if against else None,
        readings=[row for row in rows if not row.writable],
        actions=[
            action_form(each, operable=operable, bar=standing(view, each.name, node, against))
            for each in description.actions.values()
        ],
        events=[
            EventRow(name=each.name, title=each.title or title_of(each.name), doc=each.doc)
            for each in description.events.values()
        ],
        chart=at_first(rows),
        chartable=chart_series(rows),
        commands=[command_row(line, directory) for line in lines],
    )


def _shared(hazards: list[str]) -> str:
    return hazards[0] if len(hazards) > 1 and len(set(hazards)) == 1 else ""


@get("/things/{node:str}/{name:str}", include_in_schema=False, opt=needs(Deed.SEE, "seen"))
async def thing_page(request: Request[Any, Any, Any], node: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """The page."""
    try:
        shown = await build(site_of(request), Address(node, name), allowed_of(request))
    except NotThere as error:
        return not_there(request, error)
    return page(request, "thing.html", shown, title=shown.title)
