"""From configuration to rules: what is right is found, what is wrong is a sentence with its key."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from pilothouse.agent.build import build, check, examine
from pilothouse.agent.overrides import describe
from pilothouse.agent.rules import Around, actions, groups, outputs
from pilothouse.config.load import load
from pilothouse.config.site import Config, NodeConfig, PropertyConfig, StandConfig, ThingConfig
from pilothouse.errors import ConfigError
from pilothouse.guard import Group, Ref
from pilothouse.model import PropertyDescription, Thing, ThingDescription, Writable, writable
from pilothouse.testing import FakeClock

DOCS = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "interlocks.md"
ALONE = NodeConfig(name="pi", host=False)


class Grown(Thing):
    """A thing that has more properties than it declares."""

    valve: Writable[bool] = writable(doc="a valve", safe=False)

    read_valve = write_valve = lambda self, *value: True

    def properties(self) -> dict[str, PropertyDescription]:
        """One more."""
        more = PropertyDescription(name="more", schema={"type": "boolean"}, writable=True)
        return self.declared_properties | {"more": more}


def bench(**more: Any) -> Config:
    """Two things; keywords are other tables, or settings of the first thing."""
    own = {key: more.pop(key) for key in ("interlocks", "properties") if key in more}
    things = {
        "odd": ThingConfig(driver="support.odd:Odd", **own),
        "valves": ThingConfig(driver="sim.valves"),
        "off": ThingConfig(driver="sim.relays", enabled=False),
        "grown": ThingConfig(driver=f"{__name__}:Grown"),
    } | more.pop("things", {})
    return Config(**({"node": ALONE} | more), things=things)


@pytest.fixture(autouse=True)
def grown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The class above, under whatever name this module was imported."""
    module = sys.modules.get(__name__) or type(sys)(__name__)
    module.Grown = Grown  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, __name__, module)


@pytest.mark.parametrize(
    ("interlocks", "words"),
    [
        ({"on": "valves.pump and number > 5"}, []),
        ({"on": ("valves.pump", "text != 'ill'"), "work": "on"}, []),
        ({"on": "pi/valves.pump"}, []),
        ({"on": "valves.pump = true"}, ["interlocks.on: column 13: '=' has no meaning", "Did you mean '=='?"]),
        ({"on": "valve.pump"}, ["interlocks.on: there is no thing 'valve' (did you mean 'valves'?)"]),
        ({"on": "valves.pmp"}, ["interlocks.on: valves has no property 'pmp' (did you mean 'pump'?)"]),
        ({"on": "pump"}, ["interlocks.on: odd has no property 'pump' (did you mean 'valves.pump'?)"]),
        ({"on": "off.relay_1"}, ["interlocks.on: there is no thing 'off'"]),
        ({"on": "valves.pump > 3"}, ["interlocks.on: valves.pump > 3: ", "is true or false, and 3 is a number"]),
        ({"on": ("number", "text > 3")}, ["number is a number, so it is neither true nor false"]),
        ({"oon": "true"}, ["interlocks.oon: there is no such property or action (did you mean 'on'?)"]),
        ({"number": "true"}, ["interlocks.number: this property cannot be written"]),
        ({"slow": "true"}, ["interlocks.slow: slow has no safe value", "safe = 0"]),
    ],
)
def test_an_interlock_is_proven(interlocks: dict[str, Any], words: list[str]) -> None:
    """Its words, its names and its types."""
    mistakes = check(bench(interlocks=interlocks))
    assert bool(mistakes) is bool(words)
    assert all(word in " ".join(mistakes) for word in words)
    assert all(mistake.startswith("things.odd.interlocks.") for mistake in mistakes)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (("valves.valve_a", "pi/valves.valve_b", "odd.on"), ""),
        (("valves.valve_a",), "has fewer than two outputs"),
        (("odd.on", "odd.on", "odd.level"), "names an output twice"),
        (("odd.on", "valves.valve_c"), "valves has no property 'valve_c' (did you mean 'valve_"),
        (("odd.on", "vlaves.valve_a"), "there is no thing 'vlaves' (did you mean 'valves'?)"),
        (("odd.on", "odd.slow"), "slow has no safe value"),
        (("odd.on", "odd.number"), "this property cannot be written"),
        (("odd.on", "b/odd.on"), "b/odd.on is on node b, and a group can only be kept within one node"),
        (("odd.on", "valves"), "'valves' names no output; write thing.property, such as 'valves.valve_a'"),
        (("odd.on", "gone"), "'gone' names no output; write thing.property"),
    ],
)
def test_a_group_is_proven(members: tuple[str, ...], words: str) -> None:
    """Outputs of this node, two at least."""
    mistakes = check(bench(exclusive={"water": members}))
    assert len(mistakes) == bool(words)
    assert all(mistake.startswith("exclusive.water: ") and words in mistake for mistake in mistakes)


@pytest.mark.parametrize(
    ("name", "own", "words"),
    [
        ("level", PropertyConfig(slew=2, max_on="5m", min_off=3, link_lost_after=0, safe_when=("end",)), ""),
        ("slow", PropertyConfig(slew=0.5), ""),
        ("slow", PropertyConfig(safe=0, max_on=3), ""),
        ("on", PropertyConfig(slew=1), "slew: it is for numbers that can be written"),
        ("number", PropertyConfig(slew=1), "slew: it is for numbers that can be written"),
        ("level", PropertyConfig(slew=-1), "slew: is a number above 0"),
        ("level", PropertyConfig(slew=float("nan")), "slew: is a number above 0"),
        ("on", PropertyConfig(max_on=0), "max_on: a time of 0 says nothing"),
        ("on", PropertyConfig(min_off="0s"), "min_off: a time of 0 says nothing"),
        ("slow", PropertyConfig(min_off=1), "min_off: slow has no safe value; give it one, such as safe = 0"),
        ("slow", PropertyConfig(safe_when=("end",)), "safe_when: slow has no safe value"),
        ("slow", PropertyConfig(link_lost_after=1), "link_lost_after: slow has no safe value"),
        ("on", PropertyConfig(link_lost_after=1, safe_when=("end",)), 'safe_when leaves out "link"'),
    ],
)
def test_the_rules_of_a_property_are_proven(name: str, own: PropertyConfig, words: str) -> None:
    """Each mistake names its key."""
    mistakes = check(bench(properties={name: own}))
    assert len(mistakes) == bool(words)
    assert all(mistake.startswith(f"things.odd.properties.{name}.") and words in mistake for mistake in mistakes)


def test_a_stand_has_things_that_are_there() -> None:
    """Those of other nodes are a note."""
    things = ("odd", "pi/valves", "far/pump", "vlaves", "a b", "host")
    found = examine(bench(stands={"wet": StandConfig(things=things)}))
    assert found.notes == ["stands.wet.things: far/pump is on another node"]
    assert len(found.mistakes) == 3
    assert found.mistakes[0] == "stands.wet.things: there is no thing 'vlaves' (did you mean 'valves'?)"
    assert "'a b' cannot be the name of a thing" in found.mistakes[1]


def test_what_cannot_be_proven_here_is_a_note() -> None:
    """Other nodes, and what only an open device knows."""
    config = bench(
        interlocks={"on": "far/tank.level > 5 and grown.more"},
        things={"grown": ThingConfig(driver=f"{__name__}:Grown", interlocks={"later": "true", "more": "valve"})},
        exclusive={"water": ("odd.on", "grown.more")},
    )
    assert examine(config).mistakes == []
    assert examine(config).notes == [
        "things.odd.interlocks.on: far/tank.level is on another node",
        "things.odd.interlocks.on: grown.more is known only once grown is open",
        "things.grown.interlocks.later: known only once grown is open",
        "things.grown.interlocks.more: known only once grown is open",
        "exclusive.water: grown.more is known only once grown is open",
    ]


@pytest.mark.parametrize(
    ("config", "around", "words"),
    [
        (ThingConfig(driver="x", interlocks={"later": "true"}), {}, "a rule of later cannot be kept: there is no such"),
        (ThingConfig(driver="x", interlocks={"more": "true"}), {}, "a rule of more cannot be kept: more has no safe"),
        (ThingConfig(driver="x"), {"more": ("odd.on",)}, "a rule of more cannot be kept"),
        (ThingConfig(driver="x", properties={"more": PropertyConfig(safe=False)}), {"more": ("odd.on",)}, ""),
    ],
)
def test_an_open_device_without_what_a_rule_needs_is_not_used(config: ThingConfig, around: Any, words: str) -> None:
    """A rule that nobody keeps is worse than a device that is away."""
    thing = Grown()
    if not words:
        described = describe(thing, "pi", config, dict(thing.properties()), Around(exclusive=around))
        assert described.properties["more"].exclusive == ("odd.on",)
        return
    with pytest.raises(ConfigError, match=words):
        describe(thing, "pi", config, dict(thing.properties()), Around(exclusive=around))


def test_an_agent_does_not_start_with_a_wrong_rule() -> None:
    """All mistakes are in the one error."""
    config = bench(interlocks={"on": "pump"}, exclusive={"water": ("odd.on",)})
    with pytest.raises(ConfigError) as caught:
        build(config, FakeClock())
    assert all(mistake in str(caught.value) for mistake in check(config))


def test_mistakes_of_a_thing_hide_no_other_and_make_no_new_ones() -> None:
    """What refers to a thing that cannot be made is not wrong for that."""
    config = bench(
        things={"bad": ThingConfig(driver="sim.bath", settings={"litters": 1})}, interlocks={"on": "bad.heater"}
    )
    assert len(check(config)) == 1
    config = bench(properties={"on": PropertyConfig(slew=1)}, interlocks={"on": "gone"})
    assert [mistake.partition(":")[0] for mistake in check(config)] == ["things.odd.properties.on.slew"]


def described(config: Config) -> dict[str, ThingDescription]:
    """All things as the agent describes them."""
    made = build(config, FakeClock()).items()
    return {
        name: describe(one.thing, "pi", one.config, one.thing.declared_properties, one.around) for name, one in made
    }


def test_descriptions_carry_the_rules_in_force() -> None:
    """So that pages, REST and other programs show them."""
    config = bench(
        node=NodeConfig(name="pi", host=False, link_lost_after="5s"),
        interlocks={"on": ["requires  valves.pump==true"], "work": "(on)"},
        properties={
            "on": PropertyConfig(max_on="20m", min_off=3, safe_when=("end", "link")),
            "level": PropertyConfig(slew=2, link_lost_after="1s"),
        },
        exclusive={"water": ("odd.on", "valves.valve_a"), "more": ("odd.on", "valves.valve_b")},
    )
    odd = described(config)["odd"]
    on, level = odd.properties["on"], odd.properties["level"]
    assert on.interlocks == ("valves.pump == true",) and odd.actions["work"].interlocks == ("on",)
    assert (on.max_on, on.min_off, on.safe_when, on.link_lost_after) == (1200.0, 3.0, ("end", "link"), 5.0)
    assert on.exclusive == ("valves.valve_a", "valves.valve_b")
    assert (level.slew, level.link_lost_after) == (2.0, 1.0)
    assert odd.properties["slow"].link_lost_after == 0.0, "without a safe value there is nowhere to go"
    assert not odd.second_path
    assert described(config)["valves"].properties["valve_a"].exclusive == ("odd.on",)


def test_an_output_that_stays_on_without_a_link_is_described_so() -> None:
    """The node's time is not for it."""
    config = bench(
        node=NodeConfig(name="pi", host=False, link_lost_after="5s"),
        properties={"on": PropertyConfig(safe_when=("end",)), "level": PropertyConfig(link_lost_after=0)},
    )
    properties = described(config)["odd"].properties
    assert properties["on"].link_lost_after == properties["level"].link_lost_after == 0.0


def test_the_guard_gets_every_writable_property_with_its_rules() -> None:
    """References are whole."""
    config = bench(
        interlocks={"on": "number > 5 and far/tank.full", "work": "on"}, exclusive={"water": ("odd.on", "odd.level")}
    )
    odd = described(config)["odd"]
    found = outputs(odd, groups(config, "pi"))
    assert set(found) == {"odd.on", "odd.level", "odd.slow"}
    on = found["odd.on"]
    assert on.groups == (Group("water", ("odd.on", "odd.level")),) == found["odd.level"].groups
    assert on.interlocks[0].refs == (Ref("pi", "odd", "number"), Ref("far", "tank", "full"))
    assert on.interlocks[0].text == "number > 5 and far/tank.full"
    assert {key: one[0].refs for key, one in actions(odd).items()} == {"odd.work": (Ref("pi", "odd", "on"),)}


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL))
def test_the_how_to_is_true(block: str, tmp_path: Path) -> None:
    """Each of its examples is a configuration without a mistake."""
    (tmp_path / "pilothouse.toml").write_text(block)
    config, _ = load(tmp_path)
    assert check(config) == []


def test_the_demo_shows_the_rules_off(tmp_path: Path) -> None:
    """And nothing of it is in the way of a first click on a relay, a valve or the heater."""
    config, _ = load(tmp_path)
    assert check(config) == []
    assert config.stands and config.exclusive
    properties = {name: thing.properties for name, thing in described(config).items()}
    assert properties["bath"]["heater"].interlocks == ("valves.tank_level > 20",)
    for key in ("relay_1", "relay_2", "relay_3", "relay_4"):
        relay = properties["relays"][key]
        assert not relay.interlocks and not relay.exclusive and not relay.min_off
