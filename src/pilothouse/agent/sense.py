"""What a driver returned, as a value that may travel; or why it is nonsense. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from pilothouse.agent.report import outside
from pilothouse.errors import BadValue
from pilothouse.model import PropertyDescription, Quality, Value
from pilothouse.model.affordances import Schema
from pilothouse.model.types import short, to_plain

LARGEST = 64 * 1024
"""Bytes that one value may have as JSON."""

_KINDS: dict[str, type | tuple[type, ...]] = {
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "string": str,
    "array": list,
    "object": dict,
    "null": type(None),
}


class Sensed(NamedTuple):
    """One property as it was read."""

    value: Value
    quality: Quality
    error: str = ""
    """What was wrong with it, when the quality is bad."""


def sense(raw: Any, described: PropertyDescription, kind: Any = None) -> Sensed:
    """A driver's answer for one property; never raises for what a driver may return.

    `kind` is the declared Python type; without it the answer is checked against the schema's type and choices.
    """
    try:
        if kind is str and isinstance(raw, bytes | bytearray | memoryview):
            raise BadValue("the driver returned bytes where text was declared; decode them")
        value = plain_value(raw)
        if kind is not None:
            value = plain_value(msgspec.convert(value, kind, strict=True))
        else:
            check_schema(value, described.schema, label=f"{described.name} of the driver")
    except BadValue as error:
        return Sensed(None, Quality.BAD, f"{described.name}: {str(error).rstrip('.')}")
    except msgspec.ValidationError as error:
        return Sensed(None, Quality.BAD, f"{described.name}: the driver returned {short(raw)}: {error}")
    except Exception as error:  # noqa: BLE001 - edge: a driver may return any object, which may do anything
        return Sensed(None, Quality.BAD, f"{described.name}: the driver returned no value: {type(error).__name__}")
    return Sensed(value, Quality.UNCERTAIN if outside(value, described) else Quality.GOOD)


def plain_value(raw: Any) -> Value:
    """`raw` as plain JSON data of bearable size; raises BadValue."""
    if isinstance(raw, float):
        raw = float(raw)
    elif hasattr(raw, "item") and type(raw).__module__ == "numpy":
        raw = raw.item()  # numbers of measuring libraries; numpy itself is not needed for that
    value = to_plain(raw)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise BadValue("the driver returned a whole number of more than 64 bits")
        return value
    check_size(value)
    return value  # type: ignore[no-any-return]


def check_size(value: Any) -> None:
    """Raise BadValue when plain data is too large to travel, or cannot be JSON at all."""
    try:
        size = len(msgspec.json.encode(value))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadValue(f"a value that cannot be sent: {error}") from None
    if size > LARGEST:
        raise BadValue(f"a value of {size} bytes is too large", why=f"the limit is {LARGEST} bytes")


def check_schema(value: Value, schema: Schema, *, label: str) -> None:
    """Check plain data against the type and the choices of a schema; raises BadValue that names `label`."""
    kinds = schema.get("type")
    if kinds is not None:
        names = [kinds] if isinstance(kinds, str) else list(kinds)
        if not any(_is(value, name) for name in names):
            raise BadValue(f"{label} cannot be {short(value)}", why=f"it is of type {' or '.join(names)}")
    choices = schema.get("enum")
    if choices is not None and value not in choices:
        raise BadValue(f"{label} cannot be {short(value)}", why=f"it is one of {', '.join(map(repr, choices))}")


def _is(value: Value, kind: str) -> bool:
    wanted = _KINDS.get(kind)
    if wanted is None:
        return True
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, wanted)
