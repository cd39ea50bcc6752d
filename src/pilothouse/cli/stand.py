"""`pilothouse stand`: who holds what is used together; take it, ask for it, give it."""

from __future__ import annotations

from typing import Literal, get_args

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access, Flag
from pilothouse.client import Stand
from pilothouse.errors import BadName, BadValue, nearest

Act = Literal["take", "ask", "give", "deny", "release", "extend"]
ACTS: tuple[Act, ...] = get_args(Act)


def stand_(
    what: str | None = None,
    name: str | None = None,
    /,
    *,
    to: str | None = None,
    note: str | None = None,
    force: Flag = False,
    reason: str | None = None,
    access: Access = HERE,
) -> None:
    """List stands, look at one, or change who holds it.

    Acts: take, ask, give, deny, release, extend. A stand that somebody else
    holds is asked for; taking it from them needs --force and a reason.

    For example:
        pilothouse stand
        pilothouse stand wet
        pilothouse stand take wet --note "until lunch"
        pilothouse stand give wet --to ada
        pilothouse stand take wet --force --reason "nobody is in the room"

    Parameters
    ----------
    what:
        a stand, or what to do: take, ask, give, deny, release, extend
    name:
        the stand
    to:
        to whom it is given; whose question is denied (none = your own, which is taken back)
    note:
        words for the others: what for, how long
    force:
        take it although somebody else holds it
    reason:
        why, for the ledger
    """
    act, stand = _meant(what, name)
    if act == "give" and not to:
        raise BadValue("give needs to know to whom", remedy=f"Say: pilothouse stand give {stand} --to WHO")
    if force and not reason:
        raise BadValue("Taking a stand from somebody needs a reason", remedy="Say why with: --reason TEXT")
    with access.connect() as hub:
        if not stand:
            found = hub.stands()
            print(show.as_json(found) if access.json else _listed(found))
            return
        if act:
            words = {"to": to or "", "note": note or "", "reason": reason or ""}
            one = hub.lease(stand, act, force=force, **words)
        else:
            one = hub.stand(stand)
    print(show.as_json(one) if access.json else _whole(one))


def _meant(what: str | None, name: str | None) -> tuple[Act | None, str]:
    """(act, stand) of the words that were typed; no act = only look, no stand = all of them."""
    for act in ACTS:
        if what == act:
            if name is None:
                raise BadName(f"{act} needs the name of a stand", remedy="See them with: pilothouse stand")
            return act, name
    if name is not None:
        listed = f"It is one of: {', '.join(ACTS)}"
        raise BadName(f"Nobody can {str(what)[:40]!r} a stand", nearest=nearest(str(what), ACTS), remedy=listed)
    return None, what or ""


def _listed(stands: list[Stand]) -> str:
    if not stands:
        return 'There is no stand. Make one in the configuration: [stands.NAME] things = ["node/thing"]'
    rows = [
        (one.stand, one.title, holder_of(one), ", ".join(ask.who for ask in one.asks), ", ".join(one.things))
        for one in stands
    ]
    return show.table(rows, ("STAND", "TITLE", "HELD BY", "ASKED FOR BY", "THINGS"))


def holder_of(one: Stand) -> str:
    """Who holds it and until when, in words."""
    if one.holder:
        return f"{one.holder} until {show.moment(one.until)}" if one.until else one.holder
    if one.ended and one.last:
        return f"nobody (was {one.last}, {one.ended})"
    return "nobody"


def _whole(one: Stand) -> str:
    rows = [("stand", f"{one.stand}: {one.title}" if one.title else one.stand), ("about", one.doc)]
    rows += [("held by", holder_of(one)), ("since", show.moment(one.since) if one.holder else "")]
    rows += [("lasts", f"{show.length(one.length)} from the last use on" if one.length else "")]
    rows += [("needed", "nobody may command it without holding it" if one.required else "")]
    rows += [("at its end", "outputs go to their safe values" if one.safe_on_expiry else "outputs stay as they are")]
    rows += [("things", ", ".join(one.things))]
    rows += [("asked", f"by {a.who} at {show.moment(a.time)}{f': {a.note}' if a.note else ''}") for a in one.asks]
    return show.table([row for row in rows if row[1]])
