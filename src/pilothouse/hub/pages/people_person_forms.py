"""What the forms on the page of one person do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, get, post
from litestar.params import FromPath
from litestar.response import Response

from pilothouse.errors import NotThere, PilothouseError
from pilothouse.hub.needs import needs
from pilothouse.hub.pages.errors import not_there
from pilothouse.hub.pages.forms import Form, form_of
from pilothouse.hub.pages.people import Shown
from pilothouse.hub.pages.people_person import About, Draft, RightRow, build, grants_of, stamp_of
from pilothouse.hub.pages.people_rows import last_admin
from pilothouse.hub.pages.people_said import Said, back, refused, said_of
from pilothouse.hub.pages.render import page
from pilothouse.hub.people_acts import PeopleActs, acts_of, person_of
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import real_site_of, visitor_of, who_of
from pilothouse.rights import Deed, Role, parse_grants

_ROWS = 250
"""Rows of a form that are read; more rights than somebody may have."""
_SPARE = 20
"""Empty rows that a form may have beside its first."""
_MEANWHILE = (
    "Somebody else changed these rights meanwhile; what holds now: {}. "
    "Below is what you chose: look at it, and save again."
)


async def _link(acts: PeopleActs, name: str) -> Shown:
    """A link with which somebody sets a password."""
    link = await acts.link(name)
    return Shown(
        url=link.url,
        title=f"The link for {name}",
        text="It works once: with it they choose a password, which ends their sessions. An old one is good until then.",
        expires=link.expires,
    )


async def _describe(acts: PeopleActs, name: str, form: Form) -> str:
    await acts.describe(name, title=form.text("title"), note=form.text("note"))
    return "described"


async def _disable(acts: PeopleActs, name: str, form: Form) -> str:
    await acts.set_active(name, False)
    return "disabled"


async def _enable(acts: PeopleActs, name: str, form: Form) -> str:
    await acts.set_active(name, True)
    return "enabled"


async def _remove(acts: PeopleActs, name: str, form: Form) -> str:
    await acts.remove(name)
    return "removed"


async def _end_session(acts: PeopleActs, name: str, form: Form) -> str:
    await acts.end_session(name, form.text("id"))
    return "session-ended"


async def _end_sessions(acts: PeopleActs, name: str, form: Form) -> str:
    await acts.end_sessions(name)
    return "sessions-ended"


async def _end_token(acts: PeopleActs, name: str, form: Form) -> str:
    await acts.end_token(name, form.text("id"))
    return "token-ended"


_DOES: dict[str, Callable[[PeopleActs, str, Form], Awaitable[str]]] = {
    "describe": _describe,
    "disable": _disable,
    "enable": _enable,
    "remove": _remove,
    "end-session": _end_session,
    "end-sessions": _end_sessions,
    "end-token": _end_token,
}


async def _change_rights(request: Request[Any, Any, Any], name: str, form: Form) -> Response[bytes]:
    """Save rights, unless they are to be looked at first, are others by now, or would lock out whoever saves them."""
    draft = _draft(form)
    if form.text("do") == "more":
        spare = min(sum(not row.role for row in draft.rows), _SPARE)
        return await _shown(request, name, draft=Draft(rows=draft.rows, spare=max(1, spare)))
    texts = grants_of(draft.rows)
    try:
        wanted = [str(grant) for grant in parse_grants(texts)]
        if form.text("do") == "preview":
            return await _shown(request, name, draft=draft)
        person, site = await person_of(real_site_of(request), name), real_site_of(request)
        if form.text("stamp") != stamp_of(person.grants):
            said = Said(level="warn", text=_MEANWHILE.format(", ".join(person.grants) or "none"))
            return await _shown(request, name, 409, said=said, draft=draft)
        leaving = name == who_of(request) and _admin(person.grants) and not _admin(wanted)
        alone = leaving and last_admin(await site.people.persons.all()) == name
        if leaving and not alone and form.text("sure") != "yes":
            return await _shown(request, name, draft=Draft(rows=draft.rows, sure=True))
        changed = await acts_of(request).set_rights(name, texts)
    except PilothouseError as error:
        said, status = refused(error)
        return await _shown(request, name, status, said=said, draft=draft)
    if leaving:
        return back("/", "")
    return back(f"/people/{name}", "same" if changed.grants == person.grants else "rights")


def _draft(form: Form) -> Draft:
    pairs = zip(form.texts("role", _ROWS), form.texts("where", _ROWS), strict=False)
    return Draft(rows=[RightRow(role, where) for role, where in pairs])


def _admin(grants: list[str] | tuple[str, ...]) -> bool:
    return str(Role.ADMIN) in grants


@get("/people/{name:str}", include_in_schema=False, opt=needs(Deed.PEOPLE))
async def person_page(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """The page."""
    return await _shown(request, name, said=said_of(request.query_params.get("said", "")))


@post("/people/{name:str}", include_in_schema=False, status_code=200, opt=needs(Deed.PEOPLE))
async def person_form(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Any form of the page; which one is in its field `do`."""
    form, acts = await form_of(request), acts_of(request)
    do = form.text("do")
    if do in ("rights", "more", "preview"):
        return await _change_rights(request, name, form)
    try:
        if do == "link":
            return await _shown(request, name, link=await _link(acts, name))
        if do not in _DOES:
            raise WebError(422, "bad-value", f"Nobody knows how to {do[:20] or 'do nothing'} here")
        code = await _DOES[do](acts, name, form)
    except PilothouseError as error:
        said, status = refused(error)
        about = About(form.text("title"), form.text("note")) if do == "describe" else None
        return await _shown(request, name, status, said=said, about=about)
    return back("/people" if do == "remove" else f"/people/{name}", code)


async def _shown(request: Request[Any, Any, Any], name: str, status: int = 200, **more: Any) -> Response[bytes]:
    visitor = visitor_of(request)
    try:
        shown = await build(real_site_of(request), name, visitor.who, visitor.id, **more)
    except NotThere as error:
        return not_there(request, error)
    return page(request, "people_person.html", shown, title=shown.row.title or name, here="people", status=status)
