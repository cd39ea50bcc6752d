"""The guard in real agents on a real bus: raced, broken, cut off and killed; judged by what the devices really did."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from pilothouse.bus.messages import AskConfirmation, Confirmation, End, Outcome, StandLease, Why
from pilothouse.clock import SystemClock
from pilothouse.errors import BusDown, TimedOut
from support.agents import AgentProcess, Ear

VALVES = """
[node]
name = "pi"
host = false
[exclusive]
valves = ["valves.valve_a", "valves.valve_b"]
[things.valves]
driver = "sim.valves"
trace_file = "{trace}"
[things.valves.interlocks]
pump = "requires valve_a == true"
[things.relays]
driver = "sim.relays"
trace_file = "{trace}"
properties.relay_1.max_on = "600ms"
properties.relay_2.min_off = "30s"
properties.relay_3.link_lost_after = "1s"
properties.relay_4.confirm = "yes"
"""

OTHER = """
[node]
name = "b"
host = false
[things.tank]
driver = "sim.relays"
trace_file = "{trace}"
"""

ACROSS = """
[node]
name = "pi"
host = false
[things.relays]
driver = "sim.relays"
trace_file = "{trace}"
[things.relays.interlocks]
relay_1 = "requires b/tank.relay_1 == true"
"""

Until = Callable[..., Any]


@pytest.fixture
async def start(bus_server: Any, bus: Any, tmp_path: Path, until: Until) -> AsyncIterator[Any]:
    """Starts agents on the bus of this test, and waits until they are here."""
    made: list[AgentProcess] = []

    async def start(config: str, folder: str = "data") -> AgentProcess:
        agent = AgentProcess(tmp_path / folder, config=config, trace=tmp_path / f"{folder}.jsonl")
        if folder != "data":
            agent.places.bus.mkdir(exist_ok=True)
            agent.places.bus_address.write_bytes(bus_server.places.bus_address.read_bytes())
        made.append(agent)
        agent.start()
        return agent

    yield start
    for agent in made:
        agent.end()


@pytest.fixture
async def agent(start: Any, ear: Ear, until: Until) -> AgentProcess:
    """A node with valves and relays."""
    agent: AgentProcess = await start(VALVES)
    await until(lambda: ear.is_here() and len(ear.states) == 2, f"the agent: {agent.said()}")
    return agent


def both_on(traced: list[tuple[int, str, Any]], *names: str) -> list[int]:
    """When all of these outputs were on together."""
    on: set[str] = set()
    found = []
    for mono, name, value in traced:
        if name in names:
            on = on | {name} if value else on - {name}
            if len(on) == len(names):
                found.append(mono)
    return found


async def own(ear: Ear, until: Until, origin: str) -> Outcome:
    """The line of the agent's own command of this origin, waited for."""
    end = time.monotonic() + 10
    while True:
        try:
            lines = await ear.ends()
        except (BusDown, TimedOut):
            lines = []  # the link is on its way
        for line in lines:
            if line.made and line.made.origin == origin:
                return line
        assert time.monotonic() < end, f"no line of origin {origin}"
        await asyncio.sleep(0.02)


async def test_many_clients_race_at_both_valves_and_never_are_both_open(agent: AgentProcess, ear: Ear) -> None:
    """Twenty clients, opening and closing as fast as they are answered; the trace of the device decides."""
    whys: set[str] = set()

    async def client(number: int) -> None:
        valve = f"valve_{'ab'[number % 2]}"
        for step in range(15):
            outcome = await ear.set("valves", valve, step % 3 != 2, ttl=30, timeout=30)
            whys.add(f"{outcome.end}:{outcome.why}")

    await asyncio.gather(*(client(number) for number in range(20)))
    traced = agent.traced("valves")
    assert both_on(traced, "valve_a", "valve_b") == []
    assert {"valve_a", "valve_b"} <= {name for _, name, value in traced if value}, "both had their turns"
    assert whys == {"confirmed:", "refused:interlock"}


async def test_an_interlock_that_breaks_makes_safe_and_says_why(agent: AgentProcess, ear: Ear, until: Until) -> None:
    """The pump needs valve A; closing it stops the pump, with a line in the ledger; the bar stands in the state."""
    refused = await ear.set("valves", "pump", True)
    assert (refused.end, refused.why) == (End.REFUSED, Why.INTERLOCK)
    assert "interlock of valves.pump" in refused.detail and "valves.valve_a is" in refused.detail
    assert ear.states["valves"].bars["pump"].rule == "interlock"
    assert (await ear.set("valves", "valve_a", True)).end is End.CONFIRMED
    await until(lambda: "pump" not in ear.states["valves"].bars, "the bar to go")
    assert ear.states["valves"].bars["valve_b"].rule == "exclusive"
    assert (await ear.set("valves", "pump", True)).end is End.CONFIRMED
    assert (await ear.set("valves", "valve_a", False)).end is End.CONFIRMED
    await until(lambda: agent.traced("valves")[-1][1:] == ("pump", False), "the pump to stop")
    line = await own(ear, until, "interlock")
    assert line.made and (line.name, line.end, line.made.who) == ("pump", End.CONFIRMED, "guard")
    await until(lambda: ear.states["valves"].properties["pump"].wish_id == line.id, "the state to show it")
    shown = ear.states["valves"].properties["pump"]
    assert (shown.wish, shown.accepted, shown.value, shown.differs_since) == (False, False, False, 0)


async def test_max_on_and_min_off(agent: AgentProcess, ear: Ear, until: Until) -> None:
    """By itself, after its time; refused with until when."""
    assert (await ear.set("relays", "relay_1", True)).end is End.CONFIRMED
    await until(lambda: agent.traced()[-1][1:] == ("relay_1", False), "max_on")
    times = [mono for mono, name, _ in agent.traced() if name == "relay_1"]
    assert times[-1] - times[-2] >= 550
    line = await own(ear, until, "max-on")
    assert (line.name, line.end) == ("relay_1", End.CONFIRMED)
    refused = await ear.set("relays", "relay_2", True)
    assert refused.why is Why.GUARD and "until" in refused.detail
    assert ear.states["relays"].bars["relay_2"].until > 0


async def test_a_confirmation_is_needed_and_good_once(agent: AgentProcess, ear: Ear, bus: Any) -> None:
    """The token of the agent lets exactly that command pass, one time."""
    assert (await ear.set("relays", "relay_4", True)).why is Why.CONFIRM
    assert ear.presence is not None
    ask = AskConfirmation(
        node="pi", epoch=ear.presence.epoch, thing="relays", kind="property", name="relay_4", input=True, who="ada"
    )
    given = await bus.request(ear.subjects.confirm("pi", "relays", "relay_4"), ask, Confirmation, 5.0)
    assert given.token and given.lives > 50
    wrong = await ear.set("relays", "relay_4", True, confirmation="x" + given.token)
    assert wrong.why is Why.CONFIRM
    assert (await ear.set("relays", "relay_4", True, confirmation=given.token)).end is End.CONFIRMED
    assert (await ear.set("relays", "relay_4", False)).end is End.CONFIRMED
    assert (await ear.set("relays", "relay_4", True, confirmation=given.token)).why is Why.CONFIRM


def lease(holder: str, left: float, **more: Any) -> StandLease:
    """Stand "rig" with the relays."""
    now = SystemClock().now()
    return StandLease(
        stand="rig", things=("pi/relays",), holder=holder, time=now, until=now + round(left * 1000), left=left, **more
    )


async def test_a_lease_refuses_others_and_makes_safe_at_its_end(
    agent: AgentProcess, ear: Ear, bus: Any, until: Until
) -> None:
    """One that the bus has kept counts for an agent that starts later."""
    subject = ear.subjects.stand("rig")
    position = await bus.replace(subject, lease("bob", 60), after=0)

    async def refused() -> Outcome | None:
        outcome = await ear.set("relays", "relay_3", True)
        return outcome if outcome.why is Why.LEASE else None

    end = time.monotonic() + 5
    while (outcome := await refused()) is None:
        assert time.monotonic() < end, "the agent to hear of the lease"
    assert "bob" in outcome.detail and "until" in outcome.detail
    assert (await ear.set("relays", "relay_3", False)).end is End.CONFIRMED, "the safe value needs no lease"
    agent.signal(signal.SIGTERM)
    assert await agent.exited() == 0
    before = ear.presence.epoch if ear.presence else 0
    agent.start()
    await until(lambda: ear.is_here(before), "the agent again")
    await until(lambda: ear.value("relays", "relay_3") is False, "its relays")
    end = time.monotonic() + 5
    while await refused() is None:
        assert time.monotonic() < end, "the agent to hear of what was kept"
    await bus.replace(subject, lease("bob", 2), after=position)
    assert (await ear.set("relays", "relay_3", True, who="bob")).end is End.CONFIRMED
    line = await own(ear, until, "lease")
    assert line.made and line.name == "relay_3" and "bob" in line.made.reason
    assert agent.traced()[-1][1:] == ("relay_3", False)
    assert (await ear.set("relays", "relay_3", True)).end is End.CONFIRMED


async def test_the_link_is_cut_and_the_output_goes_safe_in_its_time(
    agent: AgentProcess, ear: Ear, bus_server: Any, until: Until
) -> None:
    """One second; the other relays stay, and the line comes into the ledger when the bus is back."""
    assert (await ear.set("relays", "relay_3", True)).end is End.CONFIRMED
    await asyncio.sleep(1.5)  # longer than its time: the link is there
    assert agent.traced()[-1][1:] == ("relay_3", True)
    cut = SystemClock().mono()
    bus_server.kill()
    await until(lambda: agent.traced()[-1][1:] == ("relay_3", False), "it to go safe")
    assert agent.traced()[-1][0] - cut < 3000
    bus_server.start()
    line = await own(ear, until, "link")
    assert line.made and line.name == "relay_3" and "1 s" in line.made.reason


async def test_a_node_that_is_killed_breaks_the_interlock_of_another(
    start: Any, bus: Any, ear: Ear, until: Until
) -> None:
    """Not known is not fulfilled: within about six seconds the output of the other node is safe."""
    other = await start(OTHER, "other")
    async with Ear(bus, "b") as second:
        await until(lambda: second.is_here() and "tank" in second.states, f"node b: {other.said()}")
        agent = await start(ACROSS)
        await until(lambda: ear.is_here() and "relays" in ear.states, f"the agent: {agent.said()}")
        assert (await ear.set("relays", "relay_1", True)).why is Why.INTERLOCK
        assert (await second.set("tank", "relay_1", True)).end is End.CONFIRMED
        await until(lambda: "relay_1" not in ear.states["relays"].bars, "the interlock to hold")
        assert (await ear.set("relays", "relay_1", True)).end is End.CONFIRMED
        other.signal(signal.SIGKILL)
        killed = SystemClock().mono()
        await until(lambda: agent.traced()[-1][1:] == ("relay_1", False), "it to go safe")
        assert agent.traced()[-1][0] - killed < 9000
        line = await own(ear, until, "interlock")
        assert line.made and "b/tank.relay_1 is not known: node b is away" in line.made.reason


async def test_what_was_on_when_the_agent_was_killed_stands_in_the_ledger(
    agent: AgentProcess, ear: Ear, until: Until
) -> None:
    """The next run makes it safe before anything else, and says so; a run that ended in order leaves nothing to say."""
    assert (await ear.set("relays", "relay_3", True)).end is End.CONFIRMED
    assert not [line for line in await ear.ends() if line.made]
    epoch = ear.presence.epoch if ear.presence else 0
    agent.signal(signal.SIGKILL)
    await agent.exited()
    agent.start()
    await until(lambda: ear.is_here(epoch), "the next run")
    line = await own(ear, until, "start")
    assert line.made and line.end is End.CONFIRMED and "killed" in line.made.reason
    agent.signal(signal.SIGTERM)
    await agent.exited()
    before = len(await ear.ends())
    epoch = ear.presence.epoch if ear.presence else 0
    agent.start()
    await until(lambda: ear.is_here(epoch), "the run after")
    await until(lambda: ear.value("relays", "relay_3") is False, "its relays")
    assert len(await ear.ends()) == before
