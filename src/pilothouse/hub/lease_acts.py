"""What people do with a lease: which rule decides, and what the ledger says of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from pilothouse.errors import RecordError
from pilothouse.model import new_id
from pilothouse.model import stands as rules
from pilothouse.record.rows import Act

if TYPE_CHECKING:
    from pilothouse.hub.site import Site

log = logging.getLogger(__name__)

Do: TypeAlias = Literal["take", "ask", "give", "deny", "release", "extend"]
"""What can be done with a lease."""


class LeaseWish(NamedTuple):
    """Who wants something done with a lease, and all that may go with it."""

    who: str
    origin: str
    to: str = ""
    """Whom it is given to, or denied."""
    note: str = ""
    """For the holder, with "ask"."""
    reason: str = ""
    """For the ledger."""
    force: bool = False
    """Take it from whoever holds it."""


def decide(do: Do, lease: rules.Lease, wish: LeaseWish, now: int) -> rules.Lease:
    """The lease as it is then; raises LeaseRefused. Pure."""
    match do:
        case "take":
            return rules.take(lease, wish.who, now, force=wish.force, reason=wish.reason)
        case "ask":
            return rules.ask(lease, wish.who, now, note=wish.note)
        case "give":
            return rules.give(lease, wish.who, wish.to, now)
        case "deny":
            return rules.deny(lease, wish.who, wish.to, now)
        case "release":
            return rules.release(lease, wish.who, now)
        case "extend":
            return rules.extend(lease, wish.who, now)


def act_of(wish: LeaseWish, before: rules.Lease, after: rules.Lease, now: int) -> Act | None:
    """What the ledger is told of a change; None = nothing, for asking and denying change no right. Pure."""
    if after.holder == before.holder:
        name, detail = "lease.extend", f"Until {rules.hour(after.until, now)}."
        if after.until == before.until:
            return None
    elif not after.holder:
        name, detail = "lease.release", ""
    elif after.holder == wish.who:
        name, detail = "lease.take", f"Until {rules.hour(after.until, now)}."
        if before.holder:
            detail = f"Taken from {before.holder}, who held it until {rules.hour(before.until, now)}."
    else:
        name, detail = "lease.give", f"To {after.holder}, until {rules.hour(after.until, now)}."
    return Act(
        id=new_id(now),
        name=name,
        thing=after.stand,
        who=wish.who,
        origin=wish.origin,
        reason=wish.reason,
        made=now,
        detail=detail,
        input={"to": after.holder} if name == "lease.give" else None,
    )


async def note(site: Site, wish: LeaseWish, before: rules.Lease, after: rules.Lease, now: int) -> None:
    """Tell the ledger of a change that stands on the bus; also of the lease that had run out before it, unnoticed."""
    if rules.is_over(before, now):
        await note_expired(site, before, now)
    act = act_of(wish, rules.expire(before, now), after, now)
    if act is not None:
        await _write(site, act)


async def note_expired(site: Site, before: rules.Lease, now: int) -> None:
    """Tell the ledger that a lease has run out."""
    detail = f"The lease of {before.holder} has run out."
    act = Act(
        id=new_id(now), name="lease.expired", thing=before.stand, who="hub", origin="lease", made=now, detail=detail
    )
    await _write(site, act)


async def _write(site: Site, act: Act) -> None:
    try:
        await site.ledger.act(act)
    except RecordError as error:
        # It is done, and everybody sees who holds the stand now; a record that is full must not undo it.
        log.error("%s of stand %s by %s could not be written down: %s", act.name, act.thing, act.who, error)
