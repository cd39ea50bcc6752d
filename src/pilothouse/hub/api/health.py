"""`GET /healthz`"""

from __future__ import annotations

from typing import Any, Literal

from litestar import Request, Response, get
from msgspec import Struct

from pilothouse.hub.encoded import encoded
from pilothouse.hub.needs import open_to_all
from pilothouse.hub.openapi import answers
from pilothouse.hub.site import commands_of, real_site_of


class HealthOfHub(Struct, kw_only=True):
    """Whether the hub can do its work."""

    status: Literal["ok", "degraded"]
    """"degraded" = it answers, and one of the following is false."""
    bus: bool
    """Whether there is a link to the bus."""
    record: bool
    """Whether the ledger could be written when it was last tried."""


@get(
    "/healthz",
    summary="Health",
    tags=["Hub"],
    sync_to_thread=False,
    responses=answers(HealthOfHub, "The hub answers"),
    security=[{}],
    opt=open_to_all(),
)
def get_health(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Whether the hub works; needs no log-in."""
    bus, record = real_site_of(request).link_up, commands_of(request).record_ok
    return encoded(HealthOfHub(status="ok" if bus and record else "degraded", bus=bus, record=record))
