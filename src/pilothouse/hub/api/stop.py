"""`GET` and `POST /api/stop`, `POST /api/stop/lift`"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import Request, Response, get, post
from msgspec import Meta, Struct

from pilothouse.hub.allowed import allowed_of
from pilothouse.hub.bodies import read_body
from pilothouse.hub.encoded import encoded
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers, body_of
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import site_of, stops_of, visitor_of
from pilothouse.hub.stop_seen import holds_for, nodes_seen, pressed_for
from pilothouse.hub.stops import Lifted, Pressed, StopNow
from pilothouse.rights import Deed

_STILL_GOING = "Nothing was stopped; POST it without a body to stop at once"


class Press(Struct, kw_only=True, forbid_unknown_fields=True):
    """How to stop; a request without a body is a hard stop."""

    kind: Literal["hard", "end"] = "hard"
    """"hard": outputs go to their safe values at once. "end": what runs comes to its end first, within 10 s."""
    reason: Annotated[str, Meta(max_length=1000)] = ""
    """Why, for the ledger; may be left out."""


class Lift(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which stops to lift, and why."""

    reason: Annotated[str, Meta(max_length=1000)]
    """Why it is safe to go on; needed."""
    stops: Annotated[list[str], Meta(max_length=1000)] = []
    """Ids of the stops; [] = all that hold now. One that is pressed meanwhile holds on."""


@get(
    "/api/stop",
    summary="Which stops hold",
    tags=["Commands"],
    sync_to_thread=False,
    responses=answers(StopNow, "The stops that hold"),
    opt=needs(Deed.SEE, "seen"),
)
def get_stop(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The stops that hold, which nodes obey each, and which do not yet."""
    allowed = allowed_of(request)
    here = nodes_seen(site_of(request), allowed.rights)
    return encoded(holds_for(stops_of(request).shown(), here, sees=allowed.sees != ""))


@post(
    "/api/stop",
    summary="Stop",
    tags=["Commands"],
    status_code=200,
    operation_class=body_of(Press, {"kind": "hard", "reason": "smoke"}, required=False),
    responses=answers(Pressed, "Sent; `nodes` have obeyed, `silent` have not answered", 400, 413, 415, 422, 503),
    opt=needs(Deed.STOP),
)
async def press_stop(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Stop the whole site. It is never queued, needs no lease, and holds until it is lifted, also while the keeper or
    the record is down. Answered when all nodes have, within 2 s; a safe end within 12 s."""
    body = await _read_press(request)
    visitor = visitor_of(request)
    pressed = await stops_of(request).press(body.kind, who=visitor.who, origin=visitor.origin, reason=body.reason)
    here = nodes_seen(site_of(request), visitor.rights)
    return encoded(pressed_for(pressed, here))


@post(
    "/api/stop/lift",
    summary="Lift stops",
    tags=["Commands"],
    status_code=200,
    operation_class=body_of(Lift, {"reason": "the leak is mended"}),
    responses=answers(Lifted, "Lifted; outputs stay as they are", 400, 404, 413, 415, 422, 503),
    opt=needs(Deed.LIFT),
)
async def lift_stop(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Lift stops. Nothing is switched by it: outputs stay as they are until somebody switches them."""
    body = await read_body(request, Lift)
    visitor = visitor_of(request)
    lifted = await stops_of(request).lift(body.stops, who=visitor.who, origin=visitor.origin, reason=body.reason)
    return encoded(lifted)


async def _read_press(request: Request[Any, Any, Any]) -> Press:
    """The body, when there is one; an error says plainly that nothing was stopped."""
    if not await request.body():
        return Press()
    try:
        return await read_body(request, Press)
    except WebError as error:
        error.remedy = _STILL_GOING
        raise
