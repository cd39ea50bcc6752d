"""What can be done, and what it takes: the one table of the house."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple

from pilothouse.rights.roles import Role

Where = Literal["place", "anywhere", "site"]


class Deed(StrEnum):
    """Something that somebody wants to do."""

    SEE = "see"
    """Read a thing, its history, its commands; see a stand and who holds it."""
    STOP = "stop"
    """Press stop."""
    OPERATE = "operate"
    """Write a property, call an action, ask for its confirmation, take back one's own command."""
    HOLD = "hold"
    """Take, ask for, give, extend and release a stand."""
    TAKE_BACK = "take back"
    """Take back a command that somebody else sent."""
    TAKE_OVER = "take over"
    """Take a stand from whoever holds it."""
    LIFT = "lift"
    """Lift a stop."""
    AUDIT = "audit"
    """Read who logged in, who failed to, and what was changed about people."""
    PEOPLE = "people"
    """Let people in, say what they may, end their sessions and tokens, give guests a link."""
    OWN = "own"
    """Change one's own password, end one's own sessions, make and end one's own tokens."""


class Rule(NamedTuple):
    """What a deed takes."""

    least: Role | None
    """The least role; None = none at all, being logged in is enough."""
    where: Where
    """"place": at the place itself; "anywhere": at any place at all; "site": on the whole site."""
    guests: bool = False
    """Whether a guest with that role may too: guests look on."""
    tokens: bool = True
    """Whether a program with a token may too."""


TABLE: dict[Deed, Rule] = {
    Deed.SEE: Rule(Role.VIEWER, "place", guests=True),
    Deed.STOP: Rule(Role.VIEWER, "anywhere"),
    Deed.OPERATE: Rule(Role.OPERATOR, "place"),
    Deed.HOLD: Rule(Role.OPERATOR, "place"),
    Deed.TAKE_BACK: Rule(Role.ENGINEER, "place"),
    Deed.TAKE_OVER: Rule(Role.ENGINEER, "place"),
    Deed.LIFT: Rule(Role.ENGINEER, "site"),
    Deed.AUDIT: Rule(Role.ADMIN, "site"),
    Deed.PEOPLE: Rule(Role.ADMIN, "site"),
    Deed.OWN: Rule(None, "anywhere", tokens=False),
}
"""Every deed. What is not in it cannot be done by anybody."""
