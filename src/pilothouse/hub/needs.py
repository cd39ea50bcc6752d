"""What each route takes: a deed of the table of rights, and where it is asked. A route without one does not start.

Deny by default: the guard stands before every handler, and knows the place from the path. Where the place stands in
the body, or the answer is made of what may be seen, the route says so, and its handler asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from litestar.connection import ASGIConnection
from litestar.exceptions import ImproperlyConfiguredException
from litestar.handlers import BaseRouteHandler
from litestar.routes import ASGIRoute, BaseRoute, HTTPRoute

from pilothouse.hub.access import Visitor
from pilothouse.hub.site import Site
from pilothouse.model import Address
from pilothouse.rights import SITE, Deed, Place, may, refusal

Where = Literal["site", "thing", "stand", "seen", "asked"]


class Needs(NamedTuple):
    """What a route takes."""

    deed: Deed | None
    """None = open: answers without a log-in."""
    where: Where = "site"
    """"site"; "thing": of the path's node and thing; "stand": of the path's name; "seen": anywhere, and the answer is
    made of what may be seen; "asked": the handler asks, for the place is in the body or a refusal is written down."""


_OPTION = "needs"


def needs(deed: Deed, where: Where = "site") -> dict[str, Any]:
    """For `opt` of a route."""
    return {_OPTION: Needs(deed, where)}


def open_to_all() -> dict[str, Any]:
    """For `opt` of a route that answers without a log-in."""
    return {_OPTION: Needs(None)}


def needs_of(handler: BaseRouteHandler) -> Needs:
    """What a route takes; raises ImproperlyConfiguredException when nobody has decided."""
    found = handler.opt.get(_OPTION)
    if not isinstance(found, Needs):
        raise ImproperlyConfiguredException(f"{handler.name or handler} needs a decision: opt=needs(…)")
    return found


def table(routes: Iterable[BaseRoute]) -> list[tuple[str, str, Needs]]:
    """(method, path, what it takes) of every route; raises ImproperlyConfiguredException for one without a decision."""
    rows: list[tuple[str, str, Needs]] = []
    for route in routes:
        if isinstance(route, HTTPRoute):
            rows += [
                (method, route.path, needs_of(handler))
                for method, (handler, _) in route.route_handler_map.items()
                if method not in ("OPTIONS", "HEAD")
            ]
        elif isinstance(route, ASGIRoute):
            rows.append(("GET", route.path, needs_of(route.route_handler)))
    return sorted(rows, key=lambda row: (row[1], row[0]))


def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Stands before every route; raises MayNot, or NotThere for what somebody may not even see."""
    if connection.scope.get("method") == "OPTIONS":
        return  # answered by the framework: which methods there are, and nothing else
    wanted = needs_of(handler)
    if wanted.deed is None or wanted.where in ("asked", "seen"):
        return
    visitor: Visitor = connection.scope["state"]["visitor"]
    site: Site = connection.app.state.site
    check(visitor, wanted.deed, _place(site, visitor, wanted.where, connection.path_params))


def check(visitor: Visitor, deed: Deed, place: Place = SITE) -> None:
    """Raise MayNot unless they may."""
    if not may(visitor.rights, deed, place):
        raise refusal(visitor.who, visitor.rights, deed, place)


def _place(site: Site, visitor: Visitor, where: Where, given: dict[str, Any]) -> Place:
    """Where it is asked; what may not be seen raises the same NotThere as what is not there."""
    if where == "thing":
        address = Address(given["node"], given["thing"])
        if not visitor.rights.sees_all:
            site.seen_by(visitor.rights).directory.thing(address)
        return site.place(address)
    if where == "stand":
        if not visitor.rights.sees_all:
            site.seen_by(visitor.rights).stands.view(given["name"])
        return Place.of_stand(given["name"])
    return SITE
