"""`GET /api/nodes/{node}/lanes`, `DELETE /api/commands/{id}`"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, delete, get
from litestar.params import FromPath
from msgspec import Meta, Struct

from pilothouse.bus.messages import Cancel, Cancelled, LaneView
from pilothouse.bus.subjects import Subjects
from pilothouse.errors import NotThere
from pilothouse.hub.api.asking import ask_node
from pilothouse.hub.bodies import read_body
from pilothouse.hub.encoded import encoded
from pilothouse.hub.needs import check, needs
from pilothouse.hub.openapi import answers, body_of
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import commands_of, site_of, visitor_of
from pilothouse.model import Address, is_id
from pilothouse.rights import Deed


class LanesNow(Struct, kw_only=True):
    """Lanes of a node on which something has taken longer than a moment; the others are idle or quick."""

    node: str
    time: int
    """When the node said so, its clock; 0 = it has said nothing yet."""
    lanes: list[LaneView]


class TakeBack(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a command is taken back."""

    reason: Annotated[str, Meta(max_length=1000)] = ""
    """For the ledger."""


class TakenBack(Struct, kw_only=True):
    """The command will never be done."""

    done: bool
    detail: str
    """What the node says of it."""


@get(
    "/api/nodes/{node:str}/lanes",
    summary="Lanes of a node",
    tags=["Commands"],
    sync_to_thread=False,
    responses=answers(LanesNow, "The lanes", 404),
    opt=needs(Deed.SEE, "seen"),
)
def get_lanes(request: Request[Any, Any, Any], node: FromPath[str]) -> Response[bytes]:
    """What runs on the lanes of a node, what waits behind it, and since when."""
    said = site_of(request).directory.lanes(node)
    return encoded(LanesNow(node=node, time=said.time if said else 0, lanes=list(said.lanes) if said else []))


@delete(
    "/api/commands/{id:str}",
    summary="Take a command back",
    tags=["Commands"],
    status_code=200,
    operation_class=body_of(TakeBack, {"reason": "not needed any more"}, required=False),
    responses=answers(TakenBack, "It will never be done", 400, 404, 409, 413, 415, 422, 503, 504),
    opt=needs(Deed.OPERATE, "asked"),
)
async def cancel_command(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[bytes]:
    """Take back a command that waits for its device. One that runs already or is over is not touched (409)."""
    body = await read_body(request, TakeBack) if await request.body() else TakeBack()
    site, visitor = site_of(request), visitor_of(request)
    wish = commands_of(request).wish_of(id)
    address, who = (wish.address, wish.who) if wish is not None else await _sent(request, id)
    if address not in site.directory:  # what they may not see is not there for them
        raise _no_such(id)
    deed = Deed.OPERATE if who == visitor.who else Deed.TAKE_BACK
    check(visitor, deed, site.place(address))
    node = address.node
    message = Cancel(id=id, who=visitor.who, origin=visitor.origin, reason=body.reason)
    subject = Subjects(site.config.site.name).cancel(node)
    answer = await ask_node(site, node, subject, message, Cancelled)
    if not answer.done:
        raise _too_late(id, answer.detail or "it does not wait")
    return encoded(TakenBack(done=True, detail=answer.detail))


def _no_such(id: str) -> NotThere:
    return NotThere(f"There is no command {id[:64]!r}", remedy="What was sent: GET /api/ledger")


async def _sent(request: Request[Any, Any, Any], id: str) -> tuple[Address, str]:
    """Thing and sender of a command that the ledger knows as open; raises NotThere or WebError (409)."""
    line = await site_of(request).ledger.line(id) if is_id(id) else None
    if line is None or not line.node:
        raise _no_such(id)
    if line.end:
        raise _too_late(id, f"it is over already: {line.end}")
    return Address(line.node, line.thing), line.who


def _too_late(id: str, why: str) -> WebError:
    remedy = f"How it ended: GET /api/ledger/{id}"
    return WebError(409, "not-waiting", f"Command {id} was not taken back", why=why, remedy=remedy)
