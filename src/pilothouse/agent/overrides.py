"""What the configuration changes of what a driver declares; limits may only get narrower. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pilothouse.agent.sense import check_schema
from pilothouse.clock import parse_duration
from pilothouse.config.site import PropertyConfig, ThingConfig
from pilothouse.errors import BadValue, ConfigError, PilothouseError, nearest
from pilothouse.model import PropertyDescription, Thing, ThingDescription, check_name, title_of
from pilothouse.model.types import check_limits, limited, to_plain, to_python

FASTEST = 0.01
"""Seconds; no property is polled more often."""


def describe(
    thing: Thing, node: str, config: ThingConfig, found: Mapping[str, PropertyDescription]
) -> ThingDescription:
    """The whole description of a thing with these properties; raises ConfigError when an override does not fit."""
    kind = type(thing)
    properties: dict[str, PropertyDescription] = {}
    for name, described in found.items():
        check_name("property", name)
        own = config.properties.get(name)
        properties[name] = apply(described, own, kind.property_types.get(name)) if own else _sound(described)
    return ThingDescription(
        node=node,
        name=thing.name,
        title=config.title or title_of(thing.name),
        doc=config.doc or _first_paragraph(kind.__doc__ or ""),
        driver=config.driver,
        tags=config.tags,
        simulated=kind.simulated,
        properties=properties,
        actions=dict(kind.declared_actions),
        events=dict(kind.declared_events),
    )


def check_overrides(kind: type[Thing], overrides: Mapping[str, PropertyConfig]) -> list[str]:
    """What is wrong with the overrides of a thing, without asking the device; each names its key."""
    mistakes: list[str] = []
    grows = kind.properties is not Thing.properties
    for name, own in overrides.items():
        described = kind.declared_properties.get(name)
        if described is None:
            if not grows:  # else the device itself may have it; known when it is open
                close = nearest(name, kind.declared_properties)
                mistakes.append(
                    f"properties.{name}: there is no such property" + (f" (did you mean {close!r}?)" * bool(close))
                )
            continue
        try:
            apply(described, own, kind.property_types.get(name))
        except PilothouseError as error:
            mistakes.append(f"properties.{name}.{error}")
    return mistakes


def apply(described: PropertyDescription, own: PropertyConfig, kind: Any) -> PropertyDescription:
    """One property with its overrides; raises ConfigError whose text begins with the key."""
    _check_narrower(described, own)
    changed: dict[str, Any] = {}
    for key in ("title", "doc", "minimum", "maximum", "precision", "dead_band", "confirm", "hazard"):
        value = getattr(own, key)
        if value is not None:
            changed[key] = value
    if own.dead_band is not None and not 0 <= own.dead_band < float("inf"):
        raise ConfigError("dead_band: is a number from 0 on")
    if own.every is not None:
        changed["every"] = max(FASTEST, parse_duration(own.every))
        changed["heartbeat"] = max(described.heartbeat, 5 * changed["every"])
    if own.heartbeat is not None:
        changed["heartbeat"] = parse_duration(own.heartbeat)
    new = msgspec.structs.replace(described, **changed)
    try:
        new = msgspec.structs.replace(new, schema=limited(described.schema, new.minimum, new.maximum))
    except TypeError as error:
        raise ConfigError(f"minimum: {error}") from None
    return _sound(_with_safe(new, own, kind))


def _with_safe(new: PropertyDescription, own: PropertyConfig, kind: Any) -> PropertyDescription:
    safe = new.safe if own.safe is None else own.safe
    if own.safe is None and not new.has_safe:
        return new
    if not new.writable:
        raise ConfigError("safe: this property cannot be written, so it has no safe value")
    try:
        if kind is not None:
            safe = to_plain(to_python(safe, kind, label=new.name))
        else:
            check_schema(safe, new.schema, label=new.name)
        check_limits(safe, new.minimum, new.maximum, new.unit, label=new.name)
    except BadValue as error:
        raise ConfigError(f"safe: {error}") from None
    return msgspec.structs.replace(new, safe=safe, has_safe=True)


def _check_narrower(described: PropertyDescription, own: PropertyConfig) -> None:
    low, high = described.minimum, described.maximum
    if own.minimum is not None and low is not None and own.minimum < low:
        raise ConfigError(f"minimum: {own.minimum:g} is less than the device's own {low:g}; limits only get narrower")
    if own.maximum is not None and high is not None and own.maximum > high:
        raise ConfigError(f"maximum: {own.maximum:g} is more than the device's own {high:g}; limits only get narrower")
    least = own.minimum if own.minimum is not None else low
    most = own.maximum if own.maximum is not None else high
    if least is not None and most is not None and least > most:
        raise ConfigError(f"minimum: {least:g} is more than the maximum, {most:g}")


def _sound(described: PropertyDescription) -> PropertyDescription:
    """With a period and a heartbeat that can be kept."""
    every = max(FASTEST, described.every)
    if every == described.every and described.heartbeat >= every:
        return described
    return msgspec.structs.replace(described, every=every, heartbeat=max(described.heartbeat, every))


def _first_paragraph(doc: str) -> str:
    return " ".join(doc.strip().partition("\n\n")[0].split())
