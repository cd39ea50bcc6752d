"""Values, and what is known about them: when, and how far they can be trusted."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

from msgspec import Struct

Value: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None
"""What a property may hold: anything that JSON can carry, at any depth. Numbers are finite.

Not recursive as a type, because msgspec cannot resolve a type that names itself.
"""


class Quality(StrEnum):
    """How far a reading can be trusted."""

    GOOD = "good"
    """The device said so, at that time."""
    UNCERTAIN = "uncertain"
    """A value came, but something about it is doubtful: out of its stated range, or the clock was wrong."""
    BAD = "bad"
    """The device could not be read; the value is null."""
    GAP = "gap"
    """Nobody was reading: marks the start of a time without readings; the value is null."""


class Reading(Struct, frozen=True, array_like=True):
    """A value of one property at one time, as it travels in batches (an array on the wire, for size)."""

    thing: str
    property: str
    time: int
    """When it was read, Unix milliseconds by the node's clock."""
    value: Value
    quality: Quality = Quality.GOOD


class PropertyState(Struct, frozen=True, kw_only=True):
    """All that is known of one property now."""

    value: Value = None
    """The last reading's value (the readback, never the wish)."""
    time: int = 0
    """When that was read, Unix milliseconds; 0 = never yet."""
    quality: Quality = Quality.GOOD
    wish: Value = None
    """What was last asked for and accepted by the agent; meaningful when wish_time is not 0."""
    wish_time: int = 0
    """When the wish was accepted, Unix milliseconds; 0 = nothing was asked for in this run of the agent."""
    wish_id: str = ""
    """The command that asked."""


class Health(Struct, frozen=True, kw_only=True):
    """Whether a thing answers."""

    ok: bool = True
    error: str = ""
    """The driver's last error in one sentence; "" when ok."""
    since: int = 0
    """Since when it is as it is, Unix milliseconds."""
    retry_at: int = 0
    """When it is tried again, Unix milliseconds; 0 when ok."""
