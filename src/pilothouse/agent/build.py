"""From configuration to things: finds the drivers, makes the things, and says everything that is wrong with either."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple, TypeVar

import msgspec

from pilothouse import drivers
from pilothouse.agent.overrides import check_overrides, describe
from pilothouse.agent.rules import Around, around
from pilothouse.agent.rules_check import Found, Known, check_rules
from pilothouse.agent.words import in_words
from pilothouse.clock import Clock, SystemClock
from pilothouse.config.site import Config, NodeConfig, ThingConfig
from pilothouse.errors import ConfigError, PilothouseError
from pilothouse.model import Thing, ThingDescription, slug

HOST = "host"
"""Name of the thing that is the node itself."""

T = TypeVar("T")


class Built(NamedTuple):
    """A thing and what the configuration says of it."""

    thing: Thing
    config: ThingConfig
    around: Around = Around()
    """What it says of the thing's outputs elsewhere than in its own table."""


def node_name(node: NodeConfig) -> str:
    """The name in the configuration, else the machine's own, made fit."""
    return node.name or slug(socket.gethostname().partition(".")[0]) or "node"


def build(config: Config, clock: Clock) -> dict[str, Built]:
    """Every enabled thing by name, and the node's vitals; raises ConfigError that lists every mistake."""
    built, found = _build(config, clock)
    if found.mistakes:
        listed = "\n".join(f"  {mistake}" for mistake in found.mistakes)
        raise ConfigError(
            f"The things of this node cannot be made:\n{listed}",
            remedy="Mend it and check with: pilothouse config check",
        )
    return built


def make_things(config: Config, clock: Clock) -> dict[str, Thing]:
    """As `build`, the things alone."""
    return {name: one.thing for name, one in build(config, clock).items()}


def examine(config: Config) -> Found:
    """Every mistake that only the drivers know, and what cannot be checked here; nothing is opened."""
    return _build(config, SystemClock())[1]


def check(config: Config) -> list[str]:
    """As `examine`, the mistakes alone."""
    return examine(config).mistakes


def _build(config: Config, clock: Clock) -> tuple[dict[str, Built], Found]:
    built: dict[str, Built] = {}
    mistakes: list[str] = []
    node = node_name(config.node)
    wanted = _wanted(config)
    for name, thing in wanted.items():
        made = _make(name, thing, clock, mistakes)
        if made is not None:
            built[name] = Built(made, thing, around(config, node, name))
    rules = check_rules(config, _known(node, wanted, built))
    return built, Found(mistakes + rules.mistakes, rules.notes)


def _known(node: str, wanted: Mapping[str, ThingConfig], built: Mapping[str, Built]) -> Known:
    """What the rules may refer to, described as the classes have it."""
    described: dict[str, ThingDescription] = {}
    growing = {name for name, one in built.items() if type(one.thing).properties is not Thing.properties}
    for name, one in built.items():
        bare = msgspec.structs.replace(one.config, interlocks={})  # these are what is to be checked
        with suppress(PilothouseError):  # one that does not fit was told already
            described[name] = describe(one.thing, node, bare, one.thing.declared_properties)
    return Known(node, wanted, described, growing)


def _wanted(config: Config) -> Mapping[str, ThingConfig]:
    things = {name: thing for name, thing in config.things.items() if thing.enabled}
    if config.node.host and HOST not in config.things:
        things = {HOST: ThingConfig(driver="host", title="This machine")} | things
    return things


def _make(name: str, config: ThingConfig, clock: Clock, mistakes: list[str]) -> Thing | None:
    def attempt(key: str, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except PilothouseError as error:
            mistakes.append(f"things.{name}{key}: {error}")
        except Exception as error:  # noqa: BLE001 - edge: the class is a stranger's and may raise anything
            mistakes.append(f"things.{name}{key}: driver {config.driver!r} raises {in_words(error)}")
        return None

    kind = attempt(".driver", lambda: drivers.find(config.driver))
    if kind is None:
        return None
    thing = attempt("", lambda: kind(config.settings))
    if thing is None:
        return None
    thing.name = name
    thing.clock = clock
    mistakes.extend(f"things.{name}.{mistake}" for mistake in check_overrides(kind, config.properties))
    attempt("", thing.resource)
    return thing
