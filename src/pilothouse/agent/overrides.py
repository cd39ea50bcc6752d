"""What the configuration changes of what a driver declares; limits may only get narrower. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pilothouse.agent.rules import Around, conditions
from pilothouse.agent.sense import check_schema
from pilothouse.clock import parse_duration
from pilothouse.config.site import PropertyConfig, ThingConfig
from pilothouse.errors import BadValue, ConfigError, PilothouseError, nearest
from pilothouse.model import ActionDescription, PropertyDescription, Thing, ThingDescription, check_name, title_of
from pilothouse.model.types import check_limits, limited, to_plain, to_python

NOTHING = Around()

FASTEST = 0.01
"""Seconds; no property is polled more often."""


def describe(
    thing: Thing,
    node: str,
    config: ThingConfig,
    found: Mapping[str, PropertyDescription],
    around: Around = NOTHING,
) -> ThingDescription:
    """The whole description of a thing with these properties; raises ConfigError when an override does not fit."""
    kind = type(thing)
    if found is not kind.declared_properties:
        _check_found(kind, config, found, around)
    properties: dict[str, PropertyDescription] = {}
    for name, described in found.items():
        check_name("property", name)
        own = config.properties.get(name)
        new = apply(described, own, kind.property_types.get(name)) if own else _sound(described)
        properties[name] = _guarded(new, own, config, around)
    return ThingDescription(
        node=node,
        name=thing.name,
        title=config.title or title_of(thing.name),
        doc=config.doc or _first_paragraph(kind.__doc__ or ""),
        driver=config.driver,
        tags=config.tags,
        simulated=kind.simulated,
        second_path=kind.halt is not Thing.halt,
        properties=properties,
        actions={name: _conditional(action, config) for name, action in kind.declared_actions.items()},
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
    return _with_rules(_sound(_with_safe(new, own, kind)), own)


def _with_rules(new: PropertyDescription, own: PropertyConfig) -> PropertyDescription:
    """With what the guard is to see to; raises ConfigError for what cannot be kept."""
    changed: dict[str, Any] = {}
    if own.slew is not None:
        changed["slew"] = own.slew
        if not new.writable or new.schema.get("type") not in ("integer", "number"):
            raise ConfigError("slew: it is for numbers that can be written")
        if not 0 < own.slew < float("inf"):
            raise ConfigError("slew: is a number above 0, in the property's unit, a second")
    for key in ("max_on", "min_off", "link_lost_after"):
        value = getattr(own, key)
        if value is None:
            continue
        changed[key] = parse_duration(value)
        if not changed[key] and key != "link_lost_after":
            raise ConfigError(f"{key}: a time of 0 says nothing; leave the key out where there is no limit")
    if own.safe_when is not None:
        changed["safe_when"] = tuple(dict.fromkeys(own.safe_when))
    needing = [key for key in changed if key != "slew"]
    if needing and not new.has_safe:
        likely = "false" if new.schema.get("type") == "boolean" else "0"
        raise ConfigError(f"{needing[0]}: {new.name} has no safe value; give it one, such as safe = {likely}")
    if changed.get("link_lost_after") and "link" not in changed.get("safe_when", new.safe_when):
        raise ConfigError('link_lost_after: safe_when leaves out "link", so it would never be used')
    return msgspec.structs.replace(new, **changed)


def _guarded(
    new: PropertyDescription, own: PropertyConfig | None, config: ThingConfig, around: Around
) -> PropertyDescription:
    """With what stands in other tables: interlocks, groups, and the node's time without a link."""
    changed: dict[str, Any] = {}
    if new.name in config.interlocks:
        changed["interlocks"] = tuple(condition.text for condition in conditions(config, new.name))
    if new.name in around.exclusive:
        changed["exclusive"] = around.exclusive[new.name]
    if new.has_safe and "link" in new.safe_when and (own is None or own.link_lost_after is None):
        changed["link_lost_after"] = around.link_lost_after
    return msgspec.structs.replace(new, **changed) if changed else new


def _conditional(action: ActionDescription, config: ThingConfig) -> ActionDescription:
    if action.name not in config.interlocks:
        return action
    texts = tuple(condition.text for condition in conditions(config, action.name))
    return msgspec.structs.replace(action, interlocks=texts)


def _check_found(
    kind: type[Thing], config: ThingConfig, found: Mapping[str, PropertyDescription], around: Around
) -> None:
    """Rules for what only the open device could say whether it is there: one that cannot be kept keeps it closed."""
    for name in (*config.interlocks, *around.exclusive):
        described = found.get(name)
        own = config.properties.get(name)
        safe = described is not None and (described.has_safe or (own is not None and own.safe is not None))
        if not safe and (name in around.exclusive or name not in kind.declared_actions):
            what = "there is no such property" if described is None else f"{name} has no safe value"
            raise ConfigError(f"a rule of {name} cannot be kept: {what}", remedy="Check interlocks and [exclusive]")


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
