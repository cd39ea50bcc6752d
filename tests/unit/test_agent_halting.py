"""Stop in the agent: outputs first, then disk and bus; latched, repeated, lifted; with and without second path."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pilothouse.agent import stop_file
from pilothouse.agent.halting import ENDING, PATIENCE, Halting, pressed
from pilothouse.agent.lane import By, CallFailed, Done, LaneStopped, Watch
from pilothouse.agent.owned import Owned
from pilothouse.agent.stop_file import StopFile
from pilothouse.bus.messages import Latch, StopOrder, Stopped
from pilothouse.errors import PilothouseError
from pilothouse.model import new_id
from pilothouse.testing import FakeClock
from support.odd import Heard, Odd, own, passing, soon


class Cut(Odd):
    """An odd device with a second path."""

    def __init__(self, settings: Any = None) -> None:
        super().__init__(settings)
        self.halts = 0
        self.halted = threading.Event()
        self.halted.set()
        """Cleared: its second path hangs too."""
        self.halt_raises: BaseException | None = None

    def halt(self) -> None:
        """Outputs off."""
        self.halts += 1
        assert self.halted.wait(20)
        if self.halt_raises:
            raise self.halt_raises
        self.values |= {"on": False, "level": 0.0}


class Acts:
    """Stands for the commands: makes a thing safe on its lane, and counts."""

    def __init__(self, things: dict[str, Owned]) -> None:
        self.things = things
        self.asked: list[tuple[str, str, str]] = []
        self.running = 0

    async def own(self, thing: str, names: Collection[str] | None, origin: str, reason: str) -> str:
        """As Commands does it."""
        self.asked.append((thing, origin, reason))
        owned = self.things[thing]
        if owned.lane.hang is not None:
            return f"{thing} may not be safe: its lane hangs"
        try:
            await owned.lane.call(owned.driving.make_safe, thing=thing, label="safe", allowed=5.0, urgent=True)
        except CallFailed as error:
            return f"{thing} may not be safe: {error.what}"
        return ""

    def running_writes(self) -> int:
        """As many as the test says."""
        return self.running


class Bench:
    """A node with two odd things, one with a second path."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.watch = Watch(self.clock)
        self.cut, self.odd = Cut(), Odd()
        self.things = {
            name: own(thing, self.watch, Heard(), self.clock, Random(1), name=name)
            for name, thing in (("cut", self.cut), ("odd", self.odd))
        }
        self.path = folder / "agent" / "stops.json"
        self.acts = Acts(self.things)
        self.said: list[tuple[str, ...]] = []
        self.tasks = [asyncio.create_task(self.watch.run())]
        self.halting = self.another()

    def another(self) -> Halting:
        """The next run of the agent, as far as stops are concerned."""
        self.halting = Halting("pi", self.things, self.acts, StopFile(self.path, self.clock), self.clock, self.say)
        self.halting.load()
        for owned in self.things.values():
            owned.driving.stopped = lambda: self.halting.holds() is not None
        return self.halting

    async def say(self) -> None:
        """Presence."""
        self.said.append(tuple(latch.id for latch in self.halting.stops()))

    async def open(self) -> None:
        """Open the things."""
        self.tasks += [asyncio.create_task(owned.keep()) for owned in self.things.values()]
        await soon(lambda: all(owned.working for owned in self.things.values()))
        for thing in (self.cut, self.odd):
            thing.values |= {"on": True, "level": 7.0}
            del thing.calls[:]

    def order(self, kind: Any = "hard", **more: Any) -> StopOrder:
        """An order of ada's."""
        fields = {"kind": kind, "id": new_id(self.clock.now()), "time": self.clock.now(), "who": "ada", "origin": "t"}
        return StopOrder(**(fields | more))

    async def press(self, order: StopOrder) -> Stopped:
        """Obey it; the clock goes on meanwhile."""
        task = asyncio.create_task(self.halting.handle("ph.home.stop", order))
        answer: Stopped = await passing(self.clock, lambda: task.done() and task.result(), "the answer")
        return answer

    def safe(self, thing: Odd) -> bool:
        """Whether its outputs are."""
        return thing.values["on"] is False and thing.values["level"] == 0.0

    async def end(self) -> None:
        """Leave nothing behind."""
        self.cut.halted.set()
        for thing in (self.cut, self.odd):
            thing.free.set()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.halting.finish()
        for lane in self.watch.lanes():
            lane.close()
            await lane.ended()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Two open things that are on."""
    bench = Bench(tmp_path)
    await bench.open()
    yield bench
    await bench.end()


async def test_a_stop_makes_all_safe_and_holds(bench: Bench) -> None:
    """No mistakes, presence says it, it is in the file, and every thing is told why."""
    order = bench.order(reason="smoke")
    answer = await bench.press(order)
    assert bench.safe(bench.cut) and bench.safe(bench.odd)
    assert (answer.stops, answer.mistakes, answer.outputs) == ((order.id,), (), 4)
    holds = bench.halting.holds()
    assert holds is not None and holds.id == order.id
    assert bench.said == [(order.id,)]
    assert {(thing, origin) for thing, origin, _ in bench.acts.asked} == {("cut", "stop"), ("odd", "stop")}
    assert all("ada pressed stop at" in reason and reason.endswith(": smoke") for *_, reason in bench.acts.asked)
    assert order.id in bench.path.read_text()


async def test_the_same_order_does_nothing_more(bench: Bench) -> None:
    """Not while it is obeyed, and not after; many orders are forgotten one by one."""
    order = bench.order()
    both = await asyncio.gather(*(bench.halting.handle("", order) for _ in range(2)))
    assert both[0] == both[1] and len(bench.acts.asked) == 2
    assert await bench.press(order) == both[0]
    assert len(bench.acts.asked) == 2
    for _ in range(70):
        await bench.press(bench.order("lift", lifts=("nobody",)))
    assert len(bench.halting._answers) <= 65
    assert await bench.halting.handle("", bench.order(node="other")) is None


async def test_outputs_come_before_disk_and_bus(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that hangs does not keep them up; that it does is said in the answer."""
    free = threading.Event()
    monkeypatch.setattr(stop_file, "write_atomically", lambda *_: free.wait(20))
    task = asyncio.create_task(bench.halting.handle("", bench.order()))
    await soon(lambda: bench.safe(bench.cut) and bench.safe(bench.odd), "safe outputs")
    await asyncio.sleep(0.02)
    waiting = asyncio.all_tasks()
    assert task in waiting, "it waits for the disk"
    free.set()
    answer = await task
    assert answer is not None and answer.mistakes == ()


async def test_a_disk_that_refuses_is_said(bench: Bench) -> None:
    """The stop holds all the same; so with a lifting, which would not hold."""
    bench.path.parent.parent.joinpath("agent").write_text("a file where the folder should be")
    order = bench.order()
    answer = await bench.press(order)
    assert bench.safe(bench.odd) and answer.stops == (order.id,)
    assert "could not be kept" in answer.mistakes[0] and "after a restart" in answer.mistakes[0]
    lifted = await bench.press(bench.order("lift", lifts=(order.id,)))
    assert lifted.stops == () and "will hold again after a restart" in lifted.mistakes[0]


async def test_a_lane_that_is_busy(bench: Bench) -> None:
    """The second path is taken at once; without one it is said, and done as soon as the driver comes back."""
    for name, thing in (("cut", bench.cut), ("odd", bench.odd)):
        thing.free.clear()
        lane = bench.things[name].lane
        bench.tasks.append(asyncio.create_task(swallow(lane, lambda thing=thing: thing.write("slow", 1.0))))
        await soon(lane.running)
    waiting = asyncio.create_task(swallow(bench.things["odd"].lane, lambda: 1, by=By("0123456789")))
    answer = await bench.press(bench.order())
    assert bench.cut.halts == 1 and bench.safe(bench.cut)
    assert answer.mistakes[0].startswith("odd may not be safe: its driver has not answered since")
    assert answer.mistakes[0].endswith("and it has no second path") and len(answer.mistakes) == 1
    assert isinstance(await waiting, LaneStopped)
    bench.odd.free.set()
    await soon(lambda: bench.safe(bench.odd), "the odd one to follow")


async def swallow(lane: Any, run: Any, **more: Any) -> Done | Exception:
    """A call whose end nobody minds."""
    try:
        done: Done = await lane.call(run, thing="odd", label="writing slow", allowed=60.0, **more)
    except PilothouseError as error:
        return error
    return done


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_second_path_that_fails_is_said(bench: Bench, hangs: bool) -> None:
    """Whether it raises or hangs as the driver does."""
    bench.cut.halt_raises = OSError("the contactor is stuck")
    if hangs:
        bench.cut.halted.clear()
    bench.cut.free.clear()
    bench.tasks.append(asyncio.create_task(swallow(bench.things["cut"].lane, lambda: bench.cut.write("slow", 1.0))))
    await soon(bench.things["cut"].lane.running)
    answer = await bench.press(bench.order())
    assert "its second path failed: " in answer.mistakes[0]
    assert ("it has not come back" if hangs else "OSError: the contactor is stuck") in answer.mistakes[0]


async def test_a_device_that_refuses_is_cut_by_its_second_path(bench: Bench) -> None:
    """Its lane is free, and writing fails: then the other way is taken; where there is none, it is said."""
    for name in ("cut", "odd"):
        bench.things[name].driving._open = False
    answer = await bench.press(bench.order())
    assert bench.cut.halts == 1
    assert [text.rstrip(".") for text in answer.mistakes] == ["odd may not be safe: the device is not open"]


async def test_two_things_on_one_lane(bench: Bench) -> None:
    """It is said whose driver it is that hangs."""
    bench.things["odd"].lane = bench.things["cut"].lane
    bench.cut.halt_raises = OSError("stuck")
    bench.cut.free.clear()
    lane = bench.things["cut"].lane
    bench.tasks.append(asyncio.create_task(lane.call(bench.cut.free.wait, thing="cut", label="it", allowed=60.0)))
    await soon(lane.running)
    answer = await bench.press(bench.order())
    assert "odd may not be safe: the driver of cut, on the same lane, has not answered since" in answer.mistakes[1]


async def test_a_safe_end_waits_for_what_runs(bench: Bench) -> None:
    """It holds at once; outputs stay on until nothing runs, at most ten seconds; a hard stop does not wait."""
    bench.acts.running = 1
    ending = asyncio.create_task(bench.halting.handle("", bench.order("end")))
    await bench.clock.advance(ENDING - 1)
    holds = bench.halting.holds()
    assert holds is not None and holds.kind == "end" and not bench.acts.asked
    hard = bench.order()
    await bench.press(hard)
    assert bench.safe(bench.odd) and not ending.done()
    holds = bench.halting.holds()
    assert holds is not None and holds.id == hard.id, "the hard one counts"
    bench.odd.values["on"] = True
    await passing(bench.clock, ending.done, "the end", most=ENDING + PATIENCE)
    assert bench.safe(bench.odd)
    assert "safe end" in pressed(bench.halting.stops()[0])


async def test_a_stop_outlives_the_run(bench: Bench) -> None:
    """The next run makes everything safe when it opens a device, and every time that one comes back."""
    order = bench.order()
    await bench.press(order)
    assert [latch.id for latch in bench.another().stops()] == [order.id]
    bench.odd.values["on"] = True
    bench.things["odd"].fail(CallFailed(OSError("gone"), 0))
    await passing(bench.clock, lambda: bench.things["odd"].working, "it to be opened again")
    assert bench.safe(bench.odd)
    await bench.press(bench.order("lift", lifts=(order.id,)))
    assert bench.another().holds() is None
    await bench.press(order)
    assert bench.halting.holds() is None, "its word came once more, after it was lifted"


@pytest.mark.parametrize("content", [b"", b"{", b'{"v": 2}', b'{"stops": 1}', b"\xff"])
async def test_a_damaged_file_counts_as_a_stop(bench: Bench, content: bytes) -> None:
    """Put aside, not overwritten; its stop can be lifted by its id, and is the same after another start."""
    bench.path.parent.mkdir(exist_ok=True)
    bench.path.write_bytes(content)
    latch = bench.another().holds()
    assert isinstance(latch, Latch) and latch.who == "agent" and "could not be read" in latch.reason
    assert bench.path.with_name("stops.json.unreadable").read_bytes() == content
    assert bench.another().holds() == latch
    assert (await bench.press(bench.order("lift", lifts=(latch.id,)))).stops == ()
    assert bench.another().holds() is None


async def test_a_file_that_may_not_be_read_counts_as_a_stop(bench: Bench) -> None:
    """Even when nothing can be done about it."""
    bench.path.mkdir(parents=True)
    (bench.path.with_name("stops.json.unreadable")).mkdir()
    (bench.path.with_name("stops.json.unreadable") / "x").touch()
    assert bench.another().holds() is not None
