"""`/login`: name and password, or a one-time link; and `/logout`.

Opening a page changes nothing: programs of messengers open links before people do, to show what is behind them. What a
link does, it does by the button on its page.
"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.params import QueryParameter
from litestar.response import Response
from msgspec import Struct

from pilothouse.errors import PilothouseError
from pilothouse.hub import logging_in
from pilothouse.hub.access import Visitor, plausible
from pilothouse.hub.needs import needs, open_to_all
from pilothouse.hub.outside import Button
from pilothouse.hub.own_paths import own_path
from pilothouse.hub.pages.alone import alone
from pilothouse.hub.pages.login_forms import said, typed
from pilothouse.hub.pages.login_links import by_link, link_page
from pilothouse.hub.problems import WebError, problem_of
from pilothouse.hub.proving import Asker, not_proved
from pilothouse.hub.site import address_of, real_site_of
from pilothouse.record.people_errors import NotLetIn
from pilothouse.rights import Deed


class LoginPage(Struct, frozen=True, kw_only=True):
    """What the log-in page shows."""

    name: str = ""
    """What was typed as the name: bad input loses nothing but the password."""
    next: str = "/"
    """Where to go then."""
    said: str = ""
    """Why it did not let in; "" = nothing was tried yet."""
    remedy: str = ""
    button: Button | None = None
    """Log-in at an identity provider; None = there is none."""
    nobody: bool = False
    """Whether there is nobody who could log in, so that the page says how to make the first administrator."""


@get("/login", include_in_schema=False, opt=open_to_all())
async def login_page(
    request: Request[Any, Any, Any],
    token: Annotated[str, QueryParameter()] = "",
    next: Annotated[str, QueryParameter()] = "/",
) -> Response[bytes]:
    """The page; with a link's secret, what that link is for."""
    if token:
        return await link_page(request, token if plausible(token) else "")
    visitor: Visitor | None = request.scope["state"].get("visitor")
    if visitor is not None and visitor.rights.through != "guest":  # a guest may have an account
        return logging_in.go(own_path(next))
    everybody = await real_site_of(request).people.persons.all()
    nobody = not any(person.can_come_in for person in everybody) and _button(request) is None
    return _page(request, LoginPage(next=own_path(next), button=_button(request), nobody=nobody))


@post("/login", include_in_schema=False, status_code=200, opt=open_to_all())
async def log_in(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Let somebody in who knows a password or has a link."""
    form = await typed(request)
    if form.token:
        return await by_link(request, form)
    next = own_path(form.next)
    try:
        asker = Asker(address_of(request), "page")
        proved = await real_site_of(request).proving.prove(form.name, form.password, asker)
        return await logging_in.let_in(request, proved.name, "password", next=next, proof=proved.proof)
    except NotLetIn:  # disabled or changed while it was tested
        return _refused(request, form.name, next, not_proved())
    except PilothouseError as error:
        return _refused(request, form.name, next, error)


@post("/logout", include_in_schema=False, status_code=303, opt=needs(Deed.SEE, "seen"))
async def log_out(request: Request[Any, Any, Any]) -> Response[bytes]:
    """End the session of this browser."""
    return await logging_in.log_out(request)


def _refused(request: Request[Any, Any, Any], name: str, next: str, error: PilothouseError) -> Response[bytes]:
    text, remedy = said(error)
    shown = LoginPage(name=name[:100], next=next, said=text, remedy=remedy, button=_button(request))
    headers = error.headers if isinstance(error, WebError) else {}
    return _page(request, shown, status=problem_of(error).status, headers=headers)


def _page(
    request: Request[Any, Any, Any], shown: LoginPage, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response[bytes]:
    site = real_site_of(request)
    return alone(
        "login.html",
        status,
        forms=True,
        headers=headers,
        shown=shown,
        site_title=site.title,
        banner=site.posture.banner,
    )


def _button(request: Request[Any, Any, Any]) -> Button | None:
    outside = request.app.state.get("outside")
    return outside.button if outside else None
