"""One thing and its moods: raising, hanging, nonsense, and getting well again."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from pilothouse.agent.lane import Done, Watch
from pilothouse.agent.owned import Owned
from pilothouse.agent.poll import Poller
from pilothouse.config.site import PropertyConfig, ThingConfig
from pilothouse.model import PropertyDescription
from pilothouse.testing import FakeClock
from support.odd import Heard, Odd, own, passing, soon


class Bench:
    """Things, their lanes, a poller, and a clock that a test moves."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.watch = Watch(self.clock)
        self.heard = Heard()
        self.tasks = [asyncio.create_task(self.watch.run())]
        self.poller = Poller(self.clock, lambda thing, names: self.owned[thing].poll(names))
        self.tasks.append(asyncio.create_task(self.poller.run()))
        self.owned: dict[str, Owned] = {}

    def add(self, thing: Odd, name: str = "odd", config: ThingConfig | None = None) -> Owned:
        """Start to own a thing."""
        owned = own(thing, self.watch, self.heard, self.clock, Random(1), name=name, config=config)
        self.owned[name] = owned
        self.tasks.append(asyncio.create_task(owned.keep()))
        self.poller.plan(name, {n: d.every for n, d in owned.description.properties.items()})
        return owned

    async def pass_until(self, ask: Any, what: str = "it", **more: Any) -> Any:
        """Time passes until it is so."""
        return await passing(self.clock, ask, what, **more)

    async def end(self) -> None:
        """Leave nothing behind."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for owned in self.owned.values():
            owned.thing.free.set()
        for lane in self.watch.lanes():
            lane.close()
            await lane.ended()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """An empty bench."""
    bench = Bench()
    yield bench
    await bench.end()


async def test_opened_made_safe_and_read_in_this_order(bench: Bench) -> None:
    """Safe values come before anything else is done; only outputs that have one."""
    thing = Odd()
    owned = bench.add(thing)
    await soon(owned.opened.is_set)
    assert thing.calls[:3] == [("open",), ("write", "level", 0.0), ("write", "on", False)]
    assert thing.calls[3][0] == "read"
    assert owned.health.ok and owned.working
    assert bench.heard.of("on") == [(False, "good")]
    assert bench.heard.of("slow") == [(5.0, "good")]


async def test_a_driver_that_raises_is_bad_once_and_tried_again_with_back_off(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """close() before each open(); one log line; recovery brings readings at once, and no second safe value."""
    thing = Odd()
    owned = bench.add(thing)
    await soon(lambda: owned.working)
    thing.broken["read"] = OSError("the cable is out")
    with caplog.at_level(logging.INFO):
        await bench.pass_until(lambda: not owned.health.ok, "bad health")
        assert owned.health.error == "OSError: the cable is out"
        since = owned.health.since
        assert owned.health.retry_at > since
        del thing.calls[:]
        await bench.clock.advance(0)
        await bench.pass_until(lambda: thing.count("open") >= 5, "several tries", step=0.2)
    assert [c[0] for c in thing.calls[:6]] == ["close", "open", "read", "close", "open", "read"]
    assert thing.count("write") == 0, "a device that comes back is not switched behind anybody's back"
    assert bench.heard.of("number") == [(1.0, "good"), (None, "bad")]
    assert owned.health.since == since
    assert len([r for r in caplog.records if "the cable is out" in r.message]) == 1
    del thing.broken["read"]
    await bench.pass_until(lambda: owned.health.ok, "good health", step=0.5)
    assert bench.heard.of("number") == [(1.0, "good"), (None, "bad"), (1.0, "good")]
    assert owned.health.error == "" and owned.health.since > since and owned.health.retry_at == 0


async def test_the_back_off_doubles_to_a_minute(bench: Bench) -> None:
    """1, 2, 4 … 60 s, each up to a quarter shorter."""
    thing = Odd()
    thing.broken["open"] = OSError("gone")
    owned = bench.add(thing)
    await soon(owned.opened.is_set)
    waits = []
    for _ in range(9):
        waits.append((owned.health.retry_at - bench.clock.now()) / 1000)
        before = thing.count("open")
        await bench.clock.advance(waits[-1] + 0.001)
        await soon(lambda before=before: thing.count("open") > before)
        await soon(lambda: owned.health.retry_at > bench.clock.now())
    for wait, full in zip(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60], strict=True):
        assert 0.74 * full <= wait <= full
    assert len(bench.heard.of("number")) == 1, "bad, once"
    assert bench.heard.descriptions == 1, "described from its class"


async def test_a_driver_that_hangs_hangs_alone(bench: Bench) -> None:
    """Bad after its time, no calls pile up, others untouched; well again as soon as it comes back."""
    thing, other = Odd(), Odd()
    hung, fine = bench.add(thing), bench.add(other, "fine")
    await soon(lambda: hung.working and fine.working)
    thing.free.clear()
    await bench.pass_until(lambda: not hung.health.ok, "bad health", step=0.1)
    assert "has not answered" in hung.health.error
    assert bench.heard.readings[-1].thing == "odd"
    calls, others = len(thing.calls), other.count("read")
    for _ in range(100):
        await bench.clock.advance(0.3)
        await asyncio.sleep(0.0003)
    assert len(thing.calls) == calls, "nothing is asked of a driver that hangs"
    assert other.count("read") > others + 20
    assert fine.health.ok
    assert "has not answered since" in hung.health.error
    thing.free.set()
    await soon(lambda: hung.health.ok, "well again at once, whatever the back-off says")
    assert [c[0] for c in thing.calls[calls:]][:2] == ["close", "open"]


async def test_things_on_a_lane_that_hangs_say_for_whom_they_wait(bench: Bench) -> None:
    """Both are bad: neither can be read."""
    one, two = Odd({"bus_name": "serial"}), Odd({"bus_name": "serial"})
    first, second = bench.add(one, "one"), bench.add(two, "two")
    await soon(lambda: first.working and second.working)
    assert first.lane is second.lane
    one.free.clear()
    await bench.pass_until(lambda: not first.health.ok and not second.health.ok, "both bad", step=0.1)
    assert "driver of one" in second.health.error
    one.free.set()
    await soon(lambda: first.health.ok and second.health.ok)


@pytest.mark.parametrize("nonsense", [math.nan, "hot", None, [1], 2**70, object()])
async def test_nonsense_is_bad_on_its_property_alone(bench: Bench, nonsense: Any) -> None:
    """The rest of the thing goes on; the error names the property; well again with the next good value."""
    thing = Odd()
    owned = bench.add(thing)
    await soon(lambda: owned.working)
    opens = thing.count("open")
    thing.values["number"] = nonsense
    thing.values["text"] = "still here"
    await bench.pass_until(lambda: not owned.health.ok, "bad health")
    assert owned.health.error.startswith("number: ")
    await bench.pass_until(lambda: ("still here", "good") in bench.heard.of("text"), "the other property")
    assert bench.heard.of("number") == [(1.0, "good"), (None, "bad")]
    thing.values["number"] = 2.0
    await bench.pass_until(lambda: owned.health.ok, "good health")
    assert bench.heard.of("number")[2:] == [(2.0, "good")]
    assert thing.count("open") == opens


async def test_an_answer_that_is_no_mapping_is_a_failure(bench: Bench) -> None:
    """Of the whole thing."""
    thing = Odd()
    owned = bench.add(thing)
    await soon(lambda: owned.working)
    thing.read = lambda names: [1, 2]  # type: ignore[method-assign,assignment]
    await bench.pass_until(lambda: not owned.health.ok)
    assert "where values by name were asked for" in owned.health.error


async def test_what_a_driver_leaves_out_keeps_its_last_reading(bench: Bench) -> None:
    """As the driver's contract says; it grows old."""
    thing = Odd()
    owned = bench.add(thing)
    await soon(lambda: owned.working)
    del thing.values["number"]
    time = owned.value("number").time
    await bench.pass_until(lambda: thing.count("read") > 4)
    assert owned.value("number").value == 1.0 and owned.value("number").time == time
    assert owned.health.ok


async def test_a_huge_value_is_refused_by_its_size(bench: Bench) -> None:
    """10,000 characters pass."""
    thing = Odd()
    owned = bench.add(thing)
    await soon(lambda: owned.working)
    thing.values["text"] = "x" * 10_000
    await bench.pass_until(lambda: owned.value("text").value == "x" * 10_000)
    thing.values["text"] = "x" * 100_000
    await bench.pass_until(lambda: not owned.health.ok)
    assert "value of 100002 bytes is too large" in owned.health.error


async def test_a_safe_value_that_cannot_be_written_keeps_the_thing_closed(bench: Bench) -> None:
    """The others are written all the same; it is tried again until all are safe."""
    thing = Odd()
    thing.broken["write"] = OSError("stuck")
    owned = bench.add(thing)
    await soon(owned.opened.is_set)
    assert not owned.working
    assert "safe values could not be written: level: OSError: stuck; on: OSError: stuck" in owned.health.error
    del thing.broken["write"]
    await bench.pass_until(lambda: owned.working)
    assert thing.values["on"] is False and thing.values["level"] == 0.0


async def test_stopping_makes_safe_reads_and_closes(bench: Bench) -> None:
    """The wish is cleared, and what is shown in the end is the readback."""
    thing = Odd()
    owned = bench.add(thing)
    await soon(lambda: owned.working)
    thing.values["on"] = True
    owned.wish("on", True, "id-of-the-wish")
    del thing.calls[:]
    assert await owned.stop(allowed=1.0) == ""
    assert [c[0] for c in thing.calls] == ["write", "write", "read", "close"]
    assert owned.value("on").value is False and owned.value("on").wish_time == 0
    assert bench.heard.of("on")[-1] == (False, "good")


async def test_stopping_says_what_could_not_be_made_safe(bench: Bench) -> None:
    """And closes all the same."""
    thing = Odd()
    owned = bench.add(thing)
    await soon(lambda: owned.working)
    thing.broken["write"] = OSError("stuck")
    assert "may not be safe: level: OSError: stuck" in await owned.stop(allowed=1.0)
    assert thing.calls[-1] == ("close",)


async def test_dynamic_properties_are_described_after_opening(bench: Bench) -> None:
    """With their overrides; those that go are forgotten."""
    thing = Odd()
    extra = PropertyDescription(name="extra", schema={"type": "number"})
    found = {"number": thing.declared_properties["number"], "extra": extra}
    thing.properties = lambda: found  # type: ignore[method-assign]
    thing.values["extra"] = 3
    config = ThingConfig(driver="odd", properties={"extra": PropertyConfig(title="More")})
    owned = bench.add(thing, config=config)
    await soon(owned.opened.is_set)
    assert list(owned.description.properties) == ["number", "extra"]
    assert owned.description.properties["extra"].title == "More"
    assert bench.heard.of("extra") == [(3, "good")]
    assert bench.heard.descriptions == 1


async def test_polls_do_not_pile_up_and_askings_become_one(bench: Bench) -> None:
    """While one is under way, all that is asked for is one more."""
    thing = Odd()
    owned = bench.add(thing)
    await soon(lambda: owned.working)
    thing.free.clear()
    del thing.calls[:]
    assert owned.poll(["number"])
    assert not owned.poll(["text"])
    for _ in range(10):
        owned.poll_after(["text"])
    owned.poll_after(["number", "not there"])
    await soon(lambda: thing.count("read") == 1)
    thing.free.set()
    await soon(lambda: thing.count("read") == 2)
    assert thing.calls == [("read", "number"), ("read", "number", "text")]


async def test_readings_carry_wall_time_and_periods_do_not(bench: Bench) -> None:
    """The wall clock jumps back a day: polls go on, times are what the clock says."""
    thing = Odd()
    owned = bench.add(thing)
    await soon(lambda: owned.working)
    bench.clock.jump(-86_400)
    thing.values["number"] = 10.0
    await bench.pass_until(lambda: owned.value("number").value == 10.0, most=2.5)
    assert abs(owned.value("number").time - bench.clock.now()) < 2500


def done(bench: Bench, *, number: int = 10_000) -> Done:
    """A call of the lane that ended now."""
    return Done(None, number, bench.clock.now(), bench.clock.now(), bench.clock.mono())


async def test_wish_accepted_and_reading_are_kept_apart(bench: Bench) -> None:
    """Each with its own time."""
    owned = bench.add(Odd())
    await soon(lambda: owned.working)
    owned.wish("level", 4.0, "id-1")
    bench.clock.tick(1)
    owned.accept("level", 4.0, done(bench))
    state = owned.value("level")
    assert (state.wish, state.accepted, state.value) == (4.0, 4.0, 0.0)
    assert state.accepted_time == state.wish_time + 1000
    owned.accept("no such", 1, done(bench))


async def test_a_device_that_is_changed_by_hand_differs_since_then(bench: Bench) -> None:
    """From the first reading that shows it until one shows what was accepted again; a bad one says nothing."""
    thing = Odd()
    owned = bench.add(thing)
    await soon(lambda: owned.working)
    owned.accept("on", False, done(bench, number=0))
    thing.values["on"] = True
    await bench.pass_until(lambda: owned.value("on").value is True, "the reading")
    first = owned.value("on").differs_since
    assert first == owned.value("on").time and owned.may_be_on("on")
    await bench.clock.advance(3)
    assert owned.value("on").differs_since == first
    thing.values["on"] = False
    await bench.pass_until(lambda: owned.value("on").value is False, "the reading")
    assert owned.value("on").differs_since == 0 and not owned.may_be_on("on")
    thing.values["on"] = None
    await bench.pass_until(lambda: owned.value("on").quality == "bad", "nonsense")
    assert owned.value("on").differs_since == 0 and owned.may_be_on("on")


async def test_while_it_settles_a_property_may_show_something_else(bench: Bench) -> None:
    """Its time is two seconds."""
    thing = Odd()
    owned = bench.add(thing)
    await soon(lambda: owned.working)
    owned.accept("slow", 9.0, done(bench, number=0))
    await bench.clock.advance(1.5)
    await soon(lambda: not owned._polling)
    assert owned.value("slow").differs_since == 0
    await bench.pass_until(lambda: owned.value("slow").differs_since > 0, "it to differ")
    assert not owned.may_be_on("slow"), "it has no safe value"
    assert not owned.may_be_on("no such")


async def test_what_was_never_accepted_cannot_differ(bench: Bench) -> None:
    """And every reading is told to whoever listens, with its time."""
    thing = Odd()
    owned = bench.add(thing)
    heard: list[tuple[str, object, int]] = []
    owned.on_reading.append(lambda name, state, mono: heard.append((name, state.value, mono)))
    await soon(lambda: owned.working)
    assert {name for name, _, _ in heard} == set(owned.description.properties)
    thing.values["level"] = 3.0
    await bench.pass_until(lambda: owned.value("level").value == 3.0, "the reading")
    assert owned.value("level").differs_since == 0
    assert heard[-1][2] <= bench.clock.mono()
    assert owned.safe_at("lease") == ["level", "on"] and not owned.wants_on("level")
