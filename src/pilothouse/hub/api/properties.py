"""`GET` and `PUT /api/things/{node}/{thing}/properties/{name}`"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get, put
from litestar.params import FromPath, HeaderParameter
from msgspec import Meta, Struct

from pilothouse.hub.answers import CommandAnswer
from pilothouse.hub.api.asking import Ttl, carry_out
from pilothouse.hub.bodies import read_body
from pilothouse.hub.encoded import encoded
from pilothouse.hub.openapi import KEY_DOC, answers, body_of, command_answers
from pilothouse.hub.site import site_of
from pilothouse.model import Address, Quality, Value


class PropertyNow(Struct, kw_only=True):
    """One property now."""

    value: Value
    """The last reading's value: the readback, never the wish."""
    time: int
    """When it was read, node's clock; 0 = never yet."""
    quality: Quality
    wish: Value
    """What was last asked for; meaningful when wish_time is not 0."""
    wish_time: int
    unit: str
    """UCUM code; "" for none."""
    age_ms: int | None
    """Milliseconds since it was read, with the node's clock taken into account; null = never read."""


class Write(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a property is to be set to."""

    value: Any
    """Of the property's type and within its limits, see its description."""
    reason: Annotated[str, Meta(max_length=1000)] = ""
    """Why, for the ledger."""
    ttl: Ttl = 5.0
    """Seconds within which the device must be asked; after that the command expires and is never done."""


@get(
    "/api/things/{node:str}/{thing:str}/properties/{name:str}",
    summary="Read a property",
    tags=["Things"],
    sync_to_thread=False,
    responses=answers(PropertyNow, "The property now", 404),
)
def get_property(
    request: Request[Any, Any, Any], node: FromPath[str], thing: FromPath[str], name: FromPath[str]
) -> Response[bytes]:
    """One property: its last reading with age and quality, and what was last asked for."""
    site = site_of(request)
    described, state = site.directory.property(Address(node, thing), name)
    node_now = site.clock.now() + site.directory.node(node).clock_offset
    return encoded(
        PropertyNow(
            value=state.value,
            time=state.time,
            quality=state.quality,
            wish=state.wish,
            wish_time=state.wish_time,
            unit=described.unit,
            age_ms=max(0, node_now - state.time) if state.time else None,
        )
    )


@put(
    "/api/things/{node:str}/{thing:str}/properties/{name:str}",
    summary="Write a property",
    tags=["Commands"],
    status_code=200,
    operation_class=body_of(Write, {"value": True, "reason": "watering"}),
    responses=command_answers(CommandAnswer),
)
async def set_property(
    request: Request[Any, Any, Any],
    node: FromPath[str],
    thing: FromPath[str],
    name: FromPath[str],
    key: Annotated[str | None, HeaderParameter(name="Idempotency-Key", description=KEY_DOC)] = None,
) -> Response[bytes]:
    """Write a property and wait for its honest end. Confirmed means that the readback shows the value."""
    body = await read_body(request, Write)
    address = Address(node, thing)
    return await carry_out(request, key, address, "property", name, body.value, body.reason, body.ttl)
