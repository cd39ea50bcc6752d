"""The single rules of an output: what stands against switching it on now. Pure sentences over what is held."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from pilothouse.guard.expression import Expression, Verdict
from pilothouse.guard.held import Held
from pilothouse.guard.output import Group, Output
from pilothouse.guard.slew import within
from pilothouse.guard.words import lasting, said
from pilothouse.model import Value
from pilothouse.model.sameness import is_number
from pilothouse.model.values import Rule


class Barred(NamedTuple):
    """Why a write or a call may not pass now."""

    rule: Rule
    text: str
    """One sentence part that names the rule and the reading that broke it."""
    remedy: str = ""
    nearest: Value = None
    """The value that would pass right now; None = there is none."""
    over_in: int = 0
    """Milliseconds until it is over by itself; 0 = nobody can say."""


def interlock(key: str, condition: Expression, verdict: Verdict) -> Barred | None:
    """A condition that does not hold, or nobody can say."""
    if verdict.holds:
        return None
    remedy = "It passes as soon as its condition holds"
    if verdict.holds is None:
        remedy = "What is not known does not hold: look why it cannot be read"
    return Barred("interlock", condition_broken(key, condition, verdict), remedy)


def condition_broken(key: str, condition: Expression, verdict: Verdict) -> str:
    """Which condition does not hold, and by what."""
    return f"interlock of {key}, requires {condition.text}: {', '.join(verdict.broken)}"


def exclusive(key: str, group: Group, state: Callable[[str], tuple[Output, Held] | None]) -> Barred | None:
    """Another of its group that is or may be on."""
    for other in group.members:
        if other == key:
            continue
        found = state(other)
        if found is None:
            how = "is not there yet, so it may be on"
        elif found[1].is_on(found[0]):
            how = "is on" if found[1].shows_on(found[0]) else "is being switched on"
        elif found[1].may_be_on(found[0]):
            how = "cannot be read, so it may be on"
        else:
            continue
        rest = f"of {listed(group.members)} (group {group.name}) at most one may be on"
        return Barred("exclusive", f"{other} {how}, and {rest}", f"Switch {other} to its safe value first")
    return None


def min_off(output: Output, held: Held, mono: int) -> Barred | None:
    """Its time at the safe value is not over."""
    over_in = off_until(output, held) - mono
    if held.on_since is not None or over_in <= 0:
        return None
    text = f"{output.key} stays at its safe value for {lasting(output.described.min_off)} each time"
    return Barred("min-off", text, "Wait until that is over", over_in=over_in)


def off_until(output: Output, held: Held) -> int:
    """Until when it stays off."""
    return held.off_since + round(output.described.min_off * 1000)


def on_until(output: Output, held: Held) -> int | None:
    """Until when it may stay on; None = it is off, or for ever."""
    if held.on_since is None or not output.described.max_on or not output.has_safe:
        return None
    return held.on_since + round(output.described.max_on * 1000)


def slew(output: Output, held: Held, value: Value, mono: int) -> Barred | None:
    """A step that is too large."""
    described = output.described
    if not described.slew or not is_number(value):
        return None
    limit = f"{output.key} may move by {said(described.slew, described.unit)} a second"
    places = held.places(output)
    if not places:
        return Barred("slew", f"{limit}, and nobody knows where it is: it has not been read yet")
    allowed = held.trail.allowed(places, described.slew, mono)
    if allowed.has(value):
        return None
    over_in = max(0, held.trail.over_at() - mono) if within(places, described.slew).has(value) else 0
    nearest = allowed.nearest(value, whole=described.schema.get("type") == "integer")
    if nearest is None or nearest == places[-1]:
        return Barred("slew", f"{limit}, and has just done so", "Wait a second", over_in=over_in or 1000)
    step = f"{said(value, described.unit)} is too far from {said(places[-1], described.unit)}"
    remedy = f"Right now it may go to {said(nearest, described.unit)}"
    return Barred("slew", f"{limit}: {step}", remedy, nearest, over_in)


def listed(names: Iterable[str]) -> str:
    """ "a, b and c" """
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
