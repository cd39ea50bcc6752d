"""People: who may come in, guests with their links, and the command line of this machine; inviting somebody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, get, post
from litestar.response import Response
from msgspec import Struct

from pilothouse.errors import PilothouseError
from pilothouse.hub.needs import needs
from pilothouse.hub.pages.forms import Form, form_of
from pilothouse.hub.pages.people_rows import (
    GuestCard,
    PersonRow,
    TokenCard,
    guest_cards,
    last_admin,
    person_rows,
    token_cards,
)
from pilothouse.hub.pages.people_said import Said, back, refused, said_of
from pilothouse.hub.pages.people_words import ROLES, Choice, Group, place_groups, stand_choices
from pilothouse.hub.pages.render import page
from pilothouse.hub.people_acts import PeopleActs, acts_of
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import Site, real_site_of, who_of
from pilothouse.rights import MACHINE, Deed

DAY = 86_400
LIVES = [
    Choice(str(3600), "an hour"),
    Choice(str(8 * 3600), "8 hours"),
    Choice(str(DAY), "a day"),
    Choice(str(7 * DAY), "a week"),
    Choice(str(30 * DAY), "30 days"),
    Choice(str(90 * DAY), "90 days"),
]
"""How long a guest link may last, seconds."""
LINK_LIVES = [Choice(str(3600), "an hour"), Choice(str(DAY), "a day"), Choice(str(7 * DAY), "a week")]
"""How long an invitation is good for, seconds."""


class Shown(Struct, frozen=True, kw_only=True):
    """A link that was just made, and is shown this once."""

    url: str
    title: str
    """What it is."""
    text: str
    """What to do with it."""
    expires: int
    """When it ends, Unix milliseconds."""

    def __repr__(self) -> str:
        return f"Shown(title={self.title!r})"


class Typed(Struct, frozen=True, kw_only=True):
    """What was filled in and did not get through: bad input loses nothing."""

    do: str = ""
    """Which form it was."""
    name: str = ""
    title: str = ""
    role: str = "viewer"
    where: str = ""
    life: str = str(DAY)


class PeoplePage(Struct, frozen=True, kw_only=True):
    """What the page People shows."""

    now: int
    people: list[PersonRow]
    """Everybody, by name."""
    lonely: str
    """The only administrator who can come in; "" = there are several."""
    guests: list[GuestCard]
    """Guest links that have not ended."""
    machines: list[TokenCard]
    """Tokens of command lines on the hub's own machines."""
    places: list[Group]
    """Where a right can hold."""
    roles: list[Choice]
    """Roles with what each may."""
    stands: list[Choice]
    """Stands that a guest can look on at."""
    lives: list[Choice]
    """How long a guest link may last."""
    link_lives: list[Choice]
    """How long an invitation may be good for."""
    typed: Typed
    said: Said | None
    """What the form before this page did, or why it did nothing."""
    link: Shown | None
    """The link that it made."""


async def build(
    site: Site, who: str = "", *, said: Said | None = None, typed: Typed | None = None, link: Shown | None = None
) -> PeoplePage:
    """The page now, as `who` sees it."""
    people = site.people
    persons, tokens, guests = await people.persons.all(), await people.tokens.all(), await people.guests.all()
    links, sessions = await people.links.of("invite", "login"), await people.sessions.all()
    return PeoplePage(
        now=site.clock.now(),
        people=person_rows(site, persons, sessions, tokens, links, who),
        lonely=last_admin(persons),
        guests=guest_cards(site, guests),
        machines=token_cards(site, [each for each in tokens if each.who == MACHINE]),
        places=place_groups(site),
        roles=[Choice(role, words) for role, words in ROLES.items()],
        stands=stand_choices(site),
        lives=LIVES,
        link_lives=LINK_LIVES,
        typed=typed or Typed(),
        said=said,
        link=link,
    )


async def invite(acts: PeopleActs, form: Form) -> Shown:
    """Somebody new with one right, and the link with which they come in."""
    role, where, life = form.text("role"), form.text("where"), _seconds(form, LINK_LIVES)
    grants = [f"{role}@{where}" if where else role] if role else []
    person = await acts.add(form.text("name"), title=form.text("title"), grants=grants)
    link = await acts.link(person.name, life=life)
    return Shown(
        url=link.url,
        title=f"The invitation for {person.title or person.name}",
        text="It works once: with it they choose their password and are in. Give it to nobody else.",
        expires=link.expires,
    )


async def make_guest(acts: PeopleActs, form: Form) -> Shown:
    """A guest link."""
    link, row = await acts.make_guest(form.text("name"), form.text("where"), _seconds(form, LIVES))
    return Shown(
        url=link.url,
        title=f"The guest link {row.name}",
        text="Whoever has it looks on at this one stand, as often as they like, and switches nothing.",
        expires=link.expires,
    )


_MAKES: dict[str, Callable[[PeopleActs, Form], Awaitable[Shown]]] = {"invite": invite, "guest": make_guest}


def _seconds(form: Form, choices: list[Choice]) -> int:
    """How long, as one of the choices; raises WebError."""
    given = form.text("life")
    if given not in {choice.value for choice in choices}:
        raise WebError(422, "bad-value", "Choose for how long it is good", remedy="One of the lengths in the list")
    return int(given)


@get("/people", include_in_schema=False, opt=needs(Deed.PEOPLE))
async def people_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page."""
    said = said_of(request.query_params.get("said", ""))
    return _shown(request, await build(real_site_of(request), who_of(request), said=said))


@post("/people", include_in_schema=False, status_code=200, opt=needs(Deed.PEOPLE))
async def people_form(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Invite somebody, make a guest link, end one."""
    form, acts, site, who = await form_of(request), acts_of(request), real_site_of(request), who_of(request)
    do = form.text("do")
    try:
        if do == "end-guest":
            await acts.end_guest(form.text("id"))
            return back("/people", "guest-ended")
        if do not in _MAKES:
            raise WebError(422, "bad-value", f"Nobody knows how to {do[:20] or 'do nothing'} here")
        link = await _MAKES[do](acts, form)
    except PilothouseError as error:
        said, status = refused(error)
        fields = {name: form.text(name) for name in ("name", "title", "role", "where", "life")}
        return _shown(request, await build(site, who, said=said, typed=Typed(do=do, **fields)), status)
    return _shown(request, await build(site, who, link=link))


def _shown(request: Request[Any, Any, Any], shown: PeoplePage, status: int = 200) -> Response[bytes]:
    return page(request, "people.html", shown, title="People", here="people", status=status)
