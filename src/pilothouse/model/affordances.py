"""Properties, actions and events as data: what a driver declares and everything else is generated from.

The names follow W3C Web of Things (Thing Description 1.1): a Thing has property, action and event affordances.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct

from pilothouse.model.values import Value

Schema: TypeAlias = dict[str, Any]
"""JSON Schema (2020-12) of a value; definitions are inlined or under "$defs" of the same object."""

Confirm: TypeAlias = Literal["", "yes", "two-person"]
"""Whether a command needs a confirmation token first, and from whom (docs: how commands end)."""


class PropertyDescription(Struct, frozen=True, kw_only=True):
    """One property. Limits, units and periods are those in force, after the configuration's overrides."""

    name: str
    schema: Schema
    """Type, limits and choices of the value."""
    title: str = ""
    doc: str = ""
    unit: str = ""
    """UCUM code, such as "Cel", "V", "%", "By"; "" for none."""
    writable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    precision: int | None = None
    """Decimals worth showing; None = as many as the value has."""
    every: float = 1.0
    """Poll period in seconds."""
    dead_band: float = 0.0
    """A number is reported when it differs from the last report by more than this; 0 = on every change."""
    heartbeat: float = 10.0
    """Seconds after which an unchanged value is reported again; a value older than 2.5 of these is stale."""
    safe: Value = None
    """The value that this output takes when nobody is in charge; meaningful when has_safe."""
    has_safe: bool = False
    settle: float = 0.0
    """Seconds that the readback may take to show what was written."""
    confirm: Confirm = ""
    hazard: str = ""
    """What may happen, in one sentence, for things that can hurt; shown before the press."""


class ActionDescription(Struct, frozen=True, kw_only=True):
    """One action."""

    name: str
    title: str = ""
    doc: str = ""
    input: Schema | None = None
    """JSON Schema of the input, an object with one member an argument; None = takes nothing."""
    output: Schema | None = None
    """JSON Schema of the result; None = gives nothing."""
    timeout: float = 10.0
    """Seconds that it may run."""
    confirm: Confirm = ""
    hazard: str = ""


class EventDescription(Struct, frozen=True, kw_only=True):
    """One event."""

    name: str
    title: str = ""
    doc: str = ""
    data: Schema | None = None
    """JSON Schema of what comes with it."""


class ThingDescription(Struct, frozen=True, kw_only=True):
    """One thing, whole: everything that pages, REST, charts and other systems need to know of it."""

    node: str
    name: str
    title: str = ""
    doc: str = ""
    driver: str = ""
    """Driver name as in the configuration, such as "sim.relays"."""
    tags: tuple[str, ...] = ()
    simulated: bool = False
    properties: dict[str, PropertyDescription] = {}
    actions: dict[str, ActionDescription] = {}
    events: dict[str, EventDescription] = {}
