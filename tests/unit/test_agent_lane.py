"""Lanes: strict order, one thread a resource, calls taken back or told late."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.agent.lane import (
    By,
    CallFailed,
    Cancelled,
    Done,
    Lane,
    LaneFull,
    LaneHung,
    LaneStopped,
    LaneStopping,
    Late,
    NoAnswer,
    Watch,
)
from pilothouse.agent.line import Line
from pilothouse.agent.turn import Stage, Turn
from pilothouse.testing import FakeClock
from support.odd import soon


@pytest.fixture
def clock() -> FakeClock:
    """Stands still."""
    return FakeClock()


@pytest.fixture
async def lane(clock: FakeClock) -> AsyncIterator[Lane]:
    """A lane; its thread ends with the test."""
    lane = Lane("serial:/dev/x", clock, limit=5)
    yield lane
    lane.close()
    await lane.ended()


def ask(lane: Lane, run: Callable[[], Any], **more: Any) -> asyncio.Task[Done]:
    """A call, begun."""
    fields: dict[str, Any] = {"thing": "x", "label": "reading it", "allowed": 2.0}
    return asyncio.create_task(lane.call(run, **(fields | more)))


async def test_calls_run_in_order_on_one_thread(lane: Lane) -> None:
    """The order in which they were asked, never two at once, never on the loop's thread."""
    seen: list[tuple[int, int]] = []

    def run(number: int) -> int:
        seen.append((number, threading.get_ident()))
        return number

    lane._limit = 100
    done = await asyncio.gather(*(ask(lane, lambda n=n: run(n)) for n in range(50)))
    assert [d.result for d in done] == list(range(50)) == [number for number, _ in seen]
    assert [d.number for d in done] == sorted({d.number for d in done})
    assert len({thread for _, thread in seen}) == 1 and seen[0][1] != threading.get_ident()


async def test_what_a_driver_raises_is_told_and_the_lane_goes_on(lane: Lane) -> None:
    """Even SystemExit."""
    for error in (ValueError("no"), SystemExit(3), KeyboardInterrupt()):

        def run(error: BaseException = error) -> None:
            raise error

        with pytest.raises(CallFailed) as caught:
            await ask(lane, run)
        assert caught.value.cause is error
        assert caught.value.asked > 0
    assert (await ask(lane, lambda: 1)).result == 1


async def test_a_call_that_hangs_is_given_up_and_told_late(lane: Lane, clock: FakeClock) -> None:
    """What waits behind it is never asked; nothing more is taken; when it comes back, all goes on."""
    free, late, freed = threading.Event(), [], []
    lane.on_free.append(lambda: freed.append(1))
    hung = ask(lane, free.wait, on_late=late.append)
    behind = ask(lane, lambda: pytest.fail("it was taken back"))
    await soon(lane.running)
    clock.tick(1.9)
    assert lane.check(clock.mono()) and not hung.done()
    clock.tick(0.2)
    assert not lane.check(clock.mono()), "nothing to look at until it comes back"
    with pytest.raises(NoAnswer, match="has not answered for 2 s"):
        await hung
    with pytest.raises(LaneHung, match="driver of x has not answered since"):
        await behind
    with pytest.raises(LaneHung):
        await ask(lane, lambda: 1)
    assert not late and not freed
    free.set()
    await soon(lambda: freed)
    assert [type(end) for end in late] == [Done]
    assert lane.hang is None
    assert (await ask(lane, lambda: 2)).result == 2


async def test_a_call_past_its_deadline_never_begins(lane: Lane, clock: FakeClock) -> None:
    """Neither when its turn comes late, nor when it is found waiting."""
    free = threading.Event()
    first = ask(lane, free.wait, allowed=60.0)
    calls: list[int] = []
    waiting = ask(lane, lambda: calls.append(1), deadline=clock.mono() + 100)
    last = ask(lane, lambda: calls.append(2), deadline=clock.mono() + 300)
    await asyncio.sleep(0)
    clock.tick(0.1)
    lane.check(clock.mono())
    with pytest.raises(Late):
        await waiting
    assert not last.done()
    clock.tick(0.2)
    free.set()  # its turn comes now, before anybody looked
    with pytest.raises(Late):
        await last
    assert (await first).result is True
    assert not calls


async def test_too_many_waiting_calls_are_refused(lane: Lane) -> None:
    """The limit holds, and those within it are done."""
    free = threading.Event()
    within = [ask(lane, free.wait, allowed=60.0) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(LaneFull, match="5 calls wait"):
        await ask(lane, lambda: 1)
    free.set()
    await asyncio.gather(*within)


async def test_stopping_takes_back_what_waits_and_still_takes_last_calls(lane: Lane) -> None:
    """Safe values get their turn at once."""
    free = threading.Event()
    running = ask(lane, free.wait)
    behind = ask(lane, lambda: pytest.fail("it was taken back"))
    await soon(lane.running)
    lane.stop_taking()
    with pytest.raises(LaneStopping):
        await behind
    with pytest.raises(LaneStopping):
        await ask(lane, lambda: 1)
    last = ask(lane, lambda: "safe", urgent=True)
    await asyncio.sleep(0)
    free.set()
    assert (await last).result == "safe"
    await running


async def test_a_cancelled_call_that_waits_is_never_done(lane: Lane) -> None:
    """And one that runs comes to its end without anybody."""
    free, calls = threading.Event(), []
    running = ask(lane, free.wait)
    waiting = ask(lane, lambda: calls.append(1))
    await soon(lane.running)
    running.cancel()
    waiting.cancel()
    await asyncio.gather(running, waiting, return_exceptions=True)
    free.set()
    assert (await ask(lane, lambda: 3)).result == 3
    assert not calls


async def test_the_watch_finds_a_hanging_lane_and_leaves_the_others_alone(clock: FakeClock) -> None:
    """And sleeps when nothing is to be done."""
    watch = Watch(clock)
    one, two = watch.lane("one"), watch.lane("two")
    assert watch.lane("one") is one
    task = asyncio.create_task(watch.run())
    free = threading.Event()
    hung = ask(one, free.wait)
    await soon(lambda: one._open and next(iter(one._open)).begun)
    await clock.advance(2.1)
    with pytest.raises(NoAnswer):
        await hung
    assert (await ask(two, lambda: 1)).result == 1
    await clock.advance(0.2)
    assert clock.sleepers == 0, "a lane that hangs for days costs nothing"
    free.set()
    await soon(lambda: one.hang is None)
    task.cancel()
    for lane in watch.lanes():
        lane.close()
        await lane.ended()


@given(st.lists(st.sampled_from(["begin", "take back", "wait", "over"]), max_size=20), st.none() | st.integers(0, 5))
def test_a_turn_is_begun_or_taken_back_never_both(steps: list[str], deadline: int | None) -> None:
    """Whatever comes in whatever order."""
    turn, mono, begun, back = Turn(deadline), 0, 0, 0
    for step in steps:
        if step == "begin":
            won = turn.begin(mono)
            assert not won or deadline is None or mono < deadline
            begun += won
        elif step == "take back":
            back += turn.take_back()
        elif step == "over" and turn.stage is Stage.RUNNING:
            turn.over()
        mono += step == "wait"
    assert begun + back <= 1


def test_a_turn_is_won_by_one_thread() -> None:
    """Two threads at once, many times."""
    for _ in range(300):
        turn, wins, gate = Turn(), [], threading.Barrier(2)

        def begin(turn: Turn = turn, wins: list[str] = wins, gate: threading.Barrier = gate) -> None:
            gate.wait()
            if turn.begin(0):
                wins.append("begun")

        thread = threading.Thread(target=begin)
        thread.start()
        gate.wait()
        if turn.take_back():
            wins.append("back")
        thread.join()
        assert len(wins) == 1


async def test_an_urgent_call_is_taken_by_a_full_lane_and_goes_first(lane: Lane) -> None:
    """Two of them in the order in which they came."""
    free, order = threading.Event(), []
    first = ask(lane, free.wait)
    await soon(lane.running)
    others = [ask(lane, lambda n=n: order.append(n)) for n in range(4)]
    await asyncio.sleep(0)
    urgent = [ask(lane, lambda n=n: order.append(n), urgent=True) for n in ("a", "b")]
    await asyncio.sleep(0)
    with pytest.raises(LaneFull):
        await ask(lane, lambda: 1)
    assert len(lane.waiting()) == 6
    free.set()
    await asyncio.gather(first, *others, *urgent)
    assert order == ["a", "b", 0, 1, 2, 3]


async def test_an_urgent_call_waits_before_a_hung_lane(lane: Lane, clock: FakeClock) -> None:
    """It runs as soon as the driver comes back; one that is given up leaves nothing behind."""
    free = threading.Event()
    hung = ask(lane, free.wait)
    await soon(lambda: lane._open and next(iter(lane._open)).begun)
    clock.tick(2.1)
    lane.check(clock.mono())
    with pytest.raises(NoAnswer):
        await hung
    given_up, urgent = ask(lane, lambda: pytest.fail("given up"), urgent=True), ask(lane, lambda: "safe", urgent=True)
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    assert len(lane._line) == 1
    clock.tick(3600)
    lane.check(clock.mono())
    assert not urgent.done()
    free.set()
    assert (await urgent).result == "safe"
    assert lane.hang is None


async def test_a_command_is_taken_back_by_its_id(lane: Lane) -> None:
    """While it waits; one that runs is not, and a read has no id that anybody could name."""
    free = threading.Event()
    runs = ask(lane, free.wait, by=By("runs", "heater", "ada"))
    await soon(lane.running)
    waits, read = ask(lane, lambda: pytest.fail("taken back"), by=By("waits")), ask(lane, lambda: "read")
    await asyncio.sleep(0)
    assert not lane.take_back("runs", Cancelled("no")) and not lane.take_back("nobody", Cancelled("no"))
    assert lane.take_back("waits", Cancelled("ada took it back"))
    with pytest.raises(Cancelled, match="ada took it back"):
        await waits
    slot = lane.running()
    assert slot is not None and (slot.by.id, slot.by.who, slot.label) == ("runs", "ada", "reading it")
    assert lane.drop_waiting(LaneStopped("stop"), keep=lambda by: not by.id) == 0
    free.set()
    assert (await runs).result is True and (await read).result == "read"


async def test_a_closed_lane_takes_nothing(lane: Lane) -> None:
    """Not even what is urgent: there is nobody to do it."""
    lane.close()
    with pytest.raises(LaneStopping):
        await ask(lane, lambda: 1, urgent=True)
    await lane.ended()


def test_a_line_loses_nothing_between_two_threads() -> None:
    """What is put in is taken out once, or removed and never taken; closing it ends whoever takes."""
    line: Line[Turn] = Line()
    turns = [Turn() for _ in range(5000)]
    begun: list[Turn] = []

    def take() -> None:
        while (turn := line.take()) is not None:
            if turn.begin(0):
                begun.append(turn)

    thread = threading.Thread(target=take)
    thread.start()
    back = 0
    for number, turn in enumerate(turns):
        line.put(turn, urgent=number % 7 == 0)
        if number % 3 == 0 and turn.take_back():
            line.remove(turn)
            back += 1
    line.close()
    thread.join(20)
    assert not thread.is_alive() and len(line) == 0
    assert len(begun) + back == len(turns)
