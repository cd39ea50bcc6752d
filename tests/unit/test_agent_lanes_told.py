"""What is told of the lanes: nothing while all are quick, then what runs and waits, and once more when it is over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from pilothouse.agent.admission import Book
from pilothouse.agent.lane import By, Watch
from pilothouse.agent.lane import Cancelled as TakenBack
from pilothouse.agent.lanes_told import SHOWN, LanesTold, TakingBack
from pilothouse.bus import Subjects
from pilothouse.bus.messages import Cancel, Cancelled, Command, End, Lanes, LaneView, Outcome
from pilothouse.errors import PilothouseError
from pilothouse.testing import FakeClock
from support.fake_bus import FakeBus
from support.odd import Heard, Odd, own, soon


class Bench:
    """Two things on one lane, one on another, and who tells of them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.watch = Watch(self.clock)
        self.bus = FakeBus()
        self.things = {
            name: own(Odd({"bus_name": bus}), self.watch, Heard(), self.clock, Random(1), name=name)
            for name, bus in (("one", "serial"), ("two", "serial"), ("three", "usb"))
        }
        self.told = LanesTold("pi", Subjects("home"), self.watch, self.things, self.clock)
        self.book = Book("pi", 7)
        self.back = TakingBack("pi", self.watch, lambda: self.book)
        self.free = threading.Event()
        self.calls: list[asyncio.Task[Any]] = []
        self.tasks = [asyncio.create_task(self.watch.run()), asyncio.create_task(self.told.run())]

    def ask(self, thing: str, run: Any, **more: Any) -> asyncio.Task[Any]:
        """A call; its error is its result."""

        async def call() -> Any:
            try:
                return await self.things[thing].lane.call(
                    run, thing=thing, **({"label": "writing on", "allowed": 5.0} | more)
                )
            except PilothouseError as error:
                return error

        task = asyncio.create_task(call())
        self.calls.append(task)
        return task

    async def hold(self, thing: str = "one", **more: Any) -> asyncio.Task[Any]:
        """A call that runs until it is freed."""
        task = self.ask(thing, self.free.wait, **more)
        lane = self.things[thing].lane
        await soon(lambda: lane.running() and next(iter(lane._open)).begun)
        return task

    def said(self) -> list[tuple[LaneView, ...]]:
        """What was told, in order."""
        return [message.lanes for _, message in self.bus.said if isinstance(message, Lanes)]

    async def end(self) -> None:
        """Leave nothing behind."""
        self.free.set()
        for lane in self.watch.lanes():
            lane.close()
            await lane.ended()
        await asyncio.gather(*self.calls)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """With a link, over which the start was told."""
    bench = Bench()
    await bench.told.up(bench.bus)
    assert bench.said() == [()], "what an earlier run told is gone"
    yield bench
    await bench.end()


async def test_quick_lanes_are_not_told(bench: Bench) -> None:
    """However many calls there are."""
    for _ in range(50):
        await bench.ask("one", lambda: 1)
        await bench.clock.advance(0.05)
    assert bench.said() == [()]


async def test_what_takes_longer_is_told_until_it_is_over(bench: Bench) -> None:
    """Running and waiting, in the order of their turn, each with its command; at most every 250 ms."""
    began = bench.clock.now()
    await bench.hold(by=By("command-1", "on", "ada"))
    bench.ask("two", lambda: 1, label="reading it")
    await bench.clock.advance(0.1)
    bench.ask("one", lambda: 1, by=By("command-2", "level", "bob"), urgent=True)
    await bench.clock.advance(0.1)
    lane = bench.said()[-1][0]
    assert (lane.name, lane.things, lane.hung_since, lane.more) == ("serial", ("one", "two"), 0, 0)
    assert lane.running is not None
    assert (lane.running.id, lane.running.name, lane.running.who) == ("command-1", "on", "ada")
    assert (lane.running.thing, lane.running.label, lane.running.since) == ("one", "writing on", began)
    assert [(call.thing, call.id, call.since - began) for call in lane.waiting] == [
        ("one", "command-2", 100),
        ("two", "", 0),
    ]
    for _ in range(20):
        bench.ask("two", lambda: 1)
        await bench.clock.advance(0.05)
    assert len(bench.said()) <= 7, "a second has four quarters"
    bench.free.set()
    await soon(lambda: not bench.things["one"].lane._open)
    await bench.clock.advance(0.1)
    assert bench.said()[-1] == ()
    told = len(bench.said())
    await bench.clock.advance(10)
    assert len(bench.said()) == told


async def test_many_that_wait_are_counted(bench: Bench) -> None:
    """The first fifty one by one."""
    await bench.hold()
    for _ in range(70):
        bench.ask("one", lambda: 1)
    await bench.clock.advance(0.3)
    lane = bench.said()[-1][0]
    assert (len(lane.waiting), lane.more) == (SHOWN, 70 - SHOWN)


async def test_a_hung_lane_is_told_once_and_when_it_comes_back(bench: Bench) -> None:
    """Also when an urgent call waits before it, and while another lane is busy; it costs nothing for days."""
    hung = bench.clock.now()
    await bench.hold(allowed=2.0)
    bench.ask("two", lambda: 1, urgent=True, label="making it safe")
    await bench.clock.advance(3)
    lane = bench.said()[-1][0]
    assert lane.hung_since == hung and lane.waiting[0].label == "making it safe"
    told = len(bench.said())
    for _ in range(40):
        await bench.ask("three", lambda: 1)
        await bench.clock.advance(0.05)
    await bench.clock.advance(3600)
    assert len(bench.said()) == told
    bench.free.set()
    await soon(lambda: not bench.things["one"].lane._open)
    await bench.clock.advance(0.1)
    assert bench.said()[-1] == ()


async def test_nothing_is_told_without_a_link_and_all_with_the_next(bench: Bench) -> None:
    """What happened meanwhile is told with the next link."""
    bench.bus.up = False
    await bench.hold()
    await bench.clock.advance(1)
    assert bench.said() == [()]
    bench.bus.up = True
    await bench.told.up(bench.bus)
    assert bench.said()[-1][0].running is not None


def cancel(id: str) -> Cancel:
    """Bob takes it back."""
    return Cancel(id=id, who="bob", origin="test", reason="too hot")


async def test_a_command_that_waits_is_taken_back(bench: Bench) -> None:
    """It never runs, and is told who took it back and why."""
    await bench.hold(by=By("command-1"))
    waits = bench.ask("two", lambda: pytest.fail("it was taken back"), by=By("command-2"))
    await asyncio.sleep(0)
    assert await bench.back.handle("", cancel("command-2")) == Cancelled(done=True)
    error = await waits
    assert isinstance(error, TakenBack)
    assert error.what == "bob took it back while it waited for the device: too hot"


async def test_what_does_not_wait_cannot_be_taken_back(bench: Bench) -> None:
    """It says why: it runs, it is over, nobody knows it."""
    await bench.hold(by=By("command-1"))
    runs = await bench.back.handle("", cancel("command-1"))
    assert not runs.done and runs.detail.startswith("it runs already: the device was asked at ")
    fields: dict[str, Any] = {"node": "pi", "epoch": 7, "thing": "one", "name": "on"}
    command = Command(id="command-3", kind="property", deadline=1000, who="ada", origin="test", **fields)
    bench.book.take(command, ("pi", "one", "on"), 0)
    waits = await bench.back.handle("", cancel("command-3"))
    assert not waits.done and "no command of this id waits for a device of node pi" in waits.detail
    bench.book.end(Outcome(id="command-3", end=End.FAILED, detail="the driver raised OSError", **fields))
    over = await bench.back.handle("", cancel("command-3"))
    assert over == Cancelled(done=False, detail="it is over already: failed (the driver raised OSError)")
