"""`GET /api/things/{node}/{thing}/description`"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath

from pilothouse.hub.encoded import json_answer
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers
from pilothouse.hub.site import site_of
from pilothouse.model import Address
from pilothouse.model.td import MEDIA_TYPE, to_td
from pilothouse.rights import Deed


@get(
    "/api/things/{node:str}/{thing:str}/description",
    summary="Thing Description (W3C)",
    tags=["Things"],
    sync_to_thread=False,
    responses=answers(dict[str, Any], "A Thing Description", 404, media_type=MEDIA_TYPE),
    opt=needs(Deed.SEE, "thing"),
)
def get_description(request: Request[Any, Any, Any], node: FromPath[str], thing: FromPath[str]) -> Response[bytes]:
    """The thing's W3C Web of Things Thing Description 1.1, for other people's programs."""
    site = site_of(request)
    description = site.directory.description(Address(node, thing))
    content = msgspec.json.encode(to_td(description, site.url, site=site.config.site.name))
    return json_answer(content, MEDIA_TYPE)
