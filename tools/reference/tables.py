"""Tables of a page, and types in plain words."""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from typing import Any

import msgspec

from pilothouse.config.site import Duration
from tools.reference.source import field_docs

MADE = "<!-- Made from the code by: python -m tools.reference -->"
"""Stands below the heading of each page."""
_PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any value"}
_MANY = 4
"""A union of more kinds than this is any value."""


def type_words(hint: Any) -> str:
    """A type in plain words."""
    origin, args = typing.get_origin(hint), [arg for arg in typing.get_args(hint) if arg is not type(None)]
    if origin is typing.Annotated:
        return type_words(args[0])
    if origin is typing.Literal:
        return " or ".join(f"`{toml(choice)}`" for choice in args)
    if origin in (typing.Union, types.UnionType):
        if set(args) == set(typing.get_args(Duration)):
            return "duration"
        return "any value" if len(args) > _MANY else " or ".join(type_words(arg) for arg in args)
    if origin in (list, tuple):
        return f"list of {type_words(args[0])}"
    if origin is dict:
        return f"table of {type_words(args[1])}"
    return _PLAIN.get(hint) or str(getattr(hint, "__name__", hint))


def toml(value: Any) -> str:
    """A default as one would write it."""
    if isinstance(value, msgspec.Struct):
        return ""
    return msgspec.json.encode(value).decode()


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def fields_table(kind: type[msgspec.Struct]) -> str:
    """The fields of a struct: name, type, default, meaning."""
    docs = field_docs(kind)
    rows = []
    for field in msgspec.structs.fields(kind):
        default = "needed" if field.required else ""
        if field.default not in (None, msgspec.NODEFAULT):
            default = f"`{toml(field.default)}`"
        rows.append((f"`{field.encode_name}`", type_words(field.type), default, docs.get(field.name, "")))
    return table(("field", "type", "default", "meaning"), rows)
