"""Whether a condition makes sense: what it asks for exists, and what it compares can be compared. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from pilothouse.errors import nearest
from pilothouse.guard.expression import Compare, Condition, Constant, Every, Expression, Not, Operand, Read, Ref, Some
from pilothouse.guard.parser import written
from pilothouse.guard.words import said
from pilothouse.model import Schema

Types: TypeAlias = Callable[[Ref], "Schema | str | None"]
"""Gives the schema of a reading; or the sentence that says why there is none; or None when it cannot be known here."""

_EQUAL = ("==", "!=")
_KINDS = {"boolean": "true or false", "integer": "a number", "number": "a number", "string": "text"}


def check(expression: Expression, types: Types) -> list[str]:
    """Every mistake in a condition, one sentence each."""
    missing = [found for ref in expression.refs if isinstance(found := types(ref), str)]
    return missing + list(dict.fromkeys(_mistakes(expression.root, types)))


def _mistakes(condition: Condition, types: Types) -> Iterator[str]:
    match condition:
        case Read():
            kind = _kind(condition, types)
            if kind not in ("", "true or false"):
                close = f"{written(condition)} == …"
                yield f"{written(condition)} is {kind}, so it is neither true nor false; compare it: {close}"
        case Compare():
            for left, sign, right in condition.pairs():
                yield from _link(left, sign, right, types)
        case Not(part):
            yield from _mistakes(part, types)
        case Every(parts) | Some(parts):
            for part in parts:
                yield from _mistakes(part, types)


def _link(left: Operand, sign: str, right: Operand, types: Types) -> Iterator[str]:
    one, other = _kind(left, types), _kind(right, types)
    names = f"{written(left)} {sign} {written(right)}"
    for operand, kind in ((left, one), (right, other)):
        if kind == _OTHER:
            yield f"{names}: {written(operand)} is a list or a table, which cannot be compared"
    if not one or not other or _OTHER in (one, other):
        return
    if one != other:
        yield f"{names}: {written(left)} is {one}, and {written(right)} is {other}"
    elif sign not in _EQUAL and one != "a number":
        yield f"{names}: only numbers can be compared with {sign}; use == or !="
    else:
        for reading, constant in ((left, right), (right, left)):
            if isinstance(reading, Read) and isinstance(constant, Constant):
                yield from _choice(reading, constant, types)


def _choice(reading: Read, constant: Constant, types: Types) -> Iterator[str]:
    """A text or number that a reading with choices never has."""
    schema = types(reading.ref)
    choices: list[Any] = schema.get("enum", []) if isinstance(schema, dict) else []
    if not choices or constant.value in choices:
        return
    close = nearest(str(constant.value), [choice for choice in choices if isinstance(choice, str)])
    tail = f" (did you mean {said(close)}?)" if close else ""
    yield f"{written(reading)} is never {said(constant.value)}, but one of {', '.join(map(said, choices))}{tail}"


_OTHER = "no plain value"


def _kind(operand: Operand, types: Types) -> str:
    """What an operand is, in words; "" when it cannot be known here."""
    if isinstance(operand, Constant):
        return _kind_of(operand.value)
    schema = types(operand.ref)
    if not isinstance(schema, dict):
        return ""
    kind = schema.get("type")
    if isinstance(kind, str):
        return _KINDS.get(kind, _OTHER)
    kinds = {_kind_of(choice) for choice in schema.get("enum", ())}
    return kinds.pop() if len(kinds) == 1 else ""


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, int | float) else "text" if isinstance(value, str) else _OTHER
