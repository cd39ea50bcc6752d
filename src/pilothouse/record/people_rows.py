"""What the record says of people. No row holds a secret, nor the hash of one."""

from __future__ import annotations

from typing import Literal, NamedTuple

from msgspec import Struct

from pilothouse.rights import Rights

Source = Literal["", "oidc", "proxy"]
How = Literal["password", "link", "oidc", "proxy", "guest"]
Scope = Literal["read", "operate", "administer"]
LinkKind = Literal["first", "invite", "login"]


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who may come in."""

    name: str
    """What the ledger calls them; never changes."""
    title: str = ""
    """What pages call them; "" = their name."""
    grants: tuple[str, ...] = ()
    """Their rights as text, see pilothouse.rights: "viewer", "operator@bench"."""
    active: bool = True
    """False = disabled: no session, no token, no link of theirs lets in."""
    source: Source = ""
    """Who knows them: "" = this record; "oidc", "proxy" = an identity provider or a proxy, which also tests their
    password."""
    has_password: bool = False
    """False for who was invited and has not come yet, and for those from outside."""
    made: int = 0
    """When they were added, Unix milliseconds."""
    seen: int = 0
    """When they last logged in, Unix milliseconds; 0 = never."""
    note: str = ""
    """Words of the administrators."""

    @property
    def can_come_in(self) -> bool:
        """Whether there is a way in for them that lasts, other than a one-time link."""
        return self.active and (self.has_password or self.source != "")


class SessionRow(Struct, frozen=True, kw_only=True):
    """A browser that is logged in."""

    id: str
    """Names the session; does not let in."""
    who: str
    """Name of the person, or "guest:NAME"."""
    how: How
    """What they logged in with."""
    made: int
    """When they logged in, Unix milliseconds."""
    used: int
    """Last use, Unix milliseconds; exact to five minutes."""
    expires: int
    """When it ends however much it is used, Unix milliseconds."""
    address: str = ""
    """From where they logged in."""
    agent: str = ""
    """What the browser calls itself, 120 characters at most."""


class TokenRow(Struct, frozen=True, kw_only=True):
    """A secret with which a program acts as its owner."""

    id: str
    """Names the token; does not let in."""
    who: str
    """The owner; "owner" = the command line on the hub's own machine."""
    name: str
    """What it is for, in the owner's words."""
    scope: Scope
    """What it is for at most: "read" as a viewer, "operate" as an operator, "administer" = all that the owner may."""
    only: str = ""
    """The one place that it is for, as in a right; "" = all of the owner's."""
    made: int
    """When it was made, Unix milliseconds."""
    expires: int
    """When it ends, Unix milliseconds; 0 = never, which only the machine's own has."""
    used: int = 0
    """Last use, Unix milliseconds, exact to five minutes; 0 = never."""
    address: str = ""
    """From where it was made."""


class GuestRow(Struct, frozen=True, kw_only=True):
    """A link with which anybody may look on at one stand."""

    id: str
    """Names the link; does not let in."""
    name: str
    """What the ledger calls its users, after "guest:"."""
    where: str
    """The stand."""
    made_by: str
    """Who gave it."""
    made: int
    """When it was made, Unix milliseconds."""
    expires: int
    """When it ends, and everybody who came with it is out, Unix milliseconds."""
    sessions: int = 0
    """Browsers that are in with it."""


class LinkRow(Struct, frozen=True, kw_only=True):
    """A link that works once."""

    id: str
    """Names the link; does not let in."""
    kind: LinkKind
    """"first" makes the first administrator, "invite" lets a person set their password, "login" lets them in."""
    who: str = ""
    """For whom; "" for "first"."""
    made: int
    """When it was made, Unix milliseconds."""
    expires: int
    """When it ends unused, Unix milliseconds."""


class Known(NamedTuple):
    """Somebody whose session or token is good."""

    who: str
    """Name for the ledger: of a person, "guest:NAME", or "owner" for the command line on the hub's machine."""
    rights: Rights
    """What they may, as far as what they come with lets them."""
    id: str
    """Of the session or token."""
    expires: int
    """When it ends unless it is used before, Unix milliseconds; 0 = never."""
    how: Literal["password", "link", "oidc", "proxy", "guest", "token", "machine"]
    """What they came with."""
