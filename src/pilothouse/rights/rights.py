"""May somebody do something? One pure function over one table; pages, REST, live stream and files all ask it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pilothouse.rights.deeds import TABLE, Deed
from pilothouse.rights.grants import Grant
from pilothouse.rights.places import EVERYWHERE, SITE, Place, covers
from pilothouse.rights.roles import Role, highest, lesser

Through = Literal["session", "token", "guest"]


class Rights(NamedTuple):
    """What somebody may, as far as what they come with lets them: a token may be for less than its owner may."""

    grants: tuple[Grant, ...] = ()
    """What they were given; nothing else is theirs."""
    through: Through = "session"
    """What they come with."""
    most: Role = Role.ADMIN
    """The role that they come with at most."""
    only: str = EVERYWHERE
    """The one place that they come for, as in a grant; "" = all of theirs."""

    @property
    def sees_all(self) -> bool:
        """Whether everything may be seen, so that nothing need be looked at twice."""
        return may(self, Deed.SEE, SITE)


NOBODY = Rights()
"""No right at all."""


def role_at(rights: Rights, place: Place) -> Role | None:
    """The role that counts at a place; None = none."""
    if not covers(rights.only, place):
        return None
    held = highest(grant.role for grant in rights.grants if covers(grant.where, place))
    return lesser(held, rights.most) if held is not None else None


def role_anywhere(rights: Rights) -> Role | None:
    """The highest role that they have at any place; None = none."""
    held = highest(grant.role for grant in rights.grants if _reaches(rights.only, grant.where))
    return lesser(held, rights.most) if held is not None else None


def may(rights: Rights, deed: Deed, place: Place = SITE) -> bool:
    """Whether they may do it there. Deny by default: a deed that is not in the table is nobody's."""
    rule = TABLE.get(deed)
    if rule is None or (rights.through == "guest" and not rule.guests):
        return False
    if rights.through == "token" and not rule.tokens:
        return False
    if rule.least is None:
        return True
    if rule.where == "anywhere":
        role = role_anywhere(rights)
    else:
        role = role_at(rights, place if rule.where == "place" else SITE)
    return role is not None and role.covers(rule.least)


def _reaches(only: str, where: str) -> bool:
    """Whether a grant at `where` may matter to somebody who comes for `only`."""
    if only == where:
        return True
    node, slash, name = only.partition("/")
    of, also, thing = where.partition("/")
    if slash and also:
        return node == of and "*" in (name, thing)
    # The site, or a stand: which things belong to it is not known here, and a thing may belong to two stands.
    return True
