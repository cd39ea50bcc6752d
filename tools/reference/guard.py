"""docs/reference/guard.md: every setting of the guard, of stop and of stands, with its unit and an example."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from pilothouse.bus.messages import End, Why
from pilothouse.config import site
from pilothouse.hub.answers import status_of
from pilothouse.model import PropertyDescription
from tools.reference.source import field_docs, member_docs
from tools.reference.tables import MADE, table, toml


class Setting(NamedTuple):
    """A key that the guard or its neighbours go by; what it means stands in the configuration's own structs."""

    key: str
    unit: str
    example: str
    """Its value, as one would write it in TOML."""
    default: str = ""
    """In words, where it comes from elsewhere than from the struct."""


class Part(NamedTuple):
    """Settings of one table of the configuration."""

    head: str
    """The table, as a chapter names it."""
    kind: type[msgspec.Struct]
    named: str
    """The table of the example."""
    above: str
    settings: tuple[Setting, ...]
    without: type[msgspec.Struct] | None = None
    """Whose defaults hold where nothing is configured, when these are not those of `kind`."""


_OUTPUT = """
An output is a writable property that has a `safe` value, from its driver or from here. It is *on* when it is not at
that value. Going to the safe value is never refused by anything below but its type and limits: not by an interlock,
not by a lease, not by a stop, not for want of a confirmation.
"""
_RULES = """
A condition is written as [the how-to on interlocks](../how-to/interlocks.md) shows. It must hold when an output is
turned on, and for as long as it is on: when it breaks, the output goes safe at once. For an action it must hold when
it is called. What is stale, bad, absent or on a node that is away does not fulfil anything.
"""
_GROUPS = """
Each key is the name of a group. An output whose reading is bad or missing counts as on. Two that are found on
together, as when one was switched by hand, all go safe.
"""
_NODE = """
Counted by the agent's own clock from the last proof that the bus was there; it looks often enough that the outputs
are safe at most half a second after the time that is set here.
"""
_NUMBERS = """
For any number that can be written, output or not. A larger step is refused, with the value that would pass right now.
"""
_STANDS = "\nRead by the hub; agents learn of it over the bus. [How to use them](../how-to/stop-and-stands.md).\n"

PARTS: tuple[Part, ...] = (
    Part(
        "`[things.NAME.properties.PROPERTY]`", site.PropertyConfig, "things.bath.properties.heater", _OUTPUT,
        (
            Setting("safe", "the property's", "false"),
            Setting("safe_when", "", '["start", "end", "link", "lease"]'),
            Setting("link_lost_after", "duration", '"5s"', "that of `[node]`"),
            Setting("max_on", "duration", '"20m"'),
            Setting("min_off", "duration", '"30s"'),
            Setting("confirm", "", '"yes"'),
            Setting("hazard", "", '"The bath gets hot"'),
        ),
        PropertyDescription,
    ),
    Part(
        "`[things.NAME.properties.PROPERTY]`, for numbers", site.PropertyConfig, "things.bath.properties.setpoint",
        _NUMBERS,
        (
            Setting("minimum", "the property's", "10"),
            Setting("maximum", "the property's", "60"),
            Setting("slew", "the property's, a second", "5"),
        ),
        PropertyDescription,
    ),
    Part(
        "`[things.NAME]`", site.ThingConfig, "things.bath", _RULES,
        (Setting("interlocks", "", '{ heater = "requires valves.pump == true and valves.tank_level > 20" }'),),
    ),
    Part(
        "`[exclusive]`", site.Config, "", _GROUPS,
        (Setting("exclusive", "", '{ water = ["valves.valve_a", "valves.valve_b"] }'),),
    ),
    Part(
        "`[node]`", site.NodeConfig, "node", _NODE,
        (Setting("link_lost_after", "duration", '"10s"'),),
    ),
    Part(
        "`[stands.NAME]`", site.StandConfig, "stands.wet", _STANDS,
        (
            Setting("things", "", '["bath", "valves"]'),
            Setting("title", "", '"Wet bench"'),
            Setting("doc", "", '"Ask Ada before you use it"'),
            Setting("lease", "duration", '"30m"'),
            Setting("required", "", "true"),
            Setting("safe_on_expiry", "", "true"),
        ),
    ),
)  # fmt: skip

_ABOVE = """
What may pass is decided by the agent that owns the device, below every entrance. [How commands
end](../explanations/how-commands-end.md) says what becomes of a command; this page lists what the agent goes by. All
of it is TOML in the [configuration](config.md); `pilothouse config check` proves that every name in it exists and
every type fits.
"""
_REFUSALS = """
A command that may not pass is *refused*: its `why` is one of these, its `detail` names the rule and the reading that
broke it, its `remedy` what would lift it.
"""
_OWN = """
When the agent switches something itself, that is a command like any other: it has an id and stands in the ledger,
made by `guard`, with one of these as its origin and the reason in words.
"""
_GUARDED = (Why.INPUT, Why.INTERLOCK, Why.GUARD, Why.STOPPED, Why.LEASE, Why.CONFIRM, Why.CANCELLED)
"""Kinds of refusals that come of the settings of this page."""
ORIGINS = {
    "interlock": "a condition of an output that is on does not hold any more",
    "exclusive": "two of a group were found on together",
    "max-on": "it was on for as long as it may be",
    "link": "the bus was out of reach for longer than `link_lost_after`",
    "lease": "the lease of its stand ran out",
    "stop": "somebody pressed stop",
    "start": "the agent before was killed, so that the output may have stayed on",
}
"""Why the agent switches by itself; what `Made.origin` says."""


def page() -> str:
    """The page."""
    parts = ["# Guard, stop and stands\n", MADE, _ABOVE]
    for part in PARTS:
        parts += [f"## {part.head}\n", part.above.strip() + "\n", table(_HEAD, _rows(part)), ""]
    parts += ["## All of it in one file\n", f"```toml\n{example()}```\n"]
    parts += ["## Refusals\n", _REFUSALS.strip() + "\n", _refusals(), ""]
    parts += ["## What the agent does by itself\n", _OWN.strip() + "\n"]
    parts += [table(("origin", "when"), [(f"`{name}`", when) for name, when in ORIGINS.items()]), ""]
    return "\n".join(parts)


_HEAD = ("key", "unit", "default", "meaning", "example")


def _rows(part: Part) -> list[tuple[str, ...]]:
    docs = field_docs(part.kind)
    defaults = {field.name: field for field in msgspec.structs.fields(part.without or part.kind)}
    rows: list[tuple[str, ...]] = []
    for one in part.settings:
        field = defaults[one.key]
        default = "needed" if field.required else "none" if _is_none(field.default) else f"`{toml(field.default)}`"
        rows.append((f"`{one.key}`", one.unit, one.default or default, docs[one.key], f"`{one.key} = {one.example}`"))
    return rows


def _is_none(default: object) -> bool:
    return default is not False and default in (None, "", 0, msgspec.NODEFAULT)


def example() -> str:
    """The examples of all settings as one configuration that has no mistake."""
    top = [f"{one.key}.{name}\n" for part in PARTS if not part.named for one in part.settings for name in _inner(one)]
    blocks = ["".join(top), *(f'[things.{name}]\ndriver = "sim.{name}"\n' for name in ("bath", "valves"))]
    for part in PARTS:
        lines = "".join(f"{one.key} = {one.example}\n" for one in part.settings)
        if part.named == "things.bath":
            blocks[1] += lines
        elif part.named:
            blocks.append(f"[{part.named}]\n{lines}")
    return "\n".join(blocks)


def _inner(one: Setting) -> list[str]:
    return [one.example.strip("{} ")]


def _refusals() -> str:
    docs = member_docs(Why)
    rows = []
    for why in _GUARDED:
        meaning = docs[why.name].partition(" (")[0]
        rows.append((f"`{why}`", str(status_of(End.REFUSED, why)), meaning))
    return table(("why", "HTTP status", "meaning"), rows)
