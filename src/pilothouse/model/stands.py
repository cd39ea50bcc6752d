"""Who holds a stand: what may become of a lease, and why not. Pure; times are Unix milliseconds.

Every function takes a lease as it stands, who wants something and when, and gives the lease as it is then, or raises
LeaseRefused. A lease that has run out holds nothing, whether anybody has noticed yet or not.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from pilothouse.errors import PilothouseError

ASKS = 20
"""People who may wait for one stand; one more is told to come back."""
_NAME = 63
_NOTE = 200


class LeaseRefused(PilothouseError):
    """Somebody else holds the stand, or what is wanted makes no sense as the lease stands."""


class Ask(Struct, frozen=True, kw_only=True):
    """Somebody would like to have the stand."""

    who: str
    time: int
    note: str = ""


class Lease(Struct, frozen=True, kw_only=True):
    """The lease of one stand."""

    stand: str
    length: float
    """Seconds that it lasts from the last use on."""
    holder: str = ""
    """"" = nobody."""
    since: int = 0
    until: int = 0
    """From then on it is over by itself; meaningful while somebody holds it."""
    asks: tuple[Ask, ...] = ()
    """Those who wait, in the order in which they asked; each at most once, and never the holder."""
    ended: Literal["", "released", "expired"] = ""
    """How the last one ended, while nobody holds it."""
    last: str = ""
    """Who held it last."""


def is_over(lease: Lease, now: int) -> bool:
    """Whether somebody held it and the time is up."""
    return lease.holder != "" and now >= lease.until


def expire(lease: Lease, now: int) -> Lease:
    """The lease as it is now: without its holder when the time is up, else as it was."""
    return _ended(lease, "expired") if is_over(lease, now) else lease


def take(lease: Lease, who: str, now: int, *, force: bool = False, reason: str = "") -> Lease:
    """`who` takes a stand that is free; one that is held only by force, and with a reason.

    For the holder it is the same as to extend it.
    """
    lease = expire(lease, now)
    if lease.holder == who:
        return extend(lease, who, now)
    if lease.holder and not force:
        raise LeaseRefused(
            held(lease, now),
            remedy=f"Ask {lease.holder} for it; or take it from them, with a reason",
        )
    if lease.holder and not reason.strip():
        raise LeaseRefused(
            held(lease, now),
            why="to take it from somebody needs a reason, which stands in the ledger",
            remedy="Say why",
        )
    return _handed(lease, who, now)


def ask(lease: Lease, who: str, now: int, *, note: str = "") -> Lease:
    """`who` asks the holder for the stand; asking again changes the note and keeps the place in the row."""
    lease = expire(lease, now)
    if not lease.holder:
        raise LeaseRefused(f"Nobody holds stand {lease.stand}", remedy="Take it")
    if lease.holder == who:
        raise LeaseRefused(f"You hold stand {lease.stand} yourself, until {hour(lease.until, now)}")
    note = note[:_NOTE]
    if any(one.who == who for one in lease.asks):
        asks = tuple(replace(one, note=note) if one.who == who else one for one in lease.asks)
        return replace(lease, asks=asks)
    if len(lease.asks) >= ASKS:
        raise LeaseRefused(
            held(lease, now),
            why=f"{ASKS} people wait for it already",
            remedy=f"Talk to {lease.holder}, or come back later",
        )
    return replace(lease, asks=(*lease.asks, Ask(who=who, time=now, note=note)))


def give(lease: Lease, who: str, to: str, now: int) -> Lease:
    """The holder hands it to somebody else, who has it for its whole length from now on."""
    lease = expire(lease, now)
    _only_holder(lease, who, now, "give it")
    to = to.strip()
    if not 0 < len(to) <= _NAME:
        raise LeaseRefused(f"Stand {lease.stand} is given to somebody", remedy="Say to whom")
    return extend(lease, who, now) if to == who else _handed(lease, to, now)


def deny(lease: Lease, who: str, to: str, now: int) -> Lease:
    """The holder says no to somebody who asks; whoever asks may take it back in the same way."""
    lease = expire(lease, now)
    to = to.strip() or who
    if to != who:
        _only_holder(lease, who, now, "say no")
    if all(one.who != to for one in lease.asks):
        raise LeaseRefused(f"{to[:_NAME]} does not ask for stand {lease.stand}")
    return replace(lease, asks=_without(lease.asks, to))


def release(lease: Lease, who: str, now: int) -> Lease:
    """The holder gives it back."""
    lease = expire(lease, now)
    _only_holder(lease, who, now, "give it back")
    return _ended(lease, "released")


def extend(lease: Lease, who: str, now: int) -> Lease:
    """The holder uses it or says so: it lasts its whole length from now on, and never less than before."""
    lease = expire(lease, now)
    _only_holder(lease, who, now, "extend it")
    return replace(lease, until=max(lease.until, now + _milliseconds(lease)))


def held(lease: Lease, now: int) -> str:
    """Who holds it and until when, as a sentence."""
    return f"Stand {lease.stand} is held by {lease.holder} until {hour(lease.until, now)}"


def hour(time: int, now: int) -> str:
    """14:03 in local time; with its day when that is another one than that of `now`."""
    at, today = (datetime.fromtimestamp(ms / 1000, UTC).astimezone() for ms in (time, now))
    return f"{at:%H:%M}" if at.date() == today.date() else f"{at:%Y-%m-%d %H:%M}"


def _handed(lease: Lease, to: str, now: int) -> Lease:
    return replace(
        lease,
        holder=to,
        since=now,
        until=now + _milliseconds(lease),
        asks=_without(lease.asks, to),
        ended="",
        last=lease.holder or lease.last,
    )


def _ended(lease: Lease, how: Literal["released", "expired"]) -> Lease:
    return replace(lease, holder="", since=0, until=0, ended=how, last=lease.holder)


def _only_holder(lease: Lease, who: str, now: int, what: str) -> None:
    if lease.holder == who:
        return
    if lease.holder:
        raise LeaseRefused(held(lease, now), why=f"only {lease.holder} can {what}", remedy=f"Ask {lease.holder}")
    over = f": your lease has {lease.ended}" if lease.last == who and lease.ended == "expired" else ""
    raise LeaseRefused(f"Nobody holds stand {lease.stand}{over}", remedy="Take it")


def _without(asks: tuple[Ask, ...], who: str) -> tuple[Ask, ...]:
    return tuple(one for one in asks if one.who != who)


def _milliseconds(lease: Lease) -> int:
    return int(lease.length * 1000)
