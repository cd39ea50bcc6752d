"""What control needs of the bus: all who listen asked at once, compare-and-set, and a link that is proven."""

from __future__ import annotations

import asyncio

import pytest

from pilothouse.bus import Subjects, WrongRevision, streams
from pilothouse.bus.messages import StandLease, StopOrder, Stopped
from pilothouse.errors import BusDown

SUBJECTS = Subjects("home")
HELD = streams("home")["lease"]
ORDER = StopOrder(kind="hard", id="stop-0001", time=0, who="ada", origin="cli")
RIG = SUBJECTS.stand("rig")


def lease(holder: str) -> StandLease:
    return StandLease(stand="rig", things=("pi/bath",), holder=holder)


async def test_all_who_listen_are_asked_and_enough_is_enough(bus, connect):
    """Two agents answer one order; nobody waits for the rest of the time once both have."""
    for node in ("a", "b"):
        other = await connect(node)

        async def obey(_subject: str, order: StopOrder, node: str = node) -> Stopped:
            return Stopped(node=node, epoch=1, stops=(order.id,))

        await other.serve(SUBJECTS.stop(), StopOrder, obey)
    answers = await asyncio.wait_for(bus.ask_all(SUBJECTS.stop(), ORDER, Stopped, 60, enough=2), 20)
    assert sorted(answer.node for answer in answers) == ["a", "b"]
    assert {answer.stops for answer in answers} == {("stop-0001",)}


async def test_who_does_not_answer_costs_the_time_and_no_error(bus, connect):
    """Those who did answer are told all the same; nobody at all is told at once."""
    assert await asyncio.wait_for(bus.ask_all(SUBJECTS.stop(), ORDER, Stopped, 60, enough=1), 20) == []
    other = await connect("a")

    async def obey(_subject: str, _order: StopOrder) -> Stopped:
        return Stopped(node="a", epoch=1)

    await other.serve(SUBJECTS.stop(), StopOrder, obey)
    answers = await bus.ask_all(SUBJECTS.stop(), ORDER, Stopped, 0.3, enough=2)
    assert [answer.node for answer in answers] == ["a"]


async def test_without_a_link_nothing_is_asked(bus, bus_server, until):
    """It is said at once, and never sent later."""
    bus_server.kill()
    await until(lambda: not bus.up, "the link is gone")
    with pytest.raises(BusDown):
        await bus.ask_all(SUBJECTS.stop(), ORDER, Stopped, 5, enough=1)
    with pytest.raises(BusDown):
        await bus.prove(1)


async def test_a_frozen_bus_proves_nothing(bus, bus_server):
    """The link looks whole, and no answer comes over it."""
    await bus.prove(5)
    bus_server.freeze()
    with pytest.raises(BusDown):
        await bus.prove(0.2)


async def test_of_two_who_replace_one_is_told_that_it_was_too_slow(bus, connect):
    """The second changes nothing, whoever hears its message meanwhile."""
    assert await bus.latest(HELD, RIG, StandLease) == (0, None)
    first = await bus.replace(RIG, lease("ada"), after=0)
    with pytest.raises(WrongRevision):
        await (await connect("other")).replace(RIG, lease("eve"), after=0)
    assert await bus.latest(HELD, RIG, StandLease) == (first, lease("ada"))
    second = await bus.replace(RIG, lease("bob"), after=first)
    assert second > first


async def test_what_is_kept_is_believed_and_not_what_is_heard(bus):
    """The winner's word is confirmed as soon as it is kept; the loser's gives the winner's."""
    waiting = asyncio.create_task(bus.confirmed(HELD, RIG, lease("ada")))
    seq = await bus.replace(RIG, lease("ada"), after=0)
    assert await waiting == (seq, lease("ada"))
    assert await bus.confirmed(HELD, RIG, lease("eve")) == (seq, lease("ada"))


async def test_nonsense_in_its_place_can_be_replaced(bus):
    """It is nobody's lease, and does not stand in the way for ever."""
    seq = await bus.replace(RIG, ORDER, after=0)
    found = await bus.latest(HELD, RIG, StandLease)
    assert found == (seq, None) and bus.bad
    assert await bus.replace(RIG, lease("ada"), after=seq) > seq
