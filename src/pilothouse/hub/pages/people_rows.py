"""People, guest links, sessions and tokens as the pages about people show them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from pilothouse.hub.pages.people_words import grant_words, where_words
from pilothouse.hub.pages.right_words import browser_words, how_words, scope_words
from pilothouse.hub.site import Site
from pilothouse.record.people_rows import GuestRow, LinkRow, Person, SessionRow, TokenRow
from pilothouse.rights import EVERYWHERE, Role, parse_grants

SOURCES = {"": "this hub", "oidc": "the identity provider", "proxy": "the proxy"}
"""Who knows a person's password."""
STATES = {"active": "active", "invited": "invited", "out": "has no way in", "disabled": "disabled"}
"""How somebody stands, and the words; "out" = no password, and no link that still works."""


class PersonRow(Struct, frozen=True, kw_only=True):
    """One person in the list."""

    name: str
    title: str
    """"" = as their name."""
    href: str
    """Their page."""
    rights: list[str]
    """Their rights, each in words; [] = none."""
    state: str
    """"active", "invited", "out" or "disabled"."""
    word: str
    """The same for people."""
    source: str
    """Who tests their password, in words."""
    seen: int
    """When they last logged in, Unix milliseconds; 0 = never."""
    sessions: int
    """Browsers that are logged in."""
    tokens: int
    """Programs that may act as them."""
    me: bool
    """Whether it is who looks."""


class GuestCard(Struct, frozen=True, kw_only=True):
    """One guest link."""

    id: str
    name: str
    stand: str
    """Title of the stand."""
    where: str
    """Its name."""
    there: bool
    """Whether the site has that stand now."""
    made_by: str
    made: int
    expires: int
    """When it ends, Unix milliseconds."""
    sessions: int
    """Browsers that look on with it now."""


class SessionCard(Struct, frozen=True, kw_only=True):
    """One browser that is logged in."""

    id: str
    how: str
    """What they logged in with, in words."""
    browser: str
    address: str
    made: int
    used: int
    expires: int
    """When it ends however much it is used, Unix milliseconds."""
    mine: bool
    """Whether it is the one that looks."""


class TokenCard(Struct, frozen=True, kw_only=True):
    """One token."""

    id: str
    who: str
    name: str
    scope: str
    """What it is for at most, in words."""
    only: str
    """Where only, in words; "" = wherever its owner may."""
    made: int
    expires: int
    """When it ends, Unix milliseconds; 0 = never."""
    used: int
    """Last use, Unix milliseconds; 0 = never."""


def person_rows(
    site: Site,
    persons: Iterable[Person],
    sessions: Iterable[SessionRow],
    tokens: Iterable[TokenRow],
    links: Iterable[LinkRow],
    me: str = "",
) -> list[PersonRow]:
    """Everybody, by name."""
    open_sessions, open_tokens = Counter(each.who for each in sessions), Counter(each.who for each in tokens)
    linked = {each.who for each in links}
    return [
        PersonRow(
            name=each.name,
            title=each.title,
            href=f"/people/{each.name}",
            rights=grant_words(parse_grants(each.grants), site),
            state=(state := state_of(each, linked=each.name in linked)),
            word=STATES[state],
            source=SOURCES[each.source],
            seen=each.seen,
            sessions=open_sessions[each.name],
            tokens=open_tokens[each.name],
            me=each.name == me,
        )
        for each in persons
    ]


def state_of(person: Person, *, linked: bool) -> str:
    """One of STATES; `linked` says whether there is a link that still lets them in."""
    if not person.active:
        return "disabled"
    if person.can_come_in:
        return "active"
    return "invited" if linked else "out"


def guest_cards(site: Site, rows: Iterable[GuestRow]) -> list[GuestCard]:
    """Guest links, newest first as they come."""
    titles = {view.stand: view.title for view in site.stands.views()}
    return [
        GuestCard(
            id=row.id,
            name=row.name,
            stand=titles.get(row.where) or row.where,
            where=row.where,
            there=row.where in titles,
            made_by=row.made_by,
            made=row.made,
            expires=row.expires,
            sessions=row.sessions,
        )
        for row in rows
    ]


def session_cards(rows: Iterable[SessionRow], mine: str = "") -> list[SessionCard]:
    """Sessions, the last used first as they come; `mine` is the id of the one that looks."""
    return [
        SessionCard(
            id=row.id,
            how=how_words(row.how),
            browser=browser_words(row.agent),
            address=row.address,
            made=row.made,
            used=row.used,
            expires=row.expires,
            mine=row.id == mine,
        )
        for row in rows
    ]


def token_cards(site: Site, rows: Iterable[TokenRow]) -> list[TokenCard]:
    """Tokens, newest first as they come."""
    return [
        TokenCard(
            id=row.id,
            who=row.who,
            name=row.name,
            scope=scope_words(row.scope),
            only="" if row.only == EVERYWHERE else where_words(row.only, site),
            made=row.made,
            expires=row.expires,
            used=row.used,
        )
        for row in rows
    ]


def last_admin(persons: Sequence[Person]) -> str:
    """Name of the only administrator who can come in; "" when there are several, or none."""
    found = [each.name for each in persons if str(Role.ADMIN) in each.grants and each.can_come_in]
    return found[0] if len(found) == 1 else ""
