"""Which readings are worth sending: report by exception. Pure decisions."""

from __future__ import annotations

from typing import NamedTuple

from pilothouse.model import PropertyDescription, Quality, Value
from pilothouse.model.sameness import differs, half_step, is_number


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


def outside(value: Value, described: PropertyDescription) -> bool:
    """Whether a number is outside the stated range by more than its precision excuses."""
    if not is_number(value):
        return False
    slack = half_step(described)
    low = described.minimum is not None and value < described.minimum - slack
    high = described.maximum is not None and value > described.maximum + slack
    return low or high
