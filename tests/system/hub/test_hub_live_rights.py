"""The live stream and the record of people: it carries what its viewer may see, and ends with their log-in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pilothouse.bus import Subjects, streams
from pilothouse.bus.messages import StandLease
from pilothouse.clock import SystemClock
from pilothouse.config.site import Config, HubConfig, NodeConfig, StandConfig
from pilothouse.record.people import People
from support.people import known, session_of, token_of
from support.viewer import RawViewer

SOON = 5.0
"""Seconds that a slow machine may take for what is done at once."""
STANDS = {"north": StandConfig(things=("pi/bench",)), "south": StandConfig(things=("pu/oven",))}


@pytest.fixture
async def site(bus_server, start_hub, start_agent, until) -> AsyncIterator[Any]:
    """A hub with two nodes, "pi" with bench and spare, "pu" with oven, and two stands; and the agents."""
    config = Config(node=NodeConfig(name="pi"), stands=STANDS)
    async with (
        start_hub(bus_server.places.data, config) as hub,
        start_agent("pi", things=("bench", "spare")) as hub.pi,
        start_agent("pu", things=("oven",)) as hub.pu,
    ):
        await until(lambda: len(list(hub.site.directory)) == 3, "the things are known")
        brought = hub.site.stands
        await until(lambda: brought._brought and hub.site.link_up, "the stands are brought")
        await until(lambda: all(node.life == "here" for node in hub.site.directory.nodes()), "the nodes are here")
        yield hub


async def watch(hub: Any, who: str, *rights: str, query: str = "") -> RawViewer:
    """The stream of somebody with these rights, in a browser; its snapshot is still to come."""
    return await RawViewer.open(hub.url, "", query, session=await session_of(hub.site.people, who, rights))


async def snapshot(viewer: RawViewer) -> list[str]:
    """The things of the next snapshot."""
    frame = await viewer.frame("snapshot")
    assert frame is not None
    return [f"{thing['node']}/{thing['thing']}" for thing in frame.data["things"]]


async def ended(viewer: RawViewer) -> bool:
    """Whether it is told that its log-in is over, and then ends."""
    async with asyncio.timeout(SOON):
        frame = await viewer.frame("bye")
        return frame is not None and frame.data["why"] == "ended" and await viewer.raw() is None


@contextlib.asynccontextmanager
async def another_process(hub: Any) -> AsyncIterator[People]:
    """The people of the same record, as the command line opens them."""
    people = await People.open(hub.site.places.ledger, SystemClock())
    try:
        yield people
    finally:
        await people.close()


async def test_a_stream_carries_only_what_its_viewer_may_see(site) -> None:
    """Values, health, lanes, stands, ends of commands: of the stand next door there is nothing, not even a name."""
    abe, all_of_it = await watch(site, "abe", "viewer@north"), await watch(site, "eve", "viewer")
    first = await abe.frame("snapshot")
    assert first is not None and [thing["thing"] for thing in first.data["things"]] == ["bench"]
    assert [node["node"] for node in first.data["nodes"]] == ["pi"] and first.data["nodes"][0]["things"] == ["bench"]
    assert [stand["stand"] for stand in first.data["stands"]] == ["north"]
    assert await snapshot(all_of_it) == ["pi/bench", "pi/spare", "pu/oven"]
    for agent, thing in ((site.pu, "oven"), (site.pi, "spare"), (site.pi, "bench")):
        await agent.state(thing, error=f"{thing} does not answer")
        await agent.read({"temperature": 21.5}, thing)
        answer = await site.set(f"{agent.node}/{thing}.on", True)
        assert answer.status_code == 200, answer.text
    texts, frame = [str(first)], first
    while frame.name != "change" or "ended" not in frame.data:
        frame = await abe.frame()
        texts.append(str(frame))
    heard = "".join(texts)
    assert "bench does not answer" in heard and "21.5" in heard
    assert [name for name in ("oven", "spare", "south", "'pu'") if name in heard] == []
    while "bench" not in str(await all_of_it.change("ended")):
        pass
    for viewer in (abe, all_of_it):
        await viewer.close()


async def test_a_hidden_thing_is_asked_for_like_one_that_never_was(site) -> None:
    """The same status, the same first frame, the same silence."""
    frames = []
    for query in ("?things=pu/oven", "?things=pu/never"):
        viewer = await watch(site, "abe", "viewer@north", query=query)
        assert viewer.status == 200
        frame = await viewer.frame("snapshot")
        assert frame is not None and frame.data["things"] == frame.data["lanes"] == []
        frames.append({name: value for name, value in frame.data.items() if name not in ("time", "nodes")})
        await site.pu.read({"temperature": 1.0}, "oven")
        await site.pi.read({"temperature": 2.0}, "bench")
        following = await viewer.frame("beat", "change")
        assert following is not None and "values" not in following.data
        await viewer.close()
    assert frames[0] == frames[1]


async def test_a_stand_that_gets_another_thing_shows_it(site) -> None:
    """Whoever may see the stand sees the thing from then on; what left it they do not see any more."""
    abe = await watch(site, "abe", "viewer@north")
    assert await snapshot(abe) == ["pi/bench"]
    bus, subject = site.site.bus, Subjects("home").stand("north")
    for things in (("pi/bench", "pu/oven"), ("pu/oven",)):
        position, lease = await bus.latest(streams("home")["lease"], subject, StandLease)
        changed = StandLease(stand="north", things=things, length=lease.length, time=site.site.clock.now())
        await bus.replace(subject, changed, after=position)
        assert await snapshot(abe) == list(things)
    await site.pi.read({"temperature": 1.0}, "bench")
    await site.pu.read({"temperature": 2.0}, "oven")
    assert [row[:2] for row in await abe.change("values")] == [["pu", "oven"]]
    await abe.close()


async def test_logging_out_ends_the_streams_of_that_log_in(site) -> None:
    """Of all tabs of the browser; a program of the same person goes on."""
    secret = await session_of(site.site.people, "abe", ["viewer"])
    tabs = [await RawViewer.open(site.url, "", session=secret) for _ in range(2)]
    program = await RawViewer.open(site.url, await token_of(site.site.people, "abe", ["viewer"]))
    for viewer in (*tabs, program):
        await snapshot(viewer)
    headers = {"Cookie": f"ph_session={secret}", "Origin": site.url}
    assert (await site.stranger.post("/logout", headers=headers)).status_code == 303
    assert all(await asyncio.gather(*map(ended, tabs)))
    await site.pi.read({"temperature": 3.0}, "bench")
    assert (await program.change("values"))[0][4] == 3.0
    again = await RawViewer.open(site.url, "", session=secret)
    assert again.status == 401
    for viewer in (*tabs, program, again):
        await viewer.close()


@pytest.mark.parametrize("how", ["disabled", "removed", "password", "token ended"])
async def test_whoever_is_shut_out_elsewhere_sees_nothing_more(site, how: str) -> None:
    """The command line, beside the hub, does it; with a token, the end of the token."""
    people = site.site.people
    await known(people, "root", ["admin"], password=True)
    if how == "token ended":
        secret, row = await people.tokens.make(await known(people, "abe", ["viewer"]), "test", "read")
        viewer = await RawViewer.open(site.url, secret)
    else:
        viewer = await watch(site, "abe", "viewer")
    await snapshot(viewer)
    async with another_process(site) as elsewhere:
        if how == "disabled":
            await elsewhere.persons.set_active("abe", False)
        elif how == "removed":
            await elsewhere.persons.remove("abe")
        elif how == "password":
            await known(elsewhere, "abe", ["viewer"], password=True)
        else:
            assert await elsewhere.tokens.end(row.id)
    assert await ended(viewer)
    await viewer.close()


async def test_other_rights_are_seen_at_once(site) -> None:
    """More, then fewer, then none at all; the stream stays, for an own account is everybody's."""
    abe = await watch(site, "abe", "viewer@north")
    assert await snapshot(abe) == ["pi/bench"]
    people = site.site.people
    for rights, things in (
        (("viewer@north", "operator@pu/*"), ["pi/bench", "pu/oven"]),
        (("viewer@south",), ["pu/oven"]),
        ((), []),
    ):
        await people.persons.set_grants("abe", rights)
        async with asyncio.timeout(SOON):
            assert await abe.frame("rights") is not None
            assert await snapshot(abe) == things
    async with another_process(site) as elsewhere:
        await elsewhere.persons.set_grants("abe", ("viewer",))
    async with asyncio.timeout(SOON):
        assert await abe.frame("rights") is not None
        assert await snapshot(abe) == ["pi/bench", "pi/spare", "pu/oven"]
    await abe.close()


async def test_a_token_never_shows_more_than_it_is_for(site) -> None:
    """One place of its owner's; when that is taken from the owner, nothing."""
    people = site.site.people
    token = await token_of(people, "abe", ["viewer@north", "operator@south"], scope="read", only="south")
    viewer = await RawViewer.open(site.url, token)
    assert await snapshot(viewer) == ["pu/oven"]
    await people.persons.set_grants("abe", ("viewer@north",))
    async with asyncio.timeout(SOON):
        assert await viewer.frame("rights") is not None
        assert await snapshot(viewer) == []
    await viewer.close()


async def test_guests_look_at_their_stand_until_the_link_is_ended(site) -> None:
    """And learn nothing of the processes of the machine."""
    people = site.site.people
    await known(people, "root")
    _, row = await people.guests.make("visitors", "north", by="root", life=3600)
    secret = await people.sessions.start("guest:visitors", "guest", guest_id=row.id)
    viewer = await RawViewer.open(site.url, "", session=secret)
    first = await viewer.frame("snapshot")
    assert first is not None and first.data["hub"]["processes"] == {}
    assert [thing["thing"] for thing in first.data["things"]] == ["bench"]
    await people.guests.end(row.id)
    assert await ended(viewer)
    await viewer.close()


async def test_a_session_is_over_while_somebody_looks_on(bus_server, start_hub) -> None:
    """After its whole life, though nobody does anything. That looking on is use: tests/unit/test_people_watch.py."""
    config = Config(node=NodeConfig(name="pi"), hub=HubConfig(session_life="2s"))
    async with start_hub(bus_server.places.data, config) as hub:
        viewer = await watch(hub, "abe", "viewer")
        assert await snapshot(viewer) == []
        assert await ended(viewer)
        await viewer.close()


async def test_whoever_is_logged_in_as_somebody_else_now_gets_no_stream_for_a_page_from_before(site) -> None:
    """The page asks for whom it was made."""
    viewer = await watch(site, "bob", "viewer", query="?for=bob")
    assert viewer.status == 200
    other = await watch(site, "bob", "viewer", query="?for=abe")
    assert other.status == 409
    for each in (viewer, other):
        await each.close()


async def test_events_and_lines_of_the_ledger_are_of_what_may_be_seen(site) -> None:
    """Through REST, with the same rights as the stream."""
    for series in ("pi/bench.on", "pi/spare.on", "pu/oven.on"):
        assert (await site.set(series, True)).status_code == 200
    abe = await site.person("abe", ["viewer@north"])
    lines = (await abe.get("/api/ledger")).json()["lines"]
    assert [(line["node"], line["thing"]) for line in lines] == [("pi", "bench")]
    for path in ("/api/things/pu/oven", "/api/nodes/pu/lanes", "/api/stands/south"):
        answer, never = await abe.get(path), await abe.get(path.replace("pu", "px").replace("south", "sxuth"))
        assert answer.status_code == never.status_code == 404
        assert "nearest" not in answer.json() or answer.json()["nearest"] in ("", "pi", "north")
