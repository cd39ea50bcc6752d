"""Stops in the record keep their promises, whatever database it is in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pilothouse.bus.messages import Latch
from pilothouse.record import Act, Ledger, StopRecord
from pilothouse.testing import FakeClock

T0 = 1_795_000_000_000


class Opened(NamedTuple):
    """Both views of one file."""

    stops: StopRecord
    ledger: Ledger


@pytest.fixture(params=["sqlite"])
async def record(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    """An empty record in each kind of database."""
    ledger = await Ledger.open(tmp_path / "main.db", FakeClock())
    yield Opened(StopRecord(ledger.database), ledger)
    await ledger.close()


def latch(id: str = "stop-0001", **fields: Any) -> Latch:
    """A stop."""
    usual: dict[str, Any] = {"kind": "hard", "time": T0, "who": "ada", "origin": "page", "reason": "smoke"}
    return Latch(id=id, **(usual | fields))


def act(id: str = "lift-0001", **fields: Any) -> Act:
    """A lift."""
    usual: dict[str, Any] = {"name": "lift", "who": "bob", "origin": "api", "reason": "mended", "made": T0 + 60_000}
    return Act(id=id, **(usual | fields))


async def test_a_stop_holds_until_it_is_lifted(record: Opened) -> None:
    """And then it stands there with who lifted it and why."""
    assert (await record.stops.press(latch())).lifted_time == 0
    assert [line.latch for line in await record.stops.active()] == [latch()]
    assert await record.stops.lift(["stop-0001"], act()) == ["stop-0001"]
    assert await record.stops.active() == []
    (line,) = await record.stops.some(["stop-0001", "stop-0009"])
    assert (line.latch, line.lifted_time, line.lifted_by) == (latch(), T0 + 60_000, "bob")
    assert line.lifted_reason == "mended"


async def test_a_press_and_a_lift_are_lines_of_the_ledger(record: Opened) -> None:
    """Confirmed at once, on the site; the press under the id of the stop."""
    await record.stops.press(latch(kind="end"))
    await record.stops.lift(["stop-0001"], act(input={"stops": ["stop-0001"]}))
    lift, press = await record.ledger.lines()
    assert (press.id, press.kind, press.node, press.thing, press.name) == ("stop-0001", "site", "", "", "safe-end")
    assert (press.end, press.who, press.origin, press.reason, press.made) == ("confirmed", "ada", "page", "smoke", T0)
    assert (lift.name, lift.who, lift.input) == ("lift", "bob", {"stops": ["stop-0001"]})


async def test_pressing_twice_is_once_and_says_whether_it_was_lifted(record: Opened) -> None:
    """As two hubs that hear of the same stop, one of them late."""
    await record.stops.press(latch())
    await record.stops.lift(["stop-0001"], act())
    assert (await record.stops.press(latch(who="eve"))).lifted_time == T0 + 60_000
    assert await record.stops.active() == [] and len(await record.ledger.lines()) == 2


async def test_a_second_lift_changes_nothing(record: Opened) -> None:
    """Neither the stop nor the ledger; nor does one of what nobody pressed."""
    await record.stops.press(latch())
    await record.stops.lift(["stop-0001"], act())
    assert await record.stops.lift(["stop-0001", "stop-0002"], act("lift-0002", who="eve")) == []
    assert (await record.stops.some(["stop-0001"]))[0].lifted_by == "bob"
    assert [line.id for line in await record.ledger.lines()] == ["lift-0001", "stop-0001"]


async def test_a_lift_names_what_it_lifts(record: Opened) -> None:
    """A stop that is pressed meanwhile holds."""
    await record.stops.press(latch("stop-0001"))
    await record.stops.press(latch("stop-0002", time=T0 + 1))
    await record.stops.lift(["stop-0001"], act())
    assert [line.latch.id for line in await record.stops.active()] == ["stop-0002"]


async def test_what_happened_lately(record: Opened) -> None:
    """Pressed or lifted since then, and what holds however old."""
    await record.stops.press(latch("stop-0001", time=T0))
    await record.stops.press(latch("stop-0002", time=T0 + 10))
    await record.stops.press(latch("stop-0003", time=T0 + 20))
    await record.stops.lift(["stop-0002"], act(made=T0 + 50))
    await record.stops.lift(["stop-0003"], act("lift-0002", made=T0 + 90))
    assert [line.latch.id for line in await record.stops.since(T0 + 60)] == ["stop-0001", "stop-0003"]
    assert [line.latch.id for line in await record.stops.since(T0)] == ["stop-0001", "stop-0002", "stop-0003"]


async def test_stops_survive_a_new_start(tmp_path: Path) -> None:
    """A record that is closed and opened again knows what holds."""
    for hold in ([], ["stop-0001"]):
        ledger = await Ledger.open(tmp_path / "main.db", FakeClock())
        stops = StopRecord(ledger.database)
        assert [line.latch.id for line in await stops.active()] == hold
        await stops.press(latch())
        await ledger.close()
