"""What is kept until the bus has acknowledged it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from pilothouse.agent.collect import GATHER, MOST_BYTES, MOST_READINGS, Collector, count_readings
from pilothouse.agent.spool import Spool, batch_id
from pilothouse.bus.messages import LIMIT, Batch, encode
from pilothouse.model import Reading
from pilothouse.testing import FakeClock
from support.fake_bus import FakeBus
from support.odd import passing


def batch(seq: int, *, value: Any = 1.0, count: int = 1) -> Batch:
    """Readings."""
    return Batch(node="pi", epoch=7, seq=seq, readings=[Reading("t", "p", seq, value)] * count)


@pytest.fixture
def clock() -> FakeClock:
    """Stands still."""
    return FakeClock()


@pytest.fixture
async def run(clock: FakeClock) -> AsyncIterator[Callable[..., Spool]]:
    """Spools that run until the test ends."""
    tasks: list[asyncio.Task[None]] = []

    def make(**more: Any) -> Spool:
        spool = Spool("ph.home.data.pi", clock, **({"window": 1, "most": 1000} | more))
        tasks.append(asyncio.create_task(spool.run()))
        return spool

    yield make
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def put(spool: Spool, *numbers: int) -> None:
    """Add batches."""
    for number in numbers:
        spool.add(batch_id("pi", 7, number), batch(number), 60)


async def test_nothing_is_lost_doubled_or_out_of_order(run: Any, clock: FakeClock) -> None:
    """The link goes in every way it can: before, between, and after keeping but before the acknowledgement."""
    spool, bus = run(), FakeBus()
    put(spool, *range(1, 200))
    assert len(spool) == 199
    spool.up(bus)
    await clock.advance(0.1)
    put(spool, *range(200, 250))
    bus.up = False
    await clock.advance(1.0)
    put(spool, *range(250, 300))
    bus.up = bus.mute = True
    spool.up(bus)
    await clock.advance(3.0)
    bus.mute = False
    await passing(clock, lambda: len(spool) == 0)
    await spool.drained()
    assert [b.seq for b in bus.of(Batch)] == list(range(1, 300))
    assert all(b.late for b in bus.of(Batch)[:199])


async def test_only_what_waited_is_late(run: Any, clock: FakeClock) -> None:
    """Live ones are not."""
    spool, bus = run(), FakeBus()
    spool.up(bus)
    put(spool, 1)
    await clock.advance(0.1)
    bus.up = False
    put(spool, 2, 3)
    await clock.advance(1)
    bus.up = True
    spool.up(bus)
    await clock.advance(1)
    put(spool, 4)
    await clock.advance(0.1)
    assert [(b.seq, b.late) for b in bus.of(Batch)] == [(1, False), (2, True), (3, True), (4, False)]


async def test_a_link_that_is_down_is_not_asked_again_and_again(run: Any, clock: FakeClock) -> None:
    """It says itself when it is back; an attempt that the bus itself refuses is repeated calmly."""
    spool, bus = run(window=8), FakeBus()
    spool.up(bus)
    bus.up = False
    put(spool, *range(20))
    await clock.advance(60)
    assert bus.attempts <= 8
    bus.up = bus.mute = True
    spool.up(bus)
    await clock.advance(10)
    assert bus.attempts <= 8 + 8 * 22


async def test_over_its_bound_the_oldest_is_dropped_and_told(run: Any, clock: FakeClock) -> None:
    """By number and by size."""
    dropped: list[Any] = []
    spool, bus = run(most=100, dropped=dropped.append), FakeBus()
    put(spool, *range(150))
    assert [b.seq for b in dropped] == list(range(50)) and sum(map(count_readings, dropped)) == 50
    spool.up(bus)
    await passing(clock, lambda: len(spool) == 0)
    assert [b.seq for b in bus.of(Batch)] == list(range(50, 150))
    small = run(most=1000, limit=10_000, dropped=dropped.append)
    for number in range(100):
        small.add(f"x-{number}", batch(number, value="y" * 500), 560)
    assert len(small) * 560 <= 10_500


async def test_one_that_may_not_drop_says_that_it_is_full(run: Any) -> None:
    """And goes on taking."""
    spool = run(most=3)
    put(spool, 1, 2)
    assert not spool.full
    put(spool, 3, 4, 5)
    assert spool.full and len(spool) == 5


async def test_a_message_that_can_never_be_sent_does_not_block_the_others(run: Any, clock: FakeClock) -> None:
    """It is logged and gone; also when packed."""
    spool, bus = run(), FakeBus()
    for number in range(100):
        value = "z" * (LIMIT + 1) if number in (3, 90) else 1.0
        spool.add(f"x-{number}", batch(number, value=value))
    spool.up(bus)
    await passing(clock, lambda: len(spool) == 0)
    assert [b.seq for b in bus.of(Batch)] == [n for n in range(100) if n not in (3, 90)]


async def test_what_waits_gets_a_new_number_of_the_run(run: Any, clock: FakeClock) -> None:
    """Packed or not."""
    spool, bus = run(), FakeBus()
    put(spool, *range(1, 100))
    spool.renumber(9)
    spool.up(bus)
    await passing(clock, lambda: len(spool) == 0)
    assert {b.epoch for b in bus.of(Batch)} == {9} and len(bus.of(Batch)) == 99


async def test_readings_are_gathered_for_a_moment(run: Any, clock: FakeClock) -> None:
    """One batch, numbered from 1 on."""
    spool, bus = run(), FakeBus()
    spool.up(bus)
    collector = Collector("pi", lambda: 7, spool, clock)
    for number in range(10):
        collector.add(Reading("t", "p", number, number))
    assert not bus.kept
    await clock.advance(GATHER + 0.001)
    collector.add(Reading("t", "p", 11, 11))
    assert collector.up_to_date() == 2
    collector.close()
    await clock.advance(0.1)
    assert [(b.seq, len(b.readings)) for b in bus.of(Batch)] == [(1, 10), (2, 1)]


async def test_no_batch_is_too_large_for_the_bus(run: Any, clock: FakeClock) -> None:
    """Many readings, or large ones, become several batches."""
    spool, bus = run(), FakeBus()
    spool.up(bus)
    collector = Collector("pi", lambda: 7, spool, clock)
    for number in range(2 * MOST_READINGS + 1):
        collector.add(Reading("t", "p", number, number))
    for number in range(20):
        collector.add(Reading("t", "p", number, "\u2028" * 20_000))
    collector.close()
    await passing(clock, lambda: len(spool) == 0)
    batches = bus.of(Batch)
    assert [b.seq for b in batches] == list(range(1, len(batches) + 1))
    assert sum(len(b.readings) for b in batches) == 2 * MOST_READINGS + 21
    assert max(len(encode(b)) for b in batches) < MOST_BYTES + 70_000
