"""From Python types to JSON Schema, and from JSON values to Python values; with errors for people."""

from __future__ import annotations

import enum
import math
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from pilothouse.errors import BadValue, nearest
from pilothouse.model.affordances import Schema
from pilothouse.model.units import symbol

_NUMERIC = ("integer", "number")
_PLAIN = (bool, int, str, float)

_LARGEST = 1 << 63
"""Whole numbers from -_LARGEST to just below _LARGEST fit into SQL and into every client's integer."""


def schema_of(kind: Any) -> Schema:
    """JSON Schema of a Python type, self-contained; choices in the order in which they are declared.

    Raises TypeError for a type that JSON cannot carry.
    """
    schema = msgspec.json.schema(kind)
    definitions = schema.pop("$defs", {})
    inlined = _inline(schema, definitions, ())
    if not isinstance(inlined, dict):  # pragma: no cover - a schema is always an object
        raise TypeError(f"{kind!r} has no JSON Schema")
    for name, member in _members(kind).items():
        if choices := _choices(member):
            inlined["properties"][name]["enum"] = choices
    return inlined | ({"enum": choices} if (choices := _choices(kind)) else {})


def _members(kind: Any) -> dict[str, Any]:
    """Types of the fields of a struct; {} of anything else."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return {}
    return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}


def _choices(kind: Any) -> list[Any]:
    """Values of a Literal or an enum, as they are declared (msgspec sorts them); [] of anything else."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return [] if None in get_args(kind) else list(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return [member.value for member in kind]
    return []


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
        # What stands beside the reference was said of this use of the type, and is the more exact.
        beside = {key: value for key, value in part.items() if key != "$ref"}
        return _inline(definitions[name], definitions, (*above, name)) | beside
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
    why = why_not_carried(value)
    if why:
        raise BadValue(f"{label} cannot take {short(value)}", why=why)
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        choices = [choice for choice in schema_of(kind).get("enum", ()) if isinstance(choice, str)]
        raise BadValue(
            f"{label} cannot take {short(value)}",
            why=f"it takes one of {', '.join(choices)}" if choices else plain_words(str(error)),
            nearest=nearest(value, choices) if isinstance(value, str) else "",
        ) from None


def check_limits(value: Any, minimum: float | None, maximum: float | None, unit: str, *, label: str) -> None:
    """Raise BadValue when a number is outside its limits; anything but a number passes."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    low = minimum is not None and value < minimum
    high = maximum is not None and value > maximum
    if low or high:
        tail = f" {symbol(unit)}" if unit else ""
        bounds = " to ".join(f"{bound:.12g}" for bound in (minimum, maximum) if bound is not None)
        side = "at least" if maximum is None else "at most" if minimum is None else "from"
        limit = minimum if low else maximum
        raise BadValue(
            f"{label} cannot take {value:.12g}{tail}",
            why=f"it takes {side} {bounds}{tail}",
            nearest=f"{limit:.12g}",
        )


def to_plain(value: Any) -> Any:
    """A Python value as plain JSON data: structs, enums, dataclasses and arrays opened.

    Raises BadValue for what JSON, SQL or a browser cannot take: NaN, infinities, huge whole numbers, broken text.
    """
    plain = value
    if value is not None and type(value) not in _PLAIN:
        try:
            plain = _lists(msgspec.to_builtins(value, str_keys=True, enc_hook=_opened))
        except (TypeError, ValueError, RecursionError) as error:
            reason = str(error).partition("\n")[0]
            raise BadValue(f"the driver returned {type(value).__name__}, which is no value", why=reason) from None
    why = why_not_carried(plain)
    if why:
        raise BadValue(f"the driver returned {short(value)}", why=why)
    return plain


def why_not_carried(value: Any) -> str:
    """Why plain data cannot travel and be kept; "" when it can. Texts, whole numbers and floats have their limits."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else "NaN and infinity are no numbers"
    if isinstance(value, int):
        return "" if -_LARGEST <= value < _LARGEST else "a whole number must fit into 64 bits"
    if isinstance(value, str):
        return "" if value.isascii() or _is_text(value) else "the text is broken: half of a surrogate pair"
    if isinstance(value, list | tuple):
        return next((why for item in value if (why := why_not_carried(item))), "")
    if isinstance(value, dict):
        return why_not_carried([*value.keys(), *value.values()])
    return ""


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
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # Python does not write out whole numbers of more than 4,300 digits
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def plain_words(message: str) -> str:
    """msgspec's message in the words of the page: `bool` is true/false there, and `str` is text."""
    words = {"`bool`": "true or false", "`str`": "text", "`float`": "a number", "`int`": "a whole number"}
    words |= {"`null`": "nothing", "`array`": "a list", "`object`": "an object"}
    for code, word in words.items():
        message = message.replace(code, word)
    message = message.replace(" - at `$.", " at `").replace(" - at `$", " at `value")
    message = message[:1].lower() + message[1:]
    return message if len(message) <= 200 else f"{message[:200]}…"


def _lists(value: Any) -> Any:
    """Tuples as lists, so that a value compares with itself when it comes back from JSON."""
    if isinstance(value, list | tuple):
        return [_lists(item) for item in value]
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return value


def _opened(value: Any) -> Any:
    """NumPy's scalars and arrays, without knowing NumPy."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
