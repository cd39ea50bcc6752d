"""Which readings are worth sending: report by exception. Pure decisions."""

from __future__ import annotations

from typing import NamedTuple, TypeGuard

from pilothouse.model import PropertyDescription, Quality, Value


class Reported(NamedTuple):
    """What was last sent of a property."""

    value: Value
    quality: Quality
    mono: int
    """When, by the monotonic clock in milliseconds."""


def is_due(last: Reported | None, value: Value, quality: Quality, mono: int, described: PropertyDescription) -> bool:
    """Whether a reading is to be sent: it is the first, it changed, its quality changed, or the heartbeat is due.

    The heartbeat is due when the next reading, one poll later, would come too late by more than half a period.
    """
    if last is None or quality is not last.quality:
        return True
    if differs(value, last.value, described.dead_band):
        return True
    if quality is Quality.BAD:
        return False  # said once; nothing new is known until it is read again
    return mono - last.mono + described.every * 500 >= described.heartbeat * 1000


def differs(new: Value, old: Value, dead_band: float = 0.0) -> bool:
    """Whether two values are different; numbers, by more than `dead_band`. True and 1 are different."""
    if _is_number(new) and _is_number(old):
        return abs(new - old) > dead_band if dead_band > 0 else new != old
    if isinstance(new, list) and isinstance(old, list):
        return len(new) != len(old) or any(differs(a, b) for a, b in zip(new, old, strict=True))
    if isinstance(new, dict) and isinstance(old, dict):
        return new.keys() != old.keys() or any(differs(new[key], old[key]) for key in new)
    return type(new) is not type(old) or new != old


def shows(readback: Value, wish: Value, described: PropertyDescription) -> bool:
    """Whether a readback shows what was wished for, as exactly as the property can tell."""
    if _is_number(readback) and _is_number(wish):
        tolerance = max(described.dead_band, _half_step(described), 1e-9 * abs(wish))
        return abs(readback - wish) <= tolerance * (1 + 1e-9)
    return not differs(readback, wish)


def outside(value: Value, described: PropertyDescription) -> bool:
    """Whether a number is outside the stated range by more than its precision excuses."""
    if not _is_number(value):
        return False
    slack = _half_step(described)
    low = described.minimum is not None and value < described.minimum - slack
    high = described.maximum is not None and value > described.maximum + slack
    return low or high


def _half_step(described: PropertyDescription) -> float:
    return 0.0 if described.precision is None else 0.5 * 10.0**-described.precision


def _is_number(value: Value) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
