"""What one-time links lead to: the first administrator is made, a password is set, somebody is let in.

The secret goes from the link into a hidden field of the page's form, and is used up by sending that.
"""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.response import Response
from msgspec import Struct

from pilothouse.errors import PilothouseError
from pilothouse.hub.access import plausible
from pilothouse.hub.logging_in import let_in
from pilothouse.hub.pages.alone import alone
from pilothouse.hub.pages.login_forms import Typed, new_password, said
from pilothouse.hub.problems import problem_of
from pilothouse.hub.site import address_of, real_site_of
from pilothouse.record.people_errors import NotLetIn
from pilothouse.record.people_rows import LinkKind, LinkRow
from pilothouse.rights import check_person

_TEMPLATES: dict[LinkKind, str] = {
    "first": "login_first.html",
    "invite": "login_password.html",
    "login": "login_link.html",
}


class LinkPage(Struct, frozen=True, kw_only=True):
    """What the page of a link shows."""

    token: str
    """The link's secret."""
    name: str = ""
    """For whom it is; of a "first" link, what was typed as the name."""
    instead_of: str = ""
    """Who is logged in in this browser, and is not after it; "" = nobody else."""
    said: str = ""
    """Why what was typed was not taken; "" = nothing was typed yet."""
    remedy: str = ""

    def __repr__(self) -> str:
        return f"LinkPage(name={self.name!r})"


class GonePage(Struct, frozen=True, kw_only=True):
    """What is shown for a link that is used, too old or made up."""

    nobody: bool
    """Whether there is no administrator who could help."""


async def link_page(request: Request[Any, Any, Any], token: str) -> Response[bytes]:
    """What a link is for. Looking does not use it up."""
    link = await real_site_of(request).people.links.peek(token) if token else None
    if link is None:
        return await _gone(request)
    return _page(request, link, LinkPage(token=token, name=link.who))


async def by_link(request: Request[Any, Any, Any], form: Typed) -> Response[bytes]:
    """Do what a link is for, and let this browser in."""
    people = real_site_of(request).people
    link = await people.links.peek(form.token) if plausible(form.token) else None
    if link is None:
        return await _gone(request)
    try:
        who = await _USES[link.kind](request, form, link)
        return await let_in(request, who, "link")
    except NotLetIn:  # used by somebody else just now, or the account was disabled
        return await _gone(request)
    except PilothouseError as error:
        name = form.name if link.kind == "first" else link.who
        text, remedy = said(error)
        shown = LinkPage(token=form.token, name=name[:100], said=text, remedy=remedy)
        return _page(request, link, shown, status=problem_of(error).status)


async def _make_first(request: Request[Any, Any, Any], form: Typed, link: LinkRow) -> str:
    site = real_site_of(request)
    name = check_person(form.name)
    stored = await site.passwords.hash(new_password(form, name))
    person = await site.people.links.use_first(form.token, name, password_hash=stored)
    await _note(request, "user.add", person.name, "The first administrator, made with a one-time link.")
    return person.name


async def _set_password(request: Request[Any, Any, Any], form: Typed, link: LinkRow) -> str:
    site = real_site_of(request)
    stored = await site.passwords.hash(new_password(form, link.who))
    used = await site.people.links.use_invite(form.token, stored)
    await _note(request, "password.set", used.who, "With a one-time link. All their sessions ended.")
    return used.who


async def _come_in(request: Request[Any, Any, Any], form: Typed, link: LinkRow) -> str:
    used = await real_site_of(request).people.links.use(form.token)
    if used is None:
        raise NotLetIn("The link was used just now")
    return used.who


_USES = {"first": _make_first, "invite": _set_password, "login": _come_in}


async def _note(request: Request[Any, Any, Any], name: str, who: str, detail: str) -> None:
    audit = real_site_of(request).audit
    await audit.note(name, thing=who, who=who, origin="page", address=address_of(request), detail=detail)


def _page(request: Request[Any, Any, Any], link: LinkRow, shown: LinkPage, *, status: int = 200) -> Response[bytes]:
    site = real_site_of(request)
    here = request.scope["state"].get("who", "")
    if here and here != shown.name:
        shown = LinkPage(token=shown.token, name=shown.name, instead_of=here, said=shown.said, remedy=shown.remedy)
    template = _TEMPLATES[link.kind]
    return alone(template, status, forms=True, shown=shown, site_title=site.title, banner=site.posture.banner)


async def _gone(request: Request[Any, Any, Any]) -> Response[bytes]:
    site = real_site_of(request)
    shown = GonePage(nobody=not await site.people.persons.has_admin())
    return alone("login_gone.html", 410, shown=shown, site_title=site.title, banner=site.posture.banner)
