"""Whether what the configuration asks of the guard can be kept: everything named exists, and the types fit. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from pilothouse.agent.rules import conditions, groups
from pilothouse.config.site import Config, ThingConfig
from pilothouse.errors import BadName, PilothouseError, nearest
from pilothouse.guard import Ref
from pilothouse.guard.check import check as check_condition
from pilothouse.model import Address, PropertyDescription, Schema, ThingDescription


class Found(NamedTuple):
    """What a look at the configuration found, one sentence each, with its key in front."""

    mistakes: list[str]
    notes: list[str]
    """What cannot be known on this machine, or without the devices."""


class Known(NamedTuple):
    """What is known of this node's things without opening any."""

    node: str
    things: Mapping[str, ThingConfig]
    """Those that are enabled."""
    described: Mapping[str, ThingDescription]
    """Those that can be described; the others have mistakes of their own."""
    growing: Collection[str]
    """Those whose properties are known only once their device is open."""

    def property(self, thing: str, name: str) -> PropertyDescription | str | None:
        """A property of this node; or why there is none; or None when that cannot be known here."""
        if thing not in self.things:
            return f"there is no thing {thing!r}{_meant(thing, self.things)}"
        described = self.described.get(thing)
        if described is None:
            return None
        found = described.properties.get(name)
        if found is not None:
            return found
        if thing in self.growing:
            return None
        elsewhere = [f"{other.name}.{name}" for other in self.described.values() if name in other.properties]
        close = _meant(name, described.properties) or (f" (did you mean {elsewhere[0]!r}?)" if elsewhere else "")
        return f"{thing} has no property {name!r}{close}"


def check_rules(config: Config, known: Known) -> Found:
    """Every mistake in interlocks, groups and stands."""
    found = Found([], [])
    for name, thing in known.things.items():
        if name in known.described:
            _check_interlocks(thing, known.described[name], known, found)
    _check_groups(config, known, found)
    _check_stands(config, known, found)
    return found


def _check_interlocks(config: ThingConfig, described: ThingDescription, known: Known, found: Found) -> None:
    for name in config.interlocks:
        key = f"things.{described.name}.interlocks.{name}"
        if name not in described.properties and name not in described.actions:
            if described.name in known.growing:
                found.notes.append(f"{key}: known only once {described.name} is open")
            else:
                named = (*described.properties, *described.actions)
                found.mistakes.append(f"{key}: there is no such property or action{_meant(name, named)}")
        elif name not in described.actions:
            found.mistakes.extend(f"{key}: {why}" for why in _why_no_output(described.properties[name]))
        try:
            for condition in conditions(config, name):
                types = _Types(known, described.name)
                found.mistakes.extend(f"{key}: {why}" for why in check_condition(condition, types))
                refs = condition.resolved(known.node, described.name).refs
                found.notes.extend(f"{key}: {why}" for why in _unproven(refs, known))
        except PilothouseError as error:
            found.mistakes.append(f"{key}: {error}")


class _Types:
    """Schemas of readings, for the conditions of a thing."""

    def __init__(self, known: Known, thing: str) -> None:
        self._known = known
        self._thing = thing

    def __call__(self, ref: Ref) -> Schema | str | None:
        if ref.node not in ("", self._known.node):
            return None
        found = self._known.property(ref.thing or self._thing, ref.property)
        return found.schema if isinstance(found, PropertyDescription) else found


def _unproven(refs: Collection[Ref], known: Known) -> Iterator[str]:
    for ref in refs:
        if ref.node != known.node:
            yield f"{ref} is on another node"
        elif ref.thing in known.growing and known.property(ref.thing, ref.property) is None:
            yield f"{ref.thing}.{ref.property} is known only once {ref.thing} is open"


def _why_no_output(described: PropertyDescription) -> Iterator[str]:
    """Why a rule cannot be kept for a property."""
    if not described.writable:
        yield "this property cannot be written, so there is nothing to keep from being switched on"
    elif not described.has_safe:
        remedy = f"give it one, such as safe = {_likely(described)}"
        yield f"{described.name} has no safe value, so it is neither on nor off; {remedy}"


def _likely(described: PropertyDescription) -> str:
    return "false" if described.schema.get("type") == "boolean" else "0"


def _check_groups(config: Config, known: Known, found: Found) -> None:
    for group in groups(config, known.node):
        key = f"exclusive.{group.name}"
        if len(group.members) < len(config.exclusive[group.name]):
            found.mistakes.append(f"{key}: names an output twice")
        if len(group.members) < 2:
            found.mistakes.append(f"{key}: has fewer than two outputs, so there is nothing to exclude")
        for member in group.members:
            found.mistakes.extend(f"{key}: {why}" for why in _why_no_member(member, known))
            thing, _, name = member.partition(".")
            if thing in known.growing and known.property(thing, name) is None:
                found.notes.append(f"{key}: {member} is known only once {thing} is open")


def _why_no_member(member: str, known: Known) -> Iterator[str]:
    node, slash, rest = member.rpartition("/")
    thing, dot, name = rest.partition(".")
    if slash:
        yield (
            f"{member} is on node {node}, and a group can only be kept within one node; "
            "use interlocks, which may refer to other nodes"
        )
    elif not dot:
        close = next((f"{thing}.{other}" for other in _safe_outputs(known, thing)), "")
        yield f"{member!r} names no output; write thing.property" + (f", such as {close!r}" if close else "")
    else:
        found = known.property(thing, name)
        if isinstance(found, str):
            yield found
        elif found is not None:
            yield from _why_no_output(found)


def _safe_outputs(known: Known, thing: str) -> list[str]:
    described = known.described.get(thing)
    return [name for name, one in described.properties.items() if one.writable and one.has_safe] if described else []


def _check_stands(config: Config, known: Known, found: Found) -> None:
    for name, stand in config.stands.items():
        key = f"stands.{name}.things"
        for written in stand.things:
            try:
                address = Address.parse(written if "/" in written else f"{known.node}/{written}")
            except BadName as error:
                found.mistakes.append(f"{key}: {error}")
                continue
            if address.node != known.node:
                found.notes.append(f"{key}: {written} is on another node")
            elif address.thing not in known.things:
                near = _meant(address.thing, known.things)
                found.mistakes.append(f"{key}: there is no thing {address.thing!r}{near}")


def _meant(name: str, candidates: Collection[str]) -> str:
    close = nearest(name, candidates)
    return f" (did you mean {close!r}?)" if close else ""
