"""docs/reference/rest.md: every call of the REST API, from the hub's own OpenAPI document."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Litestar

from pilothouse.hub import frames, openapi, problems
from pilothouse.hub.api import api_routes
from tools.reference.source import doc_of, field_docs
from tools.reference.tables import MADE, table

_METHODS = ("get", "put", "post", "delete")
Json = dict[str, Any]

_LIVE = """### Frames of the live stream

A frame is a Server-Sent Event with an `id` that grows, an `event` and `data`, one JSON object.
"""
_PROBLEMS = """## Problems

Every answer with a status of 400 or more is `application/problem+json` (RFC 9457). Its `type` is
`urn:pilothouse:problem:` and one of these, or the end of a command (`refused`, `failed`, `expired`, `unknown`).
"""


def document() -> Json:
    """The OpenAPI document of a hub, made without one that runs."""
    app = Litestar(list(api_routes), openapi_config=openapi.config(), logging_config=None)
    openapi.complete(app.openapi_schema)
    found: Json = openapi.as_it_is(msgspec.to_builtins(app.openapi_schema.to_schema()))
    return found


def page() -> str:
    """The page."""
    api = document()
    parts = ["# REST API\n", MADE, f"\n{api['info']['description']}\n"]
    parts += [f"The same as OpenAPI {api['openapi']} is at `{openapi.PATH}` of every hub, and as a page at `/api`.\n"]
    for tag in api["tags"]:
        parts += [f"## {tag['name']}\n", f"{tag['description']}\n"]
        for path, method, call in _calls(api):
            if tag["name"] in call.get("tags", ()):
                parts += _call(path, method, call)
    parts += [_LIVE, "`snapshot`, with `time` besides:\n", _struct(frames.SnapshotFrame), ""]
    parts += ["`change`:\n", _struct(frames.ChangeFrame), "", _PROBLEMS]
    parts += [table(("type", "title"), [(f"`{kind}`", title) for kind, title in problems.TITLES.items()]), ""]
    parts.append("## Answers\n")
    for name, schema in sorted((_in_frames() | api["components"]["schemas"]).items()):
        parts += [f"### {name}\n", *_schema(name, schema)]
    return "\n".join(parts)


def _calls(api: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in api["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _call(path: str, method: str, call: Json) -> list[str]:
    parts = [f"### `{method.upper()} {path}`\n", f"{call.get('description') or call.get('summary', '')}\n"]
    rows: list[tuple[str, ...]]
    asked = [one for one in call.get("parameters", []) if one["in"] != "path"]
    if asked:
        rows = [
            (
                f"`{one['name']}`",
                one["in"],
                _default(one),
                one.get("description") or one["schema"].get("description", ""),
            )
            for one in asked
        ]
        parts += [table(("parameter", "in", "default", "meaning"), rows), ""]
    for media in call.get("requestBody", {}).get("content", {}).values():
        parts += ["Body, such as `" + msgspec.json.encode(media["example"]).decode() + "`:\n"]
        parts += [_members(media["schema"]), ""]
    rows = [
        (status, _kind(answer), answer.get("description", "")) for status, answer in sorted(call["responses"].items())
    ]
    return [*parts, table(("status", "body", "meaning"), rows), ""]


def _default(parameter: Json) -> str:
    if parameter.get("required"):
        return "needed"
    default = parameter["schema"].get("default")
    return "" if default is None else f"`{default}`"


def _kind(answer: Json) -> str:
    for media_type, media in answer.get("content", {}).items():
        named = _type(media.get("schema", {}))
        return named if media_type == "application/json" else f"{named} (`{media_type}`)"
    return ""


def _schema(name: str, schema: Json) -> list[str]:
    kind = _structs().get(name)
    if "enum" in schema:
        return [", ".join(f'`"{choice}"`' for choice in schema["enum"]) + "\n"]
    return [*([doc_of(kind), ""] if kind else []), _members(schema, field_docs(kind) if kind else {}), ""]


def _members(schema: Json, docs: dict[str, str] | None = None) -> str:
    needed = schema.get("required", [])
    rows = []
    for name, part in schema.get("properties", {}).items():
        default = "" if "default" not in part else f"`{msgspec.json.encode(part['default']).decode()}`"
        meaning = part.get("description") or (docs or {}).get(name, "")
        rows.append((f"`{name}`", _type(part), "always" if name in needed else default, meaning))
    return table(("member", "type", "default", "meaning"), rows)


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for union in ("oneOf", "anyOf"):
        if union in schema:
            named = [_type(part) for part in schema[union] if part.get("type") != "null"]
            return "any value" if len(named) > 4 else " or ".join(named)
    if "enum" in schema:
        return " or ".join(f'`"{choice}"`' for choice in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}" if schema.get("items") else "list"
    more = schema.get("additionalProperties")
    if schema.get("type") == "object" and isinstance(more, dict) and more:
        return f"object of {_type(more)}"
    words = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    kind = schema.get("type", "any value")
    return words.get(kind, kind) if isinstance(kind, str) else "any value"


def _struct(kind: type[msgspec.Struct]) -> str:
    (schema,), parts = msgspec.json.schema_components([kind], ref_template="#/{name}")
    return _members(parts[kind.__name__] if "$ref" in schema else schema, field_docs(kind))


def _in_frames() -> Json:
    """Schemas of what lies in frames; the stream's own document does not know them."""
    kinds = (frames.SnapshotFrame, frames.ChangeFrame)
    _, parts = msgspec.json.schema_components(kinds, ref_template="#/{name}")
    return {name: schema for name, schema in parts.items() if name not in {kind.__name__ for kind in kinds}}


def _structs() -> dict[str, type[msgspec.Struct]]:
    """All structs of ours by name, but for those of the client, which mirror the hub's."""
    found: dict[str, type[msgspec.Struct]] = {}
    waiting = [msgspec.Struct]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        ours = kind.__module__.startswith("pilothouse.") and not kind.__module__.startswith("pilothouse.client")
        if ours and inspect.getmodule(kind) is not None:
            found.setdefault(kind.__name__, kind)
    return found
