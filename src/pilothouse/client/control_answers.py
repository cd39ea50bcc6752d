"""What the hub answers about stops, stands, confirmations and lanes, as types; see `client.answers`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class StopNow(Struct, frozen=True, kw_only=True):
    """A stop that holds."""

    id: str = ""
    kind: Literal["hard", "end"] = "hard"
    time: int = 0
    who: str = ""
    origin: str = ""
    reason: str = ""
    nodes: list[str] = []
    """Nodes that obey it; only where the stops themselves were asked for."""


class Token(Struct, frozen=True, kw_only=True):
    """A confirmation of exactly one command."""

    token: str = ""
    lives: float = 0.0
    """Seconds."""
    two_person: bool = False
    """Whether somebody else must give the command."""
    hazard: str = ""


class Cancelled(Struct, frozen=True, kw_only=True):
    """A command was taken back."""

    done: bool = False
    detail: str = ""


class Call(Struct, frozen=True, kw_only=True):
    """One call on a lane."""

    thing: str = ""
    label: str = ""
    since: int = 0
    """Since when it waits or runs, by the node's clock."""
    id: str = ""
    """The command that it belongs to; "" for the agent's own reading."""
    name: str = ""
    who: str = ""


class LaneNow(Struct, frozen=True, kw_only=True):
    """One lane: what runs on it and what waits."""

    name: str = ""
    things: list[str] = []
    hung_since: int = 0
    """Since when its running call is overdue; 0 = it is not."""
    running: Call | None = None
    waiting: list[Call] = []
    more: int = 0
    """How many wait beyond those."""


class LanesNow(Struct, frozen=True, kw_only=True):
    """Lanes of a node on which something has taken longer than a moment."""

    node: str = ""
    time: int = 0
    """When the node said so, by its clock; 0 = it has said nothing yet."""
    lanes: list[LaneNow] = []


class StopsNow(Struct, frozen=True, kw_only=True):
    """The stops that hold."""

    stops: list[StopNow] = []
    missing: list[str] = []
    """Nodes that are there and do not obey all of them yet."""


class StoppedNode(Struct, frozen=True, kw_only=True):
    """What a node said of a stop."""

    node: str = ""
    outputs: int = 0
    """Outputs that have a safe value."""
    mistakes: list[str] = []
    """What may not be safe, and why."""
    took_ms: float = 0.0


class StopDone(Struct, frozen=True, kw_only=True):
    """A stop was pressed."""

    id: str = ""
    kind: str = "hard"
    nodes: list[StoppedNode] = []
    silent: list[str] = []
    """Nodes that are there and did not answer."""
    note: str = ""
    """What people should know besides, in one sentence."""


class Lifted(Struct, frozen=True, kw_only=True):
    """Stops were lifted."""

    lifted: list[str] = []
    still: list[str] = []
    """Stops that hold on."""
    nodes: list[StoppedNode] = []
    silent: list[str] = []
    note: str = ""


class Ask(Struct, frozen=True, kw_only=True):
    """Somebody would like to have a stand."""

    who: str = ""
    time: int = 0
    note: str = ""


class Stand(Struct, frozen=True, kw_only=True):
    """What is used together, and who holds it."""

    stand: str = ""
    title: str = ""
    doc: str = ""
    things: list[str] = []
    """Its things as node/thing."""
    holder: str = ""
    """"" = nobody."""
    since: int = 0
    until: int = 0
    length: float = 0.0
    """Seconds that a lease lasts from the last use on."""
    required: bool = False
    """Whether nobody may command it without holding it."""
    safe_on_expiry: bool = True
    asks: list[Ask] = []
    ended: str = ""
    """How the last lease ended, "released" or "expired", while nobody holds it."""
    last: str = ""
    """Who held it last."""


class StandList(Struct, frozen=True, kw_only=True):
    """What `GET /api/stands` answers."""

    stands: list[Stand] = []
