"""From words on the command line to values, as the schema of a property or of an action's input asks. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from pilothouse.errors import BadValue, nearest
from pilothouse.model import Schema, Value

_TRUE = ("true", "on", "yes", "1")
_FALSE = ("false", "off", "no", "0")


def parse_value(text: str, schema: Schema, *, label: str) -> Value:
    """`text` as a value of `schema`; raises BadValue that names `label` and says what it takes.

    Limits are not checked here: the agent does that, below every entrance.
    """
    if "enum" in schema:
        return _choice(text, schema["enum"], label)
    if "const" in schema:
        return _choice(text, [schema["const"]], label)
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return _first_that_fits(text, schema[union], label)
    kind = schema.get("type")
    if isinstance(kind, list):
        return _first_that_fits(text, [{**schema, "type": one} for one in kind], label)
    if kind == "boolean":
        return _truth(text, label)
    if kind in ("integer", "number"):
        return _number(text, whole=kind == "integer", label=label)
    if kind in ("array", "object"):
        return _json(text, kind, label)
    if kind == "null":
        if text in ("null", "none"):
            return None
        raise BadValue(f"{label} takes nothing", nearest="null")
    if kind == "string":
        return text
    return _anything(text)


def parse_input(words: Sequence[str], schema: Schema | None, *, label: str) -> dict[str, Value] | None:
    """`key=value` words, or one JSON object, as the input of the action `label`; raises BadValue."""
    if schema is None:
        if words:
            raise BadValue(f"{label} takes no input", remedy=f"Say only: pilothouse do {label}")
        return None
    known: dict[str, Schema] = schema.get("properties", {})
    if len(words) == 1 and words[0].lstrip().startswith("{"):
        taken = _json(words[0], "object", label)
    else:
        taken = dict(_pair(word, known, label) for word in words)
    assert isinstance(taken, dict)
    missing = [name for name in schema.get("required", []) if name not in taken]
    if missing:
        raise BadValue(
            f"{label} needs {' and '.join(missing)}",
            remedy=f"Say: pilothouse do {label} {' '.join(f'{name}=…' for name in known)}",
        )
    return taken


def _pair(word: str, known: dict[str, Schema], label: str) -> tuple[str, Value]:
    key, equals, text = word.partition("=")
    if not equals:
        near = f"{next(iter(known))}={word}" if len(known) == 1 else ""
        raise BadValue(f"{word!r} is no input for {label}", why="it is written key=value", nearest=near)
    if key not in known:
        listed = f"It takes: {', '.join(known)}" if known else "It takes nothing"
        raise BadValue(f"{label} has no input {key!r}", nearest=nearest(key, known), remedy=listed)
    return key, parse_value(text, known[key], label=f"{label} {key}")


def _choice(text: str, choices: Sequence[Any], label: str) -> Value:
    found: Value
    for found in choices:
        if text == found or (not isinstance(found, str) and text == json.dumps(found)):
            return found
    names = [str(choice) for choice in choices]
    raise BadValue(
        f"{label} cannot take {text!r}", nearest=nearest(text, names), remedy=f"It takes one of: {', '.join(names)}"
    )


def _first_that_fits(text: str, schemas: Sequence[Schema], label: str) -> Value:
    """Text fits everything, so it is tried last."""
    last = BadValue(f"{label} takes nothing")
    for schema in sorted(schemas, key=lambda one: one.get("type") == "string" and "enum" not in one):
        try:
            return parse_value(text, schema, label=label)
        except BadValue as error:
            last = error
    raise last


def _truth(text: str, label: str) -> bool:
    small = text.strip().lower()
    if small in _TRUE:
        return True
    if small in _FALSE:
        return False
    near = nearest(small, (*_TRUE, *_FALSE))
    raise BadValue(f"{label} cannot take {text!r}", nearest=near, remedy="It takes true or false (on, off, yes, no)")


def _number(text: str, *, whole: bool, label: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        word = "a whole number" if whole else "a number"
        near = text.strip().replace(",", ".") if text.count(",") == 1 else ""
        raise BadValue(f"{label} cannot take {text!r}", why=f"it takes {word}", nearest=near) from None
    if not math.isfinite(number):
        raise BadValue(f"{label} takes no NaN and no infinity")
    if whole and not number.is_integer():
        raise BadValue(f"{label} cannot take {text!r}", why="it takes a whole number", nearest=str(round(number)))
    return int(number) if whole else number


def _json(text: str, kind: str, label: str) -> Value:
    example, wanted = ("[1, 2]", list) if kind == "array" else ('{"a": 1}', dict)
    try:
        found: Value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadValue(f"{label} takes JSON, such as {example}", why=str(error)[:120]) from None
    if not isinstance(found, wanted):
        raise BadValue(f"{label} takes JSON, such as {example}", why=f"this is {text[:60]}")
    return found


def _anything(text: str) -> Value:
    """For a schema that says nothing of the type: JSON where it is JSON, else the text."""
    try:
        found: Value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")
