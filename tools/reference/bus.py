"""docs/reference/subjects.md: what travels on the bus, where, and what the bus keeps of it."""

from __future__ import annotations

import inspect
from enum import Enum

import msgspec

from pilothouse.bus import messages, subjects
from pilothouse.model import Bar, Health, PropertyState, Quality, Reading
from tools.reference.source import doc_of, member_docs
from tools.reference.tables import MADE, fields_table, table

_ABOVE = f"""
The bus is NATS. Every message is one JSON object with a version `v` (now {messages.VERSION}) and has at most
{messages.LIMIT // 1024} KiB. A message of a higher version is refused; unknown fields of a known version are ignored.
"""
_NAMES = {"site": "SITE", "node": "NODE", "thing": "THING", "name": "NAME"}


def page() -> str:
    """The page."""
    parts = ["# Subjects and messages of the bus\n", MADE, _ABOVE, "## Subjects\n", _subjects(), ""]
    parts += ["## Streams\n", "Of a site with the name `home`:\n", _streams(), "", "## Messages\n"]
    for kind in _messages():
        parts += [f"### {kind.__name__}\n", doc_of(kind), "", fields_table(kind), ""]
    inner: list[type[msgspec.Struct]] = [Reading, PropertyState, Health, Bar, *_parts()]
    for part in inner:
        shape = "\nOn the wire an array, in this order." if part.__struct_config__.array_like else ""
        parts += [f"### {part.__name__}\n", doc_of(part) + shape, "", fields_table(part), ""]
    for enum in (messages.End, messages.Why, Quality):
        parts += [f"### {enum.__name__}\n", doc_of(enum), "", _members(enum), ""]
    return "\n".join(parts)


def _subjects() -> str:
    rows = []
    for row in subjects.TABLE.values():
        reply = f", answered with {_link(row.reply)}" if row.reply else ""
        rows.append((f"`{row.pattern.format(**_NAMES)}`", row.carries, str(row.kept), _link(row.message) + reply))
    return table(("subject", "carries", "kept", "message"), rows)


def _streams() -> str:
    rows = []
    for stream in subjects.streams("home").values():
        listed = ", ".join(f"`{subject}`" for subject in stream.subjects)
        age = f"{stream.max_age / 86400:g} d" if stream.max_age else "no limit"
        rows.append((f"`{stream.name}`", listed, str(stream.kept), f"{stream.max_bytes // 1024**2} MiB", age))
    return table(("stream", "subjects", "kept", "size at most", "age at most"), rows)


def _messages() -> list[type[msgspec.Struct]]:
    """All kinds of messages, in the order of the source; all fields of the base are in each of them."""
    found = [kind for _, kind in inspect.getmembers(messages, inspect.isclass) if issubclass(kind, messages.Message)]
    ordered = sorted(found, key=lambda kind: inspect.getsourcelines(kind)[1])
    return [kind for kind in ordered if kind is not messages.Message]


def _parts() -> list[type[msgspec.Struct]]:
    """What lies in messages and is defined beside them."""
    found = [kind for _, kind in inspect.getmembers(messages, inspect.isclass) if kind.__module__ == messages.__name__]
    parts = [kind for kind in found if issubclass(kind, msgspec.Struct) and not issubclass(kind, messages.Message)]
    shown = [kind for kind in parts if not kind.__name__.startswith("_")]
    return sorted(shown, key=lambda kind: inspect.getsourcelines(kind)[1])


def _members(enum: type[Enum]) -> str:
    docs = member_docs(enum)
    return table(("value", "meaning"), [(f'`"{member.value}"`', docs[member.name]) for member in enum])


def _link(kind: type) -> str:
    return f"[{kind.__name__}](#{kind.__name__.lower()})"
