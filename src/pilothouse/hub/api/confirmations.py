"""`POST /api/confirmations`"""

from __future__ import annotations

from typing import Any, Literal

from litestar import Request, Response, post
from msgspec import Struct

from pilothouse.bus.messages import AskConfirmation, Confirmation, End
from pilothouse.bus.subjects import Subjects
from pilothouse.hub.answers import CAUSES, status_of
from pilothouse.hub.api.asking import ask_node, check_there
from pilothouse.hub.bodies import read_body
from pilothouse.hub.encoded import encoded
from pilothouse.hub.needs import check, needs
from pilothouse.hub.openapi import answers, body_of
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import site_of, visitor_of, who_of
from pilothouse.model import Address
from pilothouse.rights import Deed


class ToConfirm(Struct, kw_only=True, forbid_unknown_fields=True):
    """The command that a token is wanted for, exactly as it will be sent."""

    node: str
    thing: str
    kind: Literal["property", "action"] = "property"
    name: str
    """The property or action."""
    input: Any = None
    """The value, or the action's input."""


class Token(Struct, kw_only=True):
    """The agent's token for exactly that command; good for one use."""

    token: str
    """Send it as `confirmation` of the command."""
    lives: float
    """Seconds."""
    two_person: bool
    """Whether somebody else must give the command; else whoever asked for the token must."""
    hazard: str
    """What may happen, in one sentence; "" when nothing is said."""


@post(
    "/api/confirmations",
    summary="Confirm a command",
    tags=["Commands"],
    status_code=200,
    operation_class=body_of(ToConfirm, {"node": "pi", "thing": "bath", "kind": "action", "name": "self_test"}),
    responses=answers(Token, "The token", 400, 404, 409, 413, 415, 422, 503, 504),
    opt=needs(Deed.OPERATE, "asked"),
)
async def ask_confirmation(request: Request[Any, Any, Any]) -> Response[bytes]:
    """A token for a command that needs a confirmation, given by the agent for exactly this command and input."""
    site, body = site_of(request), await read_body(request, ToConfirm)
    address = Address(body.node, body.thing)
    check_there(site, address, body.kind, body.name)
    check(visitor_of(request), Deed.OPERATE, site.place(address))
    message = AskConfirmation(
        node=body.node,
        epoch=site.directory.node(body.node).epoch,
        thing=body.thing,
        kind=body.kind,
        name=body.name,
        input=body.input,
        who=who_of(request),
    )
    subject = Subjects(site.config.site.name).confirm(body.node, body.thing, body.name)
    given = await ask_node(site, body.node, subject, message, Confirmation)
    if not given.token:
        status = status_of(End.REFUSED, given.why)
        detail = given.detail or f"Node {body.node} gave no token"
        raise WebError(status, "no-confirmation", detail, why=CAUSES[given.why], remedy=given.remedy)
    return encoded(Token(token=given.token, lives=given.lives, two_person=given.two_person, hazard=given.hazard))
