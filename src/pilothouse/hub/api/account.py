"""`GET /api/me`, `POST /api/login`, `POST /api/logout`"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import Request, Response, get, post
from msgspec import Meta, Struct

from pilothouse.hub.api.sessions import Ended
from pilothouse.hub.bodies import read_body
from pilothouse.hub.encoded import encoded
from pilothouse.hub.logging_in import log_out as end_session_here
from pilothouse.hub.logging_in import noted
from pilothouse.hub.needs import needs, open_to_all
from pilothouse.hub.openapi import answers, body_of
from pilothouse.hub.own_tokens import MadeToken, WantedToken, make_token
from pilothouse.hub.problems import WebError
from pilothouse.hub.proving import Asker, not_proved
from pilothouse.hub.site import address_of, real_site_of, visitor_of
from pilothouse.record.people_errors import NotLetIn
from pilothouse.rights import Deed


class Me(Struct, kw_only=True):
    """Who asks, and what they may."""

    who: str
    """What the ledger calls them."""
    title: str = ""
    """What pages call them; "" = as `who`."""
    rights: list[str]
    """"viewer", "operator@bench" … without any, nothing can be seen."""
    through: Literal["session", "token", "guest"]
    how: str
    """What they logged in with: "password", "link", "oidc", "proxy", "guest", "token"; "machine" = the command line on
    the hub's own machine."""
    most: str
    """The role that they have at most with what they came with; a token may be for less than its owner."""
    only: str = ""
    """The one place that the token is for; "" = all of the owner's."""
    id: str = ""
    """Of the session or token; "" = it has none."""
    expires: int = 0
    """When the session or token ends, Unix milliseconds; 0 = not by itself."""


class LogIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A name, a password, and the token that is wanted for them."""

    name: Annotated[str, Meta(max_length=100)]
    password: Annotated[str, Meta(max_length=500)]
    token: WantedToken

    def __repr__(self) -> str:
        return "LogIn(…)"


_EXAMPLE = {"name": "ada", "password": "…", "token": {"name": "ada's laptop", "scope": "operate", "days": 90}}


@get(
    "/api/me",
    tags=["Account"],
    summary="Who I am",
    operation_id="me",
    responses=answers(Me, "Who asks, and what they may"),
    opt=needs(Deed.SEE, "seen"),
)
async def get_me(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Who asks, and what they may; also for those who may nothing."""
    site, visitor = real_site_of(request), visitor_of(request)
    person = await site.people.persons.get(visitor.who)
    rights = visitor.rights
    me = Me(
        who=visitor.who,
        title=person.title if person else "",
        rights=[str(grant) for grant in rights.grants],
        through=rights.through,
        how=visitor.how,
        most=str(rights.most),
        only=rights.only,
        id=visitor.id,
        expires=visitor.expires,
    )
    return encoded(me)


@post(
    "/api/login",
    status_code=200,
    tags=["Account"],
    summary="Get a token for a name and a password",
    operation_id="logIn",
    operation_class=body_of(LogIn, _EXAMPLE),
    responses=answers(MadeToken, "The token, whose secret is shown this once", 400, 413, 415, 422, 429, 503),
    security=[{}],
    opt=open_to_all(),
)
async def log_in(request: Request[Any, Any, Any]) -> Response[bytes]:
    """For programs that people sit before, such as `pilothouse login`. Tries are limited as on the log-in page. The
    request carries the header Origin with the hub's own address, for no other site may try passwords here.
    """
    body = await read_body(request, LogIn)
    asker = Asker(address_of(request), "api")
    proved = await real_site_of(request).proving.prove(body.name, body.password, asker)
    try:
        return encoded(await make_token(request, proved.name, body.token, "api"))
    except NotLetIn:  # disabled while it was tested
        raise not_proved() from None


@post(
    "/api/logout",
    status_code=200,
    tags=["Account"],
    summary="End what this request came with",
    operation_id="logOut",
    responses=answers(Ended, "The token or session has ended", 409),
    opt=needs(Deed.SEE, "seen"),
)
async def log_out(request: Request[Any, Any, Any]) -> Response[bytes]:
    """End the token, or the session, that this request came with."""
    site, visitor = real_site_of(request), visitor_of(request)
    if visitor.how == "machine" or not visitor.id:
        raise WebError(
            409,
            "log-in",
            "This log-in cannot be ended from here",
            why="the token in the data folder is the machine's own"
            if visitor.id
            else "the proxy before the hub gave it",
            remedy="A new start of the hub makes another" if visitor.id else "Log out there",
        )
    if visitor.origin == "api":
        await site.people.tokens.end(visitor.id, visitor.who)
        await noted(request, "token.ended", thing=visitor.who, detail=f"Token {visitor.id}, by itself.")
        return encoded(Ended(id=visitor.id))
    answer = encoded(Ended(id=visitor.id))
    answer.cookies.extend((await end_session_here(request)).cookies)
    return answer
