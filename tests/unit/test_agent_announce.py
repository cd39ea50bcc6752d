"""Presence, descriptions and states: how often, and what they say."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from pilothouse.agent.announce import URGENT, Announcer, fitting
from pilothouse.bus.messages import LIMIT, Described, Latch, Presence, State, encode
from pilothouse.bus.subjects import Subjects
from pilothouse.model import Bar, Health, PropertyState, ThingDescription
from pilothouse.testing import FakeClock
from support.fake_bus import FakeBus


class Shown:
    """A thing."""

    def __init__(self, name: str) -> None:
        self.description = ThingDescription(node="pi", name=name)
        self.health = Health()
        self.opened = asyncio.Event()
        self.opened.set()
        self.count = 0

    def states(self) -> dict[str, PropertyState]:
        """Its latest."""
        return {"count": PropertyState(value=self.count)}


class Office:
    """An announcer and what it needs."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.bus = FakeBus()
        self.thing = Shown("t")
        self.announcer = Announcer("pi", Subjects("home"), {"t": self.thing}, self.clock, lambda: 5)
        self.announcer.epoch = 7
        self.announcer.add("t")

    def states(self) -> list[State]:
        """Those said."""
        return [m for _, m in self.bus.said if isinstance(m, State)]


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    """Running, with a link."""
    office = Office()
    task = asyncio.create_task(office.announcer.run())
    await office.announcer.up(office.bus)
    yield office
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_everything_is_said_when_the_link_comes(office: Office) -> None:
    """Presence first, then each description and state; again with every link."""
    assert [type(m) for _, m in office.bus.said] == [Presence, Described, State]
    await office.announcer.up(office.bus)
    assert [s.number for s in office.states()] == [1, 2]
    assert {s.seq for s in office.states()} == {5}


async def test_at_most_one_state_a_second_and_the_last_change_comes(office: Office) -> None:
    """Whatever happens in between."""
    await office.clock.advance(5)
    start = len(office.states())
    for _ in range(500):
        office.thing.count += 1
        office.announcer.changed("t")
        await office.clock.advance(0.01)
    said = office.states()[start:]
    assert 5 <= len(said) <= 6
    await office.clock.advance(1.1)
    assert office.states()[-1].properties["count"].value == 500


async def test_a_command_is_shown_at_once(office: Office) -> None:
    """Not a second later; and still not without bound."""
    office.announcer.changed("t")
    await office.clock.advance(2 * URGENT / 1000)
    start = len(office.states())
    office.announcer.changed("t", at_once=True)
    await office.clock.advance(0)
    assert len(office.states()) == start + 1
    for _ in range(100):
        office.announcer.changed("t", at_once=True)
        await office.clock.advance(URGENT / 1000 / 20)
    assert 4 <= len(office.states()) - start <= 7


async def test_presence_every_two_seconds_whatever_the_wall_clock_does(office: Office) -> None:
    """By the monotonic clock."""
    task = asyncio.create_task(office.announcer.presence_for_ever())
    for _ in range(10):
        office.clock.jump(-86_400)
        await office.clock.advance(2)
    task.cancel()
    monos = [m.mono for _, m in office.bus.said if isinstance(m, Presence)][1:]
    assert [b - a for a, b in itertools.pairwise(monos)] == [2000] * 10


async def test_notes_last_ten_minutes(office: Office) -> None:
    """And a newer one of the same kind replaces the old."""
    office.announcer.note("dropped", "1 reading is lost")
    office.announcer.note("dropped", "2 readings are lost")
    await office.announcer.presence()
    assert office.bus.said[-1][1].notes == ("2 readings are lost",)
    await office.clock.advance(601)
    await office.announcer.presence()
    assert office.bus.said[-1][1].notes == ()


async def test_own_words_are_known_and_silence_is_kept(office: Office) -> None:
    """Another agent of the same number is told apart from an echo."""
    mine = office.bus.said[0][1]
    assert isinstance(mine, Presence) and office.announcer.is_mine(mine)
    assert not office.announcer.is_mine(Presence(node="pi", epoch=7, version="", time=mine.time, mono=1))
    office.announcer.fall_silent()
    said = len(office.bus.said)
    await office.announcer.presence()
    await office.announcer.whole("t")
    assert len(office.bus.said) == said


async def test_a_thing_that_is_still_being_opened_is_not_described(office: Office) -> None:
    """Its class may have more than it has."""
    office.thing.opened.clear()
    del office.bus.said[:]
    await office.announcer.up(office.bus)
    assert [type(m) for _, m in office.bus.said] == [Presence]


async def test_stops_and_bars_are_said(office: Office) -> None:
    """Stops in each presence, bars in each state, as they are at that moment."""
    latch = Latch(id="stop-1", kind="hard", time=1, who="ada", origin="page")
    office.announcer.stops = lambda: (latch,)
    office.announcer.bars = lambda thing: {"on": Bar(rule="interlock", text=f"{thing} is dry")}
    await office.announcer.presence()
    await office.announcer.state("t")
    presence, state = (message for _, message in office.bus.said[-2:])
    assert isinstance(presence, Presence) and presence.stops == (latch,)
    assert isinstance(state, State) and state.bars["on"].text == "t is dry"


async def test_a_link_that_is_gone_is_no_error(office: Office) -> None:
    """All is said anew later."""
    office.bus.up = False
    office.announcer.changed("t", at_once=True)
    await office.clock.advance(1)
    await office.announcer.presence()


def test_a_state_that_is_too_large_leaves_out_the_largest() -> None:
    """And still says everything else."""
    states = {f"p{n}": PropertyState(value="x" * 60_000) for n in range(40)} | {"small": PropertyState(value=1)}
    kept = fitting(states)
    assert "small" in kept and 10 <= len(kept) <= 14
    message = State(node="pi", epoch=1, thing="t", time=1, health=Health(), properties=kept)
    assert len(encode(message)) < LIMIT
    few = {"a": PropertyState(value=[1]), "b": PropertyState(value=1)}
    assert fitting(few) == few
