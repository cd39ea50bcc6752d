"""`GET /api/stands`, `GET /api/stands/{name}`, `POST /api/stands/{name}/lease`"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from msgspec import Meta, Struct

from pilothouse.hub.bodies import read_body
from pilothouse.hub.encoded import encoded
from pilothouse.hub.lease_acts import Do, LeaseWish
from pilothouse.hub.needs import check, needs
from pilothouse.hub.openapi import answers, body_of
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import site_of, visitor_of
from pilothouse.hub.stand_view import StandView
from pilothouse.model.stands import LeaseRefused
from pilothouse.rights import Deed, Place


class Stands(Struct, kw_only=True):
    """All stands."""

    time: int
    """The hub's clock."""
    stands: list[StandView]


class LeaseChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to be done with the lease of a stand."""

    do: Do
    """"take" it while it is free, "ask" the holder for it, and as its holder "give" it to somebody, "deny" it to
    somebody who asks, "release" it, "extend" it. Whoever asks takes that back by "deny"."""
    to: Annotated[str, Meta(max_length=63)] = ""
    """Whom it is given to, or denied."""
    note: Annotated[str, Meta(max_length=200)] = ""
    """For the holder, with "ask"."""
    reason: Annotated[str, Meta(max_length=1000)] = ""
    """Why, for the ledger; needed to take it by force."""
    force: bool = False
    """With "take": take it from whoever holds it."""


@get(
    "/api/stands",
    summary="All stands",
    tags=["Stands"],
    sync_to_thread=False,
    responses=answers(Stands, "All stands by name"),
    opt=needs(Deed.SEE, "seen"),
)
def get_stands(request: Request[Any, Any, Any]) -> Response[bytes]:
    """All stands: what belongs to them, who holds them and until when, and who waits."""
    site = site_of(request)
    return encoded(Stands(time=site.clock.now(), stands=site.stands.views()))


@get(
    "/api/stands/{name:str}",
    summary="One stand",
    tags=["Stands"],
    sync_to_thread=False,
    responses=answers(StandView, "The stand", 404),
    opt=needs(Deed.SEE, "stand"),
)
def get_stand(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """One stand by its name."""
    return encoded(site_of(request).stands.view(name))


@post(
    "/api/stands/{name:str}/lease",
    summary="Take, ask for, give, release a stand",
    tags=["Stands"],
    status_code=200,
    operation_class=body_of(LeaseChange, {"do": "take"}),
    responses=answers(StandView, "The stand as it is now", 400, 404, 413, 415, 422, 423, 503, 504),
    opt=needs(Deed.HOLD, "stand"),
)
async def change_lease(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Change who holds a stand. What the holder does not want, or nobody may, is refused with who holds it."""
    body, visitor = await read_body(request, LeaseChange), visitor_of(request)
    if body.force:
        check(visitor, Deed.TAKE_OVER, Place.of_stand(name))
    wish = LeaseWish(visitor.who, visitor.origin, body.to, body.note, body.reason, body.force)
    try:
        return encoded(await site_of(request).stands.act(name, body.do, wish))
    except LeaseRefused as error:
        raise WebError(423, "lease", error.what, why=error.why, remedy=error.remedy) from None
