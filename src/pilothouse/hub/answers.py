"""How the end of a command is told over HTTP: status, body, and the reason in plain words. Pure."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from pilothouse.bus.messages import End, Outcome, Why
from pilothouse.hub.problems import MEDIA_TYPE, TITLES
from pilothouse.model import Value
from pilothouse.record.rows import Line

_ENDS = {
    End.CONFIRMED: 200,
    End.REFUSED: 409,
    End.FAILED: 502,
    End.EXPIRED: 504,
    End.UNKNOWN: 504,
}
_REFUSALS = {
    Why.INPUT: 422,
    Why.MISSING: 404,
    Why.RIGHTS: 403,
    Why.AWAY: 503,
    Why.EPOCH: 503,
    Why.STOPPING: 503,
    Why.LEASE: 423,
    Why.CONFIRM: 428,
}

CAUSES = {
    Why.NONE: "",
    Why.INPUT: "The value has the wrong type or is outside its limits.",
    Why.MISSING: "The node has no such thing, property or action.",
    Why.READ_ONLY: "The property can only be read.",
    Why.RIGHTS: "Whoever asked may not do this.",
    Why.AWAY: "The node is not there.",
    Why.EPOCH: "The agent of the node has started anew since the command was made.",
    Why.BUSY: "Too much is waiting for this device already.",
    Why.STOPPING: "The agent of the node is on its way out.",
    Why.DEVICE: "The device or its driver failed.",
    Why.READBACK: "The device took the value and shows another.",
    Why.TIME: "It took too long.",
    Why.INTERLOCK: "An interlock or an exclusion stands against it.",
    Why.GUARD: "A rule about how fast or how often it may be switched stands against it.",
    Why.STOPPED: "Stop was pressed, and nobody has lifted it.",
    Why.LEASE: "Somebody else holds the stand.",
    Why.CONFIRM: "It needs a confirmation that it does not have.",
    Why.CANCELLED: "Somebody took it back while it waited for the device.",
}
"""What each kind of reason means, in one sentence."""


class CommandAnswer(Struct, kw_only=True, frozen=True):
    """How a command ended."""

    id: str
    """The command's id; the header Idempotency-Key of the request when it had one."""
    end: str
    """"confirmed", "refused", "failed", "expired" or "unknown"."""
    why: str = ""
    """Kind of reason when not confirmed, such as "input", "away" or "device"."""
    detail: str = ""
    """What happened, in one sentence; "" when confirmed."""
    remedy: str = ""
    node: str
    thing: str
    name: str
    """The property or action."""
    value: Value = None
    """The readback of a property, the output of an action."""
    asked: int = 0
    """When the device was asked, node's clock in Unix milliseconds; 0 = it was not."""
    ended: int = 0
    """When it ended, Unix milliseconds."""
    took_ms: float = 0.0
    """From the agent's accepting it to the end."""


class CommandProblem(CommandAnswer, kw_only=True, frozen=True):
    """How a command ended that was not confirmed: an answer and a problem (RFC 9457) in one."""

    type: str
    title: str
    status: int
    cause: str = ""
    nearest: str = ""


def answer_of(outcome: Outcome) -> CommandAnswer:
    """The answer to whoever sent the command."""
    return CommandAnswer(
        id=outcome.id,
        end=outcome.end.value,
        why=outcome.why.value,
        detail=outcome.detail,
        remedy=outcome.remedy,
        node=outcome.node,
        thing=outcome.thing,
        name=outcome.name,
        value=outcome.value,
        asked=outcome.asked,
        ended=outcome.ended,
        took_ms=outcome.took_ms,
    )


def outcome_of(line: Line) -> Outcome:
    """How a line of the ledger ended, as the agent had told it; `line.end` must not be ""."""
    return Outcome(
        id=line.id,
        node=line.node,
        epoch=line.epoch,
        thing=line.thing,
        name=line.name,
        end=End(line.end),
        why=Why(line.why),
        detail=line.detail,
        remedy=line.remedy,
        value=line.value,
        accepted=line.accepted,
        asked=line.asked,
        ended=line.ended,
        took_ms=line.took_ms,
    )


def status_of(end: End, why: Why) -> int:
    """The HTTP status that an end is told with."""
    if end is End.REFUSED:
        return _REFUSALS.get(why, 409)
    return _ENDS[end]


def encode_answer(outcome: Outcome) -> tuple[int, str, bytes]:
    """(status, content type, body) for an end."""
    answer = answer_of(outcome)
    status = status_of(outcome.end, outcome.why)
    if outcome.end is End.CONFIRMED:
        return status, "application/json", msgspec.json.encode(answer)
    problem = CommandProblem(
        **msgspec.structs.asdict(answer),
        type=f"urn:pilothouse:problem:{outcome.end.value}",
        title=TITLES["not-confirmed"],
        status=status,
        cause=CAUSES[outcome.why],
    )
    return status, MEDIA_TYPE, msgspec.json.encode(problem)
