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


SafeWhen: TypeAlias = Literal["start", "end", "link", "lease"]
"""When an output goes to its safe value: the agent starts (also after it was killed), the agent ends, the link to the
bus is lost for longer than `link_lost_after`, the lease of its stand runs out. A pressed stop always does it."""


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
    safe_when: tuple[SafeWhen, ...] = ("start", "end", "link", "lease")
    """When it goes to its safe value; meaningful when has_safe."""
    link_lost_after: float = 0.0
    """Seconds without a link to the bus after which it goes to its safe value; 0 = it stays as it is."""
    slew: float = 0.0
    """Most that it may be changed within a second, in its unit; 0 = no limit. Going to the safe value is free."""
    max_on: float = 0.0
    """Seconds after which it goes back to its safe value by itself; 0 = it may stay for ever."""
    min_off: float = 0.0
    """Seconds that it stays at its safe value at least; 0 = no limit. Counted from the agent's start, too."""
    interlocks: tuple[str, ...] = ()
    """Conditions, all of which must hold while it is not at its safe value."""
    exclusive: tuple[str, ...] = ()
    """Outputs of the same node, `thing.property`, none of which may be on while it is."""


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
    interlocks: tuple[str, ...] = ()
    """Conditions, all of which must hold when it is called."""


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
    second_path: bool = False
    """Whether its outputs can be made safe while its driver hangs, by a way of its own."""
    properties: dict[str, PropertyDescription] = {}
    actions: dict[str, ActionDescription] = {}
    events: dict[str, EventDescription] = {}
