"""Values and times as the guard's sentences say them."""

from __future__ import annotations

from pilothouse.model import Value
from pilothouse.model.types import short
from pilothouse.model.units import symbol


def said(value: Value, unit: str = "") -> str:
    """A value with its unit: "12.5 %", "true", "'open'"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    shown = symbol(unit)
    return f"{short(value)} {shown}" if shown else short(value)


def lasting(seconds: float) -> str:
    """How long something lasts, in the largest unit that fits: "90 s", "20 min", "12 h"."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
