"""`GET` and `PUT /api/things/{node}/{thing}/properties/{name}`"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, put
from litestar.params import FromPath, HeaderParameter
from msgspec import Struct

from pilothouse.hub.allowed import allowed_of
from pilothouse.hub.answers import CommandAnswer
from pilothouse.hub.api.asking import Terms, carry_out
from pilothouse.hub.api.explaining import Explain, wants
from pilothouse.hub.bodies import read_body
from pilothouse.hub.encoded import encoded
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import KEY_DOC, answers, body_of, command_answers
from pilothouse.hub.site import Site, site_of
from pilothouse.hub.why_not import Reason, why_not
from pilothouse.model import Address, Quality, Value
from pilothouse.rights import Deed


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
    accepted: Value
    """What the device last took; meaningful when accepted_time is not 0."""
    accepted_time: int
    differs_since: int
    """Since when the reading shows something else than what the device took; 0 = it does not."""
    unit: str
    """UCUM code; "" for none."""
    age_ms: int | None
    """Milliseconds since it was read, with the node's clock taken into account; null = never read."""


class ExplainedProperty(PropertyNow, kw_only=True):
    """One property now, and whether whoever asks may switch it from its safe value; the agent has the last word."""

    may: bool
    """Whether nothing is known against it. Going to the safe value is always free."""
    why_not: list[Reason]
    """All that stands against it."""
    confirm: str
    """"" or whose confirmation it needs: "yes" = that of whoever commands, "two-person" = somebody else's."""
    hazard: str
    """What may happen, in one sentence."""


class Write(Terms, kw_only=True, forbid_unknown_fields=True):
    """What a property is to be set to."""

    value: Any
    """Of the property's type and within its limits, see its description."""


@get(
    "/api/things/{node:str}/{thing:str}/properties/{name:str}",
    summary="Read a property",
    tags=["Things"],
    sync_to_thread=False,
    responses=answers(
        PropertyNow | ExplainedProperty, "The property now; with ?explain whether it may be switched", 400, 404
    ),
    opt=needs(Deed.SEE, "thing"),
)
def get_property(
    request: Request[Any, Any, Any],
    node: FromPath[str],
    thing: FromPath[str],
    name: FromPath[str],
    explain: Explain = None,
) -> Response[bytes]:
    """One property: its last reading with age and quality, what was last asked for, and what the device took.

    With `?explain` also whether whoever asks may switch it from its safe value now, and all that stands against it.
    """
    site, address = site_of(request), Address(node, thing)
    now = _now(site, address, name)
    if not wants(explain):
        return encoded(now)
    described, _ = site.directory.property(address, name)
    reasons = why_not(site, allowed_of(request), address, name)
    return encoded(
        ExplainedProperty(
            **msgspec.structs.asdict(now),
            may=not reasons,
            why_not=reasons,
            confirm=described.confirm,
            hazard=described.hazard,
        )
    )


def _now(site: Site, address: Address, name: str) -> PropertyNow:
    described, state = site.directory.property(address, name)
    node_now = site.clock.now() + site.directory.node(address.node).clock_offset
    return PropertyNow(
        value=state.value,
        time=state.time,
        quality=state.quality,
        wish=state.wish,
        wish_time=state.wish_time,
        accepted=state.accepted,
        accepted_time=state.accepted_time,
        differs_since=state.differs_since,
        unit=described.unit,
        age_ms=max(0, node_now - state.time) if state.time else None,
    )


@put(
    "/api/things/{node:str}/{thing:str}/properties/{name:str}",
    summary="Write a property",
    tags=["Commands"],
    status_code=200,
    operation_class=body_of(Write, {"value": True, "reason": "watering"}),
    responses=command_answers(CommandAnswer),
    opt=needs(Deed.OPERATE, "asked"),
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
    return await carry_out(request, key, address, "property", name, body.value, body)
