"""One right as people write it: "viewer", "operator@bench", "engineer@pi/bath", "operator@pi/*". Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pilothouse.errors import BadName, nearest
from pilothouse.rights.places import EVERYWHERE, check_where
from pilothouse.rights.roles import Role

FORM = "a right is ROLE or ROLE@WHERE; WHERE is a stand, node/thing, or node/* for all things of a node"
MOST = 200
"""Rights that one person may have."""


class Grant(NamedTuple):
    """A role, and where it holds."""

    role: Role
    where: str = EVERYWHERE
    """"" = on the whole site; see places.check_where."""

    def __str__(self) -> str:
        return f"{self.role}@{self.where}" if self.where else str(self.role)


def parse_role(text: str) -> Role:
    """A role by its name; raises BadName with the nearest."""
    try:
        return Role(text)
    except ValueError:
        raise BadName(
            f"{text[:40]!r} is no role", why=f"there are {', '.join(Role)}", nearest=nearest(text, map(str, Role))
        ) from None


def parse_grant(text: str) -> Grant:
    """A right from its text; raises BadName."""
    role, at, where = text.partition("@")
    if at and not where:
        raise BadName(f"{text[:80]!r} says no place after the @", why=FORM, nearest=role)
    grant = Grant(parse_role(role), check_where(where))
    if grant.role is Role.ADMIN and grant.where:
        raise BadName(
            f"{text[:80]!r} cannot be given",
            why="an administrator is one of the whole site",
            nearest=f"{Role.ENGINEER}@{where}",
        )
    return grant


def parse_grants(texts: Iterable[str]) -> tuple[Grant, ...]:
    """Rights from their texts, without doubles, in the order of their text; raises BadName."""
    grants = tuple(sorted({parse_grant(text.strip()) for text in texts}, key=str))
    if len(grants) > MOST:
        raise BadName(f"{len(grants)} rights are too many for one person", why=f"there may be {MOST}")
    return grants
