"""What the command line says of people."""

from __future__ import annotations

import sys
from pathlib import Path

from pilothouse.cli.record_here import Here
from pilothouse.config.load import read
from pilothouse.config.places import Places
from pilothouse.errors import NotThere, nearest
from pilothouse.record import Person
from pilothouse.rights import parse_grants

_OUTSIDE = {"oidc": "single sign-on", "proxy": "proxy"}


def rights_of(grants: tuple[str, ...]) -> str:
    """Rights in a line; "none"."""
    return " ".join(grants) or "none"


def way_in(person: Person) -> str:
    """How somebody logs in: "password", "single sign-on", "disabled" …"""
    if not person.active:
        return "disabled"
    return _OUTSIDE.get(person.source) or ("password" if person.has_password else "not yet")


async def require(here: Here, name: str) -> Person:
    """The person of this name; raises NotThere with the nearest."""
    everybody = await here.people.persons.all()
    for person in everybody:
        if person.name == name:
            return person
    names = [person.name for person in everybody]
    raise NotThere(
        f"There is nobody called {name[:64]!r} here",
        nearest=nearest(name, names),
        remedy="See who there is with: pilothouse user list",
    )


def say(sentence: str) -> None:
    """A warning on standard error, where it is in no program's way."""
    print(f"pilothouse: {sentence}", file=sys.stderr)


def warn_of_places(places: Places, config: Path | None, grants: tuple[str, ...]) -> None:
    """Say so when a right is for a stand that the configuration of this machine does not have; it may come later."""
    found = read(places.data, config)[0]
    if found is None:
        return
    for grant in parse_grants(grants):
        if grant.where and "/" not in grant.where and grant.where not in found.stands:
            near = nearest(grant.where, found.stands)
            meant = f" Did you mean {near!r}?" if near else ""
            say(f"{grant} counts once there is a stand {grant.where!r}; there is none yet.{meant}")
