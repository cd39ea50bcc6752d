"""History keeps its promises: what was taken is there once, gaps are gaps, charts are small and right."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from pilothouse.bus.messages import Batch, Described, Happened, Presence
from pilothouse.errors import BadMessage, BadValue, CannotStart
from pilothouse.model import PropertyDescription, Quality, Reading, Series, ThingDescription
from pilothouse.record import History, HistoryWriter, Keep, Position
from pilothouse.testing import FakeClock

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
T0 = 1_700_000_000_000 // HOUR * HOUR
"""Start of an hour; the clock of the tests stands somewhere in it."""
TEMPERATURE = Series("pi", "host", "temperature")


@pytest.fixture
def clock() -> FakeClock:
    """Time that stands still."""
    return FakeClock()


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recent readings lie where the test's other files are."""
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))


@pytest.fixture(params=["sqlite"])
async def writer(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[HistoryWriter]:
    """An empty history in each kind of database."""
    opened = await HistoryWriter.open(tmp_path / "history.db", clock)
    yield opened
    await opened.close()
    assert list((tmp_path / "run").iterdir()) == []


@pytest.fixture
async def history(writer: HistoryWriter, tmp_path: Path, clock: FakeClock) -> AsyncIterator[History]:
    """A reader of it."""
    opened = await History.open_reader(tmp_path / "history.db", clock)
    yield opened
    await opened.close()


def batch(seq: int, *readings: tuple[int, Any], epoch: int = 1, name: str = "temperature", **more: Any) -> Batch:
    """A batch of readings of one property."""
    items = [Reading("host", name, time, value, *rest) for time, value, *rest in readings]
    return Batch(node="pi", epoch=epoch, seq=seq, readings=items, **more)


def take(writer: HistoryWriter, *batches: Batch, now: int = T0) -> None:
    """As the keeper does."""
    for one in batches:
        writer.intake.batch("pi", one, now)


def every(period: int, count: int, value: Callable[[int], Any], start: int = T0) -> Batch:
    """Many readings in one batch."""
    return batch(1, *((start + i * period, value(i)) for i in range(count)))


async def points(history: History, start: int = T0, end: int = T0 + HOUR, count: int = 1000) -> list[Any]:
    """The chart of the temperature."""
    return (await history.query([TEMPERATURE], start, end, count))[0].points


async def raw(history: History, start: int = T0, end: int = T0 + HOUR) -> list[tuple[int, float | None]]:
    """Times and values, relative to the start."""
    found = await points(history, start, end)
    assert all(low == high == mean for _, low, high, mean in found)
    return [(time - start, low) for time, low, _, _ in found]


def describe(name: str = "host", **properties: dict[str, Any]) -> Described:
    """A description of a thing of the node."""
    made = {key: PropertyDescription(name=key, **about) for key, about in properties.items()}
    about = ThingDescription(node="pi", name=name, title="This machine", properties=made)
    return Described(node="pi", epoch=1, thing=name, description=about)


def presence(*things: str, epoch: int = 1) -> Presence:
    """The node is there."""
    return Presence(node="pi", epoch=epoch, version="0.1.0", time=T0, mono=1, things=things)


# readings


async def test_readings_come_back(writer: HistoryWriter, history: History) -> None:
    """In order of their time, whatever the order they came in."""
    take(writer, batch(1, (T0 + 2000, 2.5), (T0, 1)), batch(2, (T0 + 1000, True), (T0 + 3000, -1e300)))
    assert await writer.settle() == 4
    assert await raw(history) == [(0, 1.0), (1000, 1.0), (2000, 2.5), (3000, -1e300)]


async def test_readings_can_be_seen_before_they_are_in_the_record(writer: HistoryWriter, history: History) -> None:
    """A card is written rarely, a chart is looked at now."""
    take(writer, batch(1, (T0, 1.0)))
    await writer.settle()
    take(writer, batch(2, (T0 + 1000, 2.0)))
    assert await raw(history) == [(0, 1.0)]
    await writer.show()
    assert await raw(history) == [(0, 1.0), (1000, 2.0)]
    assert (await history.latest())[TEMPERATURE].value == 2.0
    assert writer.waiting == 1
    await writer.settle()
    assert await raw(history) == [(0, 1.0), (1000, 2.0)]
    assert writer.waiting == 0


async def test_what_comes_while_readers_are_shown_something_is_shown_next(
    writer: HistoryWriter, history: History
) -> None:
    """Showing takes a moment, and readings do not wait for it."""
    take(writer, batch(1, (T0, 1.0)))
    await writer.settle()
    for seq in range(2, 30):
        take(writer, batch(seq, (T0 + seq, 2.0)))
        showing = asyncio.create_task(writer.show())
        await asyncio.sleep(0)
        take(writer, batch(100 + seq, (T0 + 100 + seq, 3.0)))
        await showing
    await writer.show()
    assert len([value for _, value in await raw(history) if value is not None]) == 57


async def test_a_batch_twice_is_in_once(writer: HistoryWriter, history: History) -> None:
    """Delivered again at once, later, and after a new start."""
    first = batch(1, (T0, 1.0), (T0 + 1000, 2.0))
    take(writer, first, first)
    await writer.settle()
    take(writer, first, batch(2, (T0 + 2000, 3.0)), first)
    assert await writer.settle() == 1
    assert await raw(history) == [(0, 1.0), (1000, 2.0), (2000, 3.0)]


async def test_the_last_of_a_moment_wins(writer: HistoryWriter, history: History) -> None:
    """A poll and a readback may fall into one millisecond."""
    take(writer, batch(1, (T0, 1.0), (T0, 2.0)))
    await writer.settle()
    assert await raw(history) == [(0, 2.0)]


async def test_a_clock_that_jumps_back_overwrites_nothing(writer: HistoryWriter, history: History) -> None:
    """Yesterday's reading stays what it was, also when today's has the same time."""
    take(writer, batch(1, (T0, 1.0)))
    await writer.settle()
    take(writer, batch(2, (T0, 99.0), (T0 + 500, 2.0)))
    await writer.settle()
    assert await raw(history) == [(0, 1.0), (500, 2.0)]


async def test_a_reading_from_tomorrow_is_uncertain(writer: HistoryWriter, history: History, clock: FakeClock) -> None:
    """It is stored with its own time, and is not the latest of anything."""
    now = clock.now()
    take(writer, batch(1, (now, 1.0), (now + DAY + 1, 2.0), (now - DAY, 3.0)), now=now)
    await writer.settle()
    assert (await history.latest())[TEMPERATURE].value == 1.0
    clock.jump(2 * 86_400)
    state = (await history.latest())[TEMPERATURE]
    assert (state.value, state.quality) == (2.0, Quality.UNCERTAIN)
    assert await raw(history, now - DAY, now + 2 * DAY) == [(0, 3.0), (DAY, 1.0), (2 * DAY + 1, 2.0)]


async def test_garbage_in_a_batch_leaves_the_rest(writer: HistoryWriter, history: History) -> None:
    """Impossible names and times are counted; everything else is taken."""
    strange = [Reading("host", "no such name!", T0, 1.0), Reading("../..", "x", T0, 1.0)]
    strange += [Reading("host", "temperature", time, 1.0) for time in (-1, 2**70, 2**62)]
    readings = [*strange, Reading("host", "temperature", T0, 5.0), Reading("host", "big", T0, 10**400)]
    take(writer, Batch(node="pi", epoch=1, seq=1, readings=readings))
    await writer.settle()
    assert await raw(history) == [(0, 5.0)]
    assert writer.intake.dropped == 5


@pytest.mark.parametrize("fields", [{"node": "other"}, {"epoch": -1}, {"seq": 0}, {"epoch": 2**70}, {"seq": 2**63}])
async def test_a_batch_that_is_none(writer: HistoryWriter, fields: dict[str, Any]) -> None:
    """Nothing of it is taken."""
    good: dict[str, Any] = {"node": "pi", "epoch": 1, "seq": 1, "readings": [Reading("host", "x", T0, 1.0)]}
    with pytest.raises(BadMessage):
        take(writer, Batch(**(good | fields)))
    assert not writer.intake.pending and not writer.intake.fresh


async def test_bad_readings_break_the_line(writer: HistoryWriter, history: History) -> None:
    """A device that did not answer has no value; twice is one gap."""
    bad = [(T0 + 1000, None, Quality.BAD), (T0 + 2000, None, Quality.BAD)]
    take(writer, batch(1, (T0, 1.0), *bad, (T0 + 3000, 2.0)))
    await writer.settle()
    assert await raw(history) == [(0, 1.0), (1000, None), (3000, 2.0)]


async def test_anything_else_than_numbers(writer: HistoryWriter, history: History) -> None:
    """Texts and structures come as values where they changed, numbers too big for SQL as the nearest."""
    mode = Series("pi", "host", "mode")
    values = ["idle", "idle", 'it\'s "on" \x00', {"a": [1, None]}, None, "x" * 10_000]
    take(writer, batch(1, *((T0 + i, value) for i, value in enumerate(values)), name="mode"))
    take(writer, batch(2, (T0, 10**30), (T0 + 1, 2**63), (T0 + 2, 2**62), (T0 + 3, "text between")))
    await writer.settle()
    found, numbers = await history.query([mode, TEMPERATURE], T0, T0 + 1000, 100)
    assert found.points == []
    assert found.values == [(T0 + i, value) for i, value in enumerate(values) if i != 1]
    assert [low for _, low, _, _ in numbers.points] == [1e30, 2.0**63, 2.0**62]
    few = (await history.query([mode], T0, T0 + 1000, 2))[0].values
    assert few == [(T0 + 5, "x" * 10_000)]


async def test_booleans_are_booleans_again(writer: HistoryWriter, history: History) -> None:
    """On a chart they are 0 and 1, in the directory true and false."""
    fan = Series("pi", "host", "fan")
    writer.intake.described(describe(fan={"schema": {"type": "boolean"}}), T0)
    take(writer, batch(1, (T0, False), (T0 + 1, True), name="fan"))
    await writer.settle()
    assert (await history.latest())[fan].value is True
    drawn = (await history.query([fan], T0, T0 + 10, 10))[0].points
    assert [low for _, low, _, _ in drawn] == [0.0, 1.0]


# positions


async def test_the_position_moves_with_the_rows(writer: HistoryWriter, history: History, tmp_path: Path) -> None:
    """In one transaction; what waits counts for the writer, what is written for everybody."""
    take(writer, batch(1, (T0, 1.0)))
    at = Position(created="then", seq=5, time=77)
    writer.intake.pending.positions["data"] = at
    assert await writer.position("data") == at
    assert await history.position("data") == Position()
    await writer.settle()
    assert await history.position("data") == at
    assert await writer.position("data") == at
    assert await writer.position("event") == Position()


async def test_a_new_start_knows_everything(tmp_path: Path, clock: FakeClock) -> None:
    """Series keep their numbers, doubles are known, holes are still open."""
    path = tmp_path / "history.db"
    first = await HistoryWriter.open(path, clock)
    take(first, batch(1, (T0, 1.0)), batch(3, (T0 + 2000, 3.0)))
    await first.close()
    second = await HistoryWriter.open(path, clock)
    take(second, batch(3, (T0 + 2000, 99.0)), batch(2, (T0 + 1000, 2.0)), batch(4, (T0 + 3000, 4.0), name="other"))
    await second.close()
    history = await History.open_reader(path, clock)
    assert await raw(history) == [(0, 1.0), (1000, 2.0), (2000, 3.0)]
    assert (await history.latest())[Series("pi", "host", "other")].value == 4.0
    await history.close()


async def test_a_reader_may_be_first(tmp_path: Path, clock: FakeClock) -> None:
    """Hub and keeper start in any order."""
    path = tmp_path / "record" / "history.db"
    history = await History.open_reader(path, clock)
    assert await raw(history) == []
    assert await history.directory() == []
    writer = await HistoryWriter.open(path, clock)
    take(writer, batch(1, (T0, 1.0)))
    await writer.settle()
    take(writer, batch(2, (T0 + 1, 2.0)))
    await writer.show()
    assert await raw(history) == [(0, 1.0), (1, 2.0)]
    await writer.close()
    assert await raw(history) == [(0, 1.0), (1, 2.0)]
    await history.close()


async def test_a_damaged_file_is_not_touched(tmp_path: Path, clock: FakeClock) -> None:
    """The error says how to put it aside."""
    path = tmp_path / "history.db"
    path.write_bytes(b"this was a database once" * 1000)
    with pytest.raises(CannotStart, match="damaged"):
        await HistoryWriter.open(path, clock)
    assert path.read_bytes().startswith(b"this was")


# gaps


async def test_a_new_run_is_a_gap(writer: HistoryWriter, history: History) -> None:
    """The line breaks right after the last reading of the run before."""
    take(writer, batch(1, (T0, 1.0)), batch(1, (T0 + 9000, 2.0), epoch=2))
    await writer.settle()
    assert await raw(history) == [(0, 1.0), (1, None), (9000, 2.0)]


@pytest.mark.parametrize("between", [False, True])
async def test_late_batches_fill_a_gap(writer: HistoryWriter, history: History, between: bool) -> None:
    """The line breaks while they are missing, also when only a part came, and is whole in the end."""

    async def pause() -> None:
        if between:
            await writer.settle()
        else:
            await writer.show()

    take(writer, batch(1, (T0, 1.0)))
    await writer.settle()
    take(writer, batch(4, (T0 + 3000, 4.0)))
    await pause()
    assert await raw(history) == [(0, 1.0), (1, None), (3000, 4.0)]
    take(writer, batch(2, (T0 + 1000, 2.0), late=True))
    await writer.settle()
    assert await raw(history) == [(0, 1.0), (1000, 2.0), (1001, None), (3000, 4.0)]
    take(writer, batch(3, (T0 + 2000, 3.0), late=True))
    await writer.settle()
    assert await raw(history) == [(0, 1.0), (1000, 2.0), (2000, 3.0), (3000, 4.0)]


async def test_a_gap_is_in_every_series_of_its_node_only(writer: HistoryWriter, history: History) -> None:
    """Other nodes were read all the time."""
    take(writer, batch(1, (T0, 1.0)), batch(2, (T0 + 1, 1.0), name="load"))
    other = [Reading("host", "load", T0 + time, 5.0) for time in (0, 2000)]
    writer.intake.batch("shed", Batch(node="shed", epoch=1, seq=1, readings=other), T0)
    take(writer, batch(4, (T0 + 3000, 4.0)))
    await writer.settle()
    names = [Series("pi", "host", "temperature"), Series("pi", "host", "load"), Series("shed", "host", "load")]
    found = await history.query(names, T0, T0 + 4000, 100)
    assert [[low for _, low, _, _ in one.points] for one in found] == [[1.0, None, 4.0], [1.0, None], [5.0, 5.0]]


async def test_a_reading_at_the_time_of_a_mark_wins(writer: HistoryWriter, history: History) -> None:
    """Whichever is written first."""
    take(writer, batch(1, (T0, 1.0)), batch(3, (T0 + 5, 3.0)))
    await writer.settle()
    take(writer, batch(2, (T0 + 1, 2.0), late=True))
    await writer.settle()
    assert await raw(history) == [(0, 1.0), (1, 2.0), (5, 3.0)]


# charts


async def test_the_value_before_the_range_is_carried_in(writer: HistoryWriter, history: History) -> None:
    """Reports come on change: a chart that begins between two of them begins with the first."""
    take(writer, batch(1, (T0, 7.0), (T0 + 30_000, 8.0)))
    await writer.settle()
    assert await raw(history, T0 + 10_000, T0 + 40_000) == [(0, 7.0), (20_000, 8.0)]
    assert await raw(history, T0 + 50_000, T0 + 60_000) == [(0, 8.0)]
    assert await raw(history, T0 + HOUR, T0 + HOUR + 1000) == [], "nobody knows what it is after an hour of silence"


async def test_nothing_is_carried_over_a_gap(writer: HistoryWriter, history: History) -> None:
    """After the gap's begin nobody knew."""
    take(writer, batch(1, (T0, 7.0)), batch(1, (T0 + 30_000, 8.0), epoch=2))
    await writer.settle()
    assert await raw(history, T0 + 10_000, T0 + 40_000) == [(20_000, 8.0)]


async def test_many_readings_become_lowest_highest_mean(writer: HistoryWriter, history: History) -> None:
    """No peak is lost, however few the points."""
    take(writer, every(100, 6000, lambda i: 1000.0 if i == 4321 else float(i % 10)))
    await writer.settle()
    data = (await history.query([TEMPERATURE], T0, T0 + 10 * MINUTE, 50))[0]
    assert (data.tier, data.bucket, len(data.points)) == ("raw", 12_000, 50)
    peak = max(data.points, key=lambda point: point[2] or 0)
    assert peak[0] == T0 + 432_000 and peak[1:3] == (0.0, 1000.0)
    assert data.points[0][1:] == (0.0, 9.0, 4.5)


async def test_a_gap_shows_in_a_chart_of_buckets(writer: HistoryWriter, history: History) -> None:
    """Between the bucket that it begins in and the next one with readings."""
    first = batch(1, *((T0 + i * 100, 1.0) for i in range(1000)))
    second = batch(3, *((T0 + 200_000 + i * 100, 2.0) for i in range(1000)))
    take(writer, first, second)
    await writer.settle()
    drawn = (await history.query([TEMPERATURE], T0, T0 + 300_000, 30))[0].points
    assert [low for _, low, _, _ in drawn] == [1.0] * 10 + [None] + [2.0] * 10


async def test_a_day_comes_from_minutes_and_what_is_not_rolled_up_from_readings(
    writer: HistoryWriter, history: History, clock: FakeClock
) -> None:
    """The chart goes up to the last reading, and says the same before and after the roll-up."""
    start = T0 - DAY
    take(writer, every(1000, 86_400, lambda i: math.sin(i / 5000), start))
    await writer.settle()
    data = (await history.query([TEMPERATURE], start, T0, 720))[0]
    assert (data.tier, data.bucket, len(data.points)) == ("minute", 2 * MINUTE, 720)
    await writer.roll_up(hurry=True)
    rolled = (await history.query([TEMPERATURE], start, T0, 720))[0]
    for old, new in zip(data.points, rolled.points, strict=True):
        assert old == pytest.approx(new, abs=0.02)
    take(writer, batch(2, (T0, 5.0)))
    await writer.show()
    later = (await history.query([TEMPERATURE], start, T0 + MINUTE, 720))[0]
    assert later.points[-1] == (T0, 5.0, 5.0, 5.0)


async def test_a_month_comes_from_hours(writer: HistoryWriter, history: History) -> None:
    """With the minutes after the last full hour, and the readings after the last full minute."""
    start = T0 - 60 * DAY
    take(writer, every(30 * MINUTE, 48 * 60, float, start))
    await writer.settle()
    await writer.roll_up(hurry=True)
    await writer.retain(Keep(raw=7 * DAY, minutes=30 * DAY, hours=3650 * DAY), T0)
    data = (await history.query([TEMPERATURE], start, T0, 1440))[0]
    assert (data.tier, data.bucket, len(data.points)) == ("hour", HOUR, 1440)
    assert data.points[0][1:3] == (0.0, 1.0)
    assert data.points[-1] == (T0 - HOUR, 48 * 60 - 2, 48 * 60 - 1, pytest.approx(48 * 60 - 1.5))


async def test_a_series_that_never_was(history: History) -> None:
    """Is empty."""
    assert await points(history) == []


@pytest.mark.parametrize(("start", "end", "count"), [(5, 5, 10), (6, 5, 10), (-1, 5, 10), (0, 2**60, 1), (0, 1, 0)])
async def test_questions_that_make_no_sense(history: History, start: int, end: int, count: int) -> None:
    """Are answered by a sentence."""
    with pytest.raises(BadValue):
        await history.query([TEMPERATURE], start, end, count)


# roll-ups and retention


async def rolled(writer: HistoryWriter, history: History) -> list[Any]:
    """Minutes of the temperature: settles, rolls up, and deletes the readings, so that only minutes are left."""
    await writer.settle()
    await writer.roll_up(hurry=True)
    await writer.retain(Keep(raw=1, minutes=3650 * DAY, hours=3650 * DAY), T0 + 30 * MINUTE)
    found = (await history.query([TEMPERATURE], T0, T0 + 10 * MINUTE, 10))[0]
    assert found.tier == "minute"
    return found.points


async def test_the_mean_is_weighted_by_time(writer: HistoryWriter, history: History) -> None:
    """A value that was there for 45 s counts three times one that was there for 15 s; what holds is carried on."""
    take(writer, batch(1, (T0, 0.0), (T0 + 45_000, 4.0), (T0 + MINUTE + 30_000, 0.0), (T0 + 2 * MINUTE, 9.0)))
    take(writer, batch(2, (T0 + 5 * MINUTE, 1.0)))
    assert await rolled(writer, history) == [
        (T0, 0.0, 4.0, 1.0),
        (T0 + MINUTE, 0.0, 4.0, 2.0),
        (T0 + 2 * MINUTE, 0.0, 9.0, 9.0),
    ]


async def test_a_gap_ends_what_is_held(writer: HistoryWriter, history: History) -> None:
    """Nothing is known from then on; the minute says that the line ends in it."""
    take(writer, batch(1, (T0, 1.0), (T0 + 30_000, 3.0)), batch(1, (T0 + 3 * MINUTE, 5.0), epoch=2))
    take(writer, batch(2, (T0 + 5 * MINUTE, 1.0), epoch=2))
    assert await rolled(writer, history) == [
        (T0, 1.0, 3.0, pytest.approx(1.0, abs=0.001)),
        (T0 + MINUTE - 1, None, None, None),
        (T0 + 3 * MINUTE, 5.0, 5.0, 5.0),
    ]


async def test_late_readings_roll_their_minutes_up_again(writer: HistoryWriter, history: History) -> None:
    """The minute is right in the end."""
    take(writer, batch(1, (T0, 1.0)), batch(3, (T0 + 3 * MINUTE, 1.0)), batch(4, (T0 + 4 * MINUTE, 1.0)))
    await writer.settle()
    assert await writer.roll_up(hurry=True) > 0
    take(writer, batch(2, (T0 + 1000, 9.0), (T0 + 2000, 1.0), late=True))
    drawn = await rolled(writer, history)
    assert drawn[0][:3] == (T0, 1.0, 9.0)
    assert drawn[1][1] is not None, "the gap is filled, the line goes on"


async def test_roll_up_does_what_is_complete_once(writer: HistoryWriter) -> None:
    """An hour at a time to spare the card; the newest minute waits for its end; a second call finds nothing to do."""
    take(writer, batch(1, *((T0 + i * 1000, 1.0) for i in range(150))))
    await writer.settle()
    assert await writer.roll_up() == 0
    assert await writer.roll_up(hurry=True) == 2
    assert await writer.roll_up(hurry=True) == 0
    take(writer, batch(2, *((T0 + i * 1000, 1.0) for i in range(150, 3800))))
    await writer.settle()
    assert await writer.roll_up() == 62


async def test_old_readings_are_deleted(writer: HistoryWriter, history: History) -> None:
    """Each tier by its own time, in small steps."""
    take(writer, every(1000, 10_000, float, T0 - 10 * DAY), batch(2, (T0, 5.0)))
    writer.intake.event("pi", "host", happened("event-old", T0 - 100 * DAY))
    writer.intake.event("pi", "host", happened("event-new", T0 - 80 * DAY))
    await writer.settle()
    await writer.roll_up(hurry=True)
    keep = Keep(raw=7 * DAY, minutes=90 * DAY, hours=3650 * DAY)
    assert await writer.retain(keep, T0) == 10_001
    assert await writer.retain(keep, T0) == 0
    assert await raw(history) == [(0, 5.0)]
    assert len((await history.query([TEMPERATURE], T0 - 10 * DAY, T0, 20_000))[0].points) == 167
    assert [event.id for event in await history.events()] == ["event-new"]


# things and events


def happened(id: str, time: int = T0, **more: Any) -> Happened:
    """An event of the machine."""
    return Happened(**({"id": id, "node": "pi", "epoch": 1, "thing": "host", "name": "hot", "time": time} | more))


async def test_the_directory_is_remembered(writer: HistoryWriter, history: History) -> None:
    """Description, last readings, when the node was last heard."""
    described = describe(temperature={"schema": {"type": "number"}, "unit": "Cel"}, load={"schema": {"type": "number"}})
    assert writer.intake.described(described, T0)
    assert not writer.intake.described(described, T0)
    writer.intake.presence(presence("host"), T0 + 5)
    take(writer, batch(1, (T0, 21.5)))
    await writer.settle()
    (remembered,) = await history.directory()
    assert remembered.description == described.description
    assert remembered.last_seen == T0 + 5
    assert {name: state.value for name, state in remembered.properties.items()} == {"temperature": 21.5}
    assert (await history.query([TEMPERATURE], T0, T0 + 1, 2))[0].unit == "Cel"


async def test_a_thing_that_is_gone_is_forgotten_but_not_its_readings(writer: HistoryWriter, history: History) -> None:
    """Taken out of the node's configuration."""
    for name in ("host", "pump"):
        writer.intake.described(describe(name, temperature={"schema": {"type": "number"}}), T0)
    take(writer, batch(1, (T0, 21.5)))
    await writer.settle()
    writer.intake.presence(presence("pump"), T0)
    await writer.settle()
    assert [found.description.name for found in await history.directory()] == ["pump"]
    assert await raw(history) == [(0, 21.5)]
    assert not writer.intake.presence(presence("pump", epoch=0), T0), "an older run says nothing any more"


async def test_presence_is_noted_rarely(writer: HistoryWriter) -> None:
    """Every two seconds it comes; once a minute is enough for a card."""
    assert writer.intake.presence(presence(), T0)
    assert not writer.intake.presence(presence(), T0 + 59_999)
    assert writer.intake.presence(presence(), T0 + 60_000)
    assert writer.intake.presence(presence(epoch=2), T0 + 60_001)


async def test_events_come_back_once(writer: HistoryWriter, history: History) -> None:
    """Newest first, by node and thing, page by page."""
    for id, time in (("event-1a", T0), ("event-2b", T0 + 5), ("event-1a", T0)):
        writer.intake.event("pi", "host", happened(id, time, data={"why": "it's hot"}))
    await writer.settle()
    writer.intake.event("pi", "host", happened("event-2b", T0 + 5))
    await writer.settle()
    assert [event.id for event in await history.events()] == ["event-2b", "event-1a"]
    assert [event.id for event in await history.events(node="pi", thing="host", before=T0 + 5)] == ["event-1a"]
    assert (await history.events(limit=1))[0].data == {"why": "it's hot"}
    assert await history.events(thing="pump") == []


@pytest.mark.parametrize("fields", [{"node": "other"}, {"thing": "x"}, {"name": "A b"}, {"id": "x"}, {"time": -5}])
async def test_an_event_that_is_none(writer: HistoryWriter, fields: dict[str, Any]) -> None:
    """Nothing of it is taken."""
    with pytest.raises(BadMessage):
        writer.intake.event("pi", "host", happened(**({"id": "event-1a"} | fields)))
    assert not writer.intake.pending.events
