"""The rights matrix that can be read: every place with what each person is there, and things that nobody sees.

Places stand below each other and people side by side: a site has more things than people. Things of a node at which
everybody is the same are one row.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from litestar import Request, get
from litestar.response import Response
from msgspec import Struct
from msgspec.structs import replace

from pilothouse.hub.needs import needs
from pilothouse.hub.pages.people_words import ROLES, Choice
from pilothouse.hub.pages.render import page
from pilothouse.hub.rights_matrix import Holder, Matrix, PlaceRoles, matrix_of
from pilothouse.hub.site import Site, real_site_of
from pilothouse.rights import Deed

_LONGEST = 100


class MatrixRow(Struct, frozen=True, kw_only=True):
    """One place, or several things of a node at which everybody is the same."""

    kind: str
    """"site", "stand" or "thing"."""
    title: str
    """The place, or how many things it stands for."""
    names: list[str]
    """Titles of the things that it stands for, when it is more than one."""
    where: str
    """As a right names it; "" for the site and for several things."""
    stands: list[str]
    """Stands that the things belong to."""
    cells: list[str]
    """The role of each person, in their order; "" = none."""

    @property
    def nobody(self) -> bool:
        """Whether nobody of those who are shown has a role there."""
        return not any(self.cells)


class MatrixGroup(Struct, frozen=True, kw_only=True):
    """Rows under one heading."""

    title: str
    """"Site and stands", "Things of pi"."""
    rows: list[MatrixRow]


class RightsPage(Struct, frozen=True, kw_only=True):
    """What the page of the matrix shows."""

    now: int
    people: list[Holder]
    """Those who are shown, side by side."""
    groups: list[MatrixGroup]
    unseen: list[str]
    """Things that nobody but administrators sees."""
    roles: list[Choice]
    """Roles with what each may."""
    who: str
    """What people are narrowed to; "" = all."""
    place: str
    """What places are narrowed to; "" = all."""


async def build(site: Site, who: str = "", place: str = "") -> RightsPage:
    """The matrix now; `who` and `place` are pieces of names or titles, in large or small letters."""
    persons, guests = await site.people.persons.all(), await site.people.guests.all()
    matrix = matrix_of(site, persons, guests)
    people = [each for each in matrix.people if _has(who, each.name, each.title)]
    return RightsPage(
        now=site.clock.now(),
        people=people,
        groups=list(groups_of(matrix, people, place)),
        unseen=matrix.unseen,
        roles=[Choice(role, words) for role, words in ROLES.items()],
        who=who,
        place=place,
    )


def groups_of(matrix: Matrix, people: list[Holder], place: str) -> Iterator[MatrixGroup]:
    """The rows of these people at places that `place` is a piece of, the site and its stands first."""
    names = [each.name for each in people]
    fits = [each for each in matrix.places if not place or _has(place, each.where, each.title, *each.stands)]
    wide = [_row(each, names) for each in fits if each.kind != "thing"]
    if wide:
        yield MatrixGroup(title="Site and stands", rows=wide)
    things = [each for each in fits if each.kind == "thing"]
    for node, of_node in groupby(things, key=lambda each: each.where.partition("/")[0]):
        yield MatrixGroup(title=f"Things of {node}", rows=_gathered([_row(each, names) for each in of_node]))


def _row(place: PlaceRoles, names: list[str]) -> MatrixRow:
    return MatrixRow(
        kind=place.kind,
        title=place.title,
        names=[],
        where=place.where,
        stands=place.stands,
        cells=[place.roles.get(name, "") for name in names],
    )


def _gathered(rows: list[MatrixRow]) -> list[MatrixRow]:
    """One row for all things at which everybody is the same, where the first of them stood."""
    alike: dict[tuple[str, ...], list[MatrixRow]] = {}
    for row in rows:
        alike.setdefault(tuple(row.cells), []).append(row)
    return [_together(group, len(rows)) for group in alike.values()]


def _together(rows: list[MatrixRow], total: int) -> MatrixRow:
    if len(rows) == 1:
        return rows[0]
    return replace(
        rows[0],
        title=f"{'All ' if len(rows) == total else ''}{len(rows)} things",
        names=[row.title for row in rows],
        where="",
        stands=sorted({stand for row in rows for stand in row.stands}),
    )


def _has(piece: str, *texts: str) -> bool:
    return any(piece.casefold() in text.casefold() for text in texts)


@get("/people/rights", include_in_schema=False, opt=needs(Deed.PEOPLE))
async def rights_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page."""
    asked = request.query_params
    who, place = (asked.get(name, "").strip()[:_LONGEST] for name in ("who", "place"))
    shown = await build(real_site_of(request), who, place)
    return page(request, "people_rights.html", shown, title="Rights", here="people")
