"""Outcomes travel to the ledger in lots, each once, in order, and never in a message that the bus refuses."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.agent.gather import MOST, Gather
from pilothouse.agent.spool import Spool
from pilothouse.bus.messages import LIMIT, End, Message, Outcome, Outcomes, encode
from pilothouse.clock import SystemClock


class Kept:
    """A bus that keeps what is appended."""

    def __init__(self) -> None:
        self.up = True
        self.ids: list[str] = []
        self.messages: list[Message] = []

    async def append(self, subject: str, message: Message, *, id: str) -> int:
        """Keep it."""
        encode(message)
        self.ids.append(id)
        self.messages.append(message)
        return len(self.messages)


def outcome(number: int, size: int = 0) -> Outcome:
    """The end of command `number`, with a value of `size` characters."""
    return Outcome(id=f"id{number:06}", node="pi", epoch=1, thing="t", name="p", end=End.CONFIRMED, value="x" * size)


async def through(sizes: list[int]) -> Kept:
    """What a bus keeps of outcomes with values of these sizes."""
    bus = Kept()
    gather = Gather("pi", Spool("s", SystemClock(), window=1, most=10_000))
    gather.up(bus)
    task = asyncio.create_task(gather.run())
    for number, size in enumerate(sizes):
        gather.add(f"id{number}", outcome(number, size))
    await gather.drained()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not len(gather)
    return bus


def unpacked(bus: Kept) -> list[str]:
    """Ids of all outcomes in the order in which they were kept."""
    return [one.id for lot in bus.messages if isinstance(lot, Outcomes) for one in lot.outcomes]


@given(st.lists(st.integers(0, 60_000), max_size=60))
def test_each_once_in_order_and_small_enough(sizes: list[int]) -> None:
    """Whatever their values weigh."""
    bus = asyncio.run(through(sizes))
    assert unpacked(bus) == [f"id{number:06}" for number in range(len(sizes))]
    assert all(len(encode(message)) < LIMIT for message in bus.messages)
    assert len(set(bus.ids)) == len(bus.ids)


async def test_many_share_a_message() -> None:
    """That is what it is for."""
    bus = await through([0] * (2 * MOST + 1))
    assert len(bus.messages) == 3


async def test_one_alone_does_not_wait_for_others() -> None:
    """A moment, and it is sent without being asked for."""
    bus = Kept()
    gather = Gather("pi", Spool("s", SystemClock(), window=1, most=10))
    gather.up(bus)
    task = asyncio.create_task(gather.run())
    gather.add("a", outcome(1))
    assert len(gather) == 1
    async with asyncio.timeout(5):
        while not bus.messages:
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
