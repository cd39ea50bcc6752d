"""Messages on the bus: frozen structs with a version, JSON on the wire so that any NATS tool can read them.

A message of a higher version than ours is refused with a sentence that says so; unknown fields of our own version are
ignored, so that a field may be added without a new version. All times are Unix milliseconds, all durations seconds,
unless a field says otherwise.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from pilothouse.errors import BadMessage
from pilothouse.model import Bar, Health, PropertyState, Reading, ThingDescription, Value

VERSION = 1
LIMIT = 1024 * 1024
"""Bytes that one message may have; the bus refuses larger ones."""


class Message(Struct, frozen=True, kw_only=True):
    """Base of all messages."""

    v: int = VERSION


class Latch(Struct, frozen=True, kw_only=True):
    """A stop that was pressed; it holds until somebody lifts it."""

    id: str
    kind: Literal["hard", "end"]
    """"hard": outputs are safe at once. "end": what runs comes to its end first."""
    time: int
    """When it was pressed, Unix milliseconds."""
    who: str
    origin: str
    reason: str = ""


class Presence(Message, frozen=True, kw_only=True):
    """A node says that it is there; every `every` seconds, and once more when it leaves."""

    node: str
    epoch: int
    """Number of this run of the agent; grows for ever, also across reboots. Anything of an older epoch is dropped."""
    version: str
    """Pilothouse's version on the node."""
    time: int
    """The node's wall clock."""
    mono: int
    """The node's monotonic clock in milliseconds; a command's deadline is given in it."""
    every: float = 2.0
    state: Literal["here", "leaving"] = "here"
    seq: int = 0
    """Sequence number of the last batch of readings published."""
    things: tuple[str, ...] = ()
    """Names of all its things; one that is missing here is gone."""
    stops: tuple[Latch, ...] = ()
    """Stops that this node obeys and that nobody has lifted."""
    notes: tuple[str, ...] = ()
    """What people should know about this node, in sentences: "took over from another agent of this name …"."""


class Described(Message, frozen=True, kw_only=True):
    """A thing's description, as it is now."""

    node: str
    epoch: int
    thing: str
    description: ThingDescription


class State(Message, frozen=True, kw_only=True):
    """The latest of all properties of a thing, and its health; at most one a second, the last change always comes."""

    node: str
    epoch: int
    thing: str
    number: int = 0
    """1, 2, 3 … of this thing's states within the epoch: the order of states, whatever the wall clock does."""
    seq: int = 0
    """The batches of readings up to this one are in it."""
    time: int
    health: Health
    properties: dict[str, PropertyState]
    bars: dict[str, Bar] = {}
    """Why an output (by its property) may not leave its safe value, or an action not be called, right now."""


class Batch(Message, frozen=True, kw_only=True):
    """Readings of one node since the batch before."""

    node: str
    epoch: int
    seq: int
    """1, 2, 3 … within an epoch; a hole means a lost batch."""
    readings: list[Reading]
    late: bool = False
    """True for readings that were kept while the link was down."""


class Happened(Message, frozen=True, kw_only=True):
    """An event of a thing."""

    id: str
    node: str
    epoch: int
    thing: str
    name: str
    time: int
    data: Value = None


class Command(Message, frozen=True, kw_only=True):
    """One write or action call to one thing."""

    id: str
    node: str
    epoch: int
    """The run of the agent that it is meant for; another run never does it."""
    thing: str
    kind: Literal["property", "action"]
    name: str
    input: Value = None
    deadline: int
    """The agent's own monotonic clock in milliseconds: at or after it the command is expired and never done."""
    who: str
    origin: str
    """Through what it came: "page", "api", "cli", "schedule", "rule", "job" …"""
    reason: str = ""
    confirmation: str = ""
    """The token that the agent gave for exactly this command, where it needs one."""


class End(StrEnum):
    """How a command ended; exactly one of these."""

    CONFIRMED = "confirmed"
    """The device did it; for a property, the readback shows it."""
    REFUSED = "refused"
    """Not allowed or not sensible; the device was not asked."""
    FAILED = "failed"
    """The device was asked and said no, or broke."""
    EXPIRED = "expired"
    """Its time to live passed before the device was asked; it will never be done."""
    UNKNOWN = "unknown"
    """Nobody can say."""


class Why(StrEnum):
    """What kind of reason stands behind an end that is not "confirmed"; decides the HTTP status."""

    NONE = ""
    INPUT = "input"
    """Wrong type or outside its limits (422)."""
    MISSING = "missing"
    """No such thing, property or action (404)."""
    READ_ONLY = "read-only"
    """The property cannot be written (409)."""
    RIGHTS = "rights"
    """Who asked may not (403)."""
    AWAY = "away"
    """The node is not there (503)."""
    EPOCH = "epoch"
    """The agent has started anew since the command was made (503)."""
    BUSY = "busy"
    """Too much is waiting for this device already (409)."""
    STOPPING = "stopping"
    """The agent is on its way out (503)."""
    DEVICE = "device"
    """The device or its driver failed (502)."""
    READBACK = "readback"
    """The device took the value and shows another (502)."""
    TIME = "time"
    """It took too long (504)."""
    INTERLOCK = "interlock"
    """An interlock or an exclusion stands against it (409)."""
    GUARD = "guard"
    """Another rule of the guard stands against it: slew, min_off (409)."""
    STOPPED = "stopped"
    """Stop was pressed and nobody has lifted it (409)."""
    LEASE = "lease"
    """Somebody else holds the stand (423)."""
    CONFIRM = "confirm"
    """It needs a confirmation that it does not have (428)."""
    CANCELLED = "cancelled"
    """Somebody took it back while it waited for the device (409)."""


class Made(Struct, frozen=True, kw_only=True):
    """What stands behind a command that the agent gave itself: there is no intent in the record for it."""

    kind: Literal["property", "action"] = "property"
    input: Value = None
    who: str = "guard"
    origin: str
    """Which rule: "max-on", "interlock", "exclusive", "link", "lease", "stop", "start" …"""
    reason: str
    """In one sentence."""
    time: int
    """When, Unix milliseconds."""


class Outcome(Message, frozen=True, kw_only=True):
    """The end of a command, as the agent gives it: in the reply, and for the ledger."""

    id: str
    node: str
    epoch: int
    thing: str
    name: str
    end: End
    why: Why = Why.NONE
    detail: str = ""
    """What happened, in one sentence for people; "" when confirmed."""
    remedy: str = ""
    """What would help."""
    value: Value = None
    """The readback of a property, the output of an action."""
    accepted: int = 0
    """When the agent took it, node's wall clock; 0 = never."""
    asked: int = 0
    """When the device was asked; 0 = it was not."""
    ended: int = 0
    """When it ended."""
    took_ms: float = 0.0
    """From accepting to the end, by the monotonic clock."""
    made: Made | None = None
    """For a command of the agent's own."""


class Outcomes(Message, frozen=True, kw_only=True):
    """Outcomes of one node on their way to the ledger; many in one message, for the bus flushes every message."""

    node: str
    outcomes: tuple[Outcome, ...]


class Handover(Message, frozen=True, kw_only=True):
    """A new agent asks the one before it with the same node name to let go of the hardware."""

    node: str
    epoch: int
    """Epoch of the new agent."""
    host: str = ""
    """Machine and process of the new agent, for the log of the old."""


class HandedOver(Message, frozen=True, kw_only=True):
    """The old agent has put its outputs to their safe values, closed its devices, and will exit."""

    node: str
    epoch: int
    """Epoch of the old agent."""
    host: str = ""


class StopOrder(Message, frozen=True, kw_only=True):
    """To all agents of the site: stop, or the lifting of stops. Doing it twice does nothing more."""

    kind: Literal["hard", "end", "lift"]
    id: str
    """Of this stop; of this act for "lift"."""
    time: int
    who: str
    origin: str
    reason: str = ""
    lifts: tuple[str, ...] = ()
    """For "lift": ids of the stops that it lifts. One that it does not know holds on."""
    node: str = ""
    """Only for this node, which has missed it; "" = for all."""


class Stopped(Message, frozen=True, kw_only=True):
    """An agent's answer to a StopOrder, when its outputs are safe or it knows that some are not."""

    node: str
    epoch: int
    stops: tuple[str, ...] = ()
    """Ids of the stops that hold on this node now."""
    outputs: int = 0
    """Outputs that have a safe value."""
    mistakes: tuple[str, ...] = ()
    """What may not be safe, and why, one sentence a thing."""
    took_ms: float = 0.0


class AskConfirmation(Message, frozen=True, kw_only=True):
    """Somebody wants to confirm a command that needs it."""

    node: str
    epoch: int
    thing: str
    kind: Literal["property", "action"]
    name: str
    input: Value = None
    who: str


class Confirmation(Message, frozen=True, kw_only=True):
    """The agent's token for exactly that command, single use; or why there is none."""

    token: str = ""
    lives: float = 0.0
    """Seconds."""
    two_person: bool = False
    """Whether the command must be given by somebody else than who asked for the token."""
    hazard: str = ""
    why: Why = Why.NONE
    detail: str = ""
    remedy: str = ""


class Cancel(Message, frozen=True, kw_only=True):
    """Take back a command that waits for its device."""

    id: str
    who: str
    origin: str
    reason: str = ""


class Cancelled(Message, frozen=True, kw_only=True):
    """The answer to a Cancel."""

    done: bool
    """Whether it will never be done; false = it was running or over already, or is not known."""
    detail: str = ""


class Call(Struct, frozen=True, kw_only=True):
    """One call on a lane."""

    thing: str
    label: str
    """What it does: "writing heater", "reading it"."""
    since: int
    """Since when it waits or runs, Unix milliseconds by the node's clock."""
    id: str = ""
    """The command that it belongs to; "" for the agent's own reading."""
    name: str = ""
    """The property or action of that command."""
    who: str = ""


class LaneView(Struct, frozen=True, kw_only=True):
    """One lane: what runs on it and what waits."""

    name: str
    things: tuple[str, ...]
    hung_since: int = 0
    """Since when its running call is overdue, Unix milliseconds; 0 = it is not."""
    running: Call | None = None
    waiting: tuple[Call, ...] = ()
    """In the order of their turn, at most the first 50."""
    more: int = 0
    """How many wait beyond those."""


class Lanes(Message, frozen=True, kw_only=True):
    """Lanes of a node on which something has taken longer than a moment; the others are idle or quick."""

    node: str
    epoch: int
    time: int
    lanes: tuple[LaneView, ...]


class LeaseAsk(Struct, frozen=True, kw_only=True):
    """Somebody would like to have a stand."""

    who: str
    time: int
    note: str = ""


class StandLease(Message, frozen=True, kw_only=True):
    """Who holds a stand, as the hub last wrote it. `until` by the hub's clock; agents count `left` from `time`."""

    stand: str
    things: tuple[str, ...]
    """Its things as node/thing."""
    holder: str = ""
    """"" = nobody."""
    since: int = 0
    until: int = 0
    time: int = 0
    """When this was written."""
    left: float = 0.0
    """Seconds from `time` after which it is over by itself."""
    length: float = 0.0
    """Seconds that a lease lasts from the last use on."""
    required: bool = False
    safe_on_expiry: bool = True
    asks: tuple[LeaseAsk, ...] = ()
    ended: Literal["", "released", "expired"] = ""
    """How the last one ended, while nobody holds it."""
    last: str = ""
    """Who held it last."""


class Held(Message, frozen=True, kw_only=True):
    """A lease on the bus, as its holder last renewed it."""

    holder: str
    """Which process; "" = given back."""
    ttl: float
    """Seconds without a new one after which another may take it, by the other's own clock."""


M = TypeVar("M", bound=Message)
_encoder = msgspec.json.Encoder()
_decoders: dict[type[Message], msgspec.json.Decoder[Any]] = {}


def encode(message: Message) -> bytes:
    """The message as JSON; raises BadMessage when it is larger than LIMIT."""
    data = _encoder.encode(message)
    if len(data) > LIMIT:
        raise BadMessage(f"a {type(message).__name__} of {len(data)} bytes is too large for the bus")
    return data


def decode(kind: type[M], data: bytes) -> M:
    """Bytes as a message of `kind`; raises BadMessage that says what is wrong with them."""
    if len(data) > LIMIT:
        raise BadMessage(f"a message of {len(data)} bytes is larger than {LIMIT}")
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        message: M = decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        newer = _version_of(data)
        if newer > VERSION:
            raise _too_new(kind, newer) from None
        raise BadMessage(f"not a {kind.__name__}", why=str(error)[:200]) from None
    if message.v > VERSION:
        raise _too_new(kind, message.v)
    return message


class _Versioned(Struct):
    v: int = 0


def _version_of(data: bytes) -> int:
    try:
        return msgspec.json.decode(data, type=_Versioned).v
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0


def _too_new(kind: type[Message], version: int) -> BadMessage:
    return BadMessage(
        f"a {kind.__name__} of version {version}",
        why=f"this Pilothouse knows versions up to {VERSION}",
        remedy="Update Pilothouse on this machine",
    )
