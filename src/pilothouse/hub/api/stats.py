"""`GET /stats`"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.params import QueryParameter

from pilothouse.hub.directory import NodeLife
from pilothouse.hub.encoded import json_answer
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers
from pilothouse.hub.site import averages_of, rights_of, site_of
from pilothouse.hub.stats import Stats, parse_interval, stats_of
from pilothouse.model import Address
from pilothouse.rights import Deed


@get(
    "/stats",
    summary="Vitals",
    tags=["Hub"],
    sync_to_thread=False,
    responses=answers(Stats, "Vitals of the hub's own node", 400),
    opt=needs(Deed.SEE, "seen"),
)
def get_stats(
    request: Request[Any, Any, Any],
    interval: Annotated[
        str | None, QueryParameter(description="Seconds of the last minute to average CPU over, 0.1 to 60.")
    ] = None,
) -> Response[bytes]:
    """CPU, temperature, memory and uptime of the machine that the hub runs on; answered at once, whatever interval."""
    site = site_of(request)
    seconds = None if interval is None else parse_interval(interval)
    host = Address(site.node, "host")
    alive = host in site.directory and site.directory.node(site.node).life is NodeLife.HERE
    view = site.directory.thing(host) if alive else None
    mean = None if seconds is None else averages_of(request).mean(site.clock.mono(), seconds)
    seen = host in site.directory or rights_of(request).sees_all
    stats = stats_of(view, site.node if seen else "", now=site.clock.now(), interval=seconds, mean=mean)
    return json_answer(msgspec.json.encode(stats))
