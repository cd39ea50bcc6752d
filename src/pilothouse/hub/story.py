"""The story of one command: from who wanted it to how it ended, in steps that each have a time and a sentence. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec
from msgspec import Struct

from pilothouse.model import Value
from pilothouse.record.rows import LaterTruth, Line

_LONGEST = 120
_THROUGH = {
    "page": "on a page",
    "api": "through the API",
    "cli": "on the command line",
    "bus": "on the bus",
}
_RULES = {
    "max-on": "it had been on for as long as it may",
    "interlock": "an interlock broke while it was on",
    "exclusive": "another output of its group was on as well",
    "link": "the link to the bus was lost",
    "lease": "the lease of its stand was over",
    "stop": "stop was pressed",
    "start": "the agent started",
    "end": "the agent ended",
}
"""What the agent's own rules mean, by the origin of what they did."""
_ACTS = {
    "stop": "pressed stop: outputs go to their safe values at once",
    "safe-end": "pressed safe end: what runs comes to its end first",
    "lift": "lifted the stop",
    "lease.take": "took the stand",
    "lease.give": "gave the stand away",
    "lease.release": "gave the stand back",
    "lease.extend": "extended the lease of the stand",
    "lease.expired": "ended the lease of the stand, which had run out",
    "login": "logged in",
    "login.failed": "tried to log in and was not let in",
    "login.locked": "tried to log in too often, and must wait longer before each new try",
    "logout": "logged out",
    "user.add": "added {name}",
    "user.changed": "described {name} anew",
    "user.rights": "changed what {name} may",
    "user.disable": "disabled {name}",
    "user.enable": "let {name} in again",
    "user.remove": "removed {name}",
    "password.set": "set the password of {name}",
    "password.reset": "reset the password of {name}",
    "link.made": "made a log-in link for {name}",
    "token.made": "made the token {name}",
    "token.ended": "ended the token {name}",
    "session.ended": "ended a session of {name}",
    "guest.made": "made the guest link {name}",
    "guest.ended": "ended the guest link {name}",
    "config.changed": "started the hub with another configuration",
}
"""What people and the hub do, `{name}` being the person, token or guest link that it is about."""


class Step(Struct, frozen=True, kw_only=True):
    """One thing that happened to a command."""

    at: int
    """When, Unix milliseconds."""
    what: str
    """In one sentence."""
    by: Literal["hub", "node"]
    """Whose clock says when."""


def story(line: Line) -> list[Step]:
    """The steps in the order in which they happened. Clocks differ, so their times need not grow."""
    if line.kind in ("site", "people"):
        return [Step(at=line.made, what=_of_act(line), by="hub")]
    steps = [_asked_for(line)]
    if line.accepted:
        steps.append(Step(at=line.accepted, what=f"The agent of node {line.node} took it.", by="node"))
    if line.asked:
        steps.append(Step(at=line.asked, what="The device was asked.", by="node"))
    if line.end:
        at, by = _when_ended(line)
        steps.append(Step(at=at, what=_sentence(_ENDS[line.end](line)), by=by))
    for truth in line.later:
        steps += _later(truth, line)
    return steps


def _asked_for(line: Line) -> Step:
    if line.origin in _RULES:
        text = f"The agent of node {line.node} {_wish(line)} by itself, because {_RULES[line.origin]}"
        return Step(at=line.made, what=_sentence(_with_reason(text, line.reason)), by="node")
    if not line.who:
        text = f"Somebody asked for {line.thing}.{line.name}; nobody knows who, for no hub has written it down"
        return Step(at=line.made, what=_sentence(text), by="node")
    through = _THROUGH.get(line.origin, f"through {line.origin}" if line.origin else "")
    text = " ".join(part for part in (line.who, "asked", through, f"to {_wish(line)}") if part)
    return Step(at=line.made, what=_sentence(_with_reason(text, line.reason)), by="hub")


def _wish(line: Line) -> str:
    if line.kind == "action":
        given = f" with {_text(line.input)}" if line.input not in (None, {}) else ""
        return f"call {line.thing}.{line.name}{given}"
    return f"set {line.thing}.{line.name} to {_text(line.input)}"


def _of_act(line: Line) -> str:
    if line.kind == "people":
        text = f"{line.who or 'Somebody'} {_ACTS.get(line.name, line.name).replace('{name}', line.thing or 'somebody')}"
    else:
        text = f"{line.who} {_ACTS.get(line.name, line.name)}"
        text = text.replace("the stand", f"stand {line.thing}") if line.thing else text
    through = _THROUGH.get(line.origin, "")
    text = ", ".join(part for part in (text, through, _from(line)) if part)
    text = _with_reason(text, line.reason)
    return f"{_sentence(text)} {_sentence(line.detail)}".strip()


def _from(line: Line) -> str:
    """From where whoever did something about people came."""
    address = line.input.get("from") if line.kind == "people" and isinstance(line.input, dict) else None
    return f"from {address}" if isinstance(address, str) and address else ""


def _when_ended(line: Line) -> tuple[int, Literal["hub", "node"]]:
    """A hub ends what no agent took; then the time is by the hub's clock."""
    at = line.ended or line.asked or line.accepted or line.made
    return at, "node" if line.accepted or line.asked else "hub"


def _confirmed(line: Line) -> str:
    took = f" It took {_milliseconds(line.took_ms)}." if line.took_ms else ""
    if line.kind == "action":
        gave = f"; it gave {_text(line.value)}" if line.value is not None else ""
        return f"Confirmed: the device did it{gave}.{took}"
    return f"Confirmed: the readback shows {_text(line.value)}.{took}"


def _refused(line: Line) -> str:
    return f"Refused, and the device was not asked: {_why(line)}"


def _failed(line: Line) -> str:
    shown = f" The readback shows {_text(line.value)}." if line.why == "readback" else ""
    return f"Failed: {_why(line)}{shown}"


def _expired(line: Line) -> str:
    return f"Expired: the device was not asked within {line.ttl:g} s, and will never be for this. {line.detail}".strip()


def _unknown(line: Line) -> str:
    return f"Unknown: nobody can say what became of it. {_sentence(line.detail)}".strip()


_ENDS: dict[str, Callable[[Line], str]] = {
    "confirmed": _confirmed,
    "refused": _refused,
    "failed": _failed,
    "expired": _expired,
    "unknown": _unknown,
}


def _why(line: Line) -> str:
    return " ".join(part for part in (_sentence(line.detail), _sentence(line.remedy)) if part) or "nobody said why."


def _later(truth: LaterTruth, line: Line) -> list[Step]:
    """What became known later: what the node says of its own time, then when that was heard."""
    steps = []
    if truth.asked and not line.asked:
        steps.append(Step(at=truth.asked, what="As the node said later, the device was asked.", by="node"))
    text = f"Later truth: {truth.end}"
    if truth.end == "confirmed":
        text += f"; the readback showed {_text(truth.value)}" if line.kind == "property" else "; the device did it"
    if truth.detail:
        text += f"; {truth.detail}"
    steps.append(Step(at=truth.time, what=_sentence(text), by="hub"))
    return steps


def _with_reason(text: str, reason: str) -> str:
    return f"{text}: “{reason}”" if reason else text


def _text(value: Value) -> str:
    """A value as it is written in JSON, not too long."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _milliseconds(took: float) -> str:
    return f"{took / 1000:.1f} s" if took >= 1000 else f"{took:.1f} ms"


def _sentence(text: str) -> str:
    if not text:
        return ""
    return text if text.endswith((".", "!", "?")) else f"{text}."
