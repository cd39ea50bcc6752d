"""The down path in one process: every command has one honest end, and the device is asked at most once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from pilothouse.agent.admission import Book
from pilothouse.agent.commands import Commands
from pilothouse.agent.lane import Watch
from pilothouse.agent.owned import Owned
from pilothouse.agent.spool import Spool
from pilothouse.bus.messages import Command, End, Outcome, Why
from pilothouse.bus.subjects import Subjects
from pilothouse.testing import FakeClock
from support.fake_bus import FakeBus
from support.odd import Heard, Odd, own, passing, soon

SUBJECTS = Subjects("home")


class Desk:
    """One thing, and commands to it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.bus = FakeBus()
        self.heard = Heard()
        self.thing = Odd()
        self.watch = Watch(self.clock)
        self.owned: Owned = own(self.thing, self.watch, self.heard, self.clock, Random(1))
        self.ledger = Spool(SUBJECTS.ledger("pi"), self.clock, window=8, most=100)
        self.stepped: list[int] = []
        self.commands = Commands({"odd": self.owned}, self.ledger, SUBJECTS, self.clock, self.stepped.append)
        self.commands.book = Book("pi", 7)
        self.tasks = [asyncio.create_task(work) for work in (self.watch.run(), self.owned.keep(), self.ledger.run())]
        self.ledger.up(self.bus)
        self.count = 0

    def command(self, name: str, value: Any = None, *, ttl: float = 5.0, **more: Any) -> Command:
        """A command that is made now."""
        self.count += 1
        fields: dict[str, Any] = {
            "id": f"command-{self.count}",
            "node": "pi",
            "epoch": 7,
            "thing": "odd",
            "kind": "property",
            "name": name,
            "input": value,
            "deadline": self.clock.mono() + round(ttl * 1000),
            "who": "ada",
            "origin": "test",
        }
        return Command(**(fields | more))

    def send(self, command: Command) -> asyncio.Task[Outcome | None]:
        """As the bus would."""
        subject = SUBJECTS.command(command.node, command.thing, command.name)
        return asyncio.create_task(self.commands.handle(subject, command))

    async def set(self, name: str, value: Any, **more: Any) -> Outcome:
        """Write, and let the clock run until it has ended."""
        return await self.ended(self.send(self.command(name, value, **more)))

    async def ended(self, task: asyncio.Task[Outcome | None]) -> Outcome:
        """Its outcome."""
        await passing(self.clock, task.done, "an end")
        outcome = task.result()
        assert outcome is not None
        return outcome

    async def asked(self, *call: Any) -> None:
        """Wait until the device was asked so."""
        await soon(lambda: call in self.thing.calls, f"{call}")

    async def end(self) -> None:
        """Leave nothing behind."""
        await self.commands.finish(0.01)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.thing.free.set()
        for lane in self.watch.lanes():
            lane.close()
            await lane.ended()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """With the thing open."""
    desk = Desk()
    await soon(lambda: desk.owned.working)
    del desk.thing.calls[:]
    yield desk
    await desk.end()


async def test_confirmed_by_a_readback_made_after_the_write(desk: Desk) -> None:
    """Write, readback, then all properties; in this order, with nothing between write and readback."""
    poll = desk.owned.poll(["number"])
    outcome = await desk.set("level", 3)
    assert poll and (outcome.end, outcome.value, outcome.detail) == (End.CONFIRMED, 3.0, "")
    await soon(lambda: desk.thing.count("read") == 3)
    assert desk.thing.calls == [
        ("read", "number"),
        ("write", "level", 3.0),
        ("read", "level"),
        ("read", "level", "number", "on", "slow", "text"),
    ]
    assert desk.heard.of("level")[-1] == (3.0, "good")
    assert desk.owned.value("level").wish == 3.0
    await soon(lambda: desk.bus.of(Outcome) == [outcome])


async def test_the_same_id_gets_the_first_outcome_while_and_after(desk: Desk) -> None:
    """Three times at once and once later: one call."""
    desk.thing.free.clear()
    command = desk.command("on", True)
    tasks = [desk.send(command) for _ in range(3)]
    await desk.asked("write", "on", True)
    desk.thing.free.set()
    outcomes = [await desk.ended(task) for task in tasks]
    assert outcomes[0].end is End.CONFIRMED and outcomes[1:] == outcomes[:1] * 2
    assert await desk.ended(desk.send(command)) == outcomes[0]
    assert desk.thing.count("write") == 1
    await soon(lambda: desk.bus.of(Outcome) == outcomes[:1])


async def test_a_value_that_does_not_show_is_failed(desk: Desk) -> None:
    """With both values and the unit; the wish stays, for it was accepted."""
    desk.thing.deaf = True
    outcome = await desk.set("level", 3)
    assert (outcome.end, outcome.why, outcome.value) == (End.FAILED, Why.READBACK, 0.0)
    assert outcome.detail == "the device took 3.0 V and shows 0.0 V"
    assert desk.owned.value("level").wish == 3.0


async def test_a_property_is_given_its_time_to_settle(desk: Desk) -> None:
    """Confirmed as soon as it shows; failed when the time is over."""
    desk.thing.deaf = True
    task = desk.send(desk.command("slow", 9))
    await desk.asked("write", "slow", 9.0)
    await desk.clock.advance(1.0)
    assert not task.done()
    desk.thing.values["slow"] = 9.0
    assert (await desk.ended(task)).end is End.CONFIRMED
    began = desk.clock.mono()
    outcome = await desk.set("slow", 2)
    assert outcome.detail == "the device took 2.0 and shows 9.0 after 2 s"
    assert 1900 <= desk.clock.mono() - began <= 2500


async def test_a_driver_that_raises_is_failed_in_its_own_words(desk: Desk) -> None:
    """The device was asked; whether it still answers is looked at next."""
    desk.thing.broken["write"] = ValueError("out of paper")
    outcome = await desk.set("on", True)
    assert (outcome.end, outcome.why) == (End.FAILED, Why.DEVICE)
    assert "ValueError: out of paper" in outcome.detail and outcome.asked > 0
    await soon(lambda: desk.thing.count("read") == 1)
    assert desk.owned.health.ok


async def test_a_readback_that_cannot_be_had_is_failed(desk: Desk) -> None:
    """Raising, or nonsense."""
    desk.thing.broken["read"] = OSError("gone")
    assert "could not be read back: OSError: gone" in (await desk.set("on", True)).detail
    await soon(lambda: not desk.owned.working)  # the look after the command has failed too
    del desk.thing.broken["read"]
    await passing(desk.clock, lambda: desk.owned.working)
    desk.thing.deaf = True
    desk.thing.values["on"] = "maybe"
    outcome = await desk.set("on", False)
    assert (outcome.end, outcome.why) == (End.FAILED, Why.READBACK) and "maybe" in outcome.detail


async def test_a_driver_that_hangs_is_unknown_and_the_truth_comes_later(desk: Desk) -> None:
    """Two lines in the ledger, the first unknown; others are refused meanwhile with since when."""
    desk.thing.free.clear()
    command = desk.command("on", True, ttl=60)
    task = desk.send(command)
    behind = desk.send(desk.command("level", 4, ttl=60))
    await desk.asked("write", "on", True)
    unknown = await desk.ended(task)
    assert (unknown.end, unknown.why) == (End.UNKNOWN, Why.TIME) and unknown.asked > 0
    waited = await desk.ended(behind)
    assert (waited.end, waited.why, waited.asked) == (End.REFUSED, Why.BUSY, 0)
    refused = await desk.set("level", 5)
    assert refused.why is Why.BUSY and "has not answered since" in refused.detail
    assert not desk.owned.health.ok
    desk.thing.free.set()
    await soon(lambda: len([o for o in desk.bus.of(Outcome) if o.id == command.id]) == 2)
    first, later = (o for o in desk.bus.of(Outcome) if o.id == command.id)
    assert (first.end, later.end, later.value) == (End.UNKNOWN, End.CONFIRMED, True)
    assert await desk.ended(desk.send(command)) == unknown, "a repetition gets the first outcome"
    assert desk.thing.calls.count(("write", "on", True)) == 1
    assert ("write", "level", 4.0) not in desk.thing.calls
    await soon(lambda: desk.owned.health.ok)
    assert desk.owned.value("level").wish is None, "what was not done is no wish"


async def test_a_hung_action_that_raises_in_the_end_is_failed_later(desk: Desk) -> None:
    """After its own timeout of 3 s."""
    desk.thing.free.clear()
    desk.thing.broken["work"] = OSError("burnt")
    began = desk.clock.mono()
    outcome = await desk.ended(desk.send(desk.command("work", {"times": 2}, kind="action")))
    assert outcome.end is End.UNKNOWN and 2900 <= desk.clock.mono() - began <= 3300
    desk.thing.free.set()
    await soon(lambda: [o.end for o in desk.bus.of(Outcome)] == [End.UNKNOWN, End.FAILED])


async def test_a_command_that_waits_too_long_expires_and_is_never_done(desk: Desk) -> None:
    """Said as soon as its time is over, not when the device comes back."""
    desk.thing.free.clear()
    first = desk.send(desk.command("work", kind="action"))
    await desk.asked("work", 1)
    task = desk.send(desk.command("on", True, ttl=0.5))
    outcome = await desk.ended(task)
    assert (outcome.end, outcome.why, outcome.asked) == (End.EXPIRED, Why.TIME, 0)
    assert desk.owned.value("on").wish_time == 0
    desk.thing.free.set()
    assert (await desk.ended(first)).end is End.CONFIRMED
    await soon(lambda: desk.thing.count("read") >= 1)
    assert desk.thing.count("write") == 0


async def test_actions_give_their_output_or_why_it_is_none(desk: Desk) -> None:
    """Nonsense is told as such."""
    outcome = await desk.ended(desk.send(desk.command("work", {"times": 4}, kind="action")))
    assert (outcome.end, outcome.value) == (End.CONFIRMED, 4)
    outcome = await desk.ended(desk.send(desk.command("nonsense", kind="action")))
    assert outcome.end is End.FAILED and "its output is none" in outcome.detail


async def test_a_thing_that_does_not_answer_is_not_asked(desk: Desk) -> None:
    """Refused, with its error, since when, and when it is tried again."""
    desk.thing.broken["read"] = OSError("cable")
    desk.thing.broken["open"] = OSError("cable")
    desk.owned.poll(["number"])
    await soon(lambda: not desk.owned.working)
    del desk.thing.calls[:]
    outcome = await desk.set("on", True)
    assert (outcome.end, outcome.why) == (End.REFUSED, Why.DEVICE)
    assert "OSError: cable" in outcome.detail and "tried again at" in outcome.remedy
    assert desk.thing.count("write") == 0


async def test_a_command_waits_for_a_thing_that_is_being_opened() -> None:
    """And is done after the safe values, or expires."""
    desk = Desk()
    desk.thing.free.clear()
    await desk.asked("open")
    task, late = desk.send(desk.command("on", True)), desk.send(desk.command("on", True, ttl=0.2))
    assert (await desk.ended(late)).end is End.EXPIRED
    desk.thing.free.set()
    assert (await desk.ended(task)).end is End.CONFIRMED
    writes = [call for call in desk.thing.calls if call[0] == "write"]
    assert writes[-2:] == [("write", "on", False), ("write", "on", True)]
    await desk.end()


async def test_epochs(desk: Desk) -> None:
    """An older one is refused and not in the ledger; a newer one is met with silence, and we go."""
    outcome = await desk.set("on", True, epoch=6)
    assert (outcome.end, outcome.why) == (End.REFUSED, Why.EPOCH)
    assert await desk.send(desk.command("on", True, epoch=8)) is None
    assert desk.stepped == [8]
    await desk.clock.advance(1)
    assert not desk.bus.kept
    assert desk.thing.count("write") == 0


async def test_stopping_refuses_new_ones_and_ends_what_runs_as_unknown(desk: Desk) -> None:
    """Nothing is left without an end."""
    desk.thing.free.clear()
    task = desk.send(desk.command("on", True, ttl=60))
    waits = desk.send(desk.command("level", 2, ttl=60))
    await desk.asked("write", "on", True)
    desk.commands.stopping = True
    desk.owned.lane.stop_taking()
    assert (await desk.ended(waits)).why is Why.STOPPING
    assert (await desk.set("on", False)).why is Why.STOPPING
    await desk.commands.finish(0.01)
    outcome = await task
    assert outcome and outcome.end is End.UNKNOWN and "stopped" in outcome.detail
    await soon(lambda: len(desk.bus.of(Outcome)) == 3)


async def test_a_fault_of_ours_is_unknown_not_silence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One end, whatever breaks."""

    async def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(desk.owned, "write", broken)
    outcome = await desk.set("on", True)
    assert outcome.end is End.UNKNOWN
    await soon(lambda: desk.bus.of(Outcome) == [outcome])


async def test_outcomes_wait_for_the_link_and_are_never_dropped(desk: Desk) -> None:
    """When too many wait, commands are refused rather than outcomes lost."""
    desk.bus.up = False
    for _ in range(100):
        assert (await desk.set("level", 1, deadline=0)).end is End.EXPIRED
    refused = await desk.set("level", 1)
    assert refused.why is Why.BUSY and "ledger" in refused.detail
    assert desk.thing.count("write") == 0
    desk.bus.up = True
    desk.ledger.up(desk.bus)
    await passing(desk.clock, lambda: len(desk.bus.of(Outcome)) >= 100)
    assert len({o.id for o in desk.bus.of(Outcome)}) == 101


async def test_the_clock_jumps_and_no_deadline_moves(desk: Desk) -> None:
    """A day back or forth: the command is done, or expires, by the monotonic clock alone."""
    for jump in (-86_400, 86_400):
        command = desk.command("on", True)
        desk.clock.jump(jump)
        assert (await desk.ended(desk.send(command))).end is End.CONFIRMED
