"""What every request passes before the framework sees it: Host, who it is, Origin; and the headers of every answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from pilothouse.config.edge import parse_networks
from pilothouse.errors import RecordError
from pilothouse.hub.access import UNSAFE, Access, Visitor, host_allowed, own_hosts, same_origin
from pilothouse.hub.cors import Headers, cross_origin, is_preflight, preflight
from pilothouse.hub.outside import HeaderLogin
from pilothouse.hub.own_paths import LONGEST
from pilothouse.hub.pages.errors import locked
from pilothouse.hub.problems import MEDIA_TYPE, Problem, WebError, broken, encode, problem_of
from pilothouse.hub.proxy import Client, client_of
from pilothouse.hub.site import Site

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_NO_HEAD = frozenset({"/login", "/login/oidc", "/login/oidc/callback", "/api/live"})
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    # Not "no-referrer": with that a browser says "Origin: null" when it sends a form, and our own forms are refused.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""On every answer that does not say otherwise itself."""
_HSTS = ((b"strict-transport-security", b"max-age=31536000"),)


class Doorway:
    """An ASGI application before the application. `open_paths` answer without a log-in."""

    def __init__(self, site: Site, inside: App, open_paths: frozenset[str], header: HeaderLogin | None = None) -> None:
        self._inside = inside
        hub = site.config.hub
        self._trusted = parse_networks(hub.behind_proxy)
        self._access = Access(site.people, self._trusted, site.config.proxy_login, header)
        self._fixed = (*_HEADERS, *(_HSTS if site.posture.hsts else ()))
        self._open = open_paths
        self._hosts = own_hosts(hub.host, hub.public_url)
        self._public_url = hub.public_url
        self._origins = frozenset(hub.allow_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        cors = cross_origin(headers, scope["path"], self._origins)
        outward = _with_headers(send, (*self._fixed, *cors))
        if is_preflight(scope["method"], headers):
            await _empty(outward, 204, preflight(cors))
            return
        state = scope.setdefault("state", {})
        try:
            client = client_of(_peer(scope), scope["scheme"] == "https", scope["headers"], self._trusted)
            state["secure"], state["address"] = client.secure, client.address
            visitor = await self._let_in(scope, headers, client)
        except (WebError, RecordError) as error:
            await _refuse(outward, headers, scope, problem_of(error))
            return
        except Exception:  # edge: nothing below would answer for a mistake made here
            log.exception("%s %s broke in the doorway", scope["method"], scope["path"][:200])
            await _refuse(outward, headers, scope, broken())
            return
        if visitor is None and scope["path"] not in self._open:
            await _send_to_log_in(outward, headers, scope)
            return
        if visitor is not None:
            state["visitor"] = visitor
            # What outlasts a moment, the live stream, asks anew for whom this request was let in.
            state["again"] = partial(self._let_in, scope, headers, client)
            state["who"] = visitor.who
        if scope["method"] == "HEAD" and scope["path"] not in _NO_HEAD:
            # The server leaves the body out; nothing inside need know of HEAD.
            scope = {**scope, "method": "GET"}
        try:
            await self._inside(scope, receive, outward)
        except WebError as error:  # from what is served below the framework
            await _refuse(outward, headers, scope, problem_of(error))

    async def _let_in(self, scope: Scope, headers: dict[bytes, bytes], client: Client) -> Visitor | None:
        if not host_allowed(headers.get(b"host", b"").decode("latin-1"), self._hosts):
            raise WebError(
                421,
                "wrong-host",
                "This hub does not go by that name",
                why="another site may have led your browser here",
                remedy="Use the address that the hub printed, or set hub.public_url to the one you use",
            )
        is_open = scope["path"] in self._open
        try:
            visitor = await self._access.visitor(headers, scope["headers"], _peer(scope), client)
        except WebError:
            # Whom the proxy names and this hub does not take: a stranger, who may still see the log-in page.
            if not is_open:
                raise
            visitor = None
        if visitor is None and not is_open:
            return None
        program = visitor is not None and visitor.origin == "api"
        ours = program or same_origin(headers, self._public_url, secure=client.secure)
        if scope["method"] in UNSAFE and not ours:
            raise WebError(
                403,
                "wrong-origin",
                "Another site asked for this in your name",
                why="no page of this hub sent the request",
                remedy="Do it on the hub's own page; programs send a token: Authorization: Bearer TOKEN",
            )
        return visitor


def wants_page(headers: dict[bytes, bytes], path: str) -> bool:
    """Whether a person's browser asks for a page, and not a program for an answer."""
    return b"text/html" in headers.get(b"accept", b"") and not path.startswith("/api/")


async def _send_to_log_in(send: Send, headers: dict[bytes, bytes], scope: Scope) -> None:
    """A person goes to the log-in page and comes back after it; a program is told what to send."""
    if wants_page(headers, scope["path"]) and scope["method"] in ("GET", "HEAD"):
        raw = scope.get("raw_path") or scope["path"].encode()
        asked = raw + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        back = b"" if asked == b"/" or len(asked) > LONGEST else b"?" + urlencode({"next": asked}).encode()
        await _empty(send, 303, ((b"location", b"/login" + back),))
        return
    error = WebError(
        401,
        "locked",
        "This hub does not know you",
        remedy="Log in on its page, or send the header Authorization: Bearer TOKEN",
    )
    await _refuse(send, headers, scope, problem_of(error))


async def _empty(send: Send, status: int, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0"), *headers]})
    await send({"type": "http.response.body", "body": b""})


async def _refuse(send: Send, headers: dict[bytes, bytes], scope: Scope, problem: Problem) -> None:
    extra: list[tuple[bytes, bytes]] = []
    if problem.status == 401:
        extra = [(b"www-authenticate", b'Bearer realm="pilothouse"')]
    if problem.status == 401 and wants_page(headers, scope["path"]):
        page = locked(problem)
        body, kind = bytes(page.content), b"text/html; charset=utf-8"
        extra += [(name.lower().encode(), str(value).encode()) for name, value in page.headers.items()]
    else:
        body, kind = encode(problem), MEDIA_TYPE.encode()
    start = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *extra]
    await send({"type": "http.response.start", "status": problem.status, "headers": start})
    await send({"type": "http.response.body", "body": body})


def _peer(scope: Scope) -> str:
    """The other end of the connection, which may be a proxy."""
    return scope["client"][0] if scope.get("client") else ""


def _with_headers(send: Send, fixed: Headers) -> Send:
    async def outward(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            names = {name.lower() for name, _ in given}
            message["headers"] = [*given, *(pair for pair in fixed if pair[0] not in names)]
        await send(message)

    return outward
