"""`GET /api/people`, `GET`, `POST`, `PATCH`, `DELETE /api/people/{name}`, `POST /api/people/{name}/link`"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from litestar import Request, Response, delete, get, patch, post
from litestar.params import FromPath
from msgspec import UNSET, Meta, Struct, UnsetType

from pilothouse.hub.bodies import read_body
from pilothouse.hub.encoded import encoded
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers, body_of
from pilothouse.hub.people_acts import Link, acts_of, person_of
from pilothouse.hub.site import Site, real_site_of
from pilothouse.record.people_rows import Person, Source
from pilothouse.rights import Deed

Title = Annotated[str, Meta(max_length=100)]
Note = Annotated[str, Meta(max_length=500)]
Texts = Annotated[list[Annotated[str, Meta(max_length=150)]], Meta(max_length=200)]


class PersonView(Struct, kw_only=True):
    """Somebody who may come in."""

    name: str
    """What the ledger calls them; never changes."""
    title: str
    """What pages call them; "" = their name."""
    rights: list[str]
    """"viewer", "operator@bench", "engineer@pi/bath", "operator@pi/*"; nothing else is theirs."""
    active: bool
    """False = disabled: nothing lets them in."""
    source: Source
    """Who tests their password: "" = this hub, "oidc" = an identity provider, "proxy" = a trusted proxy."""
    has_password: bool
    """False for who was invited and has not come yet, and for those from outside."""
    made: int
    """When they were added."""
    seen: int
    """When they last logged in; 0 = never."""
    note: str
    """Words of the administrators."""
    sessions: int
    """Browsers in which they are logged in."""
    tokens: int
    """Programs that may act as them."""


class People(Struct, kw_only=True):
    """Everybody who may come in."""

    time: int
    """The hub's clock."""
    people: list[PersonView]
    """By name."""


class NewPerson(Struct, kw_only=True, forbid_unknown_fields=True):
    """Somebody who is to come in."""

    title: Title = ""
    rights: Texts = []


class PersonChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed; what is left out stays as it is."""

    title: Title | UnsetType = UNSET
    note: Note | UnsetType = UNSET
    rights: Texts | UnsetType = UNSET
    """All of them, instead of those that they have."""
    active: bool | UnsetType = UNSET
    """False disables them and ends their sessions, tokens and links."""


class WantedLink(Struct, kw_only=True, forbid_unknown_fields=True):
    """A link that works once."""

    kind: Literal["invite", "login"] = "invite"
    """"invite" lets them set a password, "login" lets them in without one."""
    hours: Annotated[float, Meta(gt=0, le=168)] = 24.0
    """Hours until it ends."""


class Removed(Struct, kw_only=True):
    """Who was removed."""

    name: str


async def view_of(site: Site, person: Person) -> PersonView:
    """One person with what is open of theirs."""
    sessions, tokens = await site.people.sessions.of(person.name), await site.people.tokens.of(person.name)
    return _view(person, len(sessions), len(tokens))


def _view(person: Person, sessions: int, tokens: int) -> PersonView:
    return PersonView(
        name=person.name,
        title=person.title,
        rights=list(person.grants),
        active=person.active,
        source=person.source,
        has_password=person.has_password,
        made=person.made,
        seen=person.seen,
        note=person.note,
        sessions=sessions,
        tokens=tokens,
    )


@get(
    "/api/people",
    summary="Everybody",
    tags=["People"],
    operation_id="people",
    responses=answers(People, "Everybody by name", 503),
    opt=needs(Deed.PEOPLE),
)
async def get_people(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Who may come in, and what they may."""
    site = real_site_of(request)
    persons = await site.people.persons.all()
    sessions = Counter(row.who for row in await site.people.sessions.all())
    tokens = Counter(row.who for row in await site.people.tokens.all())
    views = [_view(each, sessions[each.name], tokens[each.name]) for each in persons]
    return encoded(People(time=site.clock.now(), people=views))


@get(
    "/api/people/{name:str}",
    summary="One person",
    tags=["People"],
    operation_id="person",
    responses=answers(PersonView, "The person", 404, 503),
    opt=needs(Deed.PEOPLE),
)
async def get_person(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """One person by their name."""
    site = real_site_of(request)
    return encoded(await view_of(site, await person_of(site, name)))


@post(
    "/api/people/{name:str}",
    summary="Add somebody",
    tags=["People"],
    operation_id="addPerson",
    status_code=200,
    operation_class=body_of(NewPerson, {"title": "Ada", "rights": ["viewer", "operator@bench"]}),
    responses=answers(PersonView, "The person", 400, 409, 413, 415, 422, 503),
    opt=needs(Deed.PEOPLE),
)
async def add_person(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Somebody new. They come in with a link that you make for them."""
    body = await read_body(request, NewPerson)
    person = await acts_of(request).add(name, title=body.title, grants=body.rights)
    return encoded(await view_of(real_site_of(request), person))


@patch(
    "/api/people/{name:str}",
    summary="Change somebody",
    tags=["People"],
    operation_id="changePerson",
    operation_class=body_of(PersonChange, {"rights": ["operator@bench"]}),
    responses=answers(PersonView, "The person as they are now", 400, 404, 409, 413, 415, 422, 503),
    opt=needs(Deed.PEOPLE),
)
async def change_person(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Change title, note, rights, or whether somebody may come in. The last administrator stays one (409)."""
    body, acts, site = await read_body(request, PersonChange), acts_of(request), real_site_of(request)
    person = await person_of(site, name)
    if body.active is True:
        person = await acts.set_active(name, True)
    if body.rights is not UNSET:
        person = await acts.set_rights(name, body.rights)
    if body.active is False:
        person = await acts.set_active(name, False)
    title = None if body.title is UNSET else body.title
    note = None if body.note is UNSET else body.note
    if title is not None or note is not None:
        person = await acts.describe(name, title=title, note=note)
    return encoded(await view_of(site, person))


@delete(
    "/api/people/{name:str}",
    summary="Remove somebody",
    tags=["People"],
    operation_id="removePerson",
    status_code=200,
    responses=answers(Removed, "They are gone", 404, 409, 503),
    opt=needs(Deed.PEOPLE),
)
async def remove_person(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Forget somebody, with their sessions, tokens and links. The ledger keeps what they did."""
    person = await acts_of(request).remove(name)
    return encoded(Removed(name=person.name))


@post(
    "/api/people/{name:str}/link",
    summary="Make a link for somebody",
    tags=["People"],
    operation_id="makeLink",
    status_code=200,
    operation_class=body_of(WantedLink, {"kind": "invite", "hours": 24}, required=False),
    responses=answers(Link, "The link, which is shown this once", 400, 404, 409, 413, 415, 422, 503),
    opt=needs(Deed.PEOPLE),
)
async def make_link(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """A link that works once: for choosing a password, or for coming in without one."""
    body = await read_body(request, WantedLink) if await request.body() else WantedLink()
    return encoded(await acts_of(request).link(name, body.kind, life=body.hours * 3600))
