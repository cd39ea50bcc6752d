"""Confirmations and why not: the agent's tokens through the hub, and what stands against a command."""

from __future__ import annotations

from pilothouse.bus.messages import Confirmation, End, Why
from pilothouse.model import Bar

WRITE = {"node": "pi", "thing": "bench", "kind": "property", "name": "on", "input": True}


async def test_a_token_is_the_agents_own_and_goes_with_the_command(hub, agent) -> None:
    """Asked for exactly this command by who asks; the hub makes none and keeps none."""
    agent.confirmation = Confirmation(token="t-1", lives=60.0, two_person=True, hazard="It gets hot.")
    answer = await hub.client.post("/api/confirmations", json=WRITE)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"token": "t-1", "lives": 60.0, "two_person": True, "hazard": "It gets hot."}
    (question,) = agent.to_confirm
    assert (question.node, question.thing, question.kind, question.name) == ("pi", "bench", "property", "on")
    assert (question.input, question.who, question.epoch) == (True, "ada", 7)
    assert (await hub.set("pi/bench.on", True, confirmation="t-1")).status_code == 200
    call = {"input": {"seconds": 1}, "confirmation": "t-2"}
    assert (await hub.client.post("/api/things/pi/bench/actions/run", json=call)).status_code == 200
    assert [command.confirmation for command in agent.commands] == ["t-1", "t-2"]


async def test_a_command_without_its_token_is_a_428(hub, agent) -> None:
    """The agent says so; the person is told what helps."""
    agent.scripts["on"] = agent.always(End.REFUSED, Why.CONFIRM, "on needs a confirmation", "Confirm it")
    answer = await hub.set("pi/bench.on", True)
    assert answer.status_code == 428, answer.text
    assert (answer.json()["why"], answer.json()["remedy"]) == ("confirm", "Confirm it")


async def test_no_token_is_said_with_the_agents_reason(hub, agent) -> None:
    """Each with its own status."""
    for why, status in ((Why.INPUT, 422), (Why.STOPPED, 409), (Why.MISSING, 404), (Why.EPOCH, 503)):
        agent.confirmation = Confirmation(why=why, detail="on cannot be confirmed", remedy="Look at it")
        answer = await hub.client.post("/api/confirmations", json=WRITE)
        body = answer.json()
        assert answer.status_code == status == body["status"], answer.text
        assert body["type"].endswith(":no-confirmation")
        assert (body["detail"], body["remedy"]) == ("On cannot be confirmed.", "Look at it.") and body["cause"]


async def test_a_token_for_what_is_not_there_is_a_404_and_asks_nobody(hub, agent) -> None:
    """With the nearest name; bad shapes are a 422."""
    for more, near in (
        ({"name": "onn"}, "on"),
        ({"thing": "bensh"}, "bench"),
        ({"kind": "action", "name": "ru"}, "run"),
    ):
        answer = await hub.client.post("/api/confirmations", json={**WRITE, **more})
        assert answer.status_code == 404 and answer.json()["nearest"] == near, answer.text
    for more in ({"kind": "event"}, {"node": 3}, {"extra": 1}):
        assert (await hub.client.post("/api/confirmations", json={**WRITE, **more})).status_code == 422
    assert agent.to_confirm == []


async def test_a_token_of_a_node_that_is_away_is_a_503(hub, agent, bus_server, until) -> None:
    """Said at once: when nobody listens, when its silence is known, and when the bus is down."""
    await agent.die()
    answer = await hub.client.post("/api/confirmations", json=WRITE)
    assert answer.status_code == 503 and "nobody listens" in answer.json()["cause"].lower(), answer.text
    await until(lambda: hub.site.directory.node("pi").life == "away", "the node is away")
    answer = await hub.client.post("/api/confirmations", json=WRITE)
    assert answer.status_code == 503 and answer.json()["type"].endswith("node-away")
    bus_server.stop()
    await until(lambda: not hub.site.link_up, "the hub sees it")
    answer = await hub.client.post("/api/confirmations", json=WRITE)
    assert answer.status_code == 503 and answer.json()["type"].endswith("bus-down")


async def test_a_property_tells_whether_it_may_be_switched(hub, agent, until) -> None:
    """A bare flag or true; without it the answer is as short as ever."""
    path = "/api/things/pi/bench/properties/on"
    plain = (await hub.client.get(path)).json()
    assert "may" not in plain and plain["accepted_time"] == 0 and plain["differs_since"] == 0
    free = (await hub.client.get(f"{path}?explain")).json()
    assert free["may"] is True and free["why_not"] == [] and free["confirm"] == "" and free["value"] == plain["value"]
    bar = Bar(rule="interlock", text="interlock of bench.on: pump is off", remedy="Turn the pump on", until=9)
    agent.bars["bench"] = {"on": bar}
    await agent.state()
    await until(lambda: hub.site.directory.thing(next(iter(hub.site.directory))).bars, "the bar is known")
    for query in ("?explain", "?explain=1", "?explain=true", "?explain=yes"):
        body = (await hub.client.get(path + query)).json()
        (reason,) = body["why_not"]
        assert body["may"] is False and (reason["rule"], reason["text"]) == ("interlock", bar.text)
        assert (reason["remedy"], reason["until"], reason["holder"]) == ("Turn the pump on", 9, "")
    assert "may" not in (await hub.client.get(f"{path}?explain=false")).json()
    assert (await hub.client.get(f"{path}?explain=perhaps")).status_code == 400
    read_only = (await hub.client.get("/api/things/pi/bench/properties/temperature?explain")).json()
    assert read_only["why_not"][0]["rule"] == "read-only"


async def test_an_action_tells_whether_it_may_be_called(hub, agent, until) -> None:
    """With its description; a node that has left is the reason."""
    path = "/api/things/pi/bench/actions/run"
    assert (await hub.client.get(path)).json()["timeout"] == 0.5
    free = (await hub.client.get(f"{path}?explain")).json()
    assert free["may"] is True and free["action"]["name"] == "run"
    answer = await hub.client.get("/api/things/pi/bench/actions/runn?explain")
    assert answer.status_code == 404 and answer.json()["nearest"] == "run"
    await agent.presence(leaving=True)
    await until(lambda: hub.site.directory.node("pi").life == "left", "it has left")
    reasons = (await hub.client.get(f"{path}?explain")).json()["why_not"]
    assert [reason["rule"] for reason in reasons] == ["away"]


async def test_the_openapi_document_knows_the_new_calls(hub) -> None:
    """Paths, bodies and statuses."""
    paths = (await hub.client.get("/api/openapi.json")).json()["paths"]
    lease = paths["/api/stands/{name}/lease"]["post"]
    assert "423" in lease["responses"] and lease["requestBody"]["required"] is True
    assert paths["/api/commands/{id}"]["delete"]["requestBody"]["required"] is False
    write = paths["/api/things/{node}/{thing}/properties/{name}"]
    assert {"423", "428"} <= write["put"]["responses"].keys()
    assert "explain" in [parameter["name"] for parameter in write["get"]["parameters"]]
    assert "/api/confirmations" in paths and "/api/nodes/{node}/lanes" in paths
