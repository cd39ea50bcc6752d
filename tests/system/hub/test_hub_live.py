"""The live stream: snapshot, changes, filters, beats, slow readers, and the end."""

from __future__ import annotations

import asyncio
import socket
import time
from urllib.parse import urlsplit

from pilothouse.hub.viewers import FRAMES
from support.viewer import RawViewer


async def test_a_snapshot_comes_first_then_changes(hub, agent) -> None:
    """All nodes and things; then the reading, as a row, with growing ids."""
    viewer = await hub.viewer()
    assert viewer.status == 200 and "text/event-stream" in viewer.headers and "no-store" in viewer.headers
    first = await viewer.frame()
    assert first.name == "snapshot" and first.data["hub"]["link"] is True
    assert [node["node"] for node in first.data["nodes"]] == ["pi"]
    assert [thing["thing"] for thing in first.data["things"]] == ["bench"]
    await agent.read({"temperature": 21.5, "level": 3})
    change = await viewer.frame("change")
    rows = {row[2]: row for row in change.data["values"]}
    assert rows["temperature"][:3] == ["pi", "bench", "temperature"] and rows["temperature"][4:] == [21.5, "good"]
    assert set(change.data) == {"time", "values"} and int(change.id) > int(first.id)
    await viewer.close()


async def test_two_viewers_of_the_same_see_the_same_bytes(hub, agent) -> None:
    """And one that wants other things does not see them."""
    wide, narrow, other = [await hub.viewer(query) for query in ("", "?things=pi/bench", "?things=pi/else")]
    for viewer in (wide, narrow, other):
        snapshot = await viewer.frame("snapshot")
        assert len(snapshot.data["things"]) == (0 if viewer is other else 1)
    await agent.read({"temperature": 1.0})
    assert (await wide.change("values"))[0][4] == (await narrow.change("values"))[0][4] == 1.0
    await agent.presence(notes=("said",))
    assert (await other.frame("change")).data["nodes"][0]["notes"] == ["said"]
    for viewer in (wide, narrow, other):
        await viewer.close()


async def test_health_description_and_ends_are_told(hub, agent) -> None:
    """A thing that fails, a new thing, a command that ended (once, though answer and bus both tell)."""
    viewer = await hub.viewer()
    await agent.state(error="no answer from the board")
    assert (await viewer.change("things"))[0]["health"]["error"] == "no answer from the board"
    agent.things = ("bench", "pump")
    agent.values["pump"] = {}
    await agent.presence()
    await agent.describe("pump")
    assert await viewer.change("described") is True
    answer = await hub.set("pi/bench.on", True)
    ended = await viewer.change("ended")
    assert [(one["id"], one["end"]) for one in ended] == [(answer.json()["id"], "confirmed")]
    await agent.read({"level": 1})
    while True:
        frame = await viewer.frame("change")
        assert "ended" not in frame.data
        if "values" in frame.data:
            break
    await viewer.close()


async def test_it_beats_and_comments(hub, agent) -> None:
    """A beat at least every 3 s."""
    viewer = await hub.viewer()
    async with asyncio.timeout(3.5):
        beat = await viewer.frame("beat")
    assert beat.data["time"] > 0
    await viewer.close()


async def test_a_lost_link_and_its_return_are_told(hub, agent, bus_server) -> None:
    """Within a second or so; nodes turn away, and are right again afterwards without a reload."""
    viewer = await hub.viewer()
    bus_server.kill()
    async with asyncio.timeout(3):
        assert (await viewer.change("hub"))["link"] is False
    bus_server.start()
    async with asyncio.timeout(5):
        while (await viewer.change("hub"))["link"] is not True:
            pass
    await agent.bus.until_up()
    await agent.read({"level": 9})
    assert (await viewer.change("values"))[0][4] == 9
    await viewer.close()


async def test_a_dead_node_is_seen_within_six_seconds(hub, agent) -> None:
    """Silence for 5 s is "away"."""
    viewer = await hub.viewer()
    await agent.die()
    died = time.monotonic()
    while True:
        nodes = await viewer.change("nodes")
        if nodes[0]["life"] == "away":
            break
    assert time.monotonic() - died <= 6.0
    await viewer.close()


async def test_a_bad_filter_is_a_400(hub) -> None:
    """A problem, and no stream."""
    for query in ("?things=nonsense", "?things=Pi/Bench", "?things=" + ",".join(f"a/t{n}" for n in range(1001))):
        answer = await hub.client.get(f"/api/live{query}")
        assert answer.status_code == 400 and answer.json()["detail"], query
    assert hub.live.viewers == 0


async def test_only_get_opens_a_stream(hub) -> None:
    """405 for others, and HEAD does not hang."""
    assert (await hub.client.post("/api/live")).status_code == 405
    assert (await hub.client.head("/api/live")).status_code == 405


async def test_a_viewer_that_leaves_is_forgotten_with_its_tasks(hub, agent, until) -> None:
    """By hanging up in order and by a reset."""
    tasks = len(asyncio.all_tasks())
    viewers = [await hub.viewer() for _ in range(20)]
    for viewer in viewers:
        await viewer.frame("snapshot")
    assert hub.live.viewers == 20
    for number, viewer in enumerate(viewers):
        if number % 2:
            viewer.writer.transport.abort()
        else:
            viewer.writer.close()
    await until(lambda: hub.live.viewers == 0, "all viewers are gone")
    await until(lambda: len(asyncio.all_tasks()) <= tasks, "their tasks are gone")


def deaf(url: str, token: str) -> socket.socket:
    """A connection that asks for the stream and reads nothing."""
    parts = urlsplit(url)
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect((parts.hostname, parts.port))
    made.sendall(f"GET /api/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    return made


async def test_two_hundred_slow_readers_cost_little_and_then_get_a_fresh_snapshot(hub, agent, until) -> None:
    """Queues stay at their bound, others are not held up, and who reads again sees the newest at once."""
    sockets = [deaf(hub.url, hub.token) for _ in range(200)]
    try:
        await _flood_and_look(hub, agent, until, sockets)
    finally:
        for slow in sockets:
            slow.close()
    await until(lambda: hub.live.viewers == 0, "all are gone")


async def _flood_and_look(hub, agent, until, sockets: list[socket.socket]) -> None:
    quick = await hub.viewer()
    await until(lambda: hub.live.viewers == 201, "all are there")
    for number in range(300):
        await agent.read({"label": f"{number:04d}" + "x" * 4000})
        assert (await quick.change("values"))[0][4].startswith(f"{number:04d}")
    viewers = [viewer for audience in hub.live.audiences for viewer in audience]
    assert all(len(viewer) <= FRAMES for viewer in viewers)
    assert sum(viewer.behind for viewer in viewers) >= 190
    for slow in sockets[:3]:
        slow.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=slow, limit=1 << 20)
        viewer = RawViewer(reader, writer)
        await reader.readuntil(b"\r\n\r\n")
        frames = [await viewer.frame()]
        while not (frames[-1].name == "snapshot" and len(frames) > 1):
            frames.append(await viewer.frame())
        newest = frames[-1].data["things"][0]["properties"]["label"]["value"]
        assert newest.startswith("0299"), "the fresh snapshot has the newest"
        assert len(frames) < 290, "what was too much was dropped"
        await viewer.close()
    await quick.close()


async def test_all_streams_end_within_a_second_when_the_hub_stops(start_hub, tmp_path, until) -> None:
    """In order for readers; deaf ones are let go too."""
    async with start_hub(tmp_path / "alone") as hub:
        viewers = [await hub.viewer() for _ in range(10)]
        sockets = [deaf(hub.url, hub.token) for _ in range(10)]
        await until(lambda: hub.live.viewers == 20, "all are there")
        stopped = time.monotonic()
    assert time.monotonic() - stopped < 1.0
    for viewer in viewers:
        assert (await viewer.frame("snapshot")) is not None
        assert await viewer.frame() is None
        await viewer.close()
    for slow in sockets:
        slow.close()
