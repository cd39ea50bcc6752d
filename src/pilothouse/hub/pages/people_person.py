"""One person: their rights and what these come to, their account, sessions, tokens, and their lines in the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

from pilothouse.errors import BadName
from pilothouse.hub.pages.commands import CommandRow, command_row
from pilothouse.hub.pages.people import Shown
from pilothouse.hub.pages.people_rows import (
    PersonRow,
    SessionCard,
    TokenCard,
    last_admin,
    person_rows,
    session_cards,
    token_cards,
)
from pilothouse.hub.pages.people_said import Said
from pilothouse.hub.pages.people_words import ROLES, Choice, Group, Summary, place_groups, summary
from pilothouse.hub.people_acts import person_of
from pilothouse.hub.site import Site
from pilothouse.record.people_rows import Person
from pilothouse.record.rows import Wanted
from pilothouse.rights import Rights, parse_grant, parse_grants

LINES = 15
"""Lines of the ledger on the page."""


class RightRow(NamedTuple):
    """One right as the form shows it."""

    role: str
    """"" = none: a row to fill in, or one that is taken away."""
    where: str


class Draft(Struct, frozen=True, kw_only=True):
    """Rights that were typed and are not theirs yet: bad input loses nothing."""

    rows: list[RightRow]
    spare: int = 0
    """Empty rows more than one."""
    sure: bool = False
    """Whether it must be asked first: whoever looks would not be an administrator any more."""


class About(NamedTuple):
    """What the form about somebody says."""

    title: str
    note: str
    """Words of the administrators about them."""


class PersonPage(Struct, frozen=True, kw_only=True):
    """What the page of one person shows."""

    now: int
    row: PersonRow
    about: About
    """Their title and note, or what was typed as such."""
    outside: bool
    """Whether somebody else tests their password."""
    last: bool
    """Whether they are the only administrator who can come in."""
    rows: list[RightRow]
    """Their rights, or what was typed, and empty rows to fill in."""
    changed: bool
    """Whether `rows` are typed and not theirs yet."""
    sure: bool
    """Whether the form must ask whether they mean it."""
    stamp: str
    """Of the rights that are theirs, so that nobody overwrites what somebody else changed meanwhile."""
    summary: Summary
    """What the rows come to."""
    places: list[Group]
    roles: list[Choice]
    sessions: list[SessionCard]
    tokens: list[TokenCard]
    lines: list[CommandRow]
    """The newest log-ins and changes, by them and about them."""
    said: Said | None
    """What the form before this page did, or why it did nothing."""
    link: Shown | None
    """The link that it made."""


async def build(
    site: Site,
    name: str,
    who: str = "",
    session: str = "",
    *,
    said: Said | None = None,
    draft: Draft | None = None,
    about: About | None = None,
    link: Shown | None = None,
) -> PersonPage:
    """The page of one person, as `who` sees it in the session of that id; raises NotThere."""
    people = site.people
    person = await person_of(site, name)
    sessions, tokens = await people.sessions.of(name), await people.tokens.of(name)
    links = await people.links.of("invite", "login")
    typed = [row for row in draft.rows if row.role] if draft else _rows(person.grants)
    spare = 1 + (draft.spare if draft else 0)
    return PersonPage(
        now=site.clock.now(),
        row=person_rows(site, [person], sessions, tokens, links, who)[0],
        about=about or About(person.title, person.note),
        outside=person.source != "",
        last=last_admin(await people.persons.all()) == name,
        rows=typed + [RightRow("", "")] * spare,
        changed=draft is not None,
        sure=draft is not None and draft.sure,
        stamp=stamp_of(person.grants),
        summary=_summary(site, typed, person),
        places=place_groups(site, [row.where for row in typed]),
        roles=[Choice(role, words) for role, words in ROLES.items()],
        sessions=session_cards(sessions, session),
        tokens=token_cards(site, tokens),
        lines=await _lines(site, name),
        said=said,
        link=link,
    )


def grants_of(rows: Iterable[RightRow]) -> list[str]:
    """The rights that a form means, as text; rows without a role are none."""
    return [f"{role}@{where}" if where else role for role, where in rows if role]


def stamp_of(grants: Iterable[str]) -> str:
    """A mark that changes with the rights."""
    return hashlib.sha256("\n".join(sorted(grants)).encode()).hexdigest()[:16]


def _rows(grants: Iterable[str]) -> list[RightRow]:
    return [RightRow(grant.role.value, grant.where) for grant in map(parse_grant, grants)]


def _summary(site: Site, rows: Iterable[RightRow], person: Person) -> Summary:
    """What typed rights come to; while they are none yet, what those do that are theirs."""
    try:
        return summary(Rights(parse_grants(grants_of(rows))), site)
    except BadName:
        return summary(Rights(parse_grants(person.grants)), site)


async def _lines(site: Site, name: str) -> list[CommandRow]:
    """By them and about them; a guest link may be called as somebody is."""
    by = (await site.ledger.page(Wanted(kind="people", who=name), limit=LINES)).lines
    about = (await site.ledger.page(Wanted(kind="people", thing=name), limit=LINES)).lines
    found = {line.id: line for line in [*by, *about] if line.who == name or not line.name.startswith("guest.")}
    newest = sorted(found.values(), key=lambda line: (line.made, line.id), reverse=True)
    return [command_row(line, site.directory) for line in newest[:LINES]]
