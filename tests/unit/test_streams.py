"""Streams and their audiences: who is sent the same, and what happens when somebody sees other things than before."""

from __future__ import annotations

import asyncio

import pytest

from pilothouse.bus.messages import Latch
from pilothouse.hub.access import Visitor
from pilothouse.hub.directory import Change
from pilothouse.hub.live import Live
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import Site
from pilothouse.model import Address, Reading
from support.seeing import Onlooker, a_site, put_stand, put_things, rights

KILN, PUMP = Address("apple", "kiln"), Address("apple", "pump")


def visitor(who: str, *grants: str, id: str = "s1") -> Visitor:
    """Somebody who logged in on a page."""
    return Visitor(who, "page", rights(*grants), id, "password")


@pytest.fixture
def site() -> Site:
    """A node with two things, one of them in a stand."""
    made = a_site()
    put_things(made, "apple", ["kiln", "pump"])
    put_stand(made, "north", [KILN])
    return made


@pytest.fixture
async def live(site: Site):
    """Its live stream."""
    made = Live(site)
    site.stands.told = made.stands_changed
    yield made
    made.close()


def read(live: Live, address: Address, value: float) -> None:
    """A reading came."""
    live.changed(Change(readings=[(address.node, Reading(address.thing, "x", 5, value))]))


def names(snapshot) -> list[str]:
    """Things of a snapshot."""
    return [thing["thing"] for thing in snapshot["things"]]


async def test_who_sees_the_same_is_one_audience(site: Site, live: Live) -> None:
    """Whatever their rights are called; those who see all are one, too."""
    people = [
        visitor("ada", "viewer@north"), visitor("bob", "operator@apple/kiln", "viewer@north"),
        visitor("eve", "viewer"), visitor("root", "admin"), visitor("gus", "viewer@apple/kiln"),
    ]  # fmt: skip
    async with asyncio.TaskGroup() as group:
        onlookers = [Onlooker(live, each) for each in people]
        for one in onlookers:
            await one.__aenter__()
            await one.until("snapshot")
        assert sorted(len(audience) for audience in live.audiences) == [1, 2, 2], "gus does not see the stand"
        assert live.viewers == 5
        for one in onlookers:
            group.create_task(one.__aexit__())
    assert live.audiences == [] and live.viewers == 0


async def test_nothing_hidden_is_sent(site: Site, live: Live) -> None:
    """A reading of a hidden thing is no frame at all; asked for by name it is as if it were not there."""
    ada = visitor("ada", "viewer@north")
    async with Onlooker(live, ada) as all_of_it, Onlooker(live, ada, "things=apple/pump,apple/never") as hidden:
        snapshot = await all_of_it.until("snapshot")
        assert names(snapshot) == ["kiln"] and [view["stand"] for view in snapshot["stands"]] == ["north"]
        assert names(await hidden.until("snapshot")) == []
        read(live, PUMP, 1.0)
        read(live, KILN, 2.0)
        change = await all_of_it.until("change")
        assert [row[1] for row in change["values"]] == ["kiln"] and "pump" not in str(change)
        assert hidden.quiet


async def test_a_thing_that_joins_a_stand_is_seen_from_then_on(site: Site, live: Live) -> None:
    """And one that leaves it is not: both are told by a fresh snapshot, and whoever sees all only of the stand."""
    async with (
        Onlooker(live, visitor("ada", "viewer@north")) as ada,
        Onlooker(live, visitor("eve", "viewer")) as eve,
    ):
        assert names(await ada.until("snapshot")) == ["kiln"]
        await eve.until("snapshot")
        put_stand(site, "north", [KILN, PUMP])
        assert names(await ada.until("snapshot")) == ["kiln", "pump"]
        assert (await eve.until("change"))["stands"][0]["things"] == ["apple/kiln", "apple/pump"]
        put_stand(site, "north", [PUMP])
        assert names(await ada.until("snapshot")) == ["pump"]
        read(live, KILN, 1.0)
        read(live, PUMP, 2.0)
        assert [row[1] for row in (await ada.until("change"))["values"]] == ["pump"]


async def test_what_waited_for_somebody_is_dropped_when_they_may_not_see_it_any_more(site: Site, live: Live) -> None:
    """They read nothing for a while; meanwhile the thing left their stand."""
    put_stand(site, "north", [KILN, PUMP])
    async with Onlooker(live, visitor("ada", "viewer@north")) as ada, Onlooker(live, visitor("eve", "viewer")) as eve:
        await ada.until("snapshot")
        await eve.until("snapshot")
        ada.reading.clear()
        for value in (1.0, 2.0):  # the first one is on its way, the second one waits
            read(live, PUMP, value)
            await eve.until("change")
        put_stand(site, "north", [KILN])
        await eve.until("change")
        ada.reading.set()
        assert (await ada.until("change"))["values"][0][4] == 1.0
        assert names(await ada.until("snapshot")) == ["kiln"]


async def test_a_new_thing_is_told_to_those_who_see_it(site: Site, live: Live) -> None:
    """For the others nothing was described, and nothing happened."""
    async with (
        Onlooker(live, visitor("ada", "viewer@apple/*")) as ada,
        Onlooker(live, visitor("bob", "viewer@north")) as bob,
        Onlooker(live, visitor("eve", "viewer")) as eve,
    ):
        for one in (ada, bob, eve):
            await one.until("snapshot")
        for change in put_things(site, "birch", ["scale"]):
            live.changed(change)
        assert (await eve.until("change"))["described"] is True
        assert ada.quiet and bob.quiet
        for change in put_things(site, "apple", ["kiln", "pump", "scale"]):
            live.changed(change)
        assert names(await ada.until("snapshot")) == ["kiln", "pump", "scale"]
        assert "described" not in await bob.until("change"), "their node began anew, and nothing else"


async def test_other_rights_are_told_and_then_what_they_show(site: Site, live: Live) -> None:
    """Also to somebody who reads nothing just now; what waited for them was for the old rights."""
    async with Onlooker(live, visitor("ada", "viewer")) as ada, Onlooker(live, visitor("eve", "viewer")) as eve:
        await ada.until("snapshot")
        await eve.until("snapshot")
        (stream,) = [each for each in live.streams if each.visitor.who == "ada"]
        ada.reading.clear()
        for value in (1.0, 2.0):
            read(live, PUMP, value)
            await eve.until("change")
        live.turn(stream, visitor("ada", "viewer@north"))
        ada.reading.set()
        assert (await ada.until("change"))["values"][0][4] == 1.0
        await ada.until("rights")
        assert names(await ada.until("snapshot")) == ["kiln"]
        read(live, PUMP, 3.0)
        await eve.until("change")
        assert ada.quiet


async def test_who_is_dismissed_is_told_so_and_nothing_more(site: Site, live: Live) -> None:
    """The others of the same audience go on."""
    async with Onlooker(live, visitor("ada", "viewer")) as ada, Onlooker(live, visitor("eve", "viewer")) as eve:
        await ada.until("snapshot")
        await eve.until("snapshot")
        (stream,) = [each for each in live.streams if each.visitor.who == "ada"]
        live.dismiss(stream)
        live.dismiss(stream)
        read(live, PUMP, 1.0)
        assert (await ada.until("bye"))["why"] == "ended"
        assert await ada.event() == ("", None)
        assert (await eve.until("change"))["values"][0][4] == 1.0
        assert [each.visitor.who for each in live.streams] == ["eve"]


async def test_who_is_dismissed_and_reads_nothing_is_let_go(site: Site, live: Live) -> None:
    """Within a second or so, with what they were being sent."""
    async with Onlooker(live, visitor("ada", "viewer")) as ada, Onlooker(live, visitor("eve", "viewer")) as eve:
        await ada.until("snapshot")
        await eve.until("snapshot")
        ada.reading.clear()
        read(live, PUMP, 1.0)
        await eve.until("change")
        (stream,) = [each for each in live.streams if each.visitor.who == "ada"]
        live.dismiss(stream)
        assert ada.task is not None
        await asyncio.wait_for(asyncio.shield(ada.task), 5)
        assert live.viewers == 1 and ada.quiet


async def test_a_page_of_somebody_else_gets_no_stream(site: Site, live: Live) -> None:
    """Somebody else has logged in in the same browser since the page was loaded."""
    async with Onlooker(live, visitor("ada", "viewer"), "for=ada") as ada:
        await ada.until("snapshot")
    other = Onlooker(live, visitor("bob", "viewer"), "for=ada")
    await other.__aenter__()
    with pytest.raises(WebError, match="would be for bob") as caught:
        await other.__aexit__()
    assert caught.value.status == 409 and live.viewers == 0


async def test_guests_learn_of_stops_and_not_of_processes(site: Site, live: Live) -> None:
    """At first and with every change; whoever has no rights learns of neither."""
    site.up_status = lambda: {"processes": {"hub": {}}}  # type: ignore[method-assign]
    guest = Visitor("guest:ada", "page", rights("viewer@north", through="guest", only="north"), "g1", "guest")
    async with (
        Onlooker(live, visitor("ada", "viewer@north")) as ada,
        Onlooker(live, guest) as looker,
        Onlooker(live, visitor("new")) as nobody,
    ):
        told = [(await one.until("snapshot"))["hub"]["processes"] for one in (ada, looker, nobody)]
        assert told == [{"hub": {}}, {}, {}]
        site.holding.press(Latch(id="stop-0001", kind="hard", time=1, who="bob", origin="page"))
        live.hub_changed()
        hubs = [(await one.until("change"))["hub"] for one in (ada, looker, nobody)]
        assert [bool(hub["processes"]) for hub in hubs] == [True, False, False]
        assert [len(hub["stops"]) for hub in hubs] == [1, 1, 0]
