"""Roles, places and rights in the words of the pages about people. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from msgspec import Struct

from pilothouse.hub.site import Site
from pilothouse.model import Address
from pilothouse.rights import EVERYWHERE, SITE, Grant, Place, Rights, Role, role_anywhere, role_at

ROLES: dict[Role, str] = {
    Role.VIEWER: "sees values, history and the ledger there, and presses stop",
    Role.OPERATOR: "also switches things there, calls their actions and holds stands",
    Role.ENGINEER: "also takes stands over and takes back what others sent; for the whole site, also lifts stops",
    Role.ADMIN: "also lets people in and says what they may; always for the whole site",
}
"""What each role may, in one line; each may do all that the ones before it may."""
_NAMED = 6
"""Places that a sentence names; the rest is counted."""


class Choice(NamedTuple):
    """One value of a field to choose from."""

    value: str
    """What is sent."""
    word: str
    """What is read."""


class Group(NamedTuple):
    """Choices under one heading."""

    title: str
    """"" = without a heading."""
    choices: list[Choice]


class Summary(Struct, frozen=True, kw_only=True):
    """What rights come to."""

    text: str
    """In a few sentences."""
    absent: list[str]
    """Places of the rights that are not there now; a right waits for its place."""


def place_groups(site: Site, also: Iterable[str] = ()) -> list[Group]:
    """All places where a right can hold: what is there now, and what `also` names that is not."""
    stands = [Choice(view.stand, _titled(view.title, view.stand)) for view in site.stands.views()]
    nodes = [Choice(f"{node.node}/*", f"all things of {node.node}") for node in site.directory.nodes()]
    things = [
        Choice(f"{each.node}/{each.thing}", _titled(each.title, f"{each.node}/{each.thing}"))
        for each in site.directory.things()
    ]
    groups = [Group("", [Choice(EVERYWHERE, "the whole site")])]
    groups += [Group(title, made) for title, made in (("Stands", stands), ("Nodes", nodes), ("Things", things)) if made]
    there = {choice.value for group in groups for choice in group.choices}
    absent = [Choice(where, where) for where in dict.fromkeys(also) if where not in there]
    return groups + ([Group("Not there now", absent)] if absent else [])


def stand_choices(site: Site) -> list[Choice]:
    """Stands, for a guest link."""
    return [Choice(view.stand, _titled(view.title, view.stand)) for view in site.stands.views()]


def grant_words(grants: Iterable[Grant], site: Site) -> list[str]:
    """Each right in words: "operator at Bench 1"; the one for the whole site alone is only its role."""
    return [f"{grant.role} {where_words(grant.where, site)}".strip() for grant in grants]


def where_words(where: str, site: Site) -> str:
    """Where a right holds: "", "at Bench 1", "for all of pi", "for Water bath"."""
    if where == EVERYWHERE:
        return ""
    node, slash, _ = where.partition("/")
    if where.endswith("/*"):
        return f"for all of {node}"
    titles = {f"{each.node}/{each.thing}": each.title for each in site.directory.things()} if slash else {}
    titles |= {view.stand: view.title for view in site.stands.views()}
    return f"{'for' if slash else 'at'} {titles.get(where) or where}"


def summary(rights: Rights, site: Site) -> Summary:
    """What these rights come to with the stands and things that are there."""
    groups = place_groups(site)
    there = {choice.value for group in groups for choice in group.choices}
    absent = sorted({grant.where for grant in rights.grants} - there)
    return Summary(text=_sentences(rights, site), absent=absent)


def _sentences(rights: Rights, site: Site) -> str:
    whole = role_at(rights, SITE)
    if whole is Role.ADMIN:
        return "Sees and switches everything, lifts stops, and lets people in."
    sees = _reach(rights, site, Role.VIEWER)
    if not sees:
        later = " until what it is for is there" if role_anywhere(rights) is not None else ""
        return f"Sees nothing but their own account{later}."
    switches, takes = (_reach(rights, site, role) for role in (Role.OPERATOR, Role.ENGINEER))
    told: list[tuple[list[str], list[str]]] = []
    for verb, places in (("sees", sees), ("switches", switches), ("takes over", takes)):
        if places and told and told[-1][1] == places:
            told[-1][0].append(verb)
        elif places or verb == "switches":
            told.append(([verb], places))
    said = [f"{joined(verbs).capitalize()} {joined(places) if places else 'nothing'}." for verbs, places in told]
    said.append("Presses and lifts stop." if whole is Role.ENGINEER else "Presses stop.")
    return " ".join(said)


def _reach(rights: Rights, site: Site, least: Role) -> list[str]:
    """The places where they are at least that, each thing in the largest of them."""

    def has(place: Place) -> bool:
        role = role_at(rights, place)
        return role is not None and role.covers(least)

    if has(SITE):
        return ["everything"]
    stands = [view for view in site.stands.views() if has(Place.of_stand(view.stand))]
    found = [_stand_word(view.title, view.stand) for view in stands]
    told = {thing for view in stands for thing in view.things}
    for node in site.directory.nodes():
        found += _of_node(site, node.node, told, has)
    return found


def _of_node(site: Site, node: str, told: set[str], has: Callable[[Place], bool]) -> list[str]:
    """Things of a node that were not told of with a stand; all of it in one word."""
    common = Counter(each.title for each in site.directory.things())
    things = [
        (where := f"{each.node}/{each.thing}", each.title if common[each.title] == 1 and each.title else where)
        for each in site.directory.things(node)
    ]
    mine = [(where, title) for where, title in things if has(site.place(Address.parse(where)))]
    fresh = [title for where, title in mine if where not in told]
    return [f"all of {node}"] if len(mine) == len(things) > 1 and fresh else fresh


def joined(names: list[str]) -> str:
    """ "a", "a and b", "a, b and 3 more"."""
    named, more = names[:_NAMED], len(names) - _NAMED
    if more > 0:
        named.append(f"{more} more")
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def _stand_word(title: str, name: str) -> str:
    return f"stand {title or name}"


def _titled(title: str, name: str) -> str:
    return f"{title} ({name})" if title and title != name else name
