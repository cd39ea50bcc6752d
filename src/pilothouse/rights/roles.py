"""Roles: what somebody is on the site, at a stand or with a thing. Each may do all that the ones before it may."""

from __future__ import annotations

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
        return _ORDER.index(self)

    def covers(self, least: Role) -> bool:
        """Whether this role may do what takes `least`."""
        return self.rank >= least.rank


_ORDER = tuple(Role)


def lesser(first: Role, second: Role) -> Role:
    """The one that may do less."""
    return first if first.rank <= second.rank else second
