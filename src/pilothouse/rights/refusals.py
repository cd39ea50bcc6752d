"""What a refusal for want of rights says: who may not do what, where, and what would lift it. Pure."""

from __future__ import annotations

from pilothouse.errors import PilothouseError
from pilothouse.rights.deeds import TABLE, Deed
from pilothouse.rights.places import SITE, Place
from pilothouse.rights.rights import Rights, role_anywhere, role_at
from pilothouse.rights.roles import Role

_WORDS = {
    Deed.SEE: "see {place}",
    Deed.STOP: "press stop",
    Deed.OPERATE: "switch {place}",
    Deed.HOLD: "hold {place}",
    Deed.TAKE_BACK: "take back what somebody else sent to {place}",
    Deed.TAKE_OVER: "take {place} from whoever holds it",
    Deed.LIFT: "lift a stop",
    Deed.AUDIT: "read who logged in",
    Deed.PEOPLE: "change who comes in and what they may",
    Deed.OWN: "change an account",
}


class MayNot(PilothouseError):
    """Somebody may not do what they ask for."""


def refusal(who: str, rights: Rights, deed: Deed, place: Place = SITE) -> MayNot:
    """The error for it; only for who may not."""
    rule = TABLE[deed]
    what = f"{who or 'Nobody'} may not {_WORDS[deed].format(place=place)}"
    if rights.through == "guest" and not rule.guests:
        return MayNot(what, why="a guest link is for looking only", remedy="Log in with an account of your own")
    if rights.through == "token" and not rule.tokens:
        return MayNot(what, why="a token is not enough for it", remedy="Log in on the page, or use pilothouse user")
    least = rule.least or Role.VIEWER
    where = "" if rule.where == "anywhere" else f" {'of the whole site' if rule.where == 'site' else 'there'}"
    have = role_anywhere(rights) if rule.where == "anywhere" else role_at(rights, place)
    cap = " and the token is for less" if rights.through == "token" and not rights.most.covers(least) else ""
    why = f"it takes the role {least}{where}, and theirs is {have or 'none'}{cap}"
    return MayNot(what, why=why, remedy="An administrator can give it, on the page People")
