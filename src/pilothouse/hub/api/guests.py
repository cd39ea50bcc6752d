"""`GET /api/guests`, `POST /api/guests`, `DELETE /api/guests/{id}`"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, delete, get, post
from litestar.params import FromPath
from msgspec import Meta, Struct

from pilothouse.hub.api.sessions import Ended
from pilothouse.hub.bodies import read_body
from pilothouse.hub.encoded import encoded
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers, body_of
from pilothouse.hub.people_acts import acts_of
from pilothouse.hub.site import real_site_of
from pilothouse.record.people_rows import GuestRow
from pilothouse.rights import Deed


class GuestList(Struct, kw_only=True):
    """Guest links that have not ended."""

    time: int
    """The hub's clock."""
    guests: list[GuestRow]
    """Newest first."""


class WantedGuest(Struct, kw_only=True, forbid_unknown_fields=True):
    """A guest link that is to be made."""

    name: Annotated[str, Meta(max_length=63)]
    """What the ledger calls its users, after "guest:"."""
    stand: Annotated[str, Meta(max_length=63)]
    """The stand at which they look on."""
    days: Annotated[float, Meta(gt=0, le=366)] = 7.0
    """Days until it ends."""


class MadeGuest(Struct, kw_only=True):
    """A guest link that was made just now."""

    url: str
    """Whoever has it may look on. It is never shown again."""
    guest: GuestRow

    def __repr__(self) -> str:
        return f"MadeGuest({self.guest.id})"


@get(
    "/api/guests",
    summary="Guest links",
    tags=["People"],
    operation_id="guests",
    responses=answers(GuestList, "Guest links without their secrets", 503),
    opt=needs(Deed.PEOPLE),
)
async def get_guests(request: Request[Any, Any, Any]) -> Response[bytes]:
    """With which anybody may look on at a stand."""
    site = real_site_of(request)
    return encoded(GuestList(time=site.clock.now(), guests=await site.people.guests.all()))


@post(
    "/api/guests",
    summary="Make a guest link",
    tags=["People"],
    operation_id="makeGuest",
    status_code=200,
    operation_class=body_of(WantedGuest, {"name": "visitors", "stand": "bench", "days": 7}),
    responses=answers(MadeGuest, "The link, which is shown this once", 400, 404, 409, 413, 415, 422, 503),
    opt=needs(Deed.PEOPLE),
)
async def make_guest(request: Request[Any, Any, Any]) -> Response[bytes]:
    """A link with which anybody looks on at one stand until it ends."""
    body = await read_body(request, WantedGuest)
    link, row = await acts_of(request).make_guest(body.name, body.stand, body.days * 86_400)
    return encoded(MadeGuest(url=link.url, guest=row))


@delete(
    "/api/guests/{id:str}",
    summary="End a guest link",
    tags=["People"],
    operation_id="endGuest",
    status_code=200,
    responses=answers(Ended, "It has ended, and whoever came with it is out", 404, 503),
    opt=needs(Deed.PEOPLE),
)
async def end_guest(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[bytes]:
    """End a guest link."""
    await acts_of(request).end_guest(id)
    return encoded(Ended(id=id))
