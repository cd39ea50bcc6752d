"""The reference of the API, written by the hub itself from its OpenAPI document: no script, nothing from elsewhere."""

from __future__ import annotations

import json
from typing import Any

from litestar import Request, get
from litestar.response import Response
from msgspec import Struct

from pilothouse.hub.allowed import allowed_of
from pilothouse.hub.needs import needs
from pilothouse.hub.pages.render import page
from pilothouse.hub.site import site_of
from pilothouse.rights import Deed

DOCUMENT = "/api/openapi.json"
_METHODS = ("get", "put", "post", "delete", "patch")


class ParameterRow(Struct, frozen=True, kw_only=True):
    """One parameter of a call."""

    name: str
    place: str
    """path, query or header."""
    kind: str
    required: bool
    doc: str


class AnswerRow(Struct, frozen=True, kw_only=True):
    """One answer that a call may give."""

    status: str
    doc: str
    kind: str


class Call(Struct, frozen=True, kw_only=True):
    """One call of the API."""

    anchor: str
    method: str
    path: str
    summary: str
    doc: str
    parameters: list[ParameterRow]
    body: str
    """An example body, "" when it takes none."""
    answers: list[AnswerRow]
    line: str
    """A line to paste."""


class Group(Struct, frozen=True, kw_only=True):
    """Calls that belong together."""

    name: str
    calls: list[Call]


class ReferencePage(Struct, frozen=True, kw_only=True):
    """What the reference shows."""

    title: str
    doc: str
    version: str
    url: str
    document: str
    """Where the OpenAPI document itself is."""
    own: bool
    """Whether whoever looks may make tokens of their own."""
    machine: bool
    """Whether the token of this machine's command line is for them."""
    groups: list[Group]


def build(document: dict[str, Any], url: str, *, own: bool = False, machine: bool = False) -> ReferencePage:
    """The reference from an OpenAPI 3.1 document, for somebody who may make tokens of their own or not. Pure."""
    groups: dict[str, list[Call]] = {}
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                operation = item[method]
                tag = (operation.get("tags") or ["Other"])[0]
                shared = item.get("parameters", [])
                groups.setdefault(tag, []).append(_call(document, method, path, operation, shared, url))
    info = document.get("info", {})
    return ReferencePage(
        title=info.get("title", "API"),
        doc=info.get("description", "") or "",
        version=info.get("version", ""),
        url=url,
        document=DOCUMENT,
        own=own,
        machine=machine,
        groups=[Group(name=name, calls=calls) for name, calls in groups.items()],
    )


def _call(
    document: dict[str, Any], method: str, path: str, operation: dict[str, Any], shared: list[Any], url: str
) -> Call:
    parameters = [_parameter(document, each) for each in (*shared, *operation.get("parameters", []))]
    body = _body(document, operation)
    return Call(
        anchor=operation.get("operationId") or f"{method}{path}".replace("/", "-").replace("{", "").replace("}", ""),
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        doc=operation.get("description", "") or "",
        parameters=parameters,
        body=body,
        answers=[_answer(document, status, each) for status, each in sorted(operation.get("responses", {}).items())],
        line=_line(method.upper(), path, body, url),
    )


def _parameter(document: dict[str, Any], parameter: dict[str, Any]) -> ParameterRow:
    parameter = _followed(document, parameter)
    return ParameterRow(
        name=parameter.get("name", ""),
        place=parameter.get("in", ""),
        kind=kind_of(document, parameter.get("schema", {})),
        required=bool(parameter.get("required")),
        doc=parameter.get("description", "") or parameter.get("schema", {}).get("description", "") or "",
    )


def _answer(document: dict[str, Any], status: str, answer: dict[str, Any]) -> AnswerRow:
    answer = _followed(document, answer)
    kinds = [
        f"{media}: {kind_of(document, each.get('schema', {}))}" for media, each in answer.get("content", {}).items()
    ]
    return AnswerRow(status=status, doc=answer.get("description", ""), kind="; ".join(kinds))


def _body(document: dict[str, Any], operation: dict[str, Any]) -> str:
    content = _followed(document, operation.get("requestBody", {})).get("content", {})
    media = content.get("application/json")
    if not media:
        return ""
    if "example" in media:
        return json.dumps(media["example"], ensure_ascii=False)
    examples = list(media.get("examples", {}).values())
    if examples and "value" in examples[0]:
        return json.dumps(examples[0]["value"], ensure_ascii=False)
    return json.dumps(example_of(document, media.get("schema", {})), ensure_ascii=False)


def _line(method: str, path: str, body: str, url: str) -> str:
    parts = ["curl", '-H "Authorization: Bearer $TOKEN"']
    if method != "GET":
        parts.append(f"-X {method}")
    if body:
        parts += ['-H "Content-Type: application/json"', f"-d '{body}'"]
    return " ".join([*parts, f"'{url}{path}'"])


def kind_of(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> str:
    """A schema in a few words: "number", "list of NodeView", "text or nothing"."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name:
        return name.rpartition("_")[2] or name
    options = schema.get("oneOf") or schema.get("anyOf")
    if options and depth < 3:
        return " or ".join(dict.fromkeys(kind_of(document, each, depth + 1) for each in options))
    if "enum" in schema:
        return " | ".join(json.dumps(each, ensure_ascii=False) for each in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {kind_of(document, schema.get('items', {}), depth + 1)}" if depth < 3 else "list"
    if isinstance(kind, list):
        return " or ".join(_WORDS.get(str(each), str(each)) for each in kind)
    return _WORDS.get(kind, str(kind))


_WORDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "nothing"}
_EXAMPLES: dict[str, Any] = {"string": "", "integer": 1, "number": 1.0, "boolean": True, "array": [], "null": None}


def example_of(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """A small body that fits a schema: the required members, or all when none is required."""
    schema = _followed(document, schema)
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    options = schema.get("oneOf") or schema.get("anyOf")
    if options and depth < 4:
        return example_of(document, options[0], depth + 1)
    if schema.get("type") == "object" and depth < 4:
        members = schema.get("properties", {})
        wanted = schema.get("required") or list(members)
        return {name: example_of(document, members[name], depth + 1) for name in wanted if name in members}
    kind = schema.get("type")
    return _EXAMPLES.get(kind[0] if isinstance(kind, list) else str(kind))


def _followed(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    reference = part.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return part
    found: Any = document
    for key in reference[2:].split("/"):
        found = found.get(key, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


@get("/api", include_in_schema=False, opt=needs(Deed.SEE, "seen"))
async def reference_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page."""
    allowed, document = allowed_of(request), request.app.openapi_schema.to_schema()
    shown = build(document, site_of(request).url, own=allowed.of_site(Deed.OWN), machine=allowed.sets_up)
    return page(request, "reference.html", shown, title="API", here="reference")
