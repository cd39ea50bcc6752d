"""`GET /api/people/{name}/sessions`, `GET /api/people/{name}/tokens`, and `DELETE` of one of each"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, delete, get
from litestar.params import FromPath

from pilothouse.hub.api.sessions import Ended, SessionList
from pilothouse.hub.api.tokens import TokenList
from pilothouse.hub.encoded import encoded
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers
from pilothouse.hub.people_acts import acts_of
from pilothouse.hub.site import real_site_of, visitor_of
from pilothouse.rights import Deed


@get(
    "/api/people/{name:str}/sessions",
    summary="Sessions of somebody",
    tags=["People"],
    operation_id="sessionsOf",
    responses=answers(SessionList, "Where they are logged in", 404, 503),
    opt=needs(Deed.PEOPLE),
)
async def get_sessions_of(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Where somebody is logged in."""
    rows = await acts_of(request).sessions(name)
    return encoded(SessionList(time=real_site_of(request).clock.now(), here=visitor_of(request).id, sessions=rows))


@delete(
    "/api/people/{name:str}/sessions/{id:str}",
    summary="End a session of somebody",
    tags=["People"],
    operation_id="endSessionOf",
    status_code=200,
    responses=answers(Ended, "It has ended", 404, 503),
    opt=needs(Deed.PEOPLE),
)
async def end_session_of(request: Request[Any, Any, Any], name: FromPath[str], id: FromPath[str]) -> Response[bytes]:
    """Log a browser of somebody's out."""
    await acts_of(request).end_session(name, id)
    return encoded(Ended(id=id))


@get(
    "/api/people/{name:str}/tokens",
    summary="Tokens of somebody",
    tags=["People"],
    operation_id="tokensOf",
    responses=answers(TokenList, "Tokens without their secrets", 404, 503),
    opt=needs(Deed.PEOPLE),
)
async def get_tokens_of(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """With which programs act in somebody's name."""
    rows = await acts_of(request).tokens(name)
    return encoded(TokenList(time=real_site_of(request).clock.now(), tokens=rows))


@delete(
    "/api/people/{name:str}/tokens/{id:str}",
    summary="End a token of somebody",
    tags=["People"],
    operation_id="endTokenOf",
    status_code=200,
    responses=answers(Ended, "It has ended", 404, 503),
    opt=needs(Deed.PEOPLE),
)
async def end_token_of(request: Request[Any, Any, Any], name: FromPath[str], id: FromPath[str]) -> Response[bytes]:
    """Programs that have it are refused from now on."""
    await acts_of(request).end_token(name, id)
    return encoded(Ended(id=id))
