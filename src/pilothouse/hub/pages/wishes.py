"""What was asked for, what the device took, and what it shows, in one line: calm when they agree. Pure.

`static/js/wishes.js` says the same in the browser; both are tested against tests/fixtures/wishes.json.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from pilothouse.hub.pages.values import shown_of
from pilothouse.hub.times import ago
from pilothouse.model import PropertyDescription, PropertyState, Value

_AT_ONCE = 3000
"""Milliseconds beyond its time to settle within which a device that shows something else never followed at all."""


class Told(NamedTuple):
    """One line about a wish."""

    text: str
    look: Literal["calm", "open", "differs"]
    """calm: all agree, or nothing was asked for. open: on its way. differs: somebody has changed it at the device."""


def told(state: PropertyState, description: PropertyDescription, fresh: str, now: int) -> Told:
    """The line of one writable property. `now` is the node's clock, `fresh` is how far the reading can be trusted."""
    if not (state.wish_time or state.accepted_time):
        return Told(f"read {ago(state.time, now)}" if state.time else "never read", "calm")
    pending = state.wish_time > state.accepted_time
    if not pending and _shows(state, description) and fresh not in ("bad", "none"):
        return Told(f"confirmed {ago(state.time, now)}", "calm")
    asked = state.wish if state.wish_time else state.accepted
    wanted, value = _words(asked, description), _words(state.value, description)
    if state.differs_since and not pending and fresh not in ("bad", "none"):
        return Told(_differs(state, description, wanted, value, now), "differs")
    taken = "the device has not taken it yet" if pending else f"the device took it {ago(state.accepted_time, now)}"
    first = f"asked for {wanted} {ago(state.wish_time, now)}" if state.wish_time else f"set to {wanted}"
    return Told(" · ".join((first, taken, _reading(state, fresh, value, now))), "open")


def tolerance(description: PropertyDescription) -> float:
    """How far a number may be from what was asked for and still show it; the same rule as the agent's."""
    half = 0.0 if description.precision is None else 0.5 * 10.0**-description.precision
    return max(description.dead_band, half)


def agree(one: Value, other: Value, slack: float) -> bool:
    """Whether two values are the same, as exactly as the property can tell; true is not 1."""
    if _is_number(one) and _is_number(other):
        return bool(abs(one - other) <= max(slack, 1e-9 * abs(other)) * (1 + 1e-9))  # type: ignore[arg-type,operator]
    return type(one) is type(other) and one == other


def _shows(state: PropertyState, description: PropertyDescription) -> bool:
    """Whether a reading after the device took it shows it."""
    return (
        not state.differs_since
        and state.time >= state.accepted_time
        and agree(state.value, state.accepted, tolerance(description))
    )


def _differs(state: PropertyState, description: PropertyDescription, wanted: str, value: str, now: int) -> str:
    since = ago(state.differs_since, now)
    asked = ago(state.wish_time or state.accepted_time, now)
    if state.differs_since <= state.accepted_time + description.settle * 1000 + _AT_ONCE:
        return f"the device does not show it: asked for {wanted} {asked}, it shows {value}"
    return f"changed at the device {since}: it shows {value}, asked for was {wanted} {asked}"


def _reading(state: PropertyState, fresh: str, value: str, now: int) -> str:
    if fresh == "none":
        return "no reading yet"
    if fresh == "bad":
        return "cannot be read"
    return f"{'showed' if fresh in ('stale', 'away') else 'shows'} {value} {ago(state.time, now)}"


def _words(value: Value, description: PropertyDescription) -> str:
    """Value and unit, which no line break parts."""
    return "\u00a0".join(part for part in shown_of(value, description) if part)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
