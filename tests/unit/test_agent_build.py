"""From configuration to things: names, overrides, and every mistake at once."""

from __future__ import annotations

from typing import Any

import pytest

from pilothouse.agent.build import build, check, make_things, node_name
from pilothouse.agent.driving import Driving
from pilothouse.config.site import Config, NodeConfig, PropertyConfig, ThingConfig
from pilothouse.errors import ConfigError
from pilothouse.model import ThingDescription, is_name
from pilothouse.testing import FakeClock

ALONE = NodeConfig(name="pi", host=False)


def one(**more: Any) -> Config:
    """A configuration with one odd thing."""
    return Config(node=ALONE, things={"odd": ThingConfig(**({"driver": "support.odd:Odd"} | more))})


def described(**properties: PropertyConfig) -> ThingDescription:
    """The odd thing with these overrides."""
    built = build(one(properties=properties, tags=("bench",)), FakeClock())["odd"]
    return Driving(built, "pi").described_by_class()


def test_the_host_is_added_unless_it_is_configured_or_unwanted() -> None:
    """Under the name "host"."""
    assert list(make_things(Config(node=NodeConfig(name="pi")), FakeClock())) == ["host"]
    named = Config(node=NodeConfig(name="pi"), things={"host": ThingConfig(driver="support.odd:Odd")})
    assert type(make_things(named, FakeClock())["host"]).__name__ == "Odd"
    assert make_things(Config(node=ALONE), FakeClock()) == {}


def test_a_thing_that_is_not_enabled_is_as_if_it_were_not_there() -> None:
    """Not even its mistakes count."""
    assert make_things(one(enabled=False, driver="nonsense"), FakeClock()) == {}


def test_the_node_is_called_as_configured_or_like_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that fits, in any case."""
    assert node_name(NodeConfig(name="greenhouse")) == "greenhouse"
    for host, name in (("Raspberry Pi.local", "raspberry_pi"), ("PI-4", "pi-4"), ("", "node"), ("123", "node")):
        monkeypatch.setattr("socket.gethostname", lambda host=host: host)
        assert node_name(NodeConfig()) == name
        assert is_name(node_name(NodeConfig()))


def test_overrides_change_the_description() -> None:
    """Those given, and what hangs on them."""
    level = described(
        level=PropertyConfig(title="Lamp", minimum=1, maximum=5, every="250ms", safe=2, confirm="yes", hazard="bright")
    ).properties["level"]
    assert (level.title, level.minimum, level.maximum, level.every, level.safe) == ("Lamp", 1, 5, 0.25, 2.0)
    assert level.schema == {"type": "number", "minimum": 1, "maximum": 5}
    assert (level.confirm, level.hazard, level.heartbeat) == ("yes", "bright", 10.0)
    slow = described(number=PropertyConfig(every="1m")).properties["number"]
    assert slow.heartbeat == 300.0, "a heartbeat that came before the poll would always be late"
    assert described(number=PropertyConfig(heartbeat="2h")).properties["number"].heartbeat == 7200.0
    assert described(slow=PropertyConfig(safe=1)).properties["slow"].has_safe
    assert described().tags == ("bench",)


@pytest.mark.parametrize(
    ("name", "own", "words"),
    [
        ("level", PropertyConfig(minimum=-1), "minimum: -1 is less than the device's own 0"),
        ("level", PropertyConfig(maximum=11), "maximum: 11 is more than the device's own 10"),
        ("level", PropertyConfig(minimum=6, maximum=5), "minimum: 6 is more than the maximum, 5"),
        ("level", PropertyConfig(minimum=11), "minimum: 11 is more than the maximum, 10"),
        ("level", PropertyConfig(minimum=1), "safe: level cannot take 0 V"),
        ("level", PropertyConfig(safe=12), "safe: level cannot take 12 V"),
        ("level", PropertyConfig(safe="off"), "safe: level cannot take 'off'"),
        ("on", PropertyConfig(safe=1), "safe: on cannot take 1"),
        ("on", PropertyConfig(minimum=0), "minimum: minimum and maximum are for numbers"),
        ("number", PropertyConfig(safe=1.0), "safe: this property cannot be written"),
        ("number", PropertyConfig(dead_band=-1), "dead_band: is a number from 0 on"),
        ("leval", PropertyConfig(), "properties.leval: there is no such property (did you mean 'level'?)"),
    ],
)
def test_overrides_that_do_not_fit(name: str, own: PropertyConfig, words: str) -> None:
    """Limits only get narrower; a safe value is a value; each mistake names its key."""
    mistakes = check(one(properties={name: own}))
    assert len(mistakes) == 1
    assert mistakes[0].startswith(f"things.odd.properties.{name}") and words in mistakes[0]


def test_every_mistake_is_found_and_names_its_thing() -> None:
    """Drivers, settings, overrides, and drivers that break when made."""
    things = {
        "a": ThingConfig(driver="sim.relay"),
        "b": ThingConfig(driver="sim.bath", settings={"litters": 2}),
        "c": ThingConfig(driver="support.odd:Odd", properties={"on": PropertyConfig(safe=3)}),
        "d": ThingConfig(driver="not_there.at_all:Thing"),
        "e": ThingConfig(driver="sim.relays"),
    }
    config = Config(node=ALONE, things=things)
    mistakes = check(config)
    assert [mistake.partition(":")[0] for mistake in mistakes] == [
        "things.a.driver",
        "things.b",
        "things.c.properties.on.safe",
        "things.d.driver",
    ]
    assert "sim.relays" in mistakes[0] and "litres" in mistakes[1]
    with pytest.raises(ConfigError) as caught:
        build(config, FakeClock())
    assert all(mistake in str(caught.value) for mistake in mistakes)
