"""Stop, from the hub's side: sent at once, held to by every node and hub, lifted with a reason."""

from __future__ import annotations

import asyncio
import sqlite3

from pilothouse.bus.messages import Latch, StopOrder, Stopped

T0 = 1_795_000_000_000


async def press(hub, **body: object) -> dict:
    """Press stop and have it sent."""
    answer = await hub.client.post("/api/stop", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def lift(hub, **body: object) -> dict:
    """Lift with a reason."""
    answer = await hub.client.post("/api/stop/lift", json={"reason": "mended", **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def now(hub) -> dict:
    """Which stops hold."""
    return (await hub.client.get("/api/stop")).json()


async def names(hub) -> list[str]:
    """Names of the lines of the ledger, newest first."""
    return [line.name for line in await hub.site.ledger.lines()]


async def settled(hub, until, count: int) -> list:
    """The lines of the ledger, once there are so many."""
    found: list = []

    async def look() -> None:
        while len(found) < count:
            found[:] = await hub.site.ledger.lines()
            await asyncio.sleep(0.01)

    await asyncio.wait_for(look(), 15)
    return found


def latch(id: str = "stop-0001", time: int = T0) -> Latch:
    """A stop that somebody pressed elsewhere."""
    return Latch(id=id, kind="hard", time=time, who="eve", origin="bus", reason="by hand")


async def test_a_stop_is_answered_by_every_node_and_stands_everywhere(hub, agent, start_agent, until) -> None:
    """In the answer, in the nodes, in the record, in the ledger; and it holds until it is lifted."""
    async with start_agent("pi2") as other:
        await until(lambda: len(hub.site.directory.nodes()) == 2, "both nodes are known")
        other.mistakes = ("bath may not be safe: its driver does not answer",)
        pressed = await press(hub, reason="smoke")
        assert [node["node"] for node in pressed["nodes"]] == ["pi", "pi2"] and pressed["silent"] == []
        assert pressed["nodes"][0]["outputs"] == 2 and pressed["nodes"][1]["mistakes"] == list(other.mistakes)
        assert pressed["kind"] == "hard" and pressed["note"] == ""
        assert list(agent.stops) == list(other.stops) == [pressed["id"]]
        await until(lambda: not hub.site.holding.missing(hub_nodes(hub)), "the nodes say that they obey")
        held = await now(hub)
        (stop,) = held["stops"]
        assert (stop["id"], stop["who"], stop["reason"]) == (pressed["id"], "ada", "smoke")
        assert stop["nodes"] == ["pi", "pi2"] and held["missing"] == []
        lifted = await lift(hub)
        assert lifted["lifted"] == [pressed["id"]] and lifted["still"] == [] and lifted["silent"] == []
        assert agent.stops == other.stops == {}
    assert (await now(hub))["stops"] == []
    lines = await settled(hub, until, 2)
    assert [(line.name, line.kind, line.end, line.who, line.origin, line.reason) for line in lines] == [
        ("lift", "site", "confirmed", "ada", "api", "mended"),
        ("stop", "site", "confirmed", "ada", "api", "smoke"),
    ]
    assert lines[1].id == pressed["id"] and lines[0].input == {"stops": [pressed["id"]]}


def hub_nodes(hub) -> dict:
    """What nodes say they obey."""
    return {view.node: view.stops for view in hub.site.directory.nodes()}


async def test_stop_needs_no_body(hub, agent) -> None:
    """`curl -X POST` is enough."""
    answer = await hub.client.post("/api/stop")
    assert answer.status_code == 200 and answer.json()["kind"] == "hard"
    assert [order.kind for order in agent.orders] == ["hard"]


async def test_a_safe_end_says_so(hub, agent) -> None:
    """To the nodes and in the ledger."""
    pressed = await press(hub, kind="end")
    assert [order.kind for order in agent.orders] == ["end"] and pressed["kind"] == "end"
    assert await names(hub) == ["safe-end"]


async def test_what_cannot_be_read_stops_nothing_and_says_how_to(hub, agent) -> None:
    """A slip in the body is told; nothing was sent."""
    for content, status in ((b'{"kind": "ende"}', 422), (b"{", 400), (b'{"reasons": ""}', 422)):
        headers = {"Content-Type": "application/json"}
        answer = await hub.client.post("/api/stop", content=content, headers=headers)
        assert answer.status_code == status and "without a body" in answer.json()["remedy"], answer.text
    assert agent.orders == [] and hub.site.holding.latches == ()
    assert (await hub.stranger.post("/api/stop")).status_code == 401


async def test_a_lift_needs_a_reason_and_names_what_there_is(hub, agent) -> None:
    """422 and 404; the stop holds on. A second lift says that it was lifted already."""
    pressed = await press(hub)
    for body, status in (({}, 422), ({"reason": " "}, 422), ({"reason": "x", "stops": ["no-such-stop"]}, 404)):
        answer = await hub.client.post("/api/stop/lift", json=body)
        assert answer.status_code == status and answer.json()["detail"], answer.text
    assert list(agent.stops) == [pressed["id"]]
    await lift(hub, stops=[pressed["id"]])
    again = await lift(hub, stops=[pressed["id"]])
    assert again["lifted"] == [] and "already" in again["note"]


async def test_a_lift_lifts_only_what_it_names(hub, agent) -> None:
    """A stop that was pressed meanwhile holds, and the answer says so."""
    first, second = await press(hub), await press(hub, kind="end")
    lifted = await lift(hub, stops=[first["id"]])
    assert lifted["lifted"] == [first["id"]] and lifted["still"] == [second["id"]]
    assert list(agent.stops) == [second["id"]]


async def test_a_node_that_does_not_answer_is_named_and_told_again(hub, agent, until) -> None:
    """Until it says that it obeys."""
    agent.deaf = True
    pressed = await press(hub)
    assert pressed["nodes"] == [] and pressed["silent"] == ["pi"]
    assert (await now(hub))["missing"] == ["pi"]
    agent.deaf = False
    await until(lambda: list(agent.stops) == [pressed["id"]], "it was told again")
    assert agent.orders[0].node == "pi"
    await until(lambda: hub.site.directory.node("pi").stops, "it says that it obeys")
    assert (await now(hub))["missing"] == []


async def test_a_node_that_comes_late_is_stopped_too(hub, agent, start_agent, until) -> None:
    """Stopped before it came, lifted while it was away."""
    pressed = await press(hub)
    async with start_agent("pi2") as other:
        await until(lambda: list(other.stops) == [pressed["id"]], "the new node is stopped")
    await until(lambda: hub.site.directory.node("pi2").life != "here", "it is away")
    await lift(hub)
    async with start_agent("pi2", epoch=8) as other:
        other.stops = {pressed["id"]: latch(pressed["id"])}
        await until(lambda: other.orders and not other.stops, "it is let go")
        assert [order.kind for order in other.orders] == ["lift"] and other.orders[0].node == "pi2"
        assert agent.stops == {}


async def test_nodes_are_not_flooded(hub, agent, until) -> None:
    """One that never obeys is told now and then, not with every look."""
    agent.deaf = True
    await press(hub)
    heard: list[StopOrder] = []

    async def take(_: str, order: StopOrder) -> Stopped | None:
        heard.append(order)
        return None

    serving = await agent.bus.serve(agent.subjects.stop(), StopOrder, take)
    beats = agent.bus.clock.mono()
    await until(lambda: len(heard) >= 2, "it was told twice")
    assert agent.bus.clock.mono() - beats >= 1500
    await serving.close()


async def test_a_stop_that_a_node_holds_is_adopted_and_spread(hub, agent, start_agent, until) -> None:
    """It was pressed where no hub could hear it; the record and the other nodes learn of it."""
    async with start_agent("pi2") as other:
        await until(lambda: len(hub.site.directory.nodes()) == 2, "both nodes are known")
        agent.stops = {"stop-0001": latch()}
        await until(lambda: "stop-0001" in other.stops, "the other node is stopped")
        assert other.stops["stop-0001"] == latch() and hub.site.holding.latches == (latch(),)
        (line,) = await settled(hub, until, 1)
        assert (line.id, line.name, line.who, line.origin, line.made) == ("stop-0001", "stop", "eve", "bus", T0)


async def test_a_stop_on_the_bus_is_seen_by_the_hub(hub, agent, until) -> None:
    """Pressed and lifted by another program: shown, written down, and gone again."""
    subject = agent.subjects.stop()
    order = StopOrder(kind="hard", id="stop-0001", time=T0, who="eve", origin="bus", reason="by hand")
    await agent.bus.publish(subject, order)
    await until(lambda: hub.site.holding.latches == (latch(),), "the hub knows")
    await settled(hub, until, 1)
    lifting = StopOrder(kind="lift", id="lift-0001", time=T0 + 5, who="eve", origin="bus", lifts=("stop-0001",))
    await agent.bus.publish(subject, lifting)
    await until(lambda: hub.site.holding.latches == (), "the hub knows that it was lifted")
    lines = await settled(hub, until, 2)
    assert [(line.id, line.name) for line in lines] == [("lift-0001", "lift"), ("stop-0001", "stop")]
    await agent.bus.publish(subject, order)
    assert (await press(hub))["id"] != "stop-0001"
    assert [each.id for each in hub.site.holding.latches] != ["stop-0001"]


async def test_every_browser_of_every_hub_sees_it_at_once(hub, agent, start_hub, bus_server, until) -> None:
    """Pressed at one hub, lifted at the other; both say so on the live stream."""
    async with start_hub(bus_server.places.data) as other:
        await until(lambda: other.site.link_up, "the other hub's link")
        viewers = [await hub.viewer(), await other.viewer()]
        for viewer in viewers:
            snapshot = await viewer.frame("snapshot")
            assert snapshot.data["hub"]["stops"] == [] and snapshot.data["stands"] == [] == snapshot.data["lanes"]
        pressed = await press(hub, reason="smoke")
        for viewer in viewers:
            (stop,) = (await viewer.change("hub"))["stops"]
            assert (stop["id"], stop["who"], stop["reason"]) == (pressed["id"], "ada", "smoke")
        await lift(other, stops=[pressed["id"]])
        for viewer in viewers:
            assert (await viewer.change("hub"))["stops"] == []
            await viewer.close()
        assert agent.stops == {} and sorted(await names(hub)) == ["lift", "stop"]


async def test_without_a_bus_it_says_so_and_is_sent_when_the_link_is_back(hub, agent, bus_server, until) -> None:
    """503 with what to do at once; it holds, and the node is stopped as soon as it can be told."""
    bus_server.stop()
    await until(lambda: not hub.site.link_up, "the hub sees it")
    answer = await hub.client.post("/api/stop", json={"reason": "smoke"})
    body = answer.json()
    assert answer.status_code == 503 and body["type"].endswith("bus-down"), answer.text
    assert "not sent" in body["detail"] and "no link" in body["cause"].lower() and "bench" in body["remedy"]
    (stop,) = (await now(hub))["stops"]
    assert await names(hub) == ["stop"] and agent.orders == []
    bus_server.start()
    await until(lambda: list(agent.stops) == [stop["id"]], "the node is stopped")
    assert agent.stops[stop["id"]].reason == "smoke"


async def test_what_was_taken_back_before_the_link_is_back_is_not_sent(hub, agent, bus_server, until) -> None:
    """Pressed and lifted while there was no bus: no node ever hears of it."""
    bus_server.stop()
    await until(lambda: not hub.site.link_up, "the hub sees it")
    assert (await hub.client.post("/api/stop")).status_code == 503
    lifted = await lift(hub)
    assert len(lifted["lifted"]) == 1 and "link" in lifted["note"]
    bus_server.start()
    await until(lambda: hub.site.link_up and agent.bus.up, "the links are back")
    pressed = await press(hub)
    assert list(agent.stops) == [pressed["id"]]
    assert {order.kind for order in agent.orders if order.id not in (pressed["id"],)} <= {"lift"}


async def test_a_hub_that_starts_anew_knows_what_holds(start_hub, bus_server, until, start_agent) -> None:
    """From the record alone, before there is a link; and what was lifted before stays lifted."""
    data = bus_server.places.data
    async with start_hub(data) as hub:
        await until(lambda: hub.site.link_up, "the link")
        first = await press(hub)
        await lift(hub)
        second = await press(hub)
    bus_server.stop()
    async with start_hub(data) as hub:
        assert [stop["id"] for stop in (await now(hub))["stops"]] == [second["id"]]
        bus_server.start()
        async with start_agent("pi") as agent:
            agent.stops = {first["id"]: latch(first["id"])}
            await until(lambda: list(agent.stops) == [second["id"]], "the node holds what holds")


async def test_a_lost_record_is_rebuilt_from_the_nodes(start_hub, bus_server, tmp_path, until, start_agent) -> None:
    """A hub with an empty record adopts what the nodes hold; nothing is let go."""
    async with start_agent("pi") as agent:
        agent.stops = {"stop-0001": latch()}
        async with start_hub(bus_server.places.data) as hub:
            await until(lambda: hub.site.holding.latches == (latch(),), "the hub has it from the node")
            await settled(hub, until, 1)
            assert agent.orders == []


async def test_a_record_that_cannot_be_written_does_not_hold_up_a_stop(hub, agent, until, monkeypatch) -> None:
    """Sent and answered, the answer says so, and it is written when the record is back. A lift needs the record."""
    blocker = sqlite3.connect(hub.site.places.ledger, isolation_level=None, timeout=10)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        pressed = await press(hub, reason="smoke")
        assert [node["node"] for node in pressed["nodes"]] == ["pi"] and "record" in pressed["note"]
        assert list(agent.stops) == [pressed["id"]] and len((await now(hub))["stops"]) == 1
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()
    (line,) = await settled(hub, until, 1)
    assert line.id == pressed["id"]


async def test_a_lift_that_cannot_be_written_lifts_nothing(hub, agent, monkeypatch) -> None:
    """503, and it holds."""
    from pilothouse.errors import RecordError

    pressed = await press(hub)

    async def full(*_: object) -> None:
        raise RecordError("The disk is full", remedy="Make room")

    monkeypatch.setattr("pilothouse.record.stops.StopRecord.lift", full)
    answer = await hub.client.post("/api/stop/lift", json={"reason": "mended"})
    assert answer.status_code == 503 and list(agent.stops) == [pressed["id"]]
    assert len((await now(hub))["stops"]) == 1


async def test_a_caller_that_hangs_up_has_stopped_all_the_same(hub, agent, until) -> None:
    """The press goes on without whoever pressed."""
    agent.deaf = True
    asked = asyncio.create_task(hub.client.post("/api/stop"))
    await until(lambda: hub.site.holding.latches, "it holds")
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    agent.deaf = False
    await until(lambda: agent.stops, "the node is stopped")


async def test_ever_more_presses_stay_bounded(hub, agent, until) -> None:
    """Sixteen hold, the newest; the others are lifted in the record too, and every press is in the ledger."""
    ids = [(await press(hub))["id"] for _ in range(20)]
    await until(lambda: len(agent.stops) == 16, "the node lets go of the oldest")
    assert [stop["id"] for stop in (await now(hub))["stops"]] == ids[4:] == list(agent.stops)
    await lift(hub)
    assert agent.stops == {}
    lines = await settled(hub, until, 25)
    assert sum(line.name == "stop" for line in lines) == 20
    assert [line.latch.id for line in await stops_of_record(hub)] == []


async def stops_of_record(hub) -> list:
    """What holds in the record."""
    from pilothouse.record import StopRecord

    return await StopRecord(hub.site.ledger.database).active()


async def test_presence_stops_lanes_and_bars_are_on_the_live_stream(hub, agent) -> None:
    """Each in its place of the frames."""
    from pilothouse.bus.messages import Call, LaneView
    from pilothouse.model import Bar

    viewer = await hub.viewer("?things=pi/bench")
    await viewer.frame("snapshot")
    lane = LaneView(name="serial", things=("bench",), running=Call(thing="bench", label="writing on", since=T0))
    await agent.say_lanes(lane)
    (lanes,) = await viewer.change("lanes")
    assert lanes["node"] == "pi" and lanes["lanes"][0]["running"]["label"] == "writing on"
    agent.bars["bench"] = {"on": Bar(rule="interlock", text="pump is off")}
    await agent.state()
    (thing,) = await viewer.change("things")
    assert thing["bars"] == {"on": {"rule": "interlock", "text": "pump is off", "remedy": "", "until": 0}}
    answer = await hub.client.get("/api/things/pi/bench")
    assert answer.json()["bars"]["on"]["text"] == "pump is off"
    pressed = await press(hub)
    while not (nodes := await viewer.change("nodes"))[0]["stops"]:
        pass
    assert [stop["id"] for stop in nodes[0]["stops"]] == [pressed["id"]]
    await viewer.close()
    viewer = await hub.viewer()
    snapshot = (await viewer.frame("snapshot")).data
    assert snapshot["lanes"] == [lanes] and snapshot["things"][0]["bars"] == thing["bars"]
    assert snapshot["hub"]["stops"][0]["id"] == pressed["id"] == snapshot["nodes"][0]["stops"][0]["id"]
    await viewer.close()
