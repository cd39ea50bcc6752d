"""`GET /api/nodes`"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get
from msgspec import Struct

from pilothouse.hub.directory import NodeView
from pilothouse.hub.encoded import Kept, json_answer
from pilothouse.hub.frames import timed
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers
from pilothouse.hub.site import Site, site_of
from pilothouse.rights import Deed


class Nodes(Struct, kw_only=True):
    """All nodes."""

    time: int = 0
    """The hub's clock."""
    nodes: list[NodeView]


def _encode(site: Site) -> bytes:
    return msgspec.json.encode({"nodes": site.directory.nodes()})


_kept = Kept(_encode)


@get(
    "/api/nodes",
    summary="All nodes",
    tags=["Things"],
    sync_to_thread=False,
    responses=answers(Nodes, "All nodes by name"),
    opt=needs(Deed.SEE, "seen"),
)
def get_nodes(request: Request[Any, Any, Any]) -> Response[bytes]:
    """All nodes: whether they are there, and since when."""
    site = site_of(request)
    return json_answer(timed(site.clock.now(), _kept.bytes(site)))
