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
from pilothouse.model import Health, PropertyState, Reading, ThingDescription, Value

VERSION = 1
LIMIT = 1024 * 1024
"""Bytes that one message may have; the bus refuses larger ones."""


class Message(Struct, frozen=True, kw_only=True):
    """Base of all messages."""

    v: int = VERSION


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
