"""Stands and their leases: over REST, on the bus, in the ledger, and with two hubs that want the same at once."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import httpx2
import pytest

from pilothouse.bus import Subjects, WrongRevision, streams
from pilothouse.bus.messages import StandLease
from pilothouse.config.site import Config, NodeConfig, StandConfig
from pilothouse.model import Address
from pilothouse.record.rows import Wanted

BENCH = StandConfig(things=("bench",), title="The bench", doc="ask ada", lease="30m")
SUBJECT = Subjects("home").stand("bench")
LEASES = streams("home")["lease"]


def config(stands: dict[str, StandConfig] | None = None) -> Config:
    """A site with stands; one named "bench" unless said."""
    return Config(node=NodeConfig(name="pi"), stands={"bench": BENCH} if stands is None else stands)


@pytest.fixture
def stand_hub(bus_server, start_hub, until) -> Callable[..., contextlib.AbstractAsyncContextManager[Any]]:
    """`async with stand_hub() as hub`: a hub that has brought its stands to the bus."""

    @contextlib.asynccontextmanager
    async def start(stands: dict[str, StandConfig] | None = None) -> AsyncIterator[Any]:
        async with start_hub(bus_server.places.data, config(stands)) as hub:
            await until(lambda: hub.site.link_up, "the hub's link")
            brought = hub.site.stands
            await until(lambda: brought._brought, "the stands are brought")
            yield hub

    return start


@contextlib.asynccontextmanager
async def person(hub: Any, who: str) -> AsyncIterator[Callable[..., Awaitable[httpx2.Response]]]:
    """`async with person(hub, "bob") as bob`: then `await bob("take")`."""
    client = await hub.program(who)

    async def lease(do: str, **more: Any) -> httpx2.Response:
        return await client.post("/api/stands/bench/lease", json={"do": do, **more})

    yield lease


def holds(hub: Any, who: str) -> bool:
    """Whether the hub knows that somebody holds the stand."""
    return bool(hub.site.stands.view("bench").holder == who)


async def acts(hub: Any) -> list[tuple[str, str, str]]:
    """(name, who, reason) of all acts on the stand in the ledger, oldest first."""
    lines = (await hub.site.ledger.page(Wanted(kind="site"), limit=1000)).lines
    assert {(line.thing, line.end) for line in lines} <= {("bench", "confirmed")}
    return [(line.name, line.who, line.reason) for line in reversed(lines)]


async def test_the_stands_of_the_configuration_are_there_and_on_the_bus(stand_hub, connect) -> None:
    """A thing without a node is one of the hub's own node; what is not there has its nearest name."""
    async with stand_hub() as hub:
        body = (await hub.client.get("/api/stands")).json()
        (stand,) = body["stands"]
        assert body["time"] > 0
        assert (stand["stand"], stand["title"], stand["doc"]) == ("bench", "The bench", "ask ada")
        assert (stand["things"], stand["length"], stand["holder"]) == (["pi/bench"], 1800, "")
        assert (await hub.client.get("/api/stands/bench")).json() == stand
        answer = await hub.client.get("/api/stands/bensh")
        assert answer.status_code == 404 and answer.json()["nearest"] == "bench"
        _, kept = await (await connect()).latest(LEASES, SUBJECT, StandLease)
        assert kept is not None and kept.things == ("pi/bench",) and kept.length == 1800


async def test_a_stand_is_taken_asked_for_given_and_released(stand_hub) -> None:
    """Everything that changes a right stands in the ledger, asking and denying do not."""
    async with stand_hub() as hub, person(hub, "bob") as bob, person(hub, "ada") as ada:
        taken = (await ada("take", reason="calibration")).json()
        assert taken["holder"] == "ada" and taken["until"] - taken["since"] == 1_800_000
        answer = await bob("take")
        problem = answer.json()
        assert answer.status_code == 423 and problem["type"].endswith(":lease"), problem
        assert problem["detail"].startswith("Stand bench is held by ada until ") and "Ask ada" in problem["remedy"]
        asked = (await bob("ask", note="after lunch?")).json()
        assert [(one["who"], one["note"]) for one in asked["asks"]] == [("bob", "after lunch?")]
        assert (await ada("deny", to="bob")).json()["asks"] == []
        assert (await bob("ask")).status_code == 200
        given = (await ada("give", to="bob")).json()
        assert (given["holder"], given["last"], given["asks"]) == ("bob", "ada", [])
        assert (await ada("release")).status_code == 423
        forced = await ada("take", force=True)
        assert forced.status_code == 423 and "needs a reason" in forced.json()["cause"]
        assert (await ada("take", force=True, reason="fire drill")).json()["holder"] == "ada"
        assert (await ada("release")).json()["ended"] == "released"
        assert await acts(hub) == [
            ("lease.take", "ada", "calibration"),
            ("lease.give", "ada", ""),
            ("lease.take", "ada", "fire drill"),
            ("lease.release", "ada", ""),
        ]


async def test_bad_bodies_change_nothing(stand_hub) -> None:
    """Unknown acts, unknown fields, too long texts, no such stand."""
    async with stand_hub() as hub, person(hub, "bob") as bob:
        for more in ({"do": "steal"}, {"do": "take", "forse": True}, {"do": "ask", "note": "x" * 201}, {}):
            answer = await hub.client.post("/api/stands/bench/lease", json=more)
            assert answer.status_code == 422, answer.text
        assert (await hub.client.post("/api/stands/x/lease", json={"do": "take"})).status_code == 404
        assert (await bob("give", to="ada")).status_code == 423
        assert await acts(hub) == [] and hub.site.stands.view("bench").holder == ""


async def test_two_hubs_never_give_a_stand_to_two(stand_hub, connect, until) -> None:
    """Twenty people at two hubs at once, three times over: one gets it, the others are told who."""
    async with stand_hub() as one, stand_hub() as other, contextlib.AsyncExitStack() as stack:
        people = {}
        for number in range(20):
            hub = (one, other)[number % 2]
            people[f"p{number}"] = await stack.enter_async_context(person(hub, f"p{number}"))
        bus = await connect()
        for _ in range(3):
            answers = await asyncio.gather(*(lease("take") for lease in people.values()))
            winners = [who for who, answer in zip(people, answers, strict=True) if answer.status_code == 200]
            assert len(winners) == 1, winners
            assert {answer.status_code for answer in answers} == {200, 423}
            _, kept = await bus.latest(LEASES, SUBJECT, StandLease)
            assert kept is not None and kept.holder == winners[0]
            for hub in (one, other):
                await until(partial(holds, hub, winners[0]), "both hubs agree")
            assert (await people[winners[0]]("release")).status_code == 200
        names = [name for name, _, _ in await acts(one)]
        assert names == ["lease.take", "lease.release"] * 3


async def test_a_message_that_the_bus_does_not_keep_is_not_believed(stand_hub, connect, until) -> None:
    """It is delivered to all who listen all the same: what stands on the bus counts."""
    async with stand_hub() as hub, person(hub, "ada") as ada:
        assert (await ada("take")).status_code == 200
        bus = await connect()
        position, kept = await bus.latest(LEASES, SUBJECT, StandLease)
        heard: list[str] = []
        listening = bus.listen(SUBJECT, StandLease)
        loser = StandLease(stand="bench", things=("pi/bench",), holder="eve", left=900.0, length=1800.0)
        with pytest.raises(WrongRevision):
            await bus.replace(SUBJECT, loser, after=position - 1)
        async for _, message in listening:
            heard.append(message.holder)
            break
        assert heard == ["eve"] and kept is not None
        assert (await ada("extend")).status_code == 200
        assert hub.site.stands.view("bench").holder == "ada"


SHORT = {"bench": StandConfig(things=("pi/bench",), lease="1s")}


async def test_a_lease_that_runs_out_is_told_once(stand_hub, connect, until) -> None:
    """Two hubs see it; one writes it to the bus and the ledger. Then anybody takes it."""
    async with (
        stand_hub(SHORT) as one,
        stand_hub(SHORT) as other,
        person(one, "ada") as ada,
        person(other, "bob") as bob,
    ):
        assert (await ada("take")).status_code == 200
        views = [hub.site.stands for hub in (one, other)]
        await until(lambda: all(stands._heard["bench"].lease.ended == "expired" for stands in views), "it is written")
        view = (await other.client.get("/api/stands/bench")).json()
        assert (view["holder"], view["until"], view["last"]) == ("", 0, "ada")
        assert (await bob("take")).json()["holder"] == "bob"
        names = [(name, who) for name, who, _ in await acts(one)]
        assert names[:3] == [("lease.take", "ada"), ("lease.expired", "hub"), ("lease.take", "bob")]


async def test_the_holder_extends_it_by_commanding(stand_hub, start_agent, until) -> None:
    """When less than four fifths are left; not more often, and nobody else's commands do it."""
    stands = {"bench": StandConfig(things=("pi/bench",), lease="4s")}
    async with stand_hub(stands) as hub, start_agent() as agent, person(hub, "ada") as ada:
        await until(lambda: list(hub.site.directory), "the thing is known")
        clock, leases = hub.site.clock, hub.site.stands
        first = (await ada("take")).json()["until"]
        position = leases._heard["bench"].seq
        assert (await hub.set("pi/bench.on", True)).status_code == 200
        assert leases._heard["bench"].seq == position
        await until(lambda: first - clock.now() < 3000, "a quarter is gone")
        leases.used(Address("pi", "bench"), "bob")
        leases.used(Address("pi", "other"), "ada")
        assert not leases._extending
        assert (await hub.set("pi/bench.on", False)).status_code == 200
        await until(lambda: leases.view("bench").until > first, "it lasts longer")
        assert leases.view("bench").holder == "ada" and len(agent.commands) == 2
        assert await acts(hub) == [("lease.take", "ada", "")]


async def test_without_a_link_nothing_changes_and_it_is_said(stand_hub, bus_server, until) -> None:
    """503; what was known is still shown, and it goes on after the link is back."""
    async with stand_hub() as hub, person(hub, "ada") as ada, person(hub, "bob") as bob:
        assert (await ada("take")).status_code == 200
        bus_server.stop()
        await until(lambda: not hub.site.link_up, "the hub sees it")
        answer = await bob("take", force=True, reason="now")
        assert answer.status_code == 503, answer.text
        assert answer.json()["detail"] == "The hub has no link to the bus." and "nothing was changed" in answer.text
        assert (await hub.client.get("/api/stands/bench")).json()["holder"] == "ada"
        bus_server.start()
        await until(lambda: hub.site.link_up, "the link is back")
        assert (await bob("take")).status_code == 423
        assert (await ada("release")).status_code == 200


async def test_the_configuration_is_brought_at_start_and_the_holder_stays(stand_hub, connect) -> None:
    """Other things and another length; a stand that was taken out is everyone's."""
    stands = {"bench": BENCH, "old": StandConfig(things=("x",), required=True)}
    async with stand_hub(stands) as hub, person(hub, "ada") as ada:
        assert (await ada("take")).status_code == 200
    changed = StandConfig(things=("bench", "pi2/pump"), lease="1h", required=True, safe_on_expiry=False)
    async with stand_hub({"bench": changed}) as hub:
        (stand,) = (await hub.client.get("/api/stands")).json()["stands"]
        assert stand["things"] == ["pi/bench", "pi2/pump"] and stand["length"] == 3600 and stand["required"]
        assert stand["holder"] == "ada" and not stand["safe_on_expiry"]
        _, old = await (await connect()).latest(LEASES, Subjects("home").stand("old"), StandLease)
        assert old is not None and old.things == () and not old.required
        assert (await hub.client.get("/api/stands/old")).status_code == 404


async def test_a_hub_brings_back_what_another_one_took_out(stand_hub, until) -> None:
    """Hubs whose configurations differ do not fight: who has the stand keeps it."""
    async with stand_hub() as hub:
        async with stand_hub({}) as other:
            await until(lambda: [view.stand for view in other.site.stands.views()] == ["bench"], "it is back")
        kept = hub.site.stands._heard["bench"].lease
        assert kept.things == ("pi/bench",)


async def test_viewers_are_told_who_holds_it(stand_hub) -> None:
    """In the snapshot, and as it changes."""
    async with stand_hub() as hub, person(hub, "ada") as ada:
        viewer = await hub.viewer()
        snapshot = await viewer.frame("snapshot")
        assert [stand["holder"] for stand in snapshot.data["stands"]] == [""]
        assert (await ada("take")).status_code == 200
        while not (stands := (await viewer.frame("change")).data.get("stands")):
            pass
        assert [(stand["stand"], stand["holder"]) for stand in stands] == [("bench", "ada")]
        await viewer.close()


async def test_a_bus_that_comes_back_empty_gets_the_stands_again(stand_hub, bus_server, connect, until) -> None:
    """Free, for nobody knows who held them; positions there count from 1 again."""
    async with stand_hub() as hub, person(hub, "ada") as ada, person(hub, "bob") as bob:
        for _ in range(3):
            assert (await ada("take")).status_code == 200
        bus_server.stop()
        shutil.rmtree(bus_server.places.bus / "streams")
        bus_server.start()
        heard = hub.site.stands._heard
        await until(lambda: "bench" in heard and heard["bench"].seq == 1, "it is brought again")
        _, kept = await (await connect()).latest(LEASES, SUBJECT, StandLease)
        assert kept is not None and kept.things == ("pi/bench",)
        assert (await bob("take")).json()["holder"] == "bob"
