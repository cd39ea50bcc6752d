"""`GET /api/events`"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import QueryParameter
from msgspec import Struct

from pilothouse.hub.encoded import encoded
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers
from pilothouse.hub.site import site_of
from pilothouse.record.rows import Occurrence
from pilothouse.rights import Deed


class Events(Struct, kw_only=True):
    """What things said happened, newest first."""

    time: int
    """The hub's clock."""
    events: list[Occurrence]


@get(
    "/api/events",
    summary="Events",
    tags=["Record"],
    responses=answers(Events, "Events, newest first", 400, 503),
    opt=needs(Deed.SEE, "seen"),
)
async def get_events(
    request: Request[Any, Any, Any],
    node: Annotated[str | None, QueryParameter(description="Only of this node.")] = None,
    thing: Annotated[str | None, QueryParameter(description="Only of things of this name.")] = None,
    before: Annotated[int | None, QueryParameter(ge=0, le=2**53, description="Older than this moment.")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=1000, description="How many at most.")] = 100,
) -> Response[bytes]:
    """What things said happened."""
    site = site_of(request)
    events = await site.history.events(node=node, thing=thing, before=before, limit=limit)
    return encoded(Events(time=site.clock.now(), events=events))
