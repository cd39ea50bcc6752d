"""The injected clock: durations as people write them, and the fake clock that tests stand on."""

from __future__ import annotations

import asyncio

import pytest

from pilothouse.clock import SystemClock, parse_duration
from pilothouse.testing import FakeClock


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("5s", 5), ("20m", 1200), ("12h", 43200), ("30d", 2592000), (1.5, 1.5), (" 2 s ", 2), ("3", 3)],
)
def test_durations_are_read_as_people_write_them(text: str | float, seconds: float) -> None:
    """Every unit, bare numbers, and blanks around them."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1y", "nan", "inf", float("nan"), "1e400", "five"])
def test_what_is_no_duration_is_refused(text: str | float) -> None:
    """Negative, endless and meaningless ones raise ValueError."""
    with pytest.raises(ValueError, match=r".*"):
        parse_duration(text)


def test_system_clock_moves_forward() -> None:
    """The monotonic time never goes back."""
    clock = SystemClock()
    assert clock.mono() <= clock.mono()
    assert clock.now() > 1_700_000_000_000


async def test_sleepers_wake_in_the_order_of_their_deadlines() -> None:
    """Each sees its own time, also those that go to sleep again on the way."""
    clock = FakeClock()
    seen: list[tuple[str, int]] = []
    start = clock.mono()

    async def beat(name: str, period: float, times: int) -> None:
        for _ in range(times):
            await clock.sleep(period)
            seen.append((name, clock.mono() - start))

    tasks = [asyncio.create_task(beat("a", 1.0, 3)), asyncio.create_task(beat("b", 1.5, 2))]
    await clock.until_asleep(2)
    await clock.advance(2.5)
    assert seen == [("a", 1000), ("b", 1500), ("a", 2000)]
    assert clock.mono() - start == 2500
    await clock.advance(1)
    assert seen[3:] == [("b", 3000), ("a", 3000)]
    assert clock.sleepers == 0
    await asyncio.gather(*tasks)


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    """Cancelling works as with a real sleep."""
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(5))
    await clock.until_asleep()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await clock.advance(10)
    assert clock.sleepers == 0


async def test_a_jump_moves_the_wall_alone() -> None:
    """What is decided by the monotonic clock does not notice."""
    clock = FakeClock()
    now, mono = clock.now(), clock.mono()
    clock.jump(-86400)
    assert (clock.now() - now, clock.mono() - mono) == (-86_400_000, 0)
    clock.tick(0.25)
    assert (clock.now() - now, clock.mono() - mono) == (-86_399_750, 250)


async def test_waiting_for_sleepers_gives_up() -> None:
    """A test that waits for a sleeper who never comes fails with a number."""
    with pytest.raises(AssertionError, match="0 tasks"):
        await FakeClock().until_asleep(turns=3)
