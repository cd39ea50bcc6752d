"""What the hub answers, as types. Times are Unix milliseconds (UTC), durations seconds, unless a field says otherwise.

Fields that a newer hub adds are ignored, and fields that an older hub does not know yet have defaults.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from pilothouse.client.control_answers import LanesNow, Stand, StopNow
from pilothouse.model import ActionDescription, Bar, Health, PropertyState, Quality, ThingDescription, Value


class HubHealth(Struct, frozen=True, kw_only=True):
    """Whether a hub can do its work."""

    status: Literal["ok", "degraded"] = "degraded"
    bus: bool = False
    """Whether it has a link to the bus."""
    record: bool = False
    """Whether the ledger could be written when it was last tried."""


class Node(Struct, frozen=True, kw_only=True):
    """A computer with an agent."""

    node: str
    life: Literal["here", "away", "left"] = "away"
    since: int = 0
    """Since when it is as it is."""
    last_seen: int = 0
    """When it last said that it was there, by the hub's clock; 0 = not in the life of this hub."""
    epoch: int = 0
    version: str = ""
    clock_offset: int = 0
    """Milliseconds that its wall clock is ahead of the hub's."""
    things: list[str] = []
    stops: list[StopNow] = []
    """Stops that it obeys."""
    notes: list[str] = []


class ThingNow(Struct, frozen=True, kw_only=True):
    """A thing and the latest of all its properties."""

    node: str
    thing: str
    title: str = ""
    health: Health = Health()
    properties: dict[str, PropertyState] = {}
    bars: dict[str, Bar] = {}
    """Why an output may not leave its safe value, or an action not be called, right now."""
    description: ThingDescription | None = None
    """Units, limits, actions; only there when one thing was asked for."""

    @property
    def address(self) -> str:
        """`node/thing`."""
        return f"{self.node}/{self.thing}"


class PropertyNow(Struct, frozen=True, kw_only=True):
    """One property now."""

    value: Value = None
    """The last reading's value: the readback, never the wish."""
    time: int = 0
    quality: Quality = Quality.GOOD
    wish: Value = None
    """What was last asked for; meaningful when wish_time is not 0."""
    wish_time: int = 0
    accepted: Value = None
    """What the device last took; meaningful when accepted_time is not 0."""
    accepted_time: int = 0
    differs_since: int = 0
    """Since when the reading shows something else than what the device took; 0 = it does not."""
    unit: str = ""
    age_ms: float | None = None
    """Milliseconds since it was read; None = never read."""


class Reason(Struct, frozen=True, kw_only=True):
    """One thing that stands against doing something now."""

    rule: str = ""
    """"stop", "lease", "interlock", "exclusive", "min-off", "device", "away" or "read-only"."""
    text: str = ""
    remedy: str = ""
    until: int = 0
    """When it is over by itself; 0 = nobody can say."""
    holder: str = ""
    """Who holds the stand, for "lease"."""


class Explained(PropertyNow, frozen=True, kw_only=True):
    """Whether something may be done now, as far as the hub knows; for a property, with how it stands now."""

    may: bool = False
    """Whether nothing is known against it. Going to the safe value is always free."""
    why_not: list[Reason] = []
    confirm: str = ""
    """"" or whose confirmation it needs: "yes" = that of whoever commands, "two-person" = somebody else's."""
    hazard: str = ""
    action: ActionDescription | None = None
    """The action, when one was asked for."""


class Ended(Struct, frozen=True, kw_only=True):
    """How a command ended."""

    id: str = ""
    end: str = ""
    """"confirmed", "refused", "failed", "expired" or "unknown"."""
    why: str = ""
    detail: str = ""
    remedy: str = ""
    node: str = ""
    thing: str = ""
    name: str = ""
    value: Value = None
    """The readback of a property, the output of an action."""
    asked: int | None = None
    ended: int | None = None
    took_ms: float | None = None


class LaterTruth(Struct, frozen=True, kw_only=True):
    """What became known of a command after its line had ended in "unknown"."""

    end: str = ""
    detail: str = ""
    value: Value = None
    time: int = 0


class Step(Struct, frozen=True, kw_only=True):
    """One step of the story of a command."""

    at: int = 0
    what: str = ""
    by: str = ""
    """Whose clock told the time: "hub" or "node"."""


class LedgerLine(Struct, frozen=True, kw_only=True):
    """One command, or an act on the site: who, what, why, and its honest end."""

    id: str
    node: str = ""
    thing: str = ""
    """For an act on the site, the stand that it was about."""
    kind: str = ""
    """"property", "action" or "site"."""
    name: str = ""
    """The property or action; of an act, what was done: "stop", "safe-end", "lift", "lease.take" …"""
    input: Value = None
    who: str = ""
    origin: str = ""
    reason: str = ""
    made: int = 0
    ttl: float = 0.0
    end: str = ""
    """"" while it is open."""
    why: str = ""
    detail: str = ""
    remedy: str = ""
    value: Value = None
    accepted: int = 0
    asked: int = 0
    ended: int = 0
    took_ms: float = 0.0
    later: list[LaterTruth] = []
    story: list[Step] = []
    """What became of it, step by step; only where one line was asked for."""


class SeriesData(Struct, frozen=True, kw_only=True):
    """The history of one series, decimated by the hub."""

    series: str
    unit: str = ""
    tier: str = ""
    """What it was taken from: "raw", "minute" or "hour"."""
    bucket: int = 0
    """Milliseconds that one point stands for."""
    points: list[tuple[int, float | None, float | None, float | None]] = []
    """(time, minimum, maximum, mean) of each bucket; None three times = a gap begins."""
    values: list[tuple[int, Value]] = []
    """(time, value) of a series that is no number."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """Everything that a watch covers, as it is now; whatever was known before is replaced by it."""

    time: int = 0
    hub: dict[str, Any] = {}
    nodes: list[Node] = []
    things: list[ThingNow] = []
    stands: list[Stand] = []
    lanes: list[LanesNow] = []


class Change(Struct, frozen=True, kw_only=True):
    """What changed since the frame before."""

    time: int = 0
    values: list[tuple[str, str, str, int, Value, Quality]] = []
    """(node, thing, property, time, value, quality)."""
    things: list[ThingNow] = []
    nodes: list[Node] = []
    hub: dict[str, Any] = {}
    stands: list[Stand] = []
    lanes: list[LanesNow] = []
    described: bool = False
    ended: list[Ended] = []


class Lost(Struct, frozen=True, kw_only=True):
    """The link to the hub is gone; a Snapshot follows when it is back."""

    why: str


class NodeList(Struct, frozen=True, kw_only=True):
    """What `GET /api/nodes` answers."""

    nodes: list[Node] = []


class ThingList(Struct, frozen=True, kw_only=True):
    """What `GET /api/things` answers."""

    things: list[ThingNow] = []


class LineList(Struct, frozen=True, kw_only=True):
    """What `GET /api/ledger` answers."""

    lines: list[LedgerLine] = []
    next: str = ""
    """What `before` must be for the next older page; "" = there is nothing older."""


class SeriesList(Struct, frozen=True, kw_only=True):
    """What `GET /api/history` answers."""

    series: list[SeriesData] = []
