"""From Python types to JSON Schema, and from JSON values to Python values; with errors for people."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from pilothouse.errors import BadValue
from pilothouse.model.affordances import Schema

_NUMERIC = ("integer", "number")


def schema_of(kind: Any) -> Schema:
    """JSON Schema of a Python type, self-contained. Raises TypeError for a type that JSON cannot carry."""
    schema = msgspec.json.schema(kind)
    definitions = schema.pop("$defs", {})
    inlined = _inline(schema, definitions, ())
    if not isinstance(inlined, dict):  # pragma: no cover - a schema is always an object
        raise TypeError(f"{kind!r} has no JSON Schema")
    return inlined


def _inline(part: Any, definitions: dict[str, Any], above: tuple[str, ...]) -> Any:
    if isinstance(part, list):
        return [_inline(item, definitions, above) for item in part]
    if not isinstance(part, dict):
        return part
    reference = part.get("$ref")
    if reference is not None:
        name = reference.rpartition("/")[2]
        if name in above:
            raise TypeError(f"{name} contains itself; a property cannot hold a recursive type")
        return _inline(definitions[name], definitions, (*above, name))
    return {key: _inline(value, definitions, above) for key, value in part.items()}


def limited(schema: Schema, minimum: float | None, maximum: float | None) -> Schema:
    """`schema` with limits, where it is a number; raises TypeError for limits on anything else."""
    if minimum is None and maximum is None:
        return schema
    if schema.get("type") not in _NUMERIC:
        raise TypeError("minimum and maximum are for numbers")
    return schema | {k: v for k, v in (("minimum", minimum), ("maximum", maximum)) if v is not None}


def is_numeric(schema: Schema) -> bool:
    """Whether values of it can be drawn as a line: numbers and booleans."""
    return schema.get("type") in (*_NUMERIC, "boolean")


def to_python(value: Any, kind: Any, *, label: str) -> Any:
    """`value` (plain JSON data) as Python type `kind`; raises BadValue that names `label`."""
    if not finite(value):
        raise BadValue(f"{label} takes no NaN and no infinity")
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        raise BadValue(f"{label} cannot take {short(value)}", why=_plain(str(error))) from None


def check_limits(value: Any, minimum: float | None, maximum: float | None, unit: str, *, label: str) -> None:
    """Raise BadValue when a number is outside its limits; anything but a number passes."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    low = minimum is not None and value < minimum
    high = maximum is not None and value > maximum
    if low or high:
        tail = f" {unit}" if unit else ""
        bounds = " to ".join(f"{bound:g}" for bound in (minimum, maximum) if bound is not None)
        side = "at least" if maximum is None else "at most" if minimum is None else "from"
        limit = minimum if low else maximum
        raise BadValue(
            f"{label} cannot take {value:g}{tail}",
            why=f"it takes {side} {bounds}{tail}",
            nearest=f"{limit:g}",
        )


def to_plain(value: Any) -> Any:
    """A Python value as plain JSON data (structs, enums, dataclasses opened); non-finite floats raise BadValue."""
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        if not math.isfinite(value):
            raise BadValue(f"the driver returned {value}, which is no number")
        return value
    try:
        plain = msgspec.to_builtins(value, str_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadValue(f"the driver returned {type(value).__name__}, which is no value: {error}") from None
    if not finite(plain):
        raise BadValue("the driver returned a NaN or an infinity, which is no number")
    return plain


def finite(value: Any) -> bool:
    """Whether no float anywhere in plain data is NaN or infinite."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list | tuple):
        return all(finite(item) for item in value)
    if isinstance(value, dict):
        return all(finite(item) for item in value.values())
    return True


def short(value: Any, limit: int = 60) -> str:
    """A value as text for an error, cut when long."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def _plain(message: str) -> str:
    """msgspec's message in the words of the page: `bool` is true/false there, and `str` is text."""
    words = {"`bool`": "true or false", "`str`": "text", "`float`": "a number", "`int`": "a whole number"}
    words |= {"`null`": "nothing", "`array`": "a list", "`object`": "an object"}
    for code, word in words.items():
        message = message.replace(code, word)
    return message[:1].lower() + message[1:]
