"""`GET /ca.pem`"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from pilothouse.errors import NotThere
from pilothouse.hub.needs import open_to_all
from pilothouse.hub.openapi import answers
from pilothouse.hub.site import real_site_of

_TYPE = "application/x-x509-ca-cert"
"""By which phones know that it is for installing."""


@get(
    "/ca.pem",
    summary="The hub's own authority",
    tags=["Hub"],
    sync_to_thread=False,
    responses=answers(bytes, "A certificate, PEM", 404, media_type=_TYPE),
    security=[{}],
    opt=open_to_all(),
)
def get_ca(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The certificate of the authority that this hub's own is signed by, for installing it in browsers and on phones.

    Needs no log-in. Compare its fingerprint with the one that the hub printed when it started.
    """
    site = real_site_of(request)
    try:
        content = site.places.authority.read_bytes() if site.posture.kind == "own" else b""
    except OSError:
        content = b""  # somebody moved it away; the next start makes another
    if not content:
        raise NotThere(
            "This hub has no authority of its own", remedy="Its certificate comes from elsewhere, or it has none"
        )
    headers = {"Content-Disposition": 'attachment; filename="pilothouse-ca.pem"'}
    return Response(content, media_type=_TYPE, headers=headers)
