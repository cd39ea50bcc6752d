"""`GET /api/tokens`, `POST /api/tokens`, `DELETE /api/tokens/{id}`: one's own"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, delete, get, post
from litestar.params import FromPath
from msgspec import Struct

from pilothouse.errors import NotThere
from pilothouse.hub.api.sessions import Ended
from pilothouse.hub.bodies import read_body
from pilothouse.hub.encoded import encoded
from pilothouse.hub.logging_in import account_of, noted
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers, body_of
from pilothouse.hub.own_tokens import MadeToken, WantedToken, make_token
from pilothouse.hub.site import real_site_of, visitor_of
from pilothouse.record.people_rows import TokenRow
from pilothouse.rights import Deed


class TokenList(Struct, kw_only=True):
    """Tokens, without their secrets."""

    time: int
    """The hub's clock."""
    tokens: list[TokenRow]
    """Newest first."""


_EXAMPLE = {"name": "backup script", "scope": "read", "days": 30}


@get(
    "/api/tokens",
    tags=["Account"],
    summary="My tokens",
    operation_id="tokens",
    responses=answers(TokenList, "Tokens without their secrets"),
    opt=needs(Deed.OWN),
)
async def get_tokens(request: Request[Any, Any, Any]) -> Response[bytes]:
    """With which programs act in my name."""
    site = real_site_of(request)
    rows = await site.people.tokens.of(account_of(request))
    return encoded(TokenList(time=site.clock.now(), tokens=rows))


@post(
    "/api/tokens",
    status_code=200,
    tags=["Account"],
    summary="Make a token",
    operation_id="makeToken",
    operation_class=body_of(WantedToken, _EXAMPLE),
    responses=answers(MadeToken, "The token, whose secret is shown this once", 400, 413, 415, 422),
    opt=needs(Deed.OWN),
)
async def post_token(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Make a token for a program. It takes a session of a person; a token cannot make another."""
    who, wanted = account_of(request), await read_body(request, WantedToken)
    return encoded(await make_token(request, who, wanted, visitor_of(request).origin))


@delete(
    "/api/tokens/{id:str}",
    status_code=200,
    tags=["Account"],
    summary="End a token of mine",
    operation_id="endToken",
    responses=answers(Ended, "It has ended", 404),
    opt=needs(Deed.OWN),
)
async def end_token(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[bytes]:
    """Programs that have it are refused from now on."""
    who = account_of(request)
    if not await real_site_of(request).people.tokens.end(id, who):
        raise NotThere(f"{who} has no token {id[:40]!r}", why="it has ended, or is somebody else's")
    await noted(request, "token.ended", thing=who, detail=f"Token {id}.")
    return encoded(Ended(id=id))
