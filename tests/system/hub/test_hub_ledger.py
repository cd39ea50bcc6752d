"""The ledger over REST: found by everything that was asked, page by page, and each line with its story."""

from __future__ import annotations

import asyncio
from typing import Any

from pilothouse.bus.messages import End, Made, Outcome, Outcomes, Why
from pilothouse.record import Act, Intent
from support.processes import process

T0 = 1_795_000_000_000
KEY = "0192e4a0-key-0001"


def intent(number: int, **fields: Any) -> Intent:
    """A command to switch a fan."""
    usual: dict[str, Any] = {"node": "pi", "thing": "relays", "kind": "property", "name": "fan", "input": True}
    usual |= {"who": "ada", "origin": "page", "reason": "too warm", "made": T0 + number * 1000}
    return Intent(id=f"command-{number:03}", **(usual | fields))


async def ask(hub, query: str = "") -> dict[str, Any]:
    """A page."""
    answer = await hub.client.get(f"/api/ledger{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ids(hub, query: str) -> list[int]:
    """Numbers of the lines of a page."""
    return [int(line["id"][-3:]) for line in (await ask(hub, query))["lines"]]


async def test_filters_of_the_ledger(lonely_hub) -> None:
    """Alone, together, empty; moments as in history."""
    ledger = lonely_hub.site.ledger
    await ledger.intend(intent(1))
    await ledger.intend(intent(2, node="shed", who="bob", origin="api", reason="50 % & more"))
    await ledger.intend(intent(3, kind="action", name="test", input=None))
    await ledger.act(Act(id="command-004", name="lease.take", thing="bench", who="ada", origin="page", made=T0 + 4000))
    await ledger.end(Outcome(id="command-002", node="shed", epoch=1, thing="relays", name="fan", end=End.FAILED))
    for query, wanted in (
        ("", [4, 3, 2, 1]),
        ("?node=&who=&q=&since=", [4, 3, 2, 1]),
        ("?node=shed", [2]),
        ("?thing=relays&node=pi", [3, 1]),
        ("?thing=bench&kind=site", [4]),
        ("?kind=action", [3]),
        ("?name=fan", [2, 1]),
        ("?origin=api", [2]),
        ("?end=open", [3, 1]),
        ("?end=failed&who=bob", [2]),
        ("?q=50%20%25%20%26", [2]),
        (f"?since={T0 + 2000}", [4, 3, 2]),
        (f"?since={T0 + 2000}&until={T0 + 4000}", [3, 2]),
        ("?until=2026-01-01T00:00:00Z", []),
        ("?who=nobody", []),
    ):
        assert await ids(lonely_hub, query) == wanted, query


async def test_a_filter_that_is_none_is_said(lonely_hub) -> None:
    """400 with the nearest right word; 404 for a page before nothing."""
    for query, status, nearest in (
        ("?end=faild", 400, "failed"),
        ("?kind=propertys", 400, "property"),
        ("?since=yesterday", 400, ""),
        ("?until=99999999999999999", 400, ""),
        ("?limit=0", 400, ""),
        ("?before=nothing-there", 404, ""),
    ):
        answer = await lonely_hub.client.get(f"/api/ledger{query}")
        assert answer.status_code == status and answer.json()["nearest"] == nearest, (query, answer.text)


async def test_pages_go_on_until_there_is_nothing_older(lonely_hub) -> None:
    """By `next`, also while new commands come."""
    ledger = lonely_hub.site.ledger
    for number in range(7):
        await ledger.intend(intent(number))
    found, query = [], "?limit=3"
    while True:
        page = await ask(lonely_hub, query)
        found.append([int(line["id"][-3:]) for line in page["lines"]])
        if not page["next"]:
            break
        await ledger.intend(intent(100 + len(found)))
        query = f"?limit=3&before={page['next']}"
    assert found == [[6, 5, 4], [3, 2, 1], [0]]


async def test_a_line_comes_with_its_story(hub, agent) -> None:
    """From who asked to the readback."""
    body = (await hub.set("pi/bench.level", 5, KEY, reason="test")).json()
    line: dict[str, Any] = {}
    while not line.get("end"):
        line = (await hub.client.get(f"/api/ledger/{KEY}")).json()
    assert line["id"] == body["id"] and line["reason"] == "test" and line["later"] == []
    steps = line["story"]
    assert [step["by"] for step in steps] == ["hub", "node", "node", "node"] and all(step["at"] for step in steps)
    assert steps[0]["what"] == "ada asked through the API to set bench.level to 5: “test”."
    assert steps[-1]["what"].startswith("Confirmed: the readback shows 5.")
    assert (await hub.client.get("/api/ledger/nothing-there")).status_code == 404


async def wait_for_line(hub, id: str, test) -> dict[str, Any]:
    """A line once it is as it should be."""
    async with asyncio.timeout(20):
        while True:
            answer = await hub.client.get(f"/api/ledger/{id}")
            if answer.status_code == 200 and test(answer.json()):
                return answer.json()
            await asyncio.sleep(0.01)


async def test_what_a_node_says_after_the_hub_had_given_up_is_added(hub, agent, bus_server) -> None:
    """The hub ended it as unknown; the agent's first word comes afterwards, by the bus and the keeper."""
    agent.scripts["on"] = agent.silent
    answer = await hub.set("pi/bench.on", True, KEY, ttl=0.1)
    assert answer.status_code == 504 and answer.json()["end"] == "unknown"
    await wait_for_line(hub, KEY, lambda line: line["end"] == "unknown")
    outcome = agent.outcome(agent.commands[0], value=True, asked=T0 + 5)
    with process("keeper", bus_server.places.data):
        for _ in range(2):
            lot = Outcomes(node="pi", outcomes=(outcome,))
            await agent.bus.publish(agent.subjects.ledger("pi"), lot)
        line = await wait_for_line(hub, KEY, lambda line: line["later"])
    (truth,) = line["later"]
    assert line["end"] == "unknown" and (truth["end"], truth["value"], truth["asked"]) == ("confirmed", True, T0 + 5)
    assert [step["what"] for step in line["story"]][-2:] == [
        "As the node said later, the device was asked.",
        "Later truth: confirmed; the readback showed true.",
    ]
    again = await hub.set("pi/bench.on", True, KEY, ttl=0.1)
    assert again.json()["end"] == "unknown" and len(agent.commands) == 1


async def test_what_the_agent_did_by_itself_stands_in_the_ledger(hub, agent, bus_server) -> None:
    """With its rule and its reason, and garbage beside it harms nothing."""
    made = Made(kind="property", input=False, origin="max-on", reason="it was on for 20 min", time=T0)
    usual: dict[str, Any] = {"node": "pi", "epoch": 7, "thing": "bench", "name": "on", "value": False}
    usual |= {"accepted": T0, "asked": T0 + 1, "ended": T0 + 2}
    good = Outcome(id="own-00000001", end=End.CONFIRMED, made=made, **usual)
    never = Made(origin="x", reason="", time=2**70)
    bad = Outcome(id="own-00000002", end=End.FAILED, why=Why.DEVICE, made=never, **usual)
    with process("keeper", bus_server.places.data):
        await agent.bus.publish(agent.subjects.ledger("pi"), Outcomes(node="pi", outcomes=(bad, good)))
        line = await wait_for_line(hub, good.id, lambda line: line["end"])
    assert (line["who"], line["origin"], line["input"], line["made"]) == ("guard", "max-on", False, T0)
    assert "by itself" in line["story"][0]["what"] and line["story"][0]["by"] == "node"
    assert [each["id"] for each in (await ask(hub, "?origin=max-on"))["lines"]] == [good.id]
