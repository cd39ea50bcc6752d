"""Names of sites, nodes, things and their properties, actions and events.

One grammar for all of them, so that a name can stand in a subject, a path, a series and a TOML key as it is.
"""

from __future__ import annotations

import re
import secrets
from typing import NamedTuple

from pilothouse.errors import BadName

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}", re.ASCII)
RULE = "a name starts with a small letter and goes on with small letters, digits, '-' and '_', at most 63 in all"


def check_name(kind: str, text: str) -> str:
    """`text`, if it is a good name for a `kind` ("node", "thing", "property" …); raises BadName otherwise."""
    if _NAME.fullmatch(text):
        return text
    shown = text if len(text) <= 40 else f"{text[:40]}… ({len(text)} characters)"
    raise BadName(f"{shown!r} cannot be the name of a {kind}", why=RULE, nearest=slug(text))


def is_name(text: str) -> bool:
    """Whether `text` follows the grammar."""
    return _NAME.fullmatch(text) is not None


def slug(text: str) -> str:
    """The nearest good name to any text, "" when nothing of it can stay."""
    small = re.sub(r"[^a-z0-9_-]+", "_", text.strip().lower()).strip("_-")
    return re.sub(r"^[^a-z]+", "", small)[:63]


class Address(NamedTuple):
    """A thing on a node, written `node/thing`."""

    node: str
    thing: str

    def __str__(self) -> str:
        return f"{self.node}/{self.thing}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """From `node/thing`; raises BadName."""
        node, slash, thing = text.partition("/")
        if not slash:
            raise BadName(f"{text[:80]!r} is not the address of a thing", why="it is written node/thing")
        return cls(check_name("node", node), check_name("thing", thing))


class Series(NamedTuple):
    """One property of one thing over time, written `node/thing.property`."""

    node: str
    thing: str
    property: str

    def __str__(self) -> str:
        return f"{self.node}/{self.thing}.{self.property}"

    @classmethod
    def parse(cls, text: str) -> Series:
        """From `node/thing.property`; raises BadName."""
        address, dot, name = text.partition(".")
        if not dot:
            raise BadName(f"{text[:80]!r} is not a series", why="it is written node/thing.property")
        node, thing = Address.parse(address)
        return cls(node, thing, check_name("property", name))


def new_id(now: int) -> str:
    """A UUID version 7 (RFC 9562): `now` in Unix milliseconds, then 74 random bits; sorts by time."""
    random = secrets.randbits(74)
    number = (now & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_id(text: str) -> bool:
    """Whether `text` may be the id of a command: 8 to 64 letters, digits, '-' or '_'."""
    return re.fullmatch(r"[A-Za-z0-9_-]{8,64}", text) is not None
