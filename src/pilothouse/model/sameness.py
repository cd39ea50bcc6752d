"""Whether two values are the same, and whether a reading shows what was wished for. Pure."""

from __future__ import annotations

from typing import TypeGuard

from pilothouse.model.affordances import PropertyDescription
from pilothouse.model.values import Value


def differs(new: Value, old: Value, dead_band: float = 0.0) -> bool:
    """Whether two values are different; numbers, by more than `dead_band`. True and 1 are different."""
    if is_number(new) and is_number(old):
        return abs(new - old) > dead_band if dead_band > 0 else new != old
    if isinstance(new, list) and isinstance(old, list):
        return len(new) != len(old) or any(differs(a, b) for a, b in zip(new, old, strict=True))
    if isinstance(new, dict) and isinstance(old, dict):
        return new.keys() != old.keys() or any(differs(new[key], old[key]) for key in new)
    return type(new) is not type(old) or new != old


def shows(readback: Value, wish: Value, described: PropertyDescription) -> bool:
    """Whether a readback shows what was wished for, as exactly as the property can tell."""
    if is_number(readback) and is_number(wish):
        tolerance = max(described.dead_band, half_step(described), 1e-9 * abs(wish))
        return abs(readback - wish) <= tolerance * (1 + 1e-9)
    return not differs(readback, wish)


def half_step(described: PropertyDescription) -> float:
    """Half of the last decimal that is worth showing; 0 = all are."""
    return 0.0 if described.precision is None else 0.5 * 10.0**-described.precision


def is_number(value: Value) -> TypeGuard[int | float]:
    """Whether it is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
