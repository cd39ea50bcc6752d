"""The agent when things go wrong around it: the bus dies under load, garbage comes, a driver hangs."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pilothouse.bus.messages import LIMIT, Batch, End, Outcome, Why
from pilothouse.errors import BusDown, NodeAway, TimedOut
from support.agents import AgentProcess, Ear, running

LOADED = """
[node]
name = "pi"
host = false
[things.relays]
driver = "sim.relays"
trace_file = "{trace}"
[things.sensor]
driver = "sim.sensor"
trace_file = "{trace}"
channels = 200
properties.temperature.every = 0.05
properties.temperature.dead_band = 0.0
"""

Until = Callable[..., Any]


@pytest.fixture
async def agent(bus_server: Any, tmp_path: Path, ear: Ear, until: Until) -> AsyncIterator[AgentProcess]:
    """A running agent with a busy sensor."""
    async with running(bus_server.places.data, tmp_path / "trace.jsonl", LOADED, ear, until) as agent:
        yield agent


@pytest.mark.parametrize("seconds", [1, pytest.param(10, marks=pytest.mark.slow)])
async def test_the_bus_is_killed_under_load(
    agent: AgentProcess, ear: Ear, bus_server: Any, until: Until, seconds: float
) -> None:
    """No batch is lost, commands are refused at once, none is done twice, and every end is in the ledger."""
    ends: dict[str, str] = {}
    wished: dict[str, float] = {}
    stop = asyncio.Event()

    async def command(first: int) -> None:
        for step in range(first, 1000, 4):
            if stop.is_set():
                return
            made = ear.command("sensor", "offset", round(step / 100 - 5, 2), ttl=0.9)
            wished[made.id] = made.input
            try:
                ends[made.id] = (await ear.send(made, timeout=1.0)).end
            except (BusDown, NodeAway) as error:
                ends[made.id] = type(error).__name__
                await asyncio.sleep(0.2)  # values are few
            except TimedOut:
                ends[made.id] = "TimedOut"

    commanding = [asyncio.create_task(command(first)) for first in range(4)]
    await until(lambda: Counter(ends.values())["confirmed"] >= 50, "commands")
    bus_server.kill()
    down = time.monotonic()
    await until(lambda: "BusDown" in ends.values(), "a command to be refused")
    assert time.monotonic() - down < 3
    await asyncio.sleep(seconds)  # the length of the outage is what is tested
    before = Counter(ends.values())["confirmed"]
    bus_server.start()
    await until(lambda: Counter(ends.values())["confirmed"] >= before + 20, "commands to work again")
    stop.set()
    await asyncio.gather(*commanding)
    agent.signal(signal.SIGTERM)
    assert await agent.exited() == 0
    batches = await ear.kept("data", Batch)
    assert [batch.seq for batch in batches] == list(range(1, len(batches) + 1))
    assert any(batch.late for batch in batches)
    done = Counter(value for _, name, value in agent.traced("sensor") if name == "offset")
    confirmed = [id for id, end in ends.items() if end == "confirmed"]
    assert all(done[wished[id]] == 1 for id in confirmed), "confirmed, and done once"
    assert all(number == 1 for number in done.values()), "nothing twice"
    assert all(done[wished[id]] == 0 for id, end in ends.items() if end in ("BusDown", "NodeAway"))
    ledger = Counter(outcome.id for outcome in await ear.ends())
    assert all(ledger[id] == 1 for id in confirmed), "each end is in the ledger, once"


async def test_garbage_on_the_command_subject(agent: AgentProcess, ear: Ear, bus: Any) -> None:
    """No bytes whatever make it fall or do anything; a good command after them works."""
    subject = ear.subjects.command("pi", "relays", "relay_1")
    good = json.loads(json.dumps({"v": 1, "id": "garbage-1", "node": "pi", "epoch": 1, "thing": "relays"}))
    garbage = [
        b"",
        b"\x00\xff" * 100,
        b"[" * 10_000,
        b'{"v": 2}',
        json.dumps(good | {"v": 99}).encode(),
        json.dumps(good | {"kind": "property", "name": "relay_1", "deadline": 1e300}).encode(),
        json.dumps(good | {"epoch": "soon"}).encode(),
        b"x" * (LIMIT - 100),
        b"x" * (LIMIT + 2000),
        b'{"a":' * 5000,
    ]
    for _ in range(20):
        for data in garbage:
            bus.link.post(subject, data)
            bus.link.post(ear.subjects.handover("pi"), data)
            bus.link.post(ear.subjects.presence("pi"), data)
    await bus.link.settle()
    for bad in ({"id": "x" * 5000}, {"id": "a b"}, {"name": "relay_2"}, {"thing": "sensor"}):
        command = msgspec.structs.replace(ear.command("relays", "relay_1", True), **bad)
        outcome = await bus.request(subject, command, Outcome, 5.0)
        assert (outcome.end, outcome.why) == (End.REFUSED, Why.INPUT)
    far = await ear.set("relays", "relay_1", True, deadline=2**62)
    assert (far.end, far.why) == (End.REFUSED, Why.INPUT)
    for odd in ("x" * 10_000, {"a": {"b": [1] * 1000}}, [], None, -1e308):
        assert (await ear.set("relays", "relay_1", odd)).why is Why.INPUT
    assert [e[1:] for e in agent.traced()] == [(f"relay_{i}", False) for i in (1, 2, 3, 4)]
    assert (await ear.set("relays", "relay_1", True)).end is End.CONFIRMED
    assert agent.process and agent.process.poll() is None
    assert "Traceback" not in agent.said()
    assert len(agent.said().splitlines()) < 60, "each kind of garbage is logged once"


async def test_a_driver_that_hangs_is_shown_and_the_other_goes_on(agent: AgentProcess, ear: Ear, until: Until) -> None:
    """Bad within its time; commands to it are refused as busy; well again by itself; nothing done late."""
    assert (await ear.do("relays", "fail", {"kind": "hang", "seconds": 4.0})).end is End.CONFIRMED
    await until(lambda: not ear.states["relays"].health.ok, "the thing to be bad")
    assert "has not answered" in ear.states["relays"].health.error
    assert ear.states["relays"].properties["relay_1"].quality == "bad"
    count = sum(r.thing == "sensor" for b in ear.batches for r in b.readings)
    refused = await ear.set("relays", "relay_1", True)
    assert (refused.end, refused.why) == (End.REFUSED, Why.BUSY)
    assert (await ear.set("sensor", "offset", 1.0)).end is End.CONFIRMED
    await until(lambda: sum(r.thing == "sensor" for b in ear.batches for r in b.readings) > count + 20, "readings")
    await until(lambda: ear.states["relays"].health.ok, "the thing to be well again")
    assert (await ear.set("relays", "relay_2", True)).end is End.CONFIRMED
    assert ("relay_1", True) not in [e[1:] for e in agent.traced()]
    assert agent.said().count("has not answered") <= 3


async def test_a_driver_that_drops_and_lies_is_shown_as_such(agent: AgentProcess, ear: Ear, until: Until) -> None:
    """Its own words, since when, and well again when it is over."""
    await ear.do("relays", "fail", {"kind": "drop", "seconds": 1.5})
    await until(lambda: not ear.states["relays"].health.ok, "the thing to be bad")
    health = ear.states["relays"].health
    assert "does not answer" in health.error and health.since and health.retry_at > health.since
    await until(lambda: ear.states["relays"].health.ok, "the thing to be well again")
    await ear.do("relays", "fail", {"kind": "wrong", "seconds": 3.0})
    await until(lambda: not ear.states["relays"].health.ok, "nonsense to be seen")
    await until(lambda: ear.states["relays"].health.ok, "the thing to be well again")


async def test_sigterm_with_a_driver_that_hangs(agent: AgentProcess, ear: Ear, until: Until) -> None:
    """Ends in two seconds; the others are safe; what could not be made safe is said."""
    assert (await ear.set("relays", "relay_1", True)).end is End.CONFIRMED
    assert (await ear.do("sensor", "fail", {"kind": "hang", "seconds": 60.0})).end is End.CONFIRMED
    waiting = asyncio.create_task(ear.set("sensor", "offset", 2.0))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    agent.signal(signal.SIGTERM)
    assert await agent.exited() == 0
    assert time.monotonic() - began < 2.0
    assert [e[1:] for e in agent.traced()][-4:] == [(f"relay_{i}", False) for i in (1, 2, 3, 4)]
    assert (await waiting).end in (End.REFUSED, End.UNKNOWN)
    assert ("offset", 2.0) not in [e[1:] for e in agent.traced("sensor")]
    assert "sensor may not be safe" in agent.said() or "sensor could not be made safe" in agent.said()


async def test_two_agents_that_start_at_once_settle_on_one(
    bus_server: Any, ear: Ear, tmp_path: Path, until: Until
) -> None:
    """With fresh folders, in the same second, so with the same number."""
    agents = [AgentProcess(tmp_path / name, trace=tmp_path / f"{name}.jsonl") for name in ("one", "two")]
    try:
        for agent in agents:
            agent.places.bus.mkdir()
            agent.places.bus_address.write_bytes(bus_server.places.bus_address.read_bytes())
        for agent in agents:
            agent.start()
        await until(lambda: any(a.process and a.process.poll() is not None for a in agents), "one to go")
        codes = [a.process.poll() for a in agents if a.process]
        assert set(codes) - {None} <= {1, 3}, codes
        for agent in agents:
            if agent.process and agent.process.poll() == 1:
                agent.start()  # as whoever looks after it would

        async def confirmed() -> bool:
            try:
                return (await ear.set("relays", "relay_1", True, timeout=1.0)).end is End.CONFIRMED
            except (NodeAway, TimedOut):
                return False

        end = time.monotonic() + 10
        while not await confirmed():
            assert time.monotonic() < end
            await asyncio.sleep(0.1)
    finally:
        for agent in agents:
            agent.end()
