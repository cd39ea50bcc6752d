"""What was changed in the configuration since the last start stands in the ledger.

The configuration is a file, so nobody can say who wrote it: whoever may, on the hub's machine. Secrets do not belong
into it (it names their files); a value that looks like one all the same is left out.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from pilothouse.config.site import Config
from pilothouse.errors import RecordError
from pilothouse.hub.site import Site
from pilothouse.model import new_id
from pilothouse.record.rows import Act
from pilothouse.record.told_fact import replace_fact
from pilothouse.rights import MACHINE

log = logging.getLogger(__name__)

_LONGEST = 80
_MOST = 40
"""Keys whose values the line holds."""
_NAMED = 5
"""Keys that its sentence names."""
_SECRET = re.compile(r"pass(word|wd|phrase)?|secret|token|credential|api_?key", re.IGNORECASE)
_NO_SECRET = re.compile(r"_(file|header|claim)$")
_USER_INFO = re.compile(r"//[^/@\s]*@")


async def note_config(site: Site) -> None:
    """Compare the configuration with that of the last start of a hub on this node, and tell the ledger."""
    now = site.clock.now()
    flat = dict(flattened(site.config))
    value = msgspec.json.encode(flat, order="sorted").decode()

    def told(before: str) -> Act | None:
        return change_of(_decoded(before), flat, site.node, now) if before else None

    try:
        await replace_fact(site.ledger.database, f"config of {site.node}", value, told)
    except RecordError as error:
        # A hub whose record is full still shows and stops; the next start compares again.
        log.error("what changed in the configuration could not be written down: %s", error)


def flattened(config: Config) -> Iterator[tuple[str, str]]:
    """(key, value as text) of all that is not as it is without a configuration. Pure."""
    return _flat(config, "")


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Struct):
        for field in msgspec.structs.fields(value):
            found = getattr(value, field.name)
            if field.required or found != _default(field):
                yield from _flat(found, f"{path}.{field.name}" if path else field.name)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _flat(part, f"{path}.{key}")
    else:
        yield path, _shown(path, value)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _shown(path: str, value: Any) -> str:
    name = path.rpartition(".")[2]
    if _SECRET.search(name) and not _NO_SECRET.search(name):
        return "…"
    text = value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=str).decode()
    text = _USER_INFO.sub("//…@", text)
    if len(text) <= _LONGEST:
        return text
    # Two long values that begin alike are told apart.
    return f"{text[:_LONGEST]}… ({hashlib.sha256(text.encode()).hexdigest()[:6]})"


def _decoded(text: str) -> dict[str, str]:
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError:  # by a version that kept it otherwise
        return {}


def change_of(before: Mapping[str, str], after: Mapping[str, str], node: str, now: int) -> Act | None:
    """The line for the ledger; None when nothing is to be told. Pure."""
    changed = {
        key: [before.get(key, ""), after.get(key, "")]
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    }
    if not changed:
        return None
    told = [f"{key}: {old or 'unset'} → {new or 'unset'}" for key, (old, new) in list(changed.items())[:_NAMED]]
    more = len(changed) - len(told)
    if more:
        told.append(f"and {more} more")
    return Act(
        id=new_id(now),
        kind="people",
        name="config.changed",
        thing=node,
        who=MACHINE,
        origin="start",
        made=now,
        detail=f"{'; '.join(told)}.",
        input=dict(list(changed.items())[:_MOST]),
    )
