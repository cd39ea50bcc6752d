"""The grid of polls: periods are kept under any load."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.agent.poll import Grid, Poller
from pilothouse.testing import FakeClock


@given(
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from([0.05, 0.1, 0.25, 0.5, 1.0, 2.0]), min_size=1),
    st.lists(st.integers(0, 3000), min_size=1, max_size=30),
)
def test_every_poll_is_on_the_grid_and_none_is_made_up_for(every: dict[str, float], steps: list[int]) -> None:
    """However late it is asked, a property comes at most once, and next at a multiple of its period."""
    grid, mono = Grid(), 5_000_003
    grid.plan("t", every, mono)
    for step in steps:
        due = grid.next()
        assert due is not None and due > mono
        mono += step
        taken = grid.take(mono).get("t", [])
        assert len(taken) == len(set(taken))
        expected = {name for name, s in every.items() if mono // round(s * 1000) > (mono - step) // round(s * 1000)}
        assert set(taken) == expected


def test_a_new_plan_replaces_the_old() -> None:
    """What is no longer there is not polled."""
    grid = Grid()
    grid.plan("t", {"a": 1.0, "b": 2.0}, 0)
    grid.plan("u", {"c": 1.0}, 0)
    grid.plan("t", {"b": 1.0}, 0)
    assert grid.take(1000) == {"u": ["c"], "t": ["b"]}
    grid.plan("t", {}, 1000)
    assert grid.take(2000) == {"u": ["c"]}
    grid.plan("u", {}, 2000)
    assert grid.next() is None


async def test_periods_are_kept_under_load_and_over_clock_jumps() -> None:
    """Busy event loop, wall clock a day off: the polls stay where they were."""
    clock = FakeClock()
    asked: dict[str, list[int]] = defaultdict(list)

    def ask(thing: str, names: list[str]) -> None:
        asked[thing].append(clock.mono())
        if thing == "slow" and len(asked[thing]) % 7 == 0:
            clock.tick(0.3)  # something keeps the event loop busy

    poller = Poller(clock, ask)
    task = asyncio.create_task(poller.run())
    poller.plan("slow", {"x": 0.5})
    poller.plan("other", {"y": 1.0, "z": 1.0})
    for second in range(60):
        clock.jump(86_400 if second % 2 else -86_400)
        await clock.advance(1.0)
    task.cancel()
    for thing, period in (("slow", 500), ("other", 1000)):
        slots = [mono // period for mono in asked[thing]]
        assert len(slots) == len(set(slots)), "no two polls in one period"
        assert slots == list(range(slots[0], slots[0] + len(slots))), "none left out"
        assert all(mono % period <= 350 for mono in asked[thing]), "never later than what kept it"


async def test_many_things_of_one_period_are_asked_in_one_go() -> None:
    """So that their readings travel together."""
    clock = FakeClock()
    times: set[int] = set()
    poller = Poller(clock, lambda *_: times.add(clock.mono()))
    task = asyncio.create_task(poller.run())
    for number in range(50):
        poller.plan(f"t{number}", {"x": 1.0})
        clock.tick(0.007)
    await clock.advance(3.0)
    task.cancel()
    assert len(times) == 3
