"""Each simulated device behaves as the thing that it stands for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.drivers.sim.bath import Bath
from pilothouse.drivers.sim.faults import SimThing
from pilothouse.drivers.sim.relays import Relays
from pilothouse.drivers.sim.sensor import Sensor
from pilothouse.drivers.sim.supply import Supply
from pilothouse.drivers.sim.valves import Valves
from pilothouse.testing import FakeClock


class Bench:
    """A device, its clock, and the events it said."""

    def __init__(self, thing: SimThing) -> None:
        self.thing = thing
        self.clock = FakeClock()
        self.events: list[tuple[str, Any]] = []
        thing.bind("it", self.clock, lambda name, data: self.events.append((name, data)), lambda names: None)
        thing.open()

    def after(self, seconds: float, name: str) -> Any:
        """A property, some time later."""
        self.clock.tick(seconds)
        return self.thing.read([name])[name]


# relays


def test_relays_switch_one_by_one_and_all_off() -> None:
    """Each its own contact; all_off opens what is closed and counts only what moved."""
    relays = Relays()
    bench = Bench(relays)
    relays.write("relay_1", True)
    relays.write("relay_4", True)
    assert relays.read(["relay_1", "relay_2", "relay_3", "relay_4"]) == {
        "relay_1": True, "relay_2": False, "relay_3": False, "relay_4": True,
    }  # fmt: skip
    relays.all_off()
    assert not any(relays.outputs.values())
    assert bench.after(0, "switched") == 4


# supply


def test_a_supply_holds_the_voltage_while_it_can() -> None:
    """Ohm's law, within the noise of the readback."""
    supply = Supply({"load_ohms": 10.0})
    bench = Bench(supply)
    supply.write("voltage_setpoint", 5.0)
    assert bench.after(1, "voltage") == pytest.approx(0, abs=0.02), "the output is off"
    assert bench.after(0, "mode") == "off"
    supply.write("output", True)
    assert bench.after(0, "mode") == "cv"
    assert bench.after(2, "voltage") == pytest.approx(5, abs=0.02)
    assert bench.after(0, "current") == pytest.approx(0.5, abs=0.005)
    assert bench.after(0, "power") == pytest.approx(2.5, abs=0.05)


def test_a_supply_limits_the_current() -> None:
    """It says so once, as an event, and in its mode."""
    supply = Supply({"load_ohms": 2.0})
    bench = Bench(supply)
    supply.write("voltage_setpoint", 10.0)
    supply.write("current_limit", 5.0)
    supply.write("output", True)
    assert bench.after(1, "mode") == "cv"
    supply.write("current_limit", 1.5)
    assert bench.after(5, "mode") == "cc"
    assert bench.after(0, "voltage") == pytest.approx(3, abs=0.02)
    assert bench.events == [("limited", 1.5)]
    supply.write("output", False)
    assert bench.after(1, "voltage") == pytest.approx(0, abs=0.02)


# bath


def test_a_bath_warms_slowly_and_holds() -> None:
    """Minutes, a small overshoot, and an event when it is there; no heat while the heater is off."""
    bath = Bath({"seed": 1})
    bench = Bench(bath)
    bath.write("setpoint", 40.0)
    assert bench.after(60, "temperature") == pytest.approx(21, abs=0.1)
    bath.write("heater", True)
    assert 22 < bench.after(60, "temperature") < 35
    assert bench.after(0, "power") == 1000
    highest = max(bench.after(10, "temperature") for _ in range(120))
    assert highest < 41
    assert bench.after(600, "temperature") == pytest.approx(40, abs=0.2)
    assert [name for name, _ in bench.events] == ["reached"]
    bath.write("heater", False)
    assert bench.after(0, "power") == 0
    assert 38 < bench.after(300, "temperature") < 40, "it cools in hours"


@settings(max_examples=20, deadline=None)
@given(setpoint=st.floats(5, 95), litres=st.floats(0.5, 100), ambient=st.floats(0, 40))
def test_a_bath_never_runs_away(setpoint: float, litres: float, ambient: float) -> None:
    """No setting makes it leave the range between the room and a little over the setpoint."""
    bath = Bath({"litres": litres, "ambient": ambient})
    bench = Bench(bath)
    bath.write("setpoint", setpoint)
    bath.write("heater", True)
    for _ in range(10):
        assert ambient - 0.2 <= bench.after(120, "temperature") <= max(setpoint + 6, ambient + 0.2)


# valves


def test_a_tank_fills_and_drains() -> None:
    """By the flow of the pump, and by its own weight."""
    valves = Valves({"filled": 50.0, "tank_litres": 20.0, "pump_flow": 6.0})
    bench = Bench(valves)
    assert bench.after(60, "tank_level") == pytest.approx(50, abs=0.3)
    valves.write("valve_a", True)
    assert bench.after(60, "tank_level") == pytest.approx(50, abs=0.3), "nothing flows without the pump"
    valves.write("pump", True)
    assert bench.after(0, "flow") == 6
    assert bench.after(60, "tank_level") == pytest.approx(80, abs=0.4)
    assert bench.after(0, "pressure") == pytest.approx(40, abs=1)
    valves.write("pump", False)
    valves.write("valve_b", True)
    assert bench.after(3600, "tank_level") == pytest.approx(0, abs=0.3)
    assert bench.events == []


def test_a_pump_against_a_closed_valve_builds_pressure() -> None:
    """Until the relief valve opens, which is said once."""
    valves = Valves()
    bench = Bench(valves)
    valves.write("pump", True)
    assert bench.after(10, "pressure") == pytest.approx(250, abs=1)
    assert [name for name, _ in bench.events] == ["relieved"]
    valves.write("pump", False)
    assert bench.after(10, "pressure") == pytest.approx(0, abs=1)


def test_a_tank_runs_over() -> None:
    """Once per flood."""
    valves = Valves({"filled": 99.0})
    bench = Bench(valves)
    valves.write("valve_a", True)
    valves.write("pump", True)
    assert bench.after(120, "tank_level") == pytest.approx(100, abs=0.3)
    assert bench.events == [("overflowed", 6.0)]


# sensor


def test_a_sensor_swings_with_noise() -> None:
    """Around its mean; averaging quiets it; the offset is added."""
    sensor = Sensor({"mean": 10.0, "swing": 2.0, "period": 40.0, "noise": 0.5, "seed": 5})
    bench = Bench(sensor)
    raw = [bench.after(1, "temperature") for _ in range(400)]
    assert sum(raw) / len(raw) == pytest.approx(10, abs=0.2)
    assert 11 < max(raw) < 15
    sensor.write("averaging", "long")
    sensor.write("offset", 5.0)
    bench.clock.tick(10 - bench.thing.elapsed() % 40)
    assert bench.after(0, "temperature") == pytest.approx(17, abs=0.3)


def test_a_sensor_may_have_many_channels() -> None:
    """For load tests: described, typed, and each its own swing."""
    sensor = Sensor({"channels": 20})
    bench = Bench(sensor)
    bench.clock.tick(1)
    names = [name for name in sensor.properties() if name.startswith("channel_")]
    assert len(names) == 20
    values = sensor.read(names)
    assert len(set(values.values())) > 15
    assert all(isinstance(value, float) and -2 < value < 2 for value in values.values())
