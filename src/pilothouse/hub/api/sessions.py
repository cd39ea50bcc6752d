"""`GET /login`, `POST /logout`"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.params import QueryParameter

from pilothouse.hub.access import COOKIE
from pilothouse.hub.pages.errors import locked
from pilothouse.hub.problems import WebError, problem_of
from pilothouse.hub.site import site_of
from pilothouse.record.people import SESSION_LIFE


@get("/login", include_in_schema=False)
async def log_in(request: Request[Any, Any, Any], token: Annotated[str, QueryParameter()] = "") -> Response[bytes]:
    """Turn a one-time link into a session."""
    site = site_of(request)
    session = await site.people.redeem(token) if 0 < len(token) <= 200 else None
    if session is None:
        error = WebError(
            401,
            "locked",
            "This link does not let you in",
            why="it was used already, is too old, or is not whole",
            remedy="Get a new one with: pilothouse link",
        )
        return locked(problem_of(error))
    answer = Response(b"", status_code=303, headers={"Location": "/", "Cache-Control": "no-store"})
    answer.set_cookie(
        COOKIE,
        session,
        max_age=int(SESSION_LIFE),
        path="/",
        secure=site.url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer


@post("/logout", include_in_schema=False, status_code=303)
async def log_out(request: Request[Any, Any, Any]) -> Response[bytes]:
    """End the session of this browser."""
    secret = request.cookies.get(COOKIE)
    if secret:
        await site_of(request).people.end_session(secret)
    answer = Response(b"", status_code=303, headers={"Location": "/", "Cache-Control": "no-store"})
    answer.delete_cookie(COOKIE)
    return answer
