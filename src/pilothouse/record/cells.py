"""Values as they lie in a column: numbers as they are, everything else as JSON text."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pilothouse.model import PropertyDescription, Quality, Value
from pilothouse.model.types import is_numeric

NUMBER: Final = 0
BOOLEAN: Final = 1
OTHER: Final = 2

QUALITY: Final[dict[Quality, int]] = {Quality.GOOD: 0, Quality.UNCERTAIN: 1, Quality.BAD: 2, Quality.GAP: 3}
QUALITIES: Final = tuple(QUALITY)
UNCERTAIN: Final = QUALITY[Quality.UNCERTAIN]
GAP: Final = QUALITY[Quality.GAP]

_LARGEST = 2**63 - 1
_json = msgspec.json.Encoder().encode


def to_cell(value: Value) -> Any:
    """A value as SQL can hold it: None, int, float or str (JSON)."""
    kind = type(value)
    if value is None or kind is float:
        return value
    if kind is bool:
        return int(value)  # type: ignore[arg-type]
    if kind is int:
        if -_LARGEST <= value <= _LARGEST:  # type: ignore[operator]
            return value
        try:
            return float(value)  # type: ignore[arg-type]
        except OverflowError:
            return str(value)
    return _json(value).decode()


def from_cell(cell: Any, kind: int) -> Value:
    """The value again; `kind` tells true from 1."""
    if isinstance(cell, str):
        value: Value = msgspec.json.decode(cell)
        return value
    if kind == BOOLEAN and cell in (0, 1):
        return bool(cell)
    number: Value = cell
    return number


def kind_of(description: PropertyDescription) -> int:
    """Whether a property is drawn as a line, by its description."""
    if not is_numeric(description.schema):
        return OTHER
    return BOOLEAN if description.schema.get("type") == "boolean" else NUMBER


def guess_kind(value: Value) -> int:
    """The same by a first value, until the description is known."""
    if isinstance(value, bool):
        return BOOLEAN
    return NUMBER if value is None or isinstance(value, int | float) else OTHER
