"""Roles: what somebody is on the site, at a stand or with a thing. Each may do all that the ones before it may."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """From the least to the most."""

    VIEWER = "viewer"
    """Sees, and presses stop."""
    OPERATOR = "operator"
    """Switches things, calls actions, holds stands."""
    ENGINEER = "engineer"
    """Lifts stops, takes stands over, takes back what others sent."""
    ADMIN = "admin"
    """Lets people in and says what they may; of the whole site only."""

    @property
    def rank(self) -> int:
        """Number in the order."""
        return _RANKS[self]

    def covers(self, least: Role) -> bool:
        """Whether this role may do what takes `least`."""
        return _RANKS[self] >= _RANKS[least]


_RANKS = {role: rank for rank, role in enumerate(Role)}


def lesser(first: Role, second: Role) -> Role:
    """The one that may do less."""
    return first if _RANKS[first] <= _RANKS[second] else second


def highest(roles: Iterable[Role]) -> Role | None:
    """The one that may do most; None of none."""
    found: Role | None = None
    for role in roles:
        if found is None or _RANKS[role] > _RANKS[found]:
            found = role
    return found
