"""docs/reference/drivers.md: every driver that comes with Pilothouse, from its own data sheet."""

from __future__ import annotations

import inspect
from typing import Any

from pilothouse.drivers import find, known
from pilothouse.model import Schema, Thing
from tools.reference.tables import MADE, table, toml

_ABOVE = """
`driver = "…"` of a thing names one of these, or a class of your own as `"package.module:Class"`; `examples/` has one.
The settings of a driver stand beside it in the thing's table: see [configuration](config.md).
"""


def page() -> str:
    """The page."""
    parts = ["# Drivers\n", MADE, _ABOVE]
    for name in known():
        parts += _driver(name, find(name))
    return "\n".join(parts)


def _driver(name: str, kind: type[Thing]) -> list[str]:
    parts = [f"## `{name}`\n", inspect.getdoc(kind) or "", ""]
    settings = kind.setting_schema.get("properties", {})
    rows: list[tuple[str, ...]]
    rows = [(f"`{key}`", _type(part), _default(part), part.get("description", "")) for key, part in settings.items()]
    parts += _titled("Settings", ("key", "type", "default", "meaning"), rows)
    rows = [
        (f"`{one.name}`", _type(one.schema), one.unit, "yes" if one.writable else "", one.doc)
        for one in kind.declared_properties.values()
    ]
    parts += _titled("Properties", ("name", "type", "unit", "writable", "meaning"), rows)
    actions = kind.declared_actions.values()
    parts += _titled(
        "Actions", ("name", "input", "meaning"), [(f"`{a.name}`", _input(a.input), a.doc) for a in actions]
    )
    events = kind.declared_events.values()
    return parts + _titled("Events", ("name", "meaning"), [(f"`{e.name}`", e.doc) for e in events])


def _titled(title: str, head: tuple[str, ...], rows: list[Any]) -> list[str]:
    return [f"{title}:\n", table(head, rows), ""] if rows else []


def _type(schema: Schema) -> str:
    if "enum" in schema:
        return " or ".join(f"`{toml(choice)}`" for choice in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"] if part.get("type") != "null")
    words = {"boolean": "true or false", "string": "text", "integer": "whole number", "array": "list"}
    return words.get(schema.get("type", ""), str(schema.get("type", "any value")))


def _default(schema: Schema) -> str:
    return f"`{toml(schema['default'])}`" if "default" in schema else "needed"


def _input(schema: Schema | None) -> str:
    members = (schema or {}).get("properties", {})
    return ", ".join(f"`{name}`: {_type(part)}" for name, part in members.items())
