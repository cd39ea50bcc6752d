"""What goes into the record and comes out of it."""

from __future__ import annotations

from msgspec import Struct

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


class Line(Struct, frozen=True, kw_only=True):
    """A line of the ledger: the intent, and how it ended."""

    id: str
    node: str
    thing: str
    kind: str
    name: str
    input: Value = None
    who: str
    origin: str
    reason: str = ""
    made: int
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
