"""From configuration and descriptions to what the guard goes by. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from pilothouse.clock import parse_duration
from pilothouse.config.site import Config, ThingConfig
from pilothouse.guard import Expression, Group, Output, parse
from pilothouse.model import ThingDescription


class Around(Struct, frozen=True, kw_only=True):
    """What the configuration says of a thing's outputs elsewhere than in its own table."""

    link_lost_after: float = 0.0
    """The node's, in seconds; for outputs that have none of their own."""
    exclusive: Mapping[str, tuple[str, ...]] = {}
    """By property: outputs, `thing.property`, none of which may be on while it is."""


def conditions(config: ThingConfig, name: str) -> tuple[Expression, ...]:
    """The interlocks of a property or action; raises BadExpression."""
    texts = config.interlocks.get(name, ())
    return tuple(parse(text) for text in ((texts,) if isinstance(texts, str) else texts))


def groups(config: Config, node: str) -> tuple[Group, ...]:
    """The groups of which one output at most may be on."""
    return tuple(
        Group(name, tuple(dict.fromkeys(output.removeprefix(f"{node}/") for output in outputs)))
        for name, outputs in config.exclusive.items()
    )


def around(config: Config, node: str, thing: str) -> Around:
    """What is said of the outputs of a thing elsewhere."""
    exclusive: dict[str, tuple[str, ...]] = {}
    for group in groups(config, node):
        for key in group.members:
            owner, _, name = key.partition(".")
            if owner == thing:
                others = (other for other in group.members if other != key)
                exclusive[name] = tuple(dict.fromkeys((*exclusive.get(name, ()), *others)))
    return Around(link_lost_after=parse_duration(config.node.link_lost_after), exclusive=exclusive)


def outputs(described: ThingDescription, found: Sequence[Group]) -> dict[str, Output]:
    """Every writable property of a thing as the guard takes it, by `thing.property`."""
    made: dict[str, Output] = {}
    for name, property in described.properties.items():
        if property.writable:
            key = f"{described.name}.{name}"
            made[key] = Output(
                node=described.node,
                thing=described.name,
                described=property,
                interlocks=_resolved(property.interlocks, described),
                groups=tuple(group for group in found if key in group.members),
            )
    return made


def actions(described: ThingDescription) -> dict[str, tuple[Expression, ...]]:
    """The conditions of those actions of a thing that have some, by `thing.action`."""
    return {
        f"{described.name}.{name}": _resolved(action.interlocks, described)
        for name, action in described.actions.items()
        if action.interlocks
    }


def _resolved(texts: Sequence[str], described: ThingDescription) -> tuple[Expression, ...]:
    return tuple(parse(text).resolved(described.node, described.name) for text in texts)
