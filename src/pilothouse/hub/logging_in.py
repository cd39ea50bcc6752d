"""Letting somebody in once it is known who they are: a session in the record, its cookie, a line in the ledger."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from pilothouse.clock import parse_duration
from pilothouse.hub.access import cookie_name, cookie_of, plausible
from pilothouse.hub.own_paths import own_path
from pilothouse.hub.site import address_of, real_site_of, visitor_of
from pilothouse.record.people_rows import How
from pilothouse.rights import MayNot

ORIGIN = "page"
_WORDS: dict[How, str] = {
    "password": "With a password.",
    "link": "With a one-time link.",
    "oidc": "Through the identity provider.",
    "proxy": "Through the proxy.",
    "guest": "With a guest link.",
}


async def let_in(
    request: Request[Any, Any, Any], who: str, how: How, *, next: str = "/", guest_id: str = "", proof: str = ""
) -> Response[bytes]:
    """The answer that lets this browser in as `who` and sends it to `next`, a path of this hub.

    `guest_id` is the id of a guest's link, `proof` the hash that a password was tested against. Raises NotLetIn when
    nobody of that name may come in, RecordError.
    """
    answer = go(own_path(next))
    await start_session(request, answer, who, how, guest_id=guest_id, proof=proof)
    address = address_of(request)
    await real_site_of(request).audit.note(
        "login", thing=who, who=who, origin=ORIGIN, address=address, detail=_WORDS[how]
    )
    return answer


async def start_session(
    request: Request[Any, Any, Any],
    answer: Response[bytes],
    who: str,
    how: How,
    *,
    guest_id: str = "",
    proof: str = "",
) -> None:
    """Put the cookie of a new session into an answer, and end the one that this browser has.

    The secret is always a new one: whoever planted an old one in this browser has nothing of it.
    """
    site = real_site_of(request)
    agent = request.headers.get("user-agent", "")
    secret = await site.people.sessions.start(
        who, how, address=address_of(request), agent=agent, guest_id=guest_id, proof=proof
    )
    before = _cookie(request)
    if before:
        await site.people.sessions.end(before)
    secure = _secure(request)
    answer.set_cookie(
        cookie_name(secure=secure),
        secret,
        max_age=int(parse_duration(site.config.hub.session_life)),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


async def log_out(request: Request[Any, Any, Any]) -> Response[bytes]:
    """End the session of this browser, and send it to the log-in page."""
    site, visitor = real_site_of(request), visitor_of(request)
    secret = _cookie(request)
    answer = go("/login")
    if secret and await site.people.sessions.end(secret):
        await site.audit.note(
            "logout", thing=visitor.who, who=visitor.who, origin=visitor.origin, address=address_of(request)
        )
    secure = _secure(request)
    answer.set_cookie(cookie_name(secure=secure), "", max_age=0, path="/", secure=secure, httponly=True, samesite="lax")
    return answer


async def noted(request: Request[Any, Any, Any], name: str, *, thing: str = "", detail: str = "") -> None:
    """Write down what the visitor of this request did about people; raises RecordError."""
    visitor, audit = visitor_of(request), real_site_of(request).audit
    await audit.note(
        name, thing=thing, who=visitor.who, origin=visitor.origin, address=address_of(request), detail=detail
    )


def account_of(request: Request[Any, Any, Any]) -> str:
    """Name of the person who asks; raises MayNot for the command line of the hub's machine, which has no account."""
    visitor = visitor_of(request)
    if visitor.how == "machine":
        raise MayNot(
            f"{visitor.who} has no account",
            why="the token in the data folder is the machine's own",
            remedy="Make an account with: pilothouse user add NAME",
        )
    return visitor.who


def go(path: str) -> Response[bytes]:
    """Send the browser to a path of this hub, with GET."""
    return Response(b"", status_code=303, headers={"Location": path})


def _secure(request: Request[Any, Any, Any]) -> bool:
    """Whether the browser came by TLS, perhaps to a proxy that did it for us."""
    return bool(request.scope["state"]["secure"])


def _cookie(request: Request[Any, Any, Any]) -> str:
    """The secret that this browser came with, "" without one."""
    secret = cookie_of(request.headers.get("cookie", "").encode("latin-1"), cookie_name(secure=_secure(request)))
    return secret if plausible(secret) else ""
