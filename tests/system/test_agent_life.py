"""The agent as a process: starting, stopping, being killed, and another one of its name."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pilothouse.bus.messages import Batch, End, Presence, Why
from support.agents import CONFIG, AgentProcess, Ear


@pytest.fixture
def make_agent(bus_server: Any, tmp_path: Path) -> Any:
    """Agents on the bus of this test; ended with it."""
    made: list[AgentProcess] = []

    def make(folder: str = "data", **more: Any) -> AgentProcess:
        agent = AgentProcess(tmp_path / folder, trace=tmp_path / "trace.jsonl", **more)
        if folder != "data":
            agent.places.bus.mkdir(exist_ok=True)
            agent.places.bus_address.write_bytes(bus_server.places.bus_address.read_bytes())
        made.append(agent)
        return agent

    yield make
    for agent in made:
        agent.end()


Until = Callable[..., Any]


async def test_it_comes_up_and_its_outputs_are_safe_and_described(make_agent: Any, ear: Ear, until: Until) -> None:
    """Presence, descriptions, states and readings come; every output was set to its safe value."""
    agent = make_agent()
    agent.start()
    await until(ear.is_here, "the node to be here")
    await until(lambda: set(ear.described) == {"relays", "sensor"}, "both descriptions")
    await until(lambda: ear.value("sensor", "temperature") is not None, "a temperature")
    await until(lambda: ear.value("relays", "relay_1") is False, "a relay")
    assert [entry[1:] for entry in agent.traced()] == [(f"relay_{i}", False) for i in (1, 2, 3, 4)]
    assert ear.presence is not None and set(ear.presence.things) == {"relays", "sensor"}
    assert ear.states["relays"].health.ok
    await until(lambda: ear.batches, "readings")
    assert ear.batches[0].seq == 1
    assert ear.batches[0].epoch == ear.presence.epoch


async def test_a_command_is_done_once_and_confirmed_by_the_readback(make_agent: Any, ear: Ear, until: Until) -> None:
    """Outcome, wish and readback agree; the same id again is not done again."""
    agent = make_agent()
    agent.start()
    await until(ear.is_here, "the node to be here")
    command = ear.command("relays", "relay_2", True)
    outcome = await ear.send(command)
    assert (outcome.end, outcome.value, outcome.why) == (End.CONFIRMED, True, Why.NONE)
    assert outcome.accepted <= outcome.asked <= outcome.ended
    assert await ear.send(command) == outcome
    assert [entry[1:] for entry in agent.traced()][4:] == [("relay_2", True)]
    await until(lambda: ear.value("relays", "relay_2") is True, "the state to show it")
    shown = ear.states["relays"].properties["relay_2"]
    assert (shown.wish, shown.wish_id) == (True, command.id)
    await until(lambda: any(r.property == "relay_2" and r.value is True for b in ear.batches for r in b.readings), "it")
    assert await ear.ends(1) == [outcome]


async def test_refusals_name_their_reason(make_agent: Any, ear: Ear, until: Until) -> None:
    """What is wrong is not asked of the device."""
    agent = make_agent()
    agent.start()
    await until(ear.is_here, "the node to be here")
    assert (await ear.set("relays", "relay_2", 1)).why is Why.INPUT
    missing = await ear.set("relays", "relay_22", True)
    assert missing.why is Why.MISSING and "relay_2" in missing.remedy
    assert (await ear.set("relay", "relay_1", True)).why is Why.MISSING
    assert (await ear.set("relays", "switched", 3)).why is Why.READ_ONLY
    assert (await ear.set("relays", "relay_1", True, epoch=3)).why is Why.EPOCH
    late = await ear.set("relays", "relay_1", True, ttl=0)
    assert (late.end, late.why) == (End.EXPIRED, Why.TIME)
    assert (await ear.do("relays", "fail", {"kind": "hang", "second": 3})).why is Why.INPUT
    assert [entry[1:] for entry in agent.traced()] == [(f"relay_{i}", False) for i in (1, 2, 3, 4)]


async def test_sigterm_makes_safe_says_so_and_ends_in_time(make_agent: Any, ear: Ear, until: Until) -> None:
    """Outputs are safe, the page knows it, nothing is left unsaid."""
    agent = make_agent()
    agent.start()
    await until(ear.is_here, "the node to be here")
    assert (await ear.set("relays", "relay_3", True)).end is End.CONFIRMED
    began = time.monotonic()
    agent.signal(signal.SIGTERM)
    assert await agent.exited() == 0
    assert time.monotonic() - began < 2.0
    assert [entry[1:] for entry in agent.traced()][-4:] == [(f"relay_{i}", False) for i in (1, 2, 3, 4)]
    await until(lambda: ear.presence and ear.presence.state == "leaving", "the node to say that it leaves")
    await until(lambda: ear.value("relays", "relay_3") is False, "the state to show it")
    assert ear.states["relays"].properties["relay_3"].wish_time == 0
    batches = await ear.kept("data", Batch)
    assert [batch.seq for batch in batches] == list(range(1, len(batches) + 1))
    assert "could not" not in agent.said(), agent.said()


async def test_kill_9_and_restart_makes_safe_before_anything_else(make_agent: Any, ear: Ear, until: Until) -> None:
    """A higher epoch, safe values within two seconds, and the old run's commands are refused."""
    agent = make_agent()
    agent.start()
    await until(ear.is_here, "the node to be here")
    assert (await ear.set("relays", "relay_4", True)).end is End.CONFIRMED
    old = ear.command("relays", "relay_1", True, ttl=60)
    before = len(agent.traced())
    agent.signal(signal.SIGKILL)
    await agent.exited()
    began = time.monotonic()
    agent.start()
    await until(lambda: len(agent.traced()) >= before + 4, "safe values")
    assert time.monotonic() - began < 2.0
    assert [entry[1:] for entry in agent.traced()][before:] == [(f"relay_{i}", False) for i in (1, 2, 3, 4)]
    await until(lambda: ear.is_here(old.epoch), "the new run")
    refused = await ear.send(old)
    assert (refused.end, refused.why) == (End.REFUSED, Why.EPOCH)
    assert len(agent.traced()) == before + 4


async def test_a_second_agent_of_the_name_takes_over(make_agent: Any, ear: Ear, until: Until) -> None:
    """The old one makes its outputs safe, ends with 3, and only then the new one begins; the page is told."""
    one = make_agent("one")
    one.start()
    await until(ear.is_here, "the first")
    first = ear.presence.epoch
    (one.places.data.parent / "two" / "agent").mkdir(parents=True)
    (one.places.data.parent / "two" / "agent" / "epoch").write_text(str(first))
    assert (await ear.set("relays", "relay_1", True)).end is End.CONFIRMED
    two = make_agent("two")
    two.start()
    assert await one.exited() == 3
    await until(lambda: ear.is_here(first), "the second")
    assert any("took over from another agent of this name" in note for note in ear.presence.notes), ear.presence
    assert (await ear.set("relays", "relay_2", True)).end is End.CONFIRMED
    values = [entry[1:] for entry in two.traced()]
    assert values[4] == ("relay_1", True)
    assert values[5:9] == [(f"relay_{i}", False) for i in (1, 2, 3, 4)], "the old one made them safe"
    assert values[9:13] == [(f"relay_{i}", False) for i in (1, 2, 3, 4)], "and the new one, at its start"


async def test_an_older_agent_does_not_take_over(make_agent: Any, ear: Ear, until: Until) -> None:
    """An agent with a lower epoch ends; the newer one goes on untouched."""
    one = make_agent("one")
    (one.places.agent).mkdir(parents=True)
    one.places.epoch.write_text("99000000000")
    one.start()
    await until(ear.is_here, "the first")
    two = make_agent("two")
    two.start()
    assert await two.exited() == 3
    assert "newer agent" in two.said()
    assert (await ear.set("relays", "relay_2", True)).end is End.CONFIRMED
    assert len(one.traced()) == 5


async def test_a_frozen_agent_is_replaced_and_goes_when_it_wakes(make_agent: Any, ear: Ear, until: Until) -> None:
    """It cannot answer, so the new one begins all the same, and says so; a command that it slept over is not done."""
    one = make_agent("one")
    one.start()
    await until(ear.is_here, "the first")
    old = ear.presence.epoch
    two = make_agent("two")
    (two.places.agent).mkdir(parents=True)
    two.places.epoch.write_text(str(old))
    one.signal(signal.SIGSTOP)
    two.start()
    await until(lambda: ear.is_here(old), "the second")
    assert any("did not answer" in note for note in ear.presence.notes)
    assert (await ear.set("relays", "relay_2", True)).end is End.CONFIRMED
    switched = [entry[1:] for entry in two.traced()].count(("relay_2", True))
    one.signal(signal.SIGCONT)
    assert await one.exited() == 3
    assert [entry[1:] for entry in two.traced()].count(("relay_2", True)) == switched == 1


async def test_a_name_seen_with_a_higher_number_is_outgrown(make_agent: Any, ear: Ear, until: Until, bus: Any) -> None:
    """A new card and a wrong clock must not make the node an old word of itself for ever."""
    left = Presence(node="pi", epoch=88_000_000_000, version="0", time=1, mono=1, state="leaving")
    await bus.publish(ear.subjects.presence("pi"), left)
    agent = make_agent()
    agent.start()
    await until(lambda: ear.is_here(88_000_000_000), "the node in a higher epoch")
    assert (await ear.set("relays", "relay_2", True)).end is End.CONFIRMED
    await until(lambda: ear.batches, "readings")
    assert {batch.epoch for batch in ear.batches} == {ear.presence.epoch}
    assert int(agent.places.epoch.read_text()) == ear.presence.epoch


async def test_it_works_without_a_bus_and_says_everything_later(
    bus_server: Any, make_agent: Any, connect: Any, until: Until
) -> None:
    """Outputs are safe and readings kept; all of it arrives, in order, marked as late."""
    bus_server.stop()
    agent = make_agent()
    agent.start()
    await until(lambda: len(agent.traced()) == 4, "safe values")
    bus_server.start()
    bus = await connect("ear")
    await bus.ensure_streams("home")
    async with Ear(bus) as ear:
        await until(ear.is_here, "the node to be here")
        assert (await ear.set("relays", "relay_2", True)).end is End.CONFIRMED
        batches = await ear.kept("data", Batch)
    assert [batch.seq for batch in batches] == list(range(1, len(batches) + 1))
    assert batches[0].late


async def test_a_configuration_that_cannot_be_built_is_one_clear_line(make_agent: Any) -> None:
    """Exit code 2, every mistake with its key and the nearest right one, no traceback."""
    config = CONFIG.replace("sim.sensor", "sim.senser") + "\n[things.bath]\ndriver = 'sim.bath'\nlitters = 3\n"
    agent = make_agent(config=config)
    agent.start()
    assert await agent.exited() == 2
    assert "things.sensor.driver" in agent.said() and "sim.sensor" in agent.said()
    assert "things.bath" in agent.said() and "litres" in agent.said()
    assert "Traceback" not in agent.said()


async def test_a_second_agent_in_one_folder_takes_over(make_agent: Any, ear: Ear, until: Until) -> None:
    """As the first lets go; the hardware is never in two hands."""
    one, two = make_agent(), make_agent()
    one.start()
    await until(ear.is_here, "the first")
    first = ear.presence.epoch
    two.start()
    assert await one.exited() == 3
    await until(lambda: ear.is_here(first), "the second")
    assert (await ear.set("relays", "relay_2", True)).end is End.CONFIRMED


async def test_without_a_bus_the_agent_that_has_the_folder_keeps_it(
    bus_server: Any, make_agent: Any, until: Until
) -> None:
    """The next one cannot ask, so it waits for the end of the first, and touches nothing before."""
    bus_server.stop()
    one, two = make_agent(), make_agent()
    one.start()
    await until(lambda: len(one.traced()) == 4, "the first to make safe")
    two.start()
    await until(lambda: "waiting for it to end" in two.said(), "the second to wait")
    assert len(one.traced()) == 4
    one.signal(signal.SIGKILL)
    await one.exited()
    await until(lambda: len(two.traced()) == 8, "the second to make safe")
    two.signal(signal.SIGTERM)
    assert await two.exited() == 0
