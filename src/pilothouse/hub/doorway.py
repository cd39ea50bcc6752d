"""What every request passes before the framework sees it: Host, who it is, Origin; and the headers of every answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pilothouse.errors import RecordError
from pilothouse.hub.access import UNSAFE, Access, Visitor, host_allowed, own_hosts, same_origin
from pilothouse.hub.pages.errors import locked
from pilothouse.hub.problems import MEDIA_TYPE, Problem, WebError, encode, problem_of
from pilothouse.hub.site import Site

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = frozenset({"/healthz", "/login"})
"""What answers without a log-in."""
_NO_HEAD = frozenset({"/login", "/api/live"})
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


class Doorway:
    """An ASGI application before the application."""

    def __init__(self, site: Site, inside: App) -> None:
        self._inside = inside
        self._access = Access(site.people)
        hub = site.config.hub
        self._hosts = own_hosts(hub.host, hub.public_url)
        self._public_url = hub.public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            return
        outward = _with_headers(send)
        headers: dict[bytes, bytes] = dict(scope["headers"])
        try:
            visitor = await self._let_in(scope, headers)
        except WebError as error:
            await _refuse(outward, headers, scope, problem_of(error))
            return
        except RecordError as error:
            await _refuse(outward, headers, scope, problem_of(error))
            return
        state = scope.setdefault("state", {})
        if visitor is not None:
            state["visitor"] = visitor
            state["who"] = visitor.who
        if scope["method"] == "HEAD" and scope["path"] not in _NO_HEAD:
            # The server leaves the body out; nothing inside need know of HEAD.
            scope = {**scope, "method": "GET"}
        try:
            await self._inside(scope, receive, outward)
        except WebError as error:  # from what is served below the framework
            await _refuse(outward, headers, scope, problem_of(error))

    async def _let_in(self, scope: Scope, headers: dict[bytes, bytes]) -> Visitor | None:
        if not host_allowed(headers.get(b"host", b"").decode("latin-1"), self._hosts):
            raise WebError(
                421,
                "wrong-host",
                "This hub does not go by that name",
                why="another site may have led your browser here",
                remedy="Use the address that the hub printed, or set hub.public_url to the one you use",
            )
        visitor = await self._access.visitor(headers)
        if visitor is None and scope["path"] not in OPEN_PATHS:
            raise WebError(
                401,
                "locked",
                "This hub does not know you",
                remedy="Open a log-in link (pilothouse link), or send the header Authorization: Bearer TOKEN",
            )
        unsafe = scope["method"] in UNSAFE
        if unsafe and b"authorization" not in headers and not same_origin(headers, self._public_url):
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


def _with_headers(send: Send) -> Send:
    async def outward(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            names = {name.lower() for name, _ in given}
            message["headers"] = [*given, *(pair for pair in _HEADERS if pair[0] not in names)]
        await send(message)

    return outward
