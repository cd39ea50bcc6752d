"""What keeps outputs safe: whether each that can hurt has a safe value."""

from __future__ import annotations

from collections.abc import Iterator

from pilothouse.agent.build import build, node_name
from pilothouse.agent.overrides import describe
from pilothouse.cli.checks.finding import Finding, Patient, look, skipped, well
from pilothouse.clock import SystemClock
from pilothouse.config.site import Config
from pilothouse.errors import PilothouseError
from pilothouse.model import PropertyDescription


def hazards(patient: Patient) -> list[Finding]:
    """Whether every output of this node that has a hazard has a safe value as well."""
    if patient.checked is None or patient.checked.config is None:
        return [skipped("safe values", "The configuration has mistakes")]
    try:
        outputs = list(_writable(patient.checked.config))
    except PilothouseError as error:
        return [skipped("safe values", error.what.partition("\n")[0])]
    found = [_without(thing, one) for thing, one in outputs if one.hazard and not one.has_safe]
    safe = sum(one.has_safe for _, one in outputs)
    return found or [well("safe values", f"{safe} outputs have one, and so has all that has a hazard")]


def _without(thing: str, one: PropertyDescription) -> Finding:
    key = f"[things.{thing}.properties.{one.name}]"
    what = f'It has a hazard ("{one.hazard}") and no safe value: nothing turns it off when nobody is in charge'
    return look(f"{thing}.{one.name}", what, f"Give it one in the configuration: {key} safe = …")


def _writable(config: Config) -> Iterator[tuple[str, PropertyDescription]]:
    """(thing, property) of all that can be written, as far as it is known without the devices."""
    node = node_name(config.node)
    for name, built in build(config, SystemClock()).items():
        described = describe(built.thing, node, built.config, built.thing.declared_properties)
        yield from ((name, one) for one in described.properties.values() if one.writable)
