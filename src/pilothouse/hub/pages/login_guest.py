"""`/guest`: whoever has a guest link looks on at one stand, once they have pressed the button."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.params import QueryParameter
from litestar.response import Response
from msgspec import Struct

from pilothouse.errors import NotThere
from pilothouse.hub.access import Visitor, plausible
from pilothouse.hub.logging_in import let_in
from pilothouse.hub.needs import open_to_all
from pilothouse.hub.pages.alone import alone
from pilothouse.hub.pages.login_forms import typed
from pilothouse.hub.site import Site, real_site_of
from pilothouse.record.people_errors import NotLetIn
from pilothouse.record.people_rows import GuestRow
from pilothouse.rights import GUEST


class GuestPage(Struct, frozen=True, kw_only=True):
    """What the page of a guest link shows."""

    key: str = ""
    """The link's secret."""
    stand: str = ""
    """The stand; "" = the link has ended."""
    title: str = ""
    """What pages call it."""
    until: int = 0
    """When it ends, Unix milliseconds."""
    made_by: str = ""
    """Who gave it."""
    instead_of: str = ""
    """Who is logged in in this browser with an account; "" = nobody."""

    def __repr__(self) -> str:
        return f"GuestPage(stand={self.stand!r})"


@get("/guest", include_in_schema=False, opt=open_to_all())
async def guest_page(request: Request[Any, Any, Any], key: Annotated[str, QueryParameter()] = "") -> Response[bytes]:
    """What the link is for. Opening it does nothing."""
    site = real_site_of(request)
    row = await _row(site, key)
    return _ended(site) if row is None else _page(request, site, row, key)


@post("/guest", include_in_schema=False, status_code=200, opt=open_to_all())
async def look_on(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Let a guest in."""
    site, form = real_site_of(request), await typed(request)
    row = await _row(site, form.key)
    if row is None:
        return _ended(site)
    try:
        return await let_in(request, f"{GUEST}{row.name}", "guest", next=f"/stands/{row.where}", guest_id=row.id)
    except NotLetIn:  # ended just now
        return _ended(site)


async def _row(site: Site, key: str) -> GuestRow | None:
    return await site.people.guests.open(key) if plausible(key) else None


def _page(request: Request[Any, Any, Any], site: Site, row: GuestRow, key: str) -> Response[bytes]:
    visitor: Visitor | None = request.scope["state"].get("visitor")
    known = visitor is not None and visitor.rights.through != "guest"
    shown = GuestPage(
        key=key,
        stand=row.where,
        title=_title(site, row.where),
        until=row.expires,
        made_by=row.made_by,
        instead_of=visitor.who if visitor is not None and known else "",
    )
    return alone("login_guest.html", 200, forms=True, shown=shown, site_title=site.title, banner=site.posture.banner)


def _title(site: Site, stand: str) -> str:
    try:
        return site.stands.view(stand).title or stand
    except NotThere:  # the configuration does not name it any more
        return stand


def _ended(site: Site) -> Response[bytes]:
    return alone("login_guest.html", 410, shown=GuestPage(), site_title=site.title, banner=site.posture.banner)
