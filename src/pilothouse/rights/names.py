"""Names of people: what the ledger calls whoever did something. Pure."""

from __future__ import annotations

import re

from pilothouse.errors import BadName

MACHINE = "owner"
"""Whoever may read the data folder on the hub's own machine; the command line there acts as this. Nobody's name."""
GUEST = "guest:"
"""What the names of guests begin with."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,62}", re.ASCII)
_RESERVED = frozenset({MACHINE, "guard", "keeper", "nobody", "site", "me", "rights"})
RULE = "it starts with a small letter or digit and goes on with small letters, digits, '.', '_', '-' and '@', 63 in all"


def check_person(text: str) -> str:
    """`text`, when somebody may be called so; raises BadName with the nearest good name."""
    if text in _RESERVED:
        raise BadName(f"{text!r} is a name that Pilothouse uses itself", nearest=f"{text}-1")
    if _NAME.fullmatch(text):
        return text
    shown = text if len(text) <= 40 else f"{text[:40]}… ({len(text)} characters)"
    near = re.sub(r"[^a-z0-9._@-]+", "-", text.strip().lower()).strip("._@-")[:63]
    raise BadName(f"{shown!r} cannot be somebody's name", why=RULE, nearest="" if near in _RESERVED else near)
