"""The way down: every way in which a command can end, seen by whoever sent it and in the ledger."""

from __future__ import annotations

import asyncio

from pilothouse.bus.messages import End, Why
from pilothouse.record.rows import Line


async def line_of(hub, until, id: str) -> Line:
    """The line of a command once it has an end."""
    found: list[Line | None] = [None]

    async def look() -> bool:
        found[0] = await hub.site.ledger.line(id)
        return found[0] is not None and found[0].end != ""

    for _ in range(400):
        if await look():
            break
        await asyncio.sleep(0.01)
    assert found[0] is not None
    return found[0]


async def test_a_write_is_confirmed_and_stands_in_the_ledger(hub, agent, until) -> None:
    """200 with the readback; the line says who, through what, why, and the end."""
    answer = await hub.set("pi/bench.level", 42.5, reason="test of the path")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["end"] == "confirmed" and body["value"] == 42.5 and body["node"] == "pi" and body["took_ms"] > 0
    (command,) = agent.commands
    assert command.id == body["id"] and command.who == "ada" and command.origin == "api" and command.epoch == 7
    line = await line_of(hub, until, body["id"])
    assert (line.end, line.input, line.reason, line.who) == ("confirmed", 42.5, "test of the path", "ada")


async def test_the_intent_is_on_the_disk_before_the_bus_sees_the_command(hub, agent, until) -> None:
    """When the agent is asked, the ledger has the open line already."""
    seen = []

    async def look(command):
        seen.append(await hub.site.ledger.line(command.id))
        return agent.outcome(command)

    agent.scripts["on"] = look
    assert (await hub.set("pi/bench.on", True)).status_code == 200
    assert seen[0] is not None and seen[0].end == ""


ENDS = [
    (End.REFUSED, Why.INPUT, 422),
    (End.REFUSED, Why.MISSING, 404),
    (End.REFUSED, Why.READ_ONLY, 409),
    (End.REFUSED, Why.RIGHTS, 403),
    (End.REFUSED, Why.AWAY, 503),
    (End.REFUSED, Why.EPOCH, 503),
    (End.REFUSED, Why.BUSY, 409),
    (End.REFUSED, Why.STOPPING, 503),
    (End.REFUSED, Why.INTERLOCK, 409),
    (End.REFUSED, Why.GUARD, 409),
    (End.REFUSED, Why.STOPPED, 409),
    (End.REFUSED, Why.CANCELLED, 409),
    (End.REFUSED, Why.LEASE, 423),
    (End.REFUSED, Why.CONFIRM, 428),
    (End.FAILED, Why.DEVICE, 502),
    (End.FAILED, Why.READBACK, 502),
    (End.EXPIRED, Why.TIME, 504),
    (End.UNKNOWN, Why.TIME, 504),
]


async def test_every_end_has_its_status_and_tells_cause_and_remedy(hub, agent, until) -> None:
    """What the agent says is what the person gets, as one JSON shape, and what the ledger keeps."""
    for end, why, status in ENDS:
        agent.scripts["on"] = agent.always(end, why, "the relay is stuck", "knock on it")
        answer = await hub.set("pi/bench.on", True)
        body = answer.json()
        assert answer.status_code == status == body["status"], (end, why)
        assert answer.headers["content-type"] == "application/problem+json"
        assert (body["end"], body["why"]) == (end.value, why.value)
        assert (body["detail"], body["remedy"]) == ("the relay is stuck", "knock on it")
        assert body["title"] and body["type"].startswith("urn:pilothouse:problem:") and body["cause"]
        assert (await line_of(hub, until, body["id"])).end == end.value


async def test_an_action_is_called_with_its_input(hub, agent) -> None:
    """POST; the value is what the action gave."""
    answer = await hub.client.post("/api/things/pi/bench/actions/run", json={"input": {"seconds": 3}})
    assert answer.status_code == 200 and answer.json()["value"] == {"seconds": 3}
    assert agent.commands[0].kind == "action" and agent.commands[0].input == {"seconds": 3}


async def test_what_is_not_there_is_a_404_with_the_nearest_name_and_no_line(hub, agent) -> None:
    """Node, thing, property and action."""
    for path, right in (
        ("/api/things/pii/bench/properties/on", "pi"),
        ("/api/things/pi/bensh/properties/on", "bench"),
        ("/api/things/pi/bench/properties/levle", "level"),
    ):
        answer = await hub.client.put(path, json={"value": 1})
        assert answer.status_code == 404 and answer.json()["nearest"] == right, answer.text
    answer = await hub.client.post("/api/things/pi/bench/actions/runn", json={})
    assert answer.status_code == 404 and answer.json()["nearest"] == "run"
    assert await hub.site.ledger.lines() == [] and agent.commands == []


async def test_a_node_that_is_away_is_said_at_once(hub, agent, until) -> None:
    """503, refused and away, in the ledger too; both when silence is known and when nobody listens."""
    await agent.die()
    answer = await hub.set("pi/bench.on", True)
    assert answer.status_code == 503, answer.text
    body = answer.json()
    assert (body["end"], body["why"]) == ("refused", "away") and "away" in body["detail"]
    assert (await line_of(hub, until, body["id"])).why == "away"
    await until(lambda: hub.site.directory.node("pi").life == "away", "the node is away")
    answer = await hub.set("pi/bench.on", True)
    assert answer.status_code == 503 and answer.json()["why"] == "away"
    assert agent.commands == []


async def test_silence_is_unknown_after_the_time_to_live(hub, agent, until) -> None:
    """504; nobody can say, and the ledger says so."""
    agent.scripts["on"] = agent.silent
    answer = await hub.set("pi/bench.on", True, ttl=0.1)
    assert answer.status_code == 504
    body = answer.json()
    assert (body["end"], body["why"]) == ("unknown", "time") and body["remedy"]
    assert (await line_of(hub, until, body["id"])).end == "unknown"


async def test_a_bus_that_is_down_refuses_and_nothing_is_sent_later(hub, agent, bus_server, until) -> None:
    """503 at once; after the link is back the device was not asked."""
    bus_server.stop()
    await until(lambda: not hub.site.link_up, "the hub sees it")
    answer = await hub.set("pi/bench.on", True)
    assert answer.status_code == 503 and answer.json()["why"] == "away", answer.text
    assert (await hub.stranger.get("/healthz")).json() == {"status": "degraded", "bus": False, "record": True}
    bus_server.start()
    await until(lambda: hub.site.link_up and agent.bus.up, "the links are back")
    await agent.bus.link.settle()
    assert (await hub.set("pi/bench.level", 1.0)).status_code == 200
    assert [command.name for command in agent.commands] == ["level"]


KEY = "0192e4a0-key-0001"


async def test_the_same_key_is_done_once_and_answered_twice(hub, agent) -> None:
    """The second answer is the first one's, and says that it is."""
    first = await hub.set("pi/bench.level", 5, KEY)
    again = await hub.set("pi/bench.level", 5, KEY)
    assert first.status_code == again.status_code == 200 and first.json() == again.json()
    assert "idempotency-replayed" not in first.headers and again.headers["idempotency-replayed"] == "true"
    assert len(agent.commands) == 1


async def test_the_same_key_while_it_is_on_its_way_waits_for_the_same_end(hub, agent) -> None:
    """Twenty at once, one command."""
    agent.scripts["level"] = agent.slow(0.2)
    answers = await asyncio.gather(*(hub.set("pi/bench.level", 5, KEY) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200} and len(agent.commands) == 1
    assert len({answer.content for answer in answers}) == 1


async def test_the_same_key_for_something_else_is_refused(hub, agent) -> None:
    """422 for another value, property or kind; true is not 1."""
    assert (await hub.set("pi/bench.level", 1, KEY)).status_code == 200
    for series, value in (("pi/bench.level", 2), ("pi/bench.on", 1), ("pi/bench.level", True)):
        answer = await hub.set(series, value, KEY)
        assert answer.status_code == 422 and answer.json()["type"].endswith("key-reused"), answer.text
    assert len(agent.commands) == 1


async def test_a_key_whose_line_never_got_an_end_is_unknown(hub, agent, start_hub, bus_server, until) -> None:
    """As after a hub that was killed: the second call waits its time to live and says unknown; nothing is sent."""
    agent.scripts["on"] = agent.silent
    asked = asyncio.create_task(hub.set("pi/bench.on", True, KEY, ttl=5))
    await until(lambda: agent.commands, "the command came")
    async with start_hub(bus_server.places.data) as other:
        await until(lambda: other.site.link_up and list(other.site.directory), "the other hub knows the thing")
        answer = await other.set("pi/bench.on", True, KEY, ttl=0.2)
        # The token of the other hub belongs to the same person.
        assert answer.status_code == 504 and answer.json()["end"] == "unknown", answer.text
        assert answer.headers["idempotency-replayed"] == "true"
    assert len(agent.commands) == 1
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)


async def test_a_caller_that_hangs_up_changes_nothing(hub, agent, until) -> None:
    """The command goes on and its end is written down."""
    agent.scripts["level"] = agent.slow(0.3)
    asked = asyncio.create_task(hub.set("pi/bench.level", 7, KEY))
    await until(lambda: agent.commands, "the command came")
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    assert (await line_of(hub, until, KEY)).end == "confirmed"


async def test_two_hundred_at_once_all_end_and_stand_in_the_ledger(hub, agent) -> None:
    """None lost, none double."""
    answers = await asyncio.gather(*(hub.set("pi/bench.level", number % 100) for number in range(200)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({command.id for command in agent.commands}) == len(agent.commands) == 200
    lines = await hub.site.ledger.lines(limit=1000)
    assert len(lines) == 200 and {line.end for line in lines} <= {"confirmed", ""}


async def test_a_record_that_cannot_be_written_sends_nothing(hub, agent, monkeypatch) -> None:
    """503; the device is not asked."""
    from pilothouse.errors import RecordError

    async def full(intent):
        raise RecordError("The disk is full", remedy="Make room")

    monkeypatch.setattr(hub.site.ledger, "intend", full)
    answer = await hub.set("pi/bench.on", True)
    assert answer.status_code == 503 and "not sent" in answer.json()["detail"] and agent.commands == []
    assert (await hub.stranger.get("/healthz")).json()["record"] is False


async def test_a_bad_key_is_a_400(hub, agent) -> None:
    """Before anything is written."""
    for key in ("short", "a b c d e f g", "x" * 65, "ü" * 10):
        headers = {"Idempotency-Key": key.encode()}
        answer = await hub.client.put("/api/things/pi/bench/properties/on", json={"value": True}, headers=headers)
        assert answer.status_code == 400, key
    assert agent.commands == []
