"""Who is what, where: everybody who can come in, against the site, its stands and its things. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from pilothouse.hub.site import Site
from pilothouse.model import Address
from pilothouse.record.people_rows import GuestRow, Person
from pilothouse.rights import GUEST, NOBODY, SITE, Grant, Place, Rights, Role, parse_grants, role_at


class Holder(Struct, frozen=True, kw_only=True):
    """Somebody who may have rights: a person, or whoever has a guest link."""

    name: str
    """As the ledger calls them; guests "guest:NAME"."""
    title: str = ""
    """What pages call them; "" = their name."""
    active: bool = True
    """False = disabled, and no right counts."""
    guest: bool = False
    """Whether it is a guest link, which is for looking on only."""


class PlaceRoles(Struct, frozen=True, kw_only=True):
    """One place, and what everybody is there."""

    kind: str
    """"site", "stand" or "thing"."""
    where: str
    """As a right names it: "" for the site, "bench", "pi/bath"."""
    title: str
    stands: list[str] = []
    """Stands that a thing belongs to."""
    roles: dict[str, str]
    """The role that counts there, by name; who has none is left out."""


class Matrix(Struct, frozen=True, kw_only=True):
    """The rights of all, as they come out: a right at a stand counts for its things."""

    time: int
    """The hub's clock, Unix milliseconds."""
    people: list[Holder]
    """Everybody by name, then guest links."""
    places: list[PlaceRoles]
    """The site, the stands by name, the things by address."""
    unseen: list[str]
    """Things that nobody but administrators sees, as node/thing."""


def rights_of_person(person: Person) -> Rights:
    """What somebody may when they log in."""
    return Rights(parse_grants(person.grants)) if person.active else NOBODY


def rights_of_guest(row: GuestRow) -> Rights:
    """What whoever has a guest link may."""
    return Rights((Grant(Role.VIEWER, row.where),), through="guest", only=row.where)


def matrix_of(site: Site, persons: Sequence[Person], guests: Sequence[GuestRow]) -> Matrix:
    """The matrix now, of the whole site."""
    people = [Holder(name=each.name, title=each.title, active=each.active) for each in persons]
    rights = {each.name: rights_of_person(each) for each in persons}
    for row in guests:
        people.append(Holder(name=f"{GUEST}{row.name}", title=f"guests {row.name}", guest=True))
        rights[f"{GUEST}{row.name}"] = rights_of_guest(row)
    places = list(_places(site, rights))
    admins = {name for name, theirs in rights.items() if role_at(theirs, SITE) is Role.ADMIN}
    unseen = [each.where for each in places if each.kind == "thing" and not each.roles.keys() - admins]
    return Matrix(time=site.clock.now(), people=people, places=places, unseen=unseen)


def _places(site: Site, rights: dict[str, Rights]) -> Iterator[PlaceRoles]:
    yield PlaceRoles(kind="site", where="", title="The whole site", roles=_roles(rights, SITE))
    for view in site.stands.views():
        yield PlaceRoles(
            kind="stand", where=view.stand, title=view.title, roles=_roles(rights, Place.of_stand(view.stand))
        )
    for thing in site.directory.things():
        place = site.place(Address(thing.node, thing.thing))
        yield PlaceRoles(
            kind="thing",
            where=f"{thing.node}/{thing.thing}",
            title=thing.title or thing.thing,
            stands=sorted(place.stands),
            roles=_roles(rights, place),
        )


def _roles(rights: dict[str, Rights], place: Place) -> dict[str, str]:
    found = ((name, role_at(theirs, place)) for name, theirs in rights.items())
    return {name: role.value for name, role in found if role is not None}
