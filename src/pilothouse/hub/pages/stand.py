"""Stands: the list of all, and one stand with its lease, its things as panels, and its last commands."""

from __future__ import annotations

from typing import Any, cast, get_args

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response
from msgspec import Struct

from pilothouse.errors import BusDown, NotThere, TimedOut
from pilothouse.hub.allowed import Allowed, allowed_of
from pilothouse.hub.lease_acts import Do, LeaseWish
from pilothouse.hub.needs import check, needs
from pilothouse.hub.pages.commands import CommandRow, command_row
from pilothouse.hub.pages.errors import not_there
from pilothouse.hub.pages.forms import form_of
from pilothouse.hub.pages.render import page
from pilothouse.hub.pages.rows import PropertyRow, property_rows
from pilothouse.hub.pages.stand_cards import StandCard, addresses_of, stand_card, stand_cards
from pilothouse.hub.site import Site, site_of, visitor_of
from pilothouse.hub.stand_view import StandView
from pilothouse.hub.why_not import Reason, against_all, of_lease_rights
from pilothouse.model import Address
from pilothouse.model.stands import LeaseRefused
from pilothouse.rights import Deed, Place

COMMANDS = 12
READINGS = 6
"""Readings of a thing on the page of a stand; the thing's own page shows all."""


class StandsPage(Struct, frozen=True, kw_only=True):
    """What the list of stands shows."""

    now: int
    stands: list[StandCard]
    """Those that need whoever looks first."""
    data: str
    """Folder of data, for the line that says where a configuration goes."""
    example: str
    """node/thing of something that is there, for the lines to paste."""


class Panel(Struct, frozen=True, kw_only=True):
    """One thing of a stand."""

    node: str
    thing: str
    title: str
    href: str
    """Its page."""
    simulated: bool
    life: str
    """Whether its node is here, away or left."""
    ok: bool
    """Whether the device answers."""
    error: str
    """The driver's last error, "" when ok."""
    since: int
    """Since when the device answers or not, Unix milliseconds."""
    against: Reason | None
    """What stands against all of it for whoever looks, said once: rights, stop, somebody else's lease."""
    operable: bool
    """Whether whoever looks may operate it: else nothing on the panel is a control."""
    controls: list[PropertyRow]
    """What can be written, though not by everybody."""
    readings: list[PropertyRow]
    """The first of what can only be read."""
    more: int
    """How much of it, actions too, is on its own page only."""


class StandPage(Struct, frozen=True, kw_only=True):
    """What the page of a stand shows."""

    now: int
    card: StandCard
    """The stand and its lease."""
    panels: list[Panel]
    """Its things, in the order of the configuration."""
    gone: list[str]
    """Things that the configuration names and no node has."""
    commands: list[CommandRow]
    against: Reason | None
    """Why whoever looks may not do anything with its lease; None = they may."""
    take_over: bool
    """Whether they may take it from whoever holds it."""
    refused: str
    """Why what the form before this page wanted was not done; "" = it was, or there was none."""


def build_all(site: Site, allowed: Allowed) -> StandsPage:
    """The list of stands, as somebody sees it."""
    addresses = [str(each) for each in site.directory]
    return StandsPage(
        now=site.clock.now(),
        stands=stand_cards(site.stands.views(), site.directory, allowed),
        data=str(site.places.data),
        example=next((each for each in addresses if not each.endswith("/host")), "NODE/THING"),
    )


async def build(site: Site, name: str, allowed: Allowed, refused: str = "") -> StandPage:
    """The page of one stand, as somebody sees it; raises NotThere."""
    view, now = site.stands.view(name), site.clock.now()
    addresses = addresses_of(view)
    there = [each for each in addresses if each in site.directory]
    return StandPage(
        now=now,
        card=stand_card(view, site.directory, allowed),
        panels=[panel(site, each, allowed, now=now) for each in there],
        gone=[str(each) for each in addresses if each not in site.directory],
        commands=await _commands(site, view, there),
        against=next(iter(of_lease_rights(allowed, name)), None),
        take_over=allowed.take_over(name),
        refused=refused,
    )


def panel(site: Site, address: Address, allowed: Allowed, *, now: int) -> Panel:
    """One thing of a stand: all that can be written, and the first few readings."""
    directory = site.directory
    view, description, node = directory.thing(address), directory.description(address), directory.node(address.node)
    operable, against = allowed.operate(address), against_all(site, allowed, address)
    rows = property_rows(view, description, node, now=now, operable=operable, against=against)
    readings = [row for row in rows if not row.writable]
    return Panel(
        node=address.node,
        thing=address.thing,
        title=description.title or address.thing,
        href=f"/things/{address}",
        simulated=description.simulated,
        life=node.life.value,
        ok=view.health.ok,
        error=view.health.error,
        since=view.health.since,
        against=against[0] if against else None,
        operable=operable,
        controls=[row for row in rows if row.writable],
        readings=readings[:READINGS],
        more=len(readings[READINGS:]) + len(description.actions),
    )


async def _commands(site: Site, view: StandView, addresses: list[Address]) -> list[CommandRow]:
    """The newest commands to any of its things, and what became of its lease."""
    lines = list(await site.ledger.lines(node="", thing=view.stand, limit=COMMANDS))
    for address in addresses:
        lines += await site.ledger.lines(node=address.node, thing=address.thing, limit=COMMANDS)
    newest = sorted(lines, key=lambda line: line.made, reverse=True)[:COMMANDS]
    return [command_row(line, site.directory) for line in newest]


@get("/stands", include_in_schema=False, opt=needs(Deed.SEE, "seen"))
async def stands_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The list."""
    shown = build_all(site_of(request), allowed_of(request))
    return page(request, "stands.html", shown, title="Stands", here="stands")


@get("/stands/{name:str}", include_in_schema=False, opt=needs(Deed.SEE, "seen"))
async def stand_page(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """One stand."""
    return await _shown(request, name)


@post("/stands/{name:str}/lease", include_in_schema=False, opt=needs(Deed.HOLD, "stand"))
async def lease_form(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Change a lease from the page's form, which works without JavaScript."""
    form, visitor = await form_of(request), visitor_of(request)
    do = form.text("do")
    if do not in get_args(Do):
        return await _shown(request, name, f"Nobody knows how to {do[:20] or 'do nothing'} a stand.", status=422)
    if form.text("force") == "yes":
        check(visitor, Deed.TAKE_OVER, Place.of_stand(name))
    wish = LeaseWish(
        visitor.who,
        visitor.origin,
        form.text("to"),
        form.text("note"),
        form.text("reason"),
        form.text("force") == "yes",
    )
    try:
        await site_of(request).stands.act(name, cast("Do", do), wish)
    except NotThere as error:
        return not_there(request, error)
    except (LeaseRefused, BusDown, TimedOut) as error:
        parts = (error.what, error.why, error.remedy)
        return await _shown(request, name, ". ".join(part.rstrip(".") for part in parts if part), status=423)
    return Response(b"", status_code=303, headers={"Location": f"/stands/{name}", "Cache-Control": "no-store"})


async def _shown(request: Request[Any, Any, Any], name: str, refused: str = "", status: int = 200) -> Response[bytes]:
    try:
        shown = await build(site_of(request), name, allowed_of(request), refused)
    except NotThere as error:
        return not_there(request, error)
    return page(request, "stand.html", shown, title=shown.card.title, here="stands", status=status)
