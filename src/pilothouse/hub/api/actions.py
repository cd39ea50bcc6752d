"""`POST /api/things/{node}/{thing}/actions/{name}`"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, post
from litestar.params import FromPath, HeaderParameter
from msgspec import Meta, Struct

from pilothouse.hub.answers import CommandAnswer
from pilothouse.hub.api.asking import Ttl, carry_out
from pilothouse.hub.bodies import read_body
from pilothouse.hub.openapi import KEY_DOC, body_of, command_answers
from pilothouse.model import Address


class Call(Struct, kw_only=True, forbid_unknown_fields=True):
    """What an action is called with."""

    input: Any = None
    """An object with one member an argument; null or left out for an action without input."""
    reason: Annotated[str, Meta(max_length=1000)] = ""
    """Why, for the ledger."""
    ttl: Ttl = 5.0
    """Seconds within which the device must be asked; the action's own time comes on top."""


@post(
    "/api/things/{node:str}/{thing:str}/actions/{name:str}",
    summary="Call an action",
    tags=["Commands"],
    status_code=200,
    operation_class=body_of(Call, {"input": {"seconds": 3}, "reason": "test"}),
    responses=command_answers(CommandAnswer),
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
    return await carry_out(request, key, Address(node, thing), "action", name, body.input, body.reason, body.ttl)
