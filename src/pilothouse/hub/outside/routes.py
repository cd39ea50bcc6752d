"""`GET /login/oidc`, `GET /login/oidc/callback`: to the identity provider and back."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from litestar import Request, Response, get
from litestar.params import QueryParameter

from pilothouse.hub.logging_in import let_in
from pilothouse.hub.needs import open_to_all
from pilothouse.hub.outside.arriving import Arriving
from pilothouse.hub.outside.oidc import CALLBACK, Oidc
from pilothouse.hub.outside.pending import LIFE
from pilothouse.hub.own_paths import own_path
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import address_of, real_site_of

log = logging.getLogger(__name__)

T = TypeVar("T")

_ROOT = "/"


@get("/login/oidc", include_in_schema=False, opt=open_to_all())
async def leave(
    request: Request[Any, Any, Any],
    next: Annotated[str, QueryParameter()] = _ROOT,
    here: Annotated[bool, QueryParameter()] = False,
) -> Response[bytes]:
    """Send the browser to the provider; `next` is where on this hub it wants to go afterwards."""
    oidc = _oidc(request)
    own = own_path(next)
    if own.startswith("/login/"):
        own = _ROOT  # else the log-in would go round
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        # Another site may lead people to the log-in page, but the button they press themselves: nobody is to find
        # themselves logged in as somebody else than a moment ago.
        return _to(f"/login?{urlencode({'next': own})}")
    if not here and request.headers.get("host", "").lower() != urlsplit(oidc.url).netloc.lower():
        # The provider sends the browser back to one address of this hub only, and cookies stay with the address.
        return _to(f"{oidc.url}/login/oidc?{urlencode({'next': own, 'here': 'true'})}")
    leaving = await _told(oidc.leave(own, address_of(request), request.cookies.get(cookie(oidc), "")))
    answer = _to(leaving.location)
    answer.set_cookie(
        cookie(oidc),
        leaving.browser,
        max_age=LIFE,
        path=_ROOT,
        secure=_is_secure(oidc),
        httponly=True,
        samesite="lax",  # not "strict": the provider's redirect comes from another site
    )
    return answer


@get(CALLBACK, include_in_schema=False, opt=open_to_all())
async def come_back(request: Request[Any, Any, Any]) -> Response[Any]:
    """Let in whom the provider sends back."""
    oidc, arriving = _oidc(request), _arriving(request)
    browser = request.cookies.get(cookie(oidc), "")
    query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    back = await _told(oidc.come_back(query, browser))
    try:
        person = await arriving.arrive(back.outsider, "oidc")
    except WebError as error:
        name, address = back.outsider.name, address_of(request)
        audit = real_site_of(request).audit
        detail = f"At the identity provider: {error.what}."
        await audit.note_stranger("login.failed", thing=name, origin="page", address=address, detail=detail)
        raise
    return await let_in(request, person.name, "oidc", next=back.next)


async def _told(asking: Coroutine[Any, Any, T]) -> T:
    """What it gives; what is wrong with the provider is told to whoever reads the log, too."""
    try:
        return await asking
    except WebError as error:
        if error.kind == "provider":
            log.warning("log-in elsewhere: %s", error)
        raise


def cookie(oidc: Oidc) -> str:
    """Name of the cookie that binds a log-in to the browser that began it."""
    return "__Host-ph_oidc" if _is_secure(oidc) else "ph_oidc"


def _is_secure(oidc: Oidc) -> bool:
    return oidc.url.startswith("https:")


def _to(location: str) -> Response[bytes]:
    return Response(b"", status_code=303, headers={"Location": location, "Cache-Control": "no-store"})


def _oidc(request: Request[Any, Any, Any]) -> Oidc:
    oidc: Oidc = request.app.state.outside.oidc
    return oidc


def _arriving(request: Request[Any, Any, Any]) -> Arriving:
    arriving: Arriving = request.app.state.outside.arriving
    return arriving
