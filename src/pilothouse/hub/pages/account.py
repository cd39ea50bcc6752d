"""One's own account: who I am, what I may, my password, where I am logged in, with which programs I share it."""

from __future__ import annotations

from typing import Any, Literal

from litestar import Request, get
from litestar.response import Response
from msgspec import Struct

from pilothouse.hub.access import Visitor
from pilothouse.hub.logging_in import account_of
from pilothouse.hub.needs import needs
from pilothouse.hub.pages.people_rows import SessionCard, TokenCard, session_cards, token_cards
from pilothouse.hub.pages.people_said import Said
from pilothouse.hub.pages.people_words import Choice, Group, grant_words, place_groups, summary
from pilothouse.hub.pages.render import page
from pilothouse.hub.pages.right_words import SCOPES, came_words
from pilothouse.hub.site import Site, real_site_of, site_of, visitor_of
from pilothouse.record.people_rows import Person
from pilothouse.rights import Deed

DONE = {
    "password": "Your password is changed. Everywhere else you are logged out; tokens go on.",
    "session": "The session has ended.",
    "others": "Everywhere else you are logged out.",
    "token": "The token has ended: programs that have it are refused from now on.",
}
"""What is said after a change; the browser is sent on with the code alone."""
_DAYS = (("7", "a week"), ("30", "30 days"), ("90", "90 days"), ("366", "a year"))


class NewToken(Struct, frozen=True, kw_only=True):
    """A token that was made just now, shown this once."""

    secret: str
    name: str
    curl: str
    """A line to try it with."""
    login: str
    """The line that gives it to the command line."""

    def __repr__(self) -> str:
        return f"NewToken({self.name!r})"


class TokenForm(Struct, frozen=True, kw_only=True):
    """What was filled in and did not get through: bad input loses nothing."""

    name: str = ""
    scope: str = "read"
    only: str = ""
    days: str = "90"


class AccountPage(Struct, frozen=True, kw_only=True):
    """What the page shows."""

    who: str
    """What the ledger calls them."""
    title: str
    """What pages call them."""
    how: str
    """What they logged in with, in words."""
    note: str
    """Where their password is kept, when that is not here; "" = here."""
    rights: list[str]
    """Each right in words; [] = none."""
    summary: str
    """What the rights come to."""
    password: Literal["", "set", "change"]
    """Whether one can be set, or changed by whoever knows it; "" = it is kept elsewhere."""
    sessions: list[SessionCard]
    """Where they are logged in."""
    tokens: list[TokenCard]
    """Programs that act as them."""
    scopes: list[Choice]
    """What a token may be for."""
    places: list[Group]
    """Where a token may be for."""
    days: list[Choice]
    """How long one may last."""
    typed: TokenForm
    said: Said | None
    """What the form before this page did, or why it did nothing."""
    made: NewToken | None
    """The token that it made."""


async def build(
    site: Site,
    seen: Site,
    visitor: Visitor,
    *,
    said: Said | None = None,
    typed: TokenForm | None = None,
    made: NewToken | None = None,
) -> AccountPage:
    """The page now; `seen` is what they may see of the site."""
    people, who = site.people, visitor.who
    person = await people.persons.get(who) or Person(name=who)
    sessions, tokens = await people.sessions.of(who), await people.tokens.of(who)
    return AccountPage(
        who=who,
        title=person.title or who,
        how=came_words(visitor.how),
        note=_kept(person),
        rights=grant_words(visitor.rights.grants, seen),
        summary=summary(visitor.rights, seen).text if visitor.rights.grants else "",
        password=_password(person),
        sessions=session_cards(sorted(sessions, key=lambda row: row.id != visitor.id), visitor.id),
        tokens=token_cards(seen, tokens),
        scopes=[Choice(scope, words) for scope, words in SCOPES.items()],
        places=place_groups(seen),
        days=[Choice(*each) for each in _DAYS],
        typed=typed or TokenForm(),
        said=said,
        made=made,
    )


def _kept(person: Person) -> str:
    if person.source == "oidc":
        return "Your password is kept at the identity provider: change it there."
    return (
        "The proxy before this hub logs you in: your password is changed where it asks for it." if person.source else ""
    )


def _password(person: Person) -> Literal["", "set", "change"]:
    if person.source:
        return ""
    return "change" if person.has_password else "set"


@get("/account", include_in_schema=False, opt=needs(Deed.OWN))
async def account_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page."""
    account_of(request)
    done = request.query_params.get("done", "")
    return await shown(request, said=Said(level="well", text=DONE[done]) if done in DONE else None)


async def shown(
    request: Request[Any, Any, Any],
    *,
    said: Said | None = None,
    typed: TokenForm | None = None,
    made: NewToken | None = None,
    status: int = 200,
) -> Response[bytes]:
    """The page as an answer."""
    built = await build(real_site_of(request), site_of(request), visitor_of(request), said=said, typed=typed, made=made)
    return page(request, "account.html", built, title="Your account", here="account", status=status)
