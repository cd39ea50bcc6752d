"""Lanes, and taking back what waits on them."""

from __future__ import annotations

import asyncio

from pilothouse.bus.messages import Call, Cancelled, Command, LaneView, Outcome
from pilothouse.record.rows import Act

KEY = "0192e4a0-key-0001"


async def test_lanes_of_a_node_are_as_it_says(hub, agent, until) -> None:
    """What runs, what waits; nothing said yet is an empty list."""
    path = "/api/nodes/pi/lanes"
    assert (await hub.client.get(path)).json() == {"node": "pi", "time": 0, "lanes": []}
    running = Call(thing="bench", label="reading it", since=5)
    waiting = Call(thing="bench", label="writing on", since=6, id=KEY, name="on", who="ada")
    await agent.say_lanes(LaneView(name="port", things=("bench",), running=running, waiting=(waiting,), more=2))
    await until(lambda: hub.site.directory.lanes("pi"), "the hub has heard")
    body = (await hub.client.get(path)).json()
    (lane,) = body["lanes"]
    assert body["time"] > 0 and lane["running"]["label"] == "reading it" and lane["more"] == 2
    assert (lane["waiting"][0]["id"], lane["waiting"][0]["who"]) == (KEY, "ada")
    answer = await hub.client.get("/api/nodes/pii/lanes")
    assert answer.status_code == 404 and answer.json()["nearest"] == "pi"


async def test_a_command_on_its_way_is_taken_back(hub, agent, until) -> None:
    """The agent is asked, with who and why; a body is not needed."""
    agent.scripts["level"] = agent.slow(0.5)
    asked = asyncio.create_task(hub.set("pi/bench.level", 5, KEY))
    await until(lambda: agent.commands, "the command came")
    agent.cancelled = Cancelled(done=True, detail="it waited behind 3 calls")
    answer = await hub.client.request("DELETE", f"/api/commands/{KEY}", json={"reason": "not needed"})
    assert answer.status_code == 200 and answer.json() == {"done": True, "detail": "it waited behind 3 calls"}
    assert (await hub.client.delete(f"/api/commands/{KEY}")).status_code == 200
    first, second = agent.cancels
    assert (first.id, first.who, first.origin, first.reason) == (KEY, "ada", "api", "not needed")
    assert second.reason == ""
    await asked


async def test_one_sent_through_another_hub_is_found_in_the_ledger(hub, agent, start_hub, bus_server, until) -> None:
    """Its open line tells the node."""
    over = asyncio.Event()

    async def until_over(command: Command) -> Outcome:
        await over.wait()
        return agent.outcome(command, value=command.input)

    agent.scripts["level"] = until_over
    asked = asyncio.create_task(hub.set("pi/bench.level", 5, KEY))
    await until(lambda: agent.commands, "the command came")
    async with start_hub(bus_server.places.data) as other:
        await until(lambda: other.site.link_up and list(other.site.directory), "the other hub knows the thing")
        await until(lambda: other.site.directory.node("pi").life == "here", "and the node")
        answer = await other.client.delete(f"/api/commands/{KEY}")
    assert answer.status_code == 200, answer.text
    assert [cancel.id for cancel in agent.cancels] == [KEY]
    over.set()
    assert (await asked).status_code == 200


async def test_what_does_not_wait_any_more_is_a_409(hub, agent, until) -> None:
    """With the agent's own words, or with the end that the ledger knows."""
    agent.scripts["level"] = agent.slow(0.5)
    asked = asyncio.create_task(hub.set("pi/bench.level", 5, KEY))
    await until(lambda: agent.commands, "the command came")
    agent.cancelled = Cancelled(done=False, detail="it runs already: the device was asked at 12:03:07")
    answer = await hub.client.delete(f"/api/commands/{KEY}")
    body = answer.json()
    assert answer.status_code == 409 and body["type"].endswith(":not-waiting"), answer.text
    assert body["cause"].startswith("It runs already") and f"/api/ledger/{KEY}" in body["remedy"]
    assert (await asked).status_code == 200
    for _ in range(400):
        line = await hub.site.ledger.line(KEY)
        if line is not None and line.end:
            break
        await asyncio.sleep(0.01)
    answer = await hub.client.delete(f"/api/commands/{KEY}")
    assert answer.status_code == 409 and "confirmed" in answer.json()["cause"]
    assert len(agent.cancels) == 1


async def test_what_nobody_knows_is_a_404(hub, agent) -> None:
    """Also what cannot be an id."""
    for id in ("0192e4a0-none-0001", "x", "a%20b%20c%20d%20e"):
        answer = await hub.client.delete(f"/api/commands/{id}")
        assert answer.status_code == 404, answer.text
    assert agent.cancels == []


async def test_an_act_on_the_site_is_no_command(hub, agent) -> None:
    """A stop is lifted, not taken back."""
    await hub.site.ledger.act(Act(id=KEY, name="stop", who="ada", origin="page", made=1))
    assert (await hub.client.delete(f"/api/commands/{KEY}")).status_code == 404
