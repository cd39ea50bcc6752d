"""One property as pages show it: its reading, how fresh that is, the wish, and the control that fits its schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from pilothouse.hub.directory import NodeLife, NodeView, ThingView
from pilothouse.hub.pages.rules import over_at, rules_of
from pilothouse.hub.pages.values import Shown, limits, shown_of
from pilothouse.hub.pages.wishes import Told, agree, told, tolerance
from pilothouse.hub.why_not import Reason, of_bar
from pilothouse.model import PropertyDescription, PropertyState, Quality, Schema, ThingDescription, Value, title_of
from pilothouse.model.units import symbol

Control = Literal["switch", "number", "choice", "text", "data"]
"""What kind of control fits: on/off, a number, one of a few, text, or JSON for everything else."""

Fresh = Literal["live", "stale", "away", "bad", "doubtful", "none"]
"""How far the shown value can be trusted, in the order good, too old, node not there, unreadable, doubtful, never."""

HEARTBEATS = 2.5
"""A value older than this many of its heartbeats is stale."""

FRESH_WORDS: dict[str, str] = {
    "live": "",
    "stale": "old",
    "away": "node not there",
    "bad": "cannot be read",
    "doubtful": "doubtful",
    "none": "no reading yet",
}


class Choice(Struct, frozen=True, kw_only=True):
    """One of the values that a property or argument may take."""

    json: str
    """The value as JSON, for the command."""
    label: str
    """The value for people."""
    chosen: bool = False
    """Whether it is the value now."""


class PropertyRow(Struct, frozen=True, kw_only=True):
    """What pages show of one property."""

    series: str
    """`node/thing.property`."""
    node: str
    thing: str
    name: str
    title: str
    doc: str
    control: Control
    writable: bool
    operable: bool
    """Whether it is writable and whoever looks may write it; a control is drawn only then."""
    shown: Shown
    """The reading in words and figures."""
    json: str
    """The reading as JSON, "null" when there is none."""
    time: int
    """When it was read, Unix milliseconds by the node's clock; 0 = never."""
    fresh: Fresh
    """How far it can be trusted now."""
    unit: str
    """UCUM code, for the browser's own formatting."""
    symbol: str
    """The unit for people."""
    precision: int | None
    stale_after: int
    """Milliseconds after which the value is stale."""
    told: Told
    """Wish, what the device took and what it shows, each with its age, in one line."""
    tolerance: float
    """How far a number may be from the wish and still show it."""
    settle: float
    """Seconds that the reading may take to follow."""
    limits: str
    """The limits in words, "" for none."""
    minimum: float | None
    maximum: float | None
    step: str
    """For `<input step>`: the last decimal worth typing, "any" when free."""
    choices: tuple[Choice, ...]
    confirm: str
    """"", "yes" or "two-person": whether a press asks first."""
    hazard: str
    """What may happen, in one sentence; a press asks first when there is one."""
    safe: Shown | None
    """Where it goes when nobody is in charge; None = it is left alone."""
    safe_json: str
    """The same as JSON, "" for none: going there is never asked about, and nothing ever stands against it."""
    on: bool
    """Whether it is, or may be, at another value than its safe one."""
    max_on: float
    """Seconds that it may be on; 0 = for ever."""
    over_at: int
    """When that ends at the latest, hub's clock; 0 = not on, or no such rule."""
    bar: Reason | None
    """Why it may not leave its safe value now (or not be written at all, without one); `until` by the hub's clock."""
    rules: tuple[str, ...]
    """What the guard holds it to, in sentences."""
    chartable: bool
    """Whether it can be drawn as a line."""


def property_row(
    thing: ThingView,
    description: PropertyDescription,
    node: NodeView,
    *,
    now: int,
    whole: ThingDescription | None = None,
    operable: bool = False,
    against: Sequence[Reason] = (),
) -> PropertyRow:
    """One row. `now` is the hub's clock; ages are counted by the node's. Rules are given where the `whole` thing is.

    `operable` says whether whoever looks may operate the thing, and `against` is what stands against all of it for
    them now: stop, somebody else's lease.
    """
    state = thing.properties.get(description.name, PropertyState())
    fresh = freshness(state, description, node, now=now)
    over = over_at(state, description)
    return PropertyRow(
        series=f"{thing.node}/{thing.thing}.{description.name}",
        node=thing.node,
        thing=thing.thing,
        name=description.name,
        title=description.title or title_of(description.name),
        doc=description.doc,
        control=control_for(description.schema),
        writable=description.writable,
        operable=description.writable and operable,
        shown=shown_of(state.value, description),
        json=json.dumps(state.value),
        time=state.time,
        fresh=fresh,
        unit=description.unit,
        symbol=symbol(description.unit),
        precision=description.precision,
        stale_after=stale_after(description),
        told=told(state, description, fresh, now + node.clock_offset),
        tolerance=tolerance(description),
        settle=description.settle,
        limits=limits(description) if description.writable else "",
        minimum=description.minimum,
        maximum=description.maximum,
        step=step_for(description.schema, description.precision),
        choices=choices_of(description.schema, state.value),
        confirm=description.confirm,
        hazard=description.hazard,
        safe=shown_of(description.safe, description) if description.has_safe else None,
        safe_json=json.dumps(description.safe) if description.has_safe else "",
        on=description.has_safe
        and (fresh in ("bad", "none") or not agree(state.value, description.safe, tolerance(description))),
        max_on=description.max_on,
        over_at=over - node.clock_offset if over else 0,
        bar=standing(thing, description.name, node, against) if description.writable and operable else None,
        rules=rules_of(description, whole) if whole else (),
        chartable=is_chartable(description.schema),
    )


def property_rows(
    thing: ThingView,
    description: ThingDescription,
    node: NodeView,
    *,
    now: int,
    operable: bool = False,
    against: Sequence[Reason] = (),
) -> list[PropertyRow]:
    """All properties of a thing, in the order of its description."""
    return [
        property_row(thing, each, node, now=now, whole=description, operable=operable, against=against)
        for each in description.properties.values()
    ]


def standing(thing: ThingView, name: str, node: NodeView, against: Sequence[Reason] = ()) -> Reason | None:
    """What stands against an output or an action now, `until` by the hub's clock; None = nothing.

    Stop comes before a lease, and both before the agent's own rules: there is no use in mending what comes after.
    """
    if against:
        return against[0]
    bar = thing.bars.get(name)
    if bar is None:
        return None
    return of_bar(replace(bar, until=bar.until - node.clock_offset) if bar.until else bar)


def freshness(state: PropertyState, description: PropertyDescription, node: NodeView, *, now: int) -> Fresh:
    """How far a value can be trusted; the worst that is true of it."""
    if state.time == 0:
        return "none"
    if node.life is not NodeLife.HERE:
        return "away"
    if state.quality is Quality.BAD:
        return "bad"
    if now + node.clock_offset - state.time > stale_after(description):
        return "stale"
    return "live" if state.quality is Quality.GOOD else "doubtful"


def stale_after(description: PropertyDescription) -> int:
    """Milliseconds after which a value of it is stale."""
    return int(HEARTBEATS * 1000 * description.heartbeat)


def control_for(schema: Schema) -> Control:
    """The control that fits a schema."""
    schema = unwrapped(schema)
    if "enum" in schema or "const" in schema:
        return "choice"
    kind = schema.get("type")
    if kind == "boolean":
        return "switch"
    if kind in ("number", "integer"):
        return "number"
    return "text" if kind == "string" else "data"


def choices_of(schema: Schema, value: Value = None) -> tuple[Choice, ...]:
    """The values of an enum, () for anything else."""
    schema = unwrapped(schema)
    allowed: list[Any] = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return tuple(Choice(json=json.dumps(each), label=str(each), chosen=each == value) for each in allowed)


def step_for(schema: Schema, precision: int | None) -> str:
    """The step of a number's input; it never hinders typing more decimals than are shown for a free number."""
    if unwrapped(schema).get("type") == "integer":
        return "1"
    if precision is None:
        return "any"
    return "1" if precision <= 0 else f"0.{'0' * (precision - 1)}1"


def is_chartable(schema: Schema) -> bool:
    """Whether values of it can be drawn as a line."""
    schema = unwrapped(schema)
    return schema.get("type") in ("number", "integer", "boolean") and "enum" not in schema


def unwrapped(schema: Schema) -> Schema:
    """The schema without its "or null"."""
    options = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    if len(options) == 1:
        only: Schema = options[0]
        return only
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [each for each in kind if each != "null"]
        return schema | {"type": kinds[0]} if len(kinds) == 1 else schema
    return schema
