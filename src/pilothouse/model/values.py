"""Values, and what is known about them: when, and how far they can be trusted."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal, TypeAlias

from msgspec import Struct

Value: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None
"""What a property may hold: anything that JSON can carry, DEEPEST levels deep at most. Numbers are finite.

Not recursive as a type, because msgspec cannot resolve a type that names itself.
"""
DEEPEST = 100
"""Lists and objects within one another that a value may have; much deeper ones no program can walk through."""


def is_too_deep(value: Value) -> bool:
    """Whether a value has more levels than DEEPEST."""
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        nested = [each for each in level if isinstance(each, dict | list)]
        if not nested:
            return False
        level = [inner for each in nested for inner in (each.values() if isinstance(each, dict) else each)]
    return True


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
    """All that is known of one property now: the wish, what the device took, and the reading that shows it."""

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
    accepted: Value = None
    """What the device last took (its driver's write came back well); meaningful when accepted_time is not 0."""
    accepted_time: int = 0
    """When the device took it, Unix milliseconds; 0 = it took nothing in this run of the agent."""
    differs_since: int = 0
    """Since when the reading shows something else than what was accepted, Unix milliseconds; 0 = it does not.

    Somebody has changed it at the device itself, or the device by its own doing.
    """


Rule = Literal["interlock", "exclusive", "min-off", "slew", "limits", "stop", "lease", "device", "away"]
"""What kind of rule stands against a command."""


class Bar(Struct, frozen=True, kw_only=True):
    """Why an output may not leave its safe value, or an action not be called, right now; said before the press."""

    rule: Rule
    text: str
    """One sentence for people, naming the rule and the reading that broke it."""
    remedy: str = ""
    """What would lift it."""
    until: int = 0
    """When it is over by itself, Unix milliseconds by the node's clock; 0 = nobody can say."""


class Health(Struct, frozen=True, kw_only=True):
    """Whether a thing answers."""

    ok: bool = True
    error: str = ""
    """The driver's last error in one sentence; "" when ok."""
    since: int = 0
    """Since when it is as it is, Unix milliseconds."""
    retry_at: int = 0
    """When it is tried again, Unix milliseconds; 0 when ok."""
