"""Where a right holds: the whole site, a stand, a thing, or all things of a node; and what one asks it for. Pure."""

from __future__ import annotations

from typing import NamedTuple

from pilothouse.errors import BadName
from pilothouse.model import Address, check_name

EVERYWHERE = ""
"""The whole site, as the text of a grant names it."""
_ALL = "*"


class Place(NamedTuple):
    """What somebody wants to do something with: a thing with the stands that it belongs to, a stand, or the site."""

    thing: Address | None = None
    """None for a stand, and for the site."""
    stands: frozenset[str] = frozenset()
    """Names of stands."""

    @classmethod
    def of_stand(cls, name: str) -> Place:
        """A stand itself: its lease."""
        return cls(None, frozenset({name}))

    def __str__(self) -> str:
        if self.thing is not None:
            return str(self.thing)
        return f"stand {min(self.stands)}" if self.stands else "this site"


SITE = Place()
"""The site as a whole."""


def covers(where: str, place: Place) -> bool:
    """Whether a right that holds at `where` holds for `place`."""
    if where == EVERYWHERE:
        return True
    node, slash, name = where.partition("/")
    if not slash:
        return where in place.stands
    if place.thing is None:
        return False
    return place.thing.node == node and name in (_ALL, place.thing.thing)


def check_where(text: str) -> str:
    """`text`, when it names a place: "bench" (a stand), "pi/bath" (a thing), "pi/*" (all of a node), "" (the site).

    Whether there is such a stand or thing is not asked: it may come later. Raises BadName.
    """
    if text == EVERYWHERE:
        return text
    node, slash, thing = text.partition("/")
    if not slash:
        return check_name("stand", text)
    check_name("node", node)
    if thing != _ALL:
        try:
            check_name("thing", thing)
        except BadName as error:
            raise BadName(error.what, why=error.why, nearest=f"{node}/{error.nearest or _ALL}") from None
    return text
