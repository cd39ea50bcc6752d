"""What all simulated devices share: the clock alone moves them, they fail on request, and leave a trace."""

from __future__ import annotations

import json
import math
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.drivers import find, known
from pilothouse.drivers.sim.faults import SimThing, nonsense
from pilothouse.drivers.sim.noise import gauss, uniform
from pilothouse.drivers.sim.relays import Relays
from pilothouse.errors import BadValue
from pilothouse.model import Thing, Value
from pilothouse.model.types import check_limits, schema_of, to_plain, to_python
from pilothouse.testing import FakeClock

SIMS = [name for name in known() if name.startswith("sim.")]


def make(driver: str, clock: FakeClock, **settings: Value) -> SimThing:
    """An opened device."""
    kind = find(driver)
    assert issubclass(kind, SimThing)
    thing = kind(settings)
    thing.bind(driver.partition(".")[2], clock, lambda name, data: None, lambda names: None)
    thing.open()
    return thing


def look(thing: SimThing) -> dict[str, Any]:
    """Every property."""
    return dict(thing.read(thing.properties()))


def sample_of(thing: SimThing, name: str, seed: int) -> Any:
    """Some allowed value of a writable property."""
    found = thing.properties()[name]
    kind = thing.property_types[name]
    if kind is bool:
        return seed % 2 == 1
    if "enum" in found.schema:
        return found.schema["enum"][seed % len(found.schema["enum"])]
    assert found.minimum is not None
    assert found.maximum is not None
    return found.minimum + (found.maximum - found.minimum) * (seed % 11) / 10


@pytest.mark.parametrize("driver", SIMS)
def test_values_fit_their_descriptions(driver: str) -> None:
    """Types and limits, at the start and after a while at some setting."""
    thing = make(driver, FakeClock(), seed=1)
    for seed in range(4):
        for name, found in thing.properties().items():
            if found.writable:
                thing.write(name, sample_of(thing, name, seed))
        thing.clock.tick(30)  # type: ignore[attr-defined]
        for name, value in look(thing).items():
            found = thing.properties()[name]
            assert to_plain(value) == value
            to_python(value, thing.property_types[name], label=name)
            check_limits(value, found.minimum, found.maximum, found.unit, label=name)


@pytest.mark.parametrize("driver", SIMS)
def test_safe_values_and_power_on(driver: str) -> None:
    """Outputs that can hurt have a safe value, it is what they have at power-on, and it can be written."""
    thing = make(driver, FakeClock())
    for name, found in thing.properties().items():
        assert not found.hazard or found.has_safe, f"{name} can hurt and has no safe value"
        if found.writable and thing.property_types[name] is bool:
            assert found.safe is False
        if found.has_safe:
            assert thing.read([name])[name] == found.safe
            thing.write(name, found.safe)
            assert thing.read([name])[name] == found.safe


@pytest.mark.parametrize("driver", SIMS)
@settings(max_examples=15, deadline=None)
@given(
    writes=st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 20), st.integers(0, 20)), max_size=6),
    looks=st.lists(st.integers(0, 20_000), max_size=6),
)
def test_what_it_shows_depends_on_the_clock_and_the_writes_alone(
    driver: str, writes: list[tuple[int, int, int]], looks: list[int]
) -> None:
    """Not on how often somebody looked on the way."""
    results = []
    for extra in ([], looks):
        clock = FakeClock()
        thing = make(driver, clock, seed=7)
        start = clock.mono()
        outputs = sorted(thing.outputs)
        events = sorted([*((at, 0, which, seed) for at, which, seed in writes), *((at, 1, 0, 0) for at in extra)])
        for at, kind, which, seed in events:
            clock.tick((start + at - clock.mono()) / 1000)
            if kind == 1:
                look(thing)
            else:
                name = outputs[which % len(outputs)]
                thing.write(name, sample_of(thing, name, seed))
        clock.tick((start + 21_000 - clock.mono()) / 1000)
        results.append((look(thing), list(thing.trace)))
    assert results[0] == results[1]


@pytest.mark.parametrize("driver", ["sim.bath", "sim.sensor", "sim.supply", "sim.valves"])
def test_another_seed_makes_other_noise(driver: str) -> None:
    """And the same one the same."""
    seen = []
    for seed in (1, 1, 2):
        clock = FakeClock()
        thing = make(driver, clock, seed=seed)
        looks = []
        for _ in range(10):
            clock.tick(5)
            looks.append(look(thing))
        seen.append(looks)
    assert seen[0] == seen[1] != seen[2]


def test_noise_is_noise() -> None:
    """Mean 0, deviation 1, and different on each channel and step."""
    values = [gauss(3, "x", step) for step in range(4000)]
    mean = sum(values) / len(values)
    assert abs(mean) < 0.1
    assert abs(math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) - 1) < 0.1
    assert len(set(values)) == len(values)
    assert gauss(3, "x", 1) != gauss(3, "y", 1)
    assert all(0 < uniform(seed, "x", step) < 1 for seed in (-5, 0, 1 << 70) for step in (-1, 0, 1 << 40))


def test_a_device_that_slept_long_is_not_computed_for_ever() -> None:
    """A year of suspend costs no more than an hour."""
    clock = FakeClock()
    thing = make("sim.bath", clock)
    clock.tick(365 * 86400)
    assert look(thing)["temperature"] == pytest.approx(21, abs=0.1)
    assert thing.elapsed() == pytest.approx(365 * 86400)


def test_it_must_be_opened_first() -> None:
    """As hardware must."""
    with pytest.raises(ConnectionError, match="never opened"):
        Relays().read(["relay_1"])


# failing on request


def test_fail_and_heal_are_actions_with_limits() -> None:
    """What the page offers, and what REST refuses."""
    described = Relays.declared_actions["fail"]
    assert described.input is not None
    assert described.input["properties"]["kind"]["enum"] == ["hang", "drop", "wrong"]
    assert Relays.declared_actions["heal"].input is None
    for wrong in ({"kind": "hang", "seconds": 0}, {"kind": "hang", "seconds": 3601}, {"kind": "burn", "seconds": 1}):
        with pytest.raises(BadValue):
            to_python(wrong, Relays.action_inputs["fail"], label="fail")


def test_a_dropped_device_raises_until_it_is_over() -> None:
    """Reads, writes, actions and a new open; then it is as it was."""
    clock = FakeClock()
    thing = make("sim.relays", clock)
    assert isinstance(thing, Relays)
    thing.write("relay_1", True)
    thing.fail("drop", 3.0)
    for call in (lambda: thing.read(["relay_1"]), lambda: thing.write("relay_1", False), thing.all_off, thing.open):
        with pytest.raises(ConnectionError, match="does not answer"):
            call()
    clock.tick(2.999)
    with pytest.raises(ConnectionError):
        thing.read(["relay_1"])
    clock.tick(0.001)
    assert thing.read(["relay_1"]) == {"relay_1": True}


def test_healing_ends_a_failure() -> None:
    """At once."""
    thing = make("sim.relays", FakeClock())
    thing.fail("drop", 3600.0)
    thing.heal()
    assert thing.read(["relay_1"]) == {"relay_1": False}


def test_a_lying_device() -> None:
    """Switches say the contrary, numbers are far off and each other second none; the outputs are right."""
    clock = FakeClock(mono=2000)
    relays, supply = make("sim.relays", clock), make("sim.supply", clock)
    for thing in (relays, supply):
        thing.fail("wrong", 10.0)
    relays.write("relay_2", True)
    assert relays.read(["relay_1", "relay_2"]) == {"relay_1": True, "relay_2": False}
    assert relays.outputs["relay_2"] is True
    assert supply.read(["voltage_setpoint", "mode"]) == {"voltage_setpoint": -1e6, "mode": "?off?"}
    clock.tick(1)
    assert math.isnan(supply.read(["voltage"])["voltage"])
    assert supply.read(["mode"]) == {"mode": None}
    assert nonsense(True, 1) is False


def in_thread(call: Any) -> tuple[threading.Thread, list[Any]]:
    """Run it; its result or its error goes into the list."""
    done: list[Any] = []

    def run() -> None:
        try:
            done.append(call())
        except ConnectionError as error:
            done.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, done


def test_a_hang_lasts_its_time_by_the_clock() -> None:
    """The call does not return before, and then gives the right answer."""
    clock = FakeClock()
    thing = make("sim.relays", clock)
    thing.fail("hang", 5.0)
    thread, done = in_thread(lambda: thing.read(["relay_1"]))
    clock.tick(4.999)
    thread.join(0.05)
    assert thread.is_alive()
    clock.tick(0.001)
    thread.join(10)
    assert done == [{"relay_1": False}]


def test_closing_releases_a_hang_at_once() -> None:
    """From another thread, so that an agent can stop; opening it again hangs on."""
    clock = FakeClock()
    thing = make("sim.relays", clock)
    thing.fail("hang", 3600.0)
    thread, done = in_thread(lambda: thing.write("relay_1", True))
    began = time.monotonic()
    thing.close()
    thread.join(10)
    assert time.monotonic() - began < 5
    assert isinstance(done[0], ConnectionError)
    assert thing.outputs["relay_1"] is False, "what hung was not done"
    thread, done = in_thread(thing.open)
    clock.tick(3600)
    thread.join(10)
    assert done == [None]


# the trace


def test_the_trace_tells_what_really_happened() -> None:
    """Every write with its time, also one of the same value: a command done twice must show."""
    clock = FakeClock(mono=1000)
    thing = make("sim.relays", clock)
    thing.write("relay_1", True)
    clock.tick(0.5)
    thing.write("relay_1", True)
    thing.write("relay_3", True)
    assert [tuple(entry) for entry in thing.trace] == [
        (1000, "relay_1", True), (1500, "relay_1", True), (1500, "relay_3", True),
    ]  # fmt: skip
    assert thing.read(["switched"]) == {"switched": 2}


def test_the_trace_in_memory_is_bounded() -> None:
    """A test rig that runs for weeks does not grow."""
    thing = make("sim.relays", FakeClock())
    for _ in range(10_001):
        thing.put("relay_1", True)
    assert len(thing.trace) == 10_000


def test_the_trace_file_outlives_the_process(tmp_path: Path) -> None:
    """One JSON object a line, written when it happens; a new process finds the contacts as they were left."""
    path = tmp_path / "trace.jsonl"
    clock = FakeClock(mono=1000)
    thing = make("sim.relays", clock, trace_file=str(path))
    thing.write("relay_1", True)
    thing.write("relay_2", True)
    thing.write("relay_1", False)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"mono": 1000, "thing": "relays", "property": "relay_1", "value": True}
    assert len(lines) == 3
    with path.open("a") as file:
        file.write('[]\n{"thing": "relays", "property": "gone", "value": 1}\n')
        file.write('{"mono": 1, "thing": "other", "property": "relay_3", "value": true}\n{"mono": 1, "th')
    again = make("sim.relays", clock, trace_file=str(path))
    assert again.outputs == {"relay_1": False, "relay_2": True, "relay_3": False, "relay_4": False}


def test_a_long_trace_file_is_read_from_its_end(tmp_path: Path) -> None:
    """The last 64 KiB hold what counts."""
    path = tmp_path / "trace.jsonl"
    line = '{"mono": 1, "thing": "relays", "property": "relay_4", "value": true}\n'
    path.write_text(line * 3000 + line.replace("relay_4", "relay_2"))
    thing = make("sim.relays", FakeClock(), trace_file=str(path))
    assert (thing.on("relay_4"), thing.on("relay_2"), thing.on("relay_1")) == (True, True, False)


def test_a_level_is_a_number() -> None:
    """A device's own mistake is an error, not a wrong voltage."""
    thing = make("sim.sensor", FakeClock())
    with pytest.raises(TypeError, match="averaging"):
        thing.level("averaging")
    assert schema_of(thing.property_types["averaging"])["enum"] == ["off", "short", "long"]


# the second path


def test_only_the_relays_have_a_second_path() -> None:
    """The others have none, and say so."""
    kinds = {driver: find(f"sim.{driver}") for driver in ("relays", "bath", "sensor", "supply", "valves")}
    assert [name for name, kind in kinds.items() if kind.halt is not Thing.halt] == ["relays"]
    with pytest.raises(NotImplementedError, match="Bath has no second path"):
        make("sim.bath", FakeClock()).halt()


def test_the_contactor_opens_all_contacts_while_the_board_hangs() -> None:
    """At once, in the trace; the write that hung is not done after it; the next safe value makes all ready again."""
    clock = FakeClock(mono=1000)
    thing = make("sim.relays", clock)
    thing.write("relay_1", True)
    thing.fail("hang", 5.0)
    thread, done = in_thread(lambda: thing.write("relay_2", True))
    thing.halt()
    assert not any(thing.outputs.values())
    assert [tuple(entry) for entry in thing.trace][1:] == [(1000, name, False) for name in thing.power_on]
    clock.tick(5)
    thread.join(10)
    assert isinstance(done[0], ConnectionError) and "contactor" in str(done[0])
    assert not any(thing.outputs.values())
    thing.write("relay_2", False)
    thing.write("relay_2", True)
    assert thing.on("relay_2")


def test_the_trace_stays_true_with_two_threads() -> None:
    """The last entry of each output is what it is, whoever was faster."""
    for _ in range(50):
        thing = make("sim.relays", FakeClock())
        gate = threading.Barrier(2)

        def switch(thing: Any = thing, gate: threading.Barrier = gate) -> None:
            gate.wait()
            for step in range(20):
                thing.put("relay_1", step % 2 == 0)

        thread, _ = in_thread(switch)
        gate.wait()
        thing.halt()
        thread.join(10)
        assert {entry.property: entry.value for entry in thing.trace} == thing.outputs
