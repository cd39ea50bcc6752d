"""A thing's description as a W3C Web of Things Thing Description 1.1, for other people's programs.

Source: "Web of Things (WoT) Thing Description 1.1", W3C Recommendation of 5 December 2023. What it cannot say (our
own precision, safe value, guard, hazard and confirmation) stands beside it under the prefix "ph".

Our REST wraps a value into an object: `{"value", "time", "quality" …}` when read, `{"value", "reason"}` when written.
A Thing Description describes what is on the wire, so each property here is such an object whose member `value` is the
property itself, with its type, unit and limits; members that only one direction has are readOnly or writeOnly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from pilothouse.model.affordances import (
    ActionDescription,
    EventDescription,
    PropertyDescription,
    Schema,
    ThingDescription,
)
from pilothouse.model.values import Quality

CONTEXT = "https://www.w3.org/2022/wot/td/v1.1"
VOCABULARY = "urn:pilothouse:td#"
"""What the prefix "ph" stands for."""
MEDIA_TYPE = "application/td+json"

_JSON = "application/json"
_PROBLEM = {"success": False, "contentType": "application/problem+json"}
_ENDS = ["confirmed", "refused", "failed", "expired", "unknown"]

_KEPT = frozenset(
    {
        "type", "title", "description", "enum", "const", "default", "format", "pattern", "contentEncoding",
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
        "minLength", "maxLength", "minItems", "maxItems", "required", "readOnly", "writeOnly",
    }
)  # fmt: skip
"""Words of JSON Schema that a data schema of the standard has too, with the same meaning."""


def to_td(description: ThingDescription, base_url: str, *, site: str = "") -> dict[str, Any]:
    """Thing Description of a thing that is reached through the hub at `base_url` ("http://host:8470").

    `site` tells things of the same name on different sites apart in `id`.
    """
    node, name = description.node, description.name
    at = f"api/things/{quote(node, safe='')}/{quote(name, safe='')}"
    live = f"api/live?things={quote(f'{node}/{name}', safe='')}"
    found: dict[str, Any] = {
        "@context": [CONTEXT, {"ph": VOCABULARY, "@language": "en"}],
        "@type": "Thing",
        "id": f"urn:uuid:{uuid5(NAMESPACE_URL, f'{VOCABULARY}{site}/{node}/{name}')}",
        "title": description.title or f"{node}/{name}",
        "base": base_url.rstrip("/") + "/",
        "securityDefinitions": {"token": {"scheme": "bearer", "in": "header", "format": "opaque"}},
        "security": "token",
        "properties": {key: _property(found, at) for key, found in description.properties.items()},
        "actions": {key: _action(found, at) for key, found in description.actions.items()},
        "events": {key: _event(found, live) for key, found in description.events.items()},
        "links": [
            {"href": f"things/{quote(node, safe='')}/{quote(name, safe='')}", "rel": "alternate", "type": "text/html"},
            {"href": live, "rel": "monitor", "type": "text/event-stream"},
        ],
        "ph:node": node,
        "ph:name": name,
        "ph:driver": description.driver,
        "ph:simulated": description.simulated,
        "ph:secondPath": description.second_path,
        "ph:tags": list(description.tags),
    }
    return found | _texts("", description.doc)


def data_schema(schema: Schema) -> dict[str, Any]:
    """JSON Schema as a data schema of the standard, which has fewer words: anyOf becomes oneOf, others are left out."""
    found = {key: value for key, value in schema.items() if key in _KEPT}
    kinds = found.get("type")
    choices = schema.get("oneOf") or schema.get("anyOf")
    if isinstance(kinds, list):
        del found["type"]
        choices = [{"type": kind} for kind in kinds]
    if choices:
        # One of them exactly, and every integer is a number too.
        number = any(choice.get("type") == "number" for choice in choices)
        found["oneOf"] = [data_schema(one) for one in choices if not (number and one.get("type") == "integer")]
    if "enum" in found and "type" not in found:
        found |= _type_of_all(found["enum"])
    if "properties" in schema:
        found["properties"] = {name: data_schema(member) for name, member in schema["properties"].items()}
    if schema.get("prefixItems"):
        found["items"] = [data_schema(item) for item in schema["prefixItems"]]
    elif isinstance(schema.get("items"), dict):
        found["items"] = data_schema(schema["items"])
    return found


def _property(found: PropertyDescription, at: str) -> dict[str, Any]:
    operations = ["readproperty", "writeproperty"] if found.writable else ["readproperty"]
    value = data_schema(found.schema) | {"title": found.title or found.name, "readOnly": not found.writable}
    limits = {"minimum": found.minimum, "maximum": found.maximum}
    value |= {key: limit for key, limit in limits.items() if limit is not None}
    members: dict[str, Any] = {
        "value": value | ({"unit": found.unit} if found.unit else {}),
        "time": {"type": "integer", "readOnly": True, "description": "of the reading, milliseconds since 1970 UTC"},
        "quality": {"type": "string", "readOnly": True, "enum": [quality.value for quality in Quality]},
    }
    if found.writable:
        members["reason"] = {"type": "string", "writeOnly": True, "description": "why, for the ledger"}
    described: dict[str, Any] = _texts(found.title or found.name, found.doc) | {
        "type": "object",
        "properties": members,
        "required": ["value"],
        "readOnly": not found.writable,
        "writeOnly": False,
        "observable": False,
        "forms": [_form(f"{at}/properties/{quote(found.name, safe='')}", operations)],
        "ph:every": found.every,
    }
    described |= {"unit": found.unit} if found.unit else {}
    described |= {"ph:precision": found.precision} if found.precision is not None else {}
    described |= {"ph:safe": found.safe} if found.has_safe else {}
    return described | _guard(found) | _care(found.hazard, found.confirm)


def _guard(found: PropertyDescription) -> dict[str, Any]:
    """What the agent sees to, where there is something; times in seconds, conditions as they are written."""
    rules: dict[str, Any] = {"ph:slew": found.slew} if found.slew else {}
    if not found.has_safe:
        return rules
    rules["ph:safeWhen"] = [*found.safe_when, "stop"]
    times = {"ph:linkLostAfter": found.link_lost_after, "ph:maxOn": found.max_on, "ph:minOff": found.min_off}
    rules |= {key: seconds for key, seconds in times.items() if seconds}
    return rules | _lists({"ph:interlocks": found.interlocks, "ph:exclusive": found.exclusive})


def _lists(found: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {key: list(items) for key, items in found.items() if items}


def _action(found: ActionDescription, at: str) -> dict[str, Any]:
    members: dict[str, Any] = {"reason": {"type": "string", "description": "why, for the ledger"}}
    if found.input is not None:
        members["input"] = data_schema(found.input)
    needed = found.input is not None and bool(found.input.get("required"))
    outcome: dict[str, Any] = {
        "id": {"type": "string", "description": "of the command, in the ledger"},
        "end": {"type": "string", "enum": _ENDS},
    }
    if found.output is not None:
        outcome["value"] = data_schema(found.output)
    return (
        _texts(found.title or found.name, found.doc)
        | {
            "input": {"type": "object", "properties": members} | ({"required": ["input"]} if needed else {}),
            "output": {"type": "object", "properties": outcome, "required": ["id", "end"]},
            "safe": False,
            "idempotent": False,
            "synchronous": True,
            "forms": [_form(f"{at}/actions/{quote(found.name, safe='')}", ["invokeaction"])],
        }
        | _lists({"ph:interlocks": found.interlocks})
        | _care(found.hazard, found.confirm)
    )


def _event(found: EventDescription, live: str) -> dict[str, Any]:
    operations = ["subscribeevent", "unsubscribeevent"]
    form = {"href": live, "op": operations, "contentType": "text/event-stream", "subprotocol": "sse"}
    described: dict[str, Any] = _texts(found.title or found.name, found.doc) | {"forms": [form]}
    return described | ({"data": data_schema(found.data)} if found.data is not None else {})


def _form(href: str, operations: list[str]) -> dict[str, Any]:
    return {"href": href, "op": operations, "contentType": _JSON, "additionalResponses": [_PROBLEM]}


def _texts(title: str, doc: str) -> dict[str, Any]:
    return {key: text for key, text in (("title", title), ("description", doc)) if text}


def _care(hazard: str, confirm: str) -> dict[str, Any]:
    return {key: text for key, text in (("ph:hazard", hazard), ("ph:confirm", confirm)) if text}


def _type_of_all(values: list[Any]) -> dict[str, str]:
    if all(isinstance(value, str) for value in values):
        return {"type": "string"}
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return {"type": "integer"}
    return {}
