"""`GET` and `POST /api/things/{node}/{thing}/actions/{name}`"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, HeaderParameter
from msgspec import Struct

from pilothouse.hub.allowed import allowed_of
from pilothouse.hub.answers import CommandAnswer
from pilothouse.hub.api.asking import Terms, carry_out, check_there
from pilothouse.hub.api.explaining import Explain, wants
from pilothouse.hub.bodies import read_body
from pilothouse.hub.encoded import encoded
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import KEY_DOC, answers, body_of, command_answers
from pilothouse.hub.site import site_of
from pilothouse.hub.why_not import Reason, why_not
from pilothouse.model import ActionDescription, Address
from pilothouse.rights import Deed


class Call(Terms, kw_only=True, forbid_unknown_fields=True):
    """What an action is called with."""

    input: Any = None
    """An object with one member an argument; null or left out for an action without input."""


class ExplainedAction(Struct, kw_only=True):
    """An action, and whether whoever asks may call it now; the agent has the last word."""

    action: ActionDescription
    may: bool
    """Whether nothing is known against it."""
    why_not: list[Reason]
    """All that stands against it."""
    confirm: str
    """"" or whose confirmation it needs: "yes" = that of whoever commands, "two-person" = somebody else's."""
    hazard: str
    """What may happen, in one sentence."""


@get(
    "/api/things/{node:str}/{thing:str}/actions/{name:str}",
    summary="Describe an action",
    tags=["Things"],
    sync_to_thread=False,
    responses=answers(
        ActionDescription | ExplainedAction, "The action; with ?explain whether it may be called", 400, 404
    ),
    opt=needs(Deed.SEE, "thing"),
)
def get_action(
    request: Request[Any, Any, Any],
    node: FromPath[str],
    thing: FromPath[str],
    name: FromPath[str],
    explain: Explain = None,
) -> Response[bytes]:
    """One action as its thing describes it; with `?explain` also whether it may be called now, and why not."""
    site, address = site_of(request), Address(node, thing)
    check_there(site, address, "action", name)
    action = site.directory.description(address).actions[name]
    if not wants(explain):
        return encoded(action)
    reasons = why_not(site, allowed_of(request), address, name)
    return encoded(
        ExplainedAction(may=not reasons, why_not=reasons, confirm=action.confirm, hazard=action.hazard, action=action)
    )


@post(
    "/api/things/{node:str}/{thing:str}/actions/{name:str}",
    summary="Call an action",
    tags=["Commands"],
    status_code=200,
    operation_class=body_of(Call, {"input": {"seconds": 3}, "reason": "test"}),
    responses=command_answers(CommandAnswer),
    opt=needs(Deed.OPERATE, "asked"),
)
async def call_action(
    request: Request[Any, Any, Any],
    node: FromPath[str],
    thing: FromPath[str],
    name: FromPath[str],
    key: Annotated[str | None, HeaderParameter(name="Idempotency-Key", description=KEY_DOC)] = None,
) -> Response[bytes]:
    """Call an action and wait for its honest end; `value` is what it gave."""
    body = await read_body(request, Call)
    return await carry_out(request, key, Address(node, thing), "action", name, body.input, body)
