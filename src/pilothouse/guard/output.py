"""One output with its rules, and when it is safe. Pure."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from pilothouse.guard.expression import Expression, Ref
from pilothouse.model import PropertyDescription, Value
from pilothouse.model.sameness import is_number, shows

_EXACT = 1e-9
"""Part by which two numbers may differ and be the same: what arithmetic loses."""


class Group(NamedTuple):
    """Outputs of which at most one may be on."""

    name: str
    members: tuple[str, ...]
    """Their keys."""


class Output(Struct, frozen=True, kw_only=True):
    """A writable property of this node and what the guard has to see to."""

    node: str
    thing: str
    described: PropertyDescription
    interlocks: tuple[Expression, ...] = ()
    """All must hold while it is on; with their references resolved."""
    groups: tuple[Group, ...] = ()
    """Those that it belongs to."""

    @property
    def key(self) -> str:
        """`thing.property`"""
        return f"{self.thing}.{self.described.name}"

    @property
    def ref(self) -> Ref:
        """How conditions refer to it."""
        return Ref(self.node, self.thing, self.described.name)

    @property
    def has_safe(self) -> bool:
        """Whether it can be on at all: without a safe value it is neither on nor off."""
        return self.described.has_safe

    def is_safe(self, value: Value) -> bool:
        """Whether a value that is to be written is the safe value itself."""
        return self.has_safe and _same(value, self.described.safe)

    def shows_safe(self, value: Value) -> bool:
        """Whether a reading shows the safe value, as exactly as the property can tell."""
        return self.has_safe and self.shows(value, self.described.safe)

    def shows(self, value: Value, wish: Value) -> bool:
        """Whether a reading shows what was wished for, as exactly as the property can tell."""
        return shows(value, wish, self.described)


def _same(value: Value, other: Value) -> bool:
    if is_number(value) and is_number(other):
        return abs(value - other) <= _EXACT * abs(other)
    return type(value) is type(other) and value == other
