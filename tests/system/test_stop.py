"""Stop at a real agent: what the devices really did, with the lane full, the driver hanging, the agent killed."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from pilothouse.bus import Subjects, streams
from pilothouse.bus.messages import Cancel, Cancelled, End, Lanes, Presence, StopOrder, Stopped, Why
from pilothouse.clock import SystemClock
from pilothouse.model import new_id
from support.agents import AgentProcess, Ear, running

CONFIG = """
[node]
name = "pi"
host = false
[things.relays]
driver = "sim.relays"
trace_file = "{trace}"
[things.bath]
driver = "sim.bath"
trace_file = "{trace}"
"""

SUBJECTS = Subjects("home")
RELAYS = ("relay_1", "relay_2", "relay_3", "relay_4")

Until = Callable[..., Any]


@pytest.fixture
async def agent(bus_server: Any, tmp_path: Path, ear: Ear, until: Until) -> AsyncIterator[AgentProcess]:
    """A running agent with relays, that have a second path, and a bath, that has none."""
    async with running(bus_server.places.data, tmp_path / "trace.jsonl", CONFIG, ear, until) as agent:
        yield agent


def order(kind: Any = "hard", **more: Any) -> StopOrder:
    """Somebody presses stop, or lifts one."""
    now = SystemClock().now()
    return StopOrder(**({"kind": kind, "id": new_id(now), "time": now, "who": "ada", "origin": "test"} | more))


async def press(ear: Ear, stop: StopOrder, *, timeout: float = 5.0) -> Stopped:
    """Have the node obey."""
    return await ear.bus.request(SUBJECTS.stop(), stop, Stopped, timeout)


def last(agent: AgentProcess, thing: str = "relays") -> dict[str, Any]:
    """How its outputs really are."""
    return {name: value for _, name, value in agent.traced(thing)}


def on_after(agent: AgentProcess, mono: int, thing: str = "relays") -> list[Any]:
    """What was switched on at the device from a moment on."""
    return [entry for entry in agent.traced(thing) if entry[0] > mono and entry[2] is True]


async def test_stop_makes_outputs_safe_and_keeps_them_so(agent: AgentProcess, ear: Ear, until: Until) -> None:
    """At the device, in presence and in the ledger; on is refused, safe is not; the same order again does nothing."""
    for name in ("relay_1", "relay_3"):
        assert (await ear.set("relays", name, True)).end is End.CONFIRMED
    stop = order(reason="smoke")
    answer = await press(ear, stop)
    pressed = SystemClock().mono()
    assert (answer.stops, answer.mistakes) == ((stop.id,), ()), answer
    assert answer.outputs == 6
    assert not any(last(agent).values())
    await until(lambda: ear.presence and [latch.id for latch in ear.presence.stops] == [stop.id], "presence to say it")
    made = [one for one in await ear.ends(4) if one.made and one.made.origin == "stop"]
    assert {(one.thing, one.name) for one in made} >= {("relays", "relay_1"), ("relays", "relay_3")}
    assert all("ada pressed stop" in one.made.reason and "smoke" in one.made.reason for one in made if one.made)
    refused = await ear.set("relays", "relay_2", True)
    assert (refused.end, refused.why) == (End.REFUSED, Why.STOPPED), refused
    assert (await ear.set("relays", "relay_2", False)).end is End.CONFIRMED
    moves = len(agent.traced())
    assert await press(ear, stop) == answer
    assert len(agent.traced()) == moves
    assert not on_after(agent, pressed)


async def test_a_lift_lifts_only_what_it_names(agent: AgentProcess, ear: Ear) -> None:
    """One that was pressed meanwhile holds on, and an order for another node is not ours."""
    first, second = order(), order(who="bob")
    await press(ear, first)
    await press(ear, second)
    lifted = await press(ear, order("lift", lifts=(first.id, "somebody-elses"), reason="checked"))
    assert lifted.stops == (second.id,)
    assert (await ear.set("relays", "relay_1", True)).why is Why.STOPPED
    assert (await press(ear, order("lift", lifts=(second.id,)))).stops == ()
    assert (await ear.set("relays", "relay_1", True)).end is End.CONFIRMED
    with pytest.raises(Exception, match=r"(?i)answer"):
        await press(ear, order(node="other"), timeout=0.3)
    assert last(agent)["relay_1"] is True
    assert (await press(ear, first)).stops == (), "its word came twice, and it was lifted"


async def test_a_full_lane_does_not_keep_it_up(agent: AgentProcess, ear: Ear, until: Until) -> None:
    """200 commands wait for a hanging board: none is done, and the relay that was on goes off."""
    assert (await ear.set("relays", "relay_1", True)).end is End.CONFIRMED
    await ear.do("relays", "fail", {"kind": "hang", "seconds": 1.2})
    waiting = [asyncio.create_task(ear.set("relays", "relay_2", True)) for _ in range(220)]
    await until(lambda: sum(task.done() for task in waiting) >= 15, "a full lane")
    answer = await press(ear, order())
    pressed = SystemClock().mono()
    assert answer.mistakes == (), "the second path did it"
    assert not any(last(agent).values())
    ends = await asyncio.gather(*waiting)
    assert Why.STOPPED in {end.why for end in ends}
    await until(lambda: ear.value("relays", "relay_1") is False, "the board to answer again", seconds=10)
    assert not on_after(agent, pressed), "nothing was switched on after it"


async def test_a_hung_driver_with_and_without_second_path(agent: AgentProcess, ear: Ear, until: Until) -> None:
    """The relays go off while their driver hangs; of the bath it is said that it may not be safe, and it follows."""
    assert (await ear.set("relays", "relay_1", True)).end is End.CONFIRMED
    assert (await ear.set("bath", "heater", True)).end is End.CONFIRMED
    for thing in ("relays", "bath"):
        await ear.do(thing, "fail", {"kind": "hang", "seconds": 4.0})
    await until(lambda: not ear.states["bath"].health.ok and not ear.states["relays"].health.ok, "both to hang")
    answer = await press(ear, order())
    assert last(agent)["relay_1"] is False
    assert last(agent, "bath")["heater"] is True
    assert len(answer.mistakes) == 1
    assert answer.mistakes[0].startswith("bath may not be safe: its driver has not answered since ")
    assert answer.mistakes[0].endswith(" and it has no second path")
    await until(lambda: last(agent, "bath")["heater"] is False, "the bath to go safe when it answers", seconds=10)


async def test_a_stop_outlives_the_agent(agent: AgentProcess, ear: Ear, until: Until) -> None:
    """kill -9 and a new start: it holds, and a file that cannot be read counts as a stop."""
    assert (await ear.set("relays", "relay_1", True)).end is End.CONFIRMED
    stop = order()
    await press(ear, stop)
    assert ear.presence is not None
    for damaged in (False, True):
        epoch = ear.presence.epoch
        agent.signal(signal.SIGKILL)
        await agent.exited()
        if damaged:
            agent.places.stops.write_text('{"v": 1, "stops": [{"id"')
        agent.start()
        await until(lambda epoch=epoch: ear.is_here(epoch) and ear.states["relays"].epoch > epoch, "the agent again")
        stops = ear.presence.stops
        assert ("could not be read" in stops[0].reason) if damaged else ([latch.id for latch in stops] == [stop.id])
        assert (await ear.set("relays", "relay_1", True)).why is Why.STOPPED
    assert not any(last(agent).values())
    assert agent.places.stops.with_name("stops.json.unreadable").exists()
    lifted = await press(ear, order("lift", lifts=(ear.presence.stops[0].id,)))
    assert lifted.stops == ()
    assert json.loads(agent.places.stops.read_text())["stops"] == []
    assert (await ear.set("relays", "relay_1", True)).end is End.CONFIRMED


async def test_a_safe_end_lets_what_runs_come_to_its_end(agent: AgentProcess, ear: Ear, until: Until) -> None:
    """Commands that wait are done, new ones are refused, and then the outputs go safe."""
    await ear.do("relays", "fail", {"kind": "hang", "seconds": 1.0})
    runs = asyncio.create_task(ear.set("relays", "relay_1", True))
    waits = asyncio.create_task(ear.set("relays", "relay_2", True))
    stop = order("end")
    await asyncio.sleep(0.1)  # they reach the lane
    pressed = asyncio.create_task(press(ear, stop, timeout=12.0))
    await until(lambda: ear.presence and ear.presence.stops, "presence to say it at once")
    assert (await ear.set("relays", "relay_3", True)).why is Why.STOPPED
    assert [(await task).end for task in (runs, waits)] == [End.CONFIRMED, End.CONFIRMED]
    answer = await pressed
    assert answer.mistakes == () and answer.stops == (stop.id,)
    assert [value for _, name, value in agent.traced() if name == "relay_2"][-2:] == [True, False]
    assert not any(last(agent).values())


async def test_the_lanes_are_told_and_what_waits_is_taken_back(agent: AgentProcess, ear: Ear, until: Until) -> None:
    """What runs and what waits, with the command; a command that waits is cancelled, one that runs is not."""
    heard: list[Lanes] = []

    async def hear() -> None:
        async for _, message in ear.bus.listen(SUBJECTS.lanes("pi"), Lanes):
            heard.append(message)

    hearing = asyncio.create_task(hear())
    kept = await ear.bus.last(streams("home")["now"], SUBJECTS.lanes("pi"), Lanes)
    assert [message.lanes for _, message in kept] == [()], "what an earlier run told is gone"
    await ear.do("relays", "fail", {"kind": "hang", "seconds": 1.5})
    made = [ear.command("relays", name, True) for name in RELAYS[:3]]
    tasks = []
    for command in made:
        tasks.append(asyncio.create_task(ear.send(command)))
        await asyncio.sleep(0.02)
    await until(lambda: heard and heard[-1].lanes and len(heard[-1].lanes[0].waiting) >= 2, "the lane to be told")
    lane = heard[-1].lanes[0]
    assert lane.things == ("relays",) and lane.running is not None
    known = {made[0].id: lane.running, **{call.id: call for call in lane.waiting}}
    assert known[made[1].id].name == "relay_2" and known[made[1].id].who == "ada"

    async def cancel(id: str) -> Cancelled:
        return await ear.bus.request(
            SUBJECTS.cancel("pi"), Cancel(id=id, who="bob", origin="test", reason="no"), Cancelled, 5
        )

    assert (await cancel(made[1].id)).done
    assert "no command of this id" in (await cancel(new_id(1))).detail
    ended = await tasks[1]
    assert (ended.end, ended.why) == (End.REFUSED, Why.CANCELLED) and "bob took it back" in ended.detail
    await tasks[2]
    assert "over already: confirmed" in (await cancel(made[2].id)).detail
    assert (await tasks[0]).end is End.CONFIRMED
    await until(lambda: not heard[-1].lanes, "the lanes to be quick again")
    assert last(agent)["relay_2"] is False
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)


async def test_presence_tells_no_stop_before_one_is_pressed(agent: AgentProcess, ear: Ear) -> None:
    """A new node obeys nothing, and has no file of stops."""
    assert isinstance(ear.presence, Presence) and ear.presence.stops == ()
    assert not agent.places.stops.exists()
