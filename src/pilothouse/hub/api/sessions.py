"""`GET /api/sessions`, `DELETE /api/sessions/{id}`: one's own"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, delete, get
from litestar.params import FromPath
from msgspec import Struct

from pilothouse.errors import NotThere
from pilothouse.hub.encoded import encoded
from pilothouse.hub.logging_in import account_of, noted
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers
from pilothouse.hub.site import real_site_of, visitor_of
from pilothouse.record.people_rows import SessionRow
from pilothouse.rights import Deed


class SessionList(Struct, kw_only=True):
    """Browsers that are logged in."""

    time: int
    """The hub's clock."""
    here: str
    """Id of the session that asks."""
    sessions: list[SessionRow]
    """The last used first."""


class Ended(Struct, kw_only=True):
    """What was ended."""

    id: str


@get(
    "/api/sessions",
    tags=["Account"],
    summary="My sessions",
    operation_id="sessions",
    responses=answers(SessionList, "Where I am logged in"),
    opt=needs(Deed.OWN),
)
async def get_sessions(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Where I am logged in."""
    site, who = real_site_of(request), account_of(request)
    rows = await site.people.sessions.of(who)
    return encoded(SessionList(time=site.clock.now(), here=visitor_of(request).id, sessions=rows))


@delete(
    "/api/sessions/{id:str}",
    status_code=200,
    tags=["Account"],
    summary="End a session of mine",
    operation_id="endSession",
    responses=answers(Ended, "It has ended", 404),
    opt=needs(Deed.OWN),
)
async def end_session(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[bytes]:
    """Log a browser of mine out."""
    who = account_of(request)
    if not await real_site_of(request).people.sessions.end_id(who, id):
        raise NotThere(f"{who} has no session {id[:40]!r}", why="it has ended, or is somebody else's")
    await noted(request, "session.ended", thing=who)
    return encoded(Ended(id=id))
