"""What goes into the record and comes out of it."""

from __future__ import annotations

from msgspec import Struct

from pilothouse.bus.messages import Latch
from pilothouse.model import PropertyState, ThingDescription, Value


class Intent(Struct, frozen=True, kw_only=True):
    """A command that is about to be sent."""

    id: str
    node: str
    thing: str
    kind: str
    """"property" or "action"."""
    name: str
    input: Value = None
    who: str
    origin: str
    """Through what it came: "page", "api", "cli" …"""
    reason: str = ""
    made: int
    """When it was asked for, Unix milliseconds."""
    ttl: float = 5.0
    """Seconds within which the device must be asked."""
    epoch: int = 0
    """The run of the agent that it is meant for."""


class LaterTruth(Struct, frozen=True, kw_only=True):
    """What became known after the line had ended otherwise; the line is not rewritten."""

    end: str
    detail: str = ""
    value: Value = None
    time: int
    """When it became known, Unix milliseconds."""
    accepted: int = 0
    """When the agent had taken it, node's clock; 0 = it never did, or nobody said."""
    asked: int = 0
    """When the device was asked; 0 = it was not, or nobody said."""
    ended: int = 0
    """When it had really ended; 0 = nobody said."""


class Line(Struct, frozen=True, kw_only=True):
    """A line of the ledger: the intent, and how it ended."""

    id: str
    node: str
    """"" for an act on the site as a whole."""
    thing: str
    """For an act on the site, the stand that it was about; for one about people, the person, token or guest link;
    "" = none."""
    kind: str
    """"property", "action", "site": an act on the site, such as a stop or a lease, or "people": a log-in, or a change
    of who comes in and what they may."""
    name: str
    """The property or action; of an act, what was done: "stop", "safe-end", "lift", "lease.take", "login" …"""
    input: Value = None
    who: str
    """The person or program; "guard" when the agent did it by itself."""
    origin: str
    """Through what it came: "page", "api", "cli"; of the agent's own, the rule: "max-on", "interlock" …"""
    reason: str = ""
    made: int
    """When it was asked for, Unix milliseconds."""
    ttl: float
    epoch: int
    end: str = ""
    """"confirmed", "refused", "failed", "expired", "unknown", or "" while it is open."""
    why: str = ""
    """Kind of reason when not confirmed, see bus.messages.Why."""
    detail: str = ""
    remedy: str = ""
    value: Value = None
    accepted: int = 0
    asked: int = 0
    ended: int = 0
    took_ms: float = 0.0
    later: list[LaterTruth] = []


class Wanted(Struct, frozen=True, kw_only=True):
    """Which lines of the ledger are asked for; None = any."""

    node: str | None = None
    thing: str | None = None
    name: str | None = None
    """The property, action or act."""
    end: str | None = None
    """How they ended; "" = they have not."""
    who: str | None = None
    origin: str | None = None
    kind: str | None = None
    without: tuple[str, ...] = ()
    """Kinds that are left out."""
    since: int | None = None
    """Made then or later, Unix milliseconds."""
    until: int | None = None
    """Made before then."""
    text: str | None = None
    """Somewhere in reason, detail or remedy, in large or small letters."""


class Lines(Struct, frozen=True, kw_only=True):
    """A page of the ledger, newest first."""

    lines: list[Line]
    next: str
    """What `before` must be for the next older page; "" = there is nothing older."""


class Act(Struct, frozen=True, kw_only=True):
    """Something that was done on the site as a whole or about people, and that is done once it is told: a stop, a lift,
    a lease, a log-in."""

    id: str
    kind: str = "site"
    """"site", or "people"."""
    name: str
    """"stop", "safe-end", "lift", "lease.take", "lease.give", "lease.release", "lease.extend", "lease.expired"; about
    people "login", "user.add", "token.made" …"""
    thing: str = ""
    """The stand; the person, token or guest link; "" = none."""
    who: str
    origin: str
    """Through what it came: "page", "api", "cli" …"""
    reason: str = ""
    made: int
    """When it was done, Unix milliseconds."""
    detail: str = ""
    """What people should know of it, in one sentence."""
    input: Value = None


class StopLine(Struct, frozen=True, kw_only=True):
    """A stop in the record."""

    latch: Latch
    lifted_time: int = 0
    """When it was lifted, Unix milliseconds; 0 = it holds."""
    lifted_by: str = ""
    lifted_reason: str = ""


class Position(Struct, frozen=True, kw_only=True):
    """Up to where a stream of the bus is in the record."""

    created: str = ""
    """The stream's identity; a stream that was made anew counts from 1 again."""
    seq: int = 0
    """Number of the last message that is in; 0 = none."""
    time: int = 0
    """When the bus stored that message, Unix milliseconds; tells it from another one with the same number."""


class Remembered(Struct, frozen=True, kw_only=True):
    """What the record knows of a thing: enough to show it before its node has said a word."""

    description: ThingDescription
    properties: dict[str, PropertyState]
    last_seen: int
    """When its node was last heard, Unix milliseconds."""


class Occurrence(Struct, frozen=True, kw_only=True):
    """An event that happened."""

    id: str
    node: str
    thing: str
    name: str
    time: int
    data: Value = None


Point = tuple[int, float | None, float | None, float | None]
"""(time in Unix milliseconds, lowest, highest, mean); a gap has None for all three."""


class SeriesData(Struct, frozen=True, kw_only=True):
    """A series over a range of time, made small enough for a chart."""

    series: str
    """node/thing.property"""
    unit: str = ""
    tier: str = "raw"
    """Coarsest table that it comes from: "raw", "minute" or "hour"; what is not rolled up yet comes from finer ones."""
    bucket: int = 0
    """Milliseconds that one point stands for; 0 = each point is one reading."""
    points: list[Point] = []
    """Numbers and booleans (as 0 and 1). The first may carry the value that was held before the range."""
    values: list[tuple[int, Value]] = []
    """Anything else: (time, value) where it changed; null = nobody was reading or the device did not answer."""
