"""What an identity provider or a proxy says of somebody, made into a name and rights of ours. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pilothouse.errors import BadName, PilothouseError
from pilothouse.rights import Grant, check_person, parse_grants
from pilothouse.rights.names import RULE

_GROUPS = 1000
"""Groups of one person that are looked at."""
_LONG = 200
"""Characters that a title or the name of a group may have."""


class Outsider(NamedTuple):
    """Somebody as known elsewhere, fit to be known here."""

    name: str
    """As the ledger will call them; checked."""
    subject: str
    """What stays theirs at the provider when names change: issuer and subject."""
    groups: tuple[str, ...] = ()
    """As the provider names them."""
    title: str = ""
    """What people call them."""


class NoName(PilothouseError):
    """What came from elsewhere does not say how somebody is called here."""


def grants_of(groups: Iterable[str], table: Mapping[str, Sequence[str]]) -> tuple[Grant, ...]:
    """All rights of all these groups; groups that the table does not know give none. Raises BadName for too many."""
    return parse_grants(right for group in groups for right in table.get(group, ()))


def claim_at(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or by a path with dots into nested ones ("realm_access.roles"); None without it."""
    if path in claims:  # first, for there are names with dots
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def groups_in(claim: Any) -> tuple[str, ...]:
    """Groups out of a claim: a list of texts, or one text. Anything else, also within the list, names no group."""
    listed = [claim] if isinstance(claim, str) else claim
    if not isinstance(listed, list | tuple):
        return ()
    found = (group.strip() for group in listed[:_GROUPS] if isinstance(group, str) and len(group) <= _LONG)
    return tuple(dict.fromkeys(group for group in found if group))


def name_in(claims: Mapping[str, Any], path: str) -> str:
    """The name that a claim gives somebody here; raises NoName.

    A name that does not fit is not mended: two people might become one.
    """
    claim = claim_at(claims, path)
    remedy = (
        f"Have the provider send the claim {path!r} as such a name (an e-mail address in small letters is one), "
        "or name another claim in oidc.name_claim"
    )
    if claim is None or claim == "":
        raise NoName(f"The provider does not say your name: there is no claim {path!r}", remedy=remedy)
    if not isinstance(claim, str):
        raise NoName(f"The provider's claim {path!r} is no text, so it cannot be your name", remedy=remedy)
    if path == "email" and claims.get("email_verified") is False:
        raise NoName(
            "The provider has not checked that your e-mail address is yours, so it cannot be your name here",
            remedy="Have it checked at the provider, then log in again",
        )
    return checked_name(claim, remedy)


def checked_name(text: str, remedy: str) -> str:
    """`text`, when somebody may be called so; raises NoName, which suggests no other name: nobody can choose here."""
    try:
        return check_person(text)
    except BadName as error:
        raise NoName(error.what, why=error.why or RULE, remedy=remedy) from None


def title_in(claims: Mapping[str, Any]) -> str:
    """What people call them, in one line; "" when the provider does not say."""
    claim = claims.get("name")
    return plain(claim, 80) if isinstance(claim, str) else ""


def plain(text: str, most: int = _LONG) -> str:
    """What somebody else wrote, as one line of ordinary characters: for titles, errors and logs."""
    shown = " ".join("".join(one if one.isprintable() else " " for one in text[: most * 2]).split())
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
