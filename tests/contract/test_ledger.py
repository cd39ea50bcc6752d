"""The ledger keeps its promises, whatever database it is in."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from pilothouse.bus.messages import End, Made, Outcome, Why
from pilothouse.errors import CannotStart, NotThere, RecordError
from pilothouse.model import new_id
from pilothouse.record import Act, Intent, Ledger, Line, Position, Wanted
from pilothouse.record.database import migrations, statements
from pilothouse.record.search import search
from pilothouse.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """Time that stands still."""
    return FakeClock()


@pytest.fixture(params=["sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Ledger]:
    """An empty ledger in each kind of database."""
    opened = await Ledger.open(tmp_path / "main.db", clock)
    yield opened
    await opened.close()


def intent(id: str = "command-1", **fields: Any) -> Intent:
    """A command to switch a fan."""
    usual: dict[str, Any] = {"node": "pi", "thing": "relays", "kind": "property", "name": "fan", "input": True}
    usual |= {"who": "ada", "origin": "page", "reason": "too warm", "made": 1_700_000_000_000, "epoch": 7}
    return Intent(id=id, **(usual | fields))


def outcome(id: str = "command-1", end: End = End.CONFIRMED, **fields: Any) -> Outcome:
    """How it ended."""
    usual: dict[str, Any] = {"node": "pi", "epoch": 7, "thing": "relays", "name": "fan", "value": True}
    usual |= {"accepted": 1_700_000_000_010, "asked": 1_700_000_000_011, "ended": 1_700_000_000_015, "took_ms": 5.5}
    return Outcome(id=id, end=end, **(usual | fields))


async def line(ledger: Ledger, id: str = "command-1") -> Line:
    """A line that must be there."""
    found = await ledger.line(id)
    assert found is not None
    return found


async def test_an_intent_is_an_open_line(ledger: Ledger) -> None:
    """What was asked for stands there whole, with no end."""
    assert await ledger.intend(intent()) is None
    found = await line(ledger)
    assert (found.node, found.thing, found.name, found.input, found.who) == ("pi", "relays", "fan", True, "ada")
    assert (found.reason, found.end, found.ended, found.ttl, found.later) == ("too warm", "", 0, 5.0, [])


async def test_a_line_that_is_not_there(ledger: Ledger) -> None:
    """No line, no error."""
    assert await ledger.line("nothing-of-that-name") is None


async def test_the_same_id_twice_gives_the_first_line(ledger: Ledger) -> None:
    """An idempotency key is good for one command, whatever the second says."""
    await ledger.intend(intent())
    await ledger.end(outcome())
    again = await ledger.intend(intent(name="pump", input=False))
    assert again is not None
    assert (again.name, again.end, again.value) == ("fan", "confirmed", True)


async def test_many_at_once_with_one_id_are_one(ledger: Ledger) -> None:
    """Exactly one of them may be sent."""
    answers = await asyncio.gather(*(ledger.intend(intent()) for _ in range(50)))
    assert answers.count(None) == 1


async def test_the_end_is_written_once(ledger: Ledger) -> None:
    """Another outcome of the same end changes nothing."""
    await ledger.intend(intent())
    await ledger.end(outcome(detail="first"))
    await ledger.end(outcome(detail="second", value=False))
    found = await line(ledger)
    assert (found.end, found.detail, found.value, found.took_ms, found.later) == ("confirmed", "first", True, 5.5, [])


async def test_what_comes_after_unknown_is_later_truth(ledger: Ledger, clock: FakeClock) -> None:
    """The line is not rewritten."""
    await ledger.intend(intent())
    await ledger.end(outcome(end=End.UNKNOWN, why=Why.TIME, value=None))
    for _ in range(3):
        await ledger.end(outcome(end=End.CONFIRMED))
    found = await line(ledger)
    assert (found.end, found.why) == ("unknown", "time")
    assert [(truth.end, truth.value, truth.time) for truth in found.later] == [("confirmed", True, clock.now())]


async def test_unknown_is_no_later_truth(ledger: Ledger) -> None:
    """That somebody gave up waiting says nothing about a command that has ended."""
    await ledger.intend(intent())
    await ledger.end(outcome(end=End.FAILED, why=Why.DEVICE, detail="no answer"))
    await ledger.end(outcome(end=End.UNKNOWN))
    found = await line(ledger)
    assert (found.end, found.detail, found.later) == ("failed", "no answer", [])


async def test_an_outcome_without_an_intent_is_kept(ledger: Ledger) -> None:
    """What a node did is in the ledger even if the hub's record was lost meanwhile."""
    await ledger.end(outcome())
    found = await line(ledger)
    assert (found.end, found.name, found.who, found.made) == ("confirmed", "fan", "", 1_700_000_000_010)
    assert await ledger.intend(intent()) == found


async def test_the_position_moves_with_the_outcomes(ledger: Ledger) -> None:
    """Outcomes from the bus and how far it was read are one step."""
    position = Position(created="2026-01-01", seq=12, time=99)
    await ledger.end_all([outcome("command-a"), outcome("command-b")], "ledger", position)
    assert await ledger.position("ledger") == position
    assert await ledger.position("other") == Position()
    assert {found.id for found in await ledger.lines()} == {"command-a", "command-b"}


async def test_lines_newest_first_and_by_page(ledger: Ledger) -> None:
    """Pages follow one another without holes, also while new lines come."""
    ids = [f"command-{number:03}" for number in range(25)]
    for id in ids:
        await ledger.intend(intent(id))
    first = await ledger.lines(limit=10)
    await ledger.intend(intent("command-new"))
    second = await ledger.lines(limit=10, before=first[-1].id)
    third = await ledger.lines(limit=10, before=second[-1].id)
    assert [found.id for found in first + second + third] == ids[::-1]


async def test_lines_by_node_thing_end_and_person(ledger: Ledger) -> None:
    """Every filter counts, also for the open ones."""
    await ledger.intend(intent("command-1"))
    await ledger.intend(intent("command-2", node="shed", who="bob"))
    await ledger.intend(intent("command-3", thing="pump"))
    await ledger.end(outcome("command-3", End.REFUSED))

    async def ids(**wanted: str) -> list[str]:
        return [found.id[-1] for found in await ledger.lines(**wanted)]  # type: ignore[arg-type]

    assert await ids(node="pi") == ["3", "1"]
    assert await ids(node="pi", thing="relays") == ["1"]
    assert await ids(end="refused") == ["3"]
    assert await ids(end="") == ["2", "1"]
    assert await ids(who="bob") == ["2"]
    assert await ids(who="nobody") == []


async def test_open_lines_long_past_their_time_end_as_unknown(ledger: Ledger, clock: FakeClock) -> None:
    """Thirty seconds beyond the time to live nobody will say any more; younger ones stay open."""
    await ledger.intend(intent("command-old", made=clock.now() - 36_000))
    await ledger.intend(intent("command-new", made=clock.now() - 34_000))
    await ledger.intend(intent("command-done", made=clock.now() - 99_000))
    await ledger.end(outcome("command-done"))
    assert await ledger.close_open(30_000) == 1
    assert await ledger.close_open(30_000) == 0
    old = await line(ledger, "command-old")
    assert (old.end, old.why, old.ended) == ("unknown", "time", clock.now())
    assert (await line(ledger, "command-new")).end == ""


@pytest.mark.parametrize("value", [None, 1.5, "a 'text' with \"quotes\" and \x00", [1, {"a": []}], {"x": None}, 10**30])
async def test_any_value_comes_back(ledger: Ledger, value: Any) -> None:
    """Inputs and outputs are whatever JSON can carry."""
    await ledger.intend(intent(input=value))
    await ledger.end(outcome(value=value))
    found = await line(ledger)
    assert (found.input, found.value) == (value, value)


async def test_one_that_cannot_be_written_does_not_spoil_the_others(ledger: Ledger) -> None:
    """Commands that share a commit do not share a mistake."""
    good = [ledger.intend(intent(f"command-{number}")) for number in range(20)]
    bad = ledger.intend(intent("command-bad", made=2**70))
    results = await asyncio.gather(*good[:10], bad, *good[10:], return_exceptions=True)
    assert [result for result in results if result is None] == [None] * 20
    assert isinstance(results[10], OverflowError)
    assert len(await ledger.lines()) == 20


async def test_two_processes_write_the_same_ledger(ledger: Ledger, tmp_path: Path, clock: FakeClock) -> None:
    """Hub and keeper side by side: nobody is told that the file is locked, and every line is there."""
    other = await Ledger.open(tmp_path / "main.db", clock)
    await asyncio.gather(
        *(side.intend(intent(new_id(number))) for number in range(300) for side in (ledger, other)),
    )
    await other.close()
    assert len(await ledger.lines(limit=1000)) == 600


async def test_lines_survive_a_new_start(tmp_path: Path, clock: FakeClock) -> None:
    """What was written is there when it is opened again, and closing twice does no harm."""
    first = await Ledger.open(tmp_path / "record" / "main.db", clock)
    await first.intend(intent())
    await first.close()
    await first.close()
    with pytest.raises(RecordError, match="closed"):
        await first.intend(intent("command-2"))
    second = await Ledger.open(tmp_path / "record" / "main.db", clock)
    assert (await line(second)).who == "ada"
    await second.close()


async def test_a_damaged_file_is_not_touched(tmp_path: Path, clock: FakeClock) -> None:
    """The error says how to put it aside."""
    path = tmp_path / "main.db"
    path.write_bytes(b"this was a database once" * 1000)
    with pytest.raises(CannotStart, match="damaged") as caught:
        await Ledger.open(path, clock)
    assert f"mv {path}*" in caught.value.remedy
    assert path.read_bytes().startswith(b"this was")


async def test_a_record_of_a_newer_version_is_not_touched(tmp_path: Path, clock: FakeClock) -> None:
    """An old Pilothouse does not write into a new record."""
    ledger = await Ledger.open(tmp_path / "main.db", clock)
    await ledger.database.write(lambda connection: connection.execute("PRAGMA user_version = 99").rowcount)
    await ledger.close()
    with pytest.raises(CannotStart, match="newer"):
        await Ledger.open(tmp_path / "main.db", clock)


async def test_a_folder_that_cannot_be_written(tmp_path: Path, clock: FakeClock) -> None:
    """One sentence with the line to type."""
    (tmp_path / "record").write_text("a file where the folder should be")
    with pytest.raises(CannotStart, match="cannot be opened"):
        await Ledger.open(tmp_path / "record" / "main.db", clock)


async def test_what_the_agent_did_by_itself_is_a_whole_line(ledger: Ledger) -> None:
    """It says which rule did it and why; an intent of a hub, where there is one, stands."""
    made = Made(kind="property", input=False, origin="max-on", reason="it was on for 20 min", time=1_700_000_000_005)
    await ledger.end(outcome(value=False, made=made))
    found = await line(ledger)
    assert (found.kind, found.name, found.input, found.who, found.origin) == (
        "property",
        "fan",
        False,
        "guard",
        "max-on",
    )
    assert (found.reason, found.made, found.end, found.value) == ("it was on for 20 min", made.time, "confirmed", False)
    await ledger.intend(intent("command-2"))
    await ledger.end(outcome("command-2", made=made))
    assert ((await line(ledger, "command-2")).who, (await line(ledger, "command-2")).origin) == ("ada", "page")


async def test_later_truth_has_the_times_of_the_node(ledger: Ledger, clock: FakeClock) -> None:
    """The hub had given up; the agent's first word comes after."""
    await ledger.intend(intent())
    await ledger.end(Outcome(id="command-1", node="pi", epoch=7, thing="relays", name="fan", end=End.UNKNOWN))
    await clock.advance(60)
    await ledger.end(outcome(end=End.FAILED, why=Why.DEVICE, detail="no answer"))
    (truth,) = (await line(ledger)).later
    assert (truth.end, truth.detail, truth.time) == ("failed", "no answer", clock.now())
    assert (truth.accepted, truth.asked, truth.ended) == (1_700_000_000_010, 1_700_000_000_011, 1_700_000_000_015)


async def test_an_act_on_the_site_is_a_line_that_has_ended(ledger: Ledger) -> None:
    """Once, however often it is told."""
    act = Act(id="act-00001", name="lease.take", thing="bench", who="ada", origin="page", made=5, detail="Until 14:30.")
    await ledger.act(act)
    await ledger.act(act)
    (found,) = await ledger.lines()
    assert (found.kind, found.node, found.thing, found.name) == ("site", "", "bench", "lease.take")
    assert (found.end, found.made, found.ended, found.detail) == ("confirmed", 5, 5, "Until 14:30.")


async def ids(ledger: Ledger, **wanted: Any) -> list[str]:
    """Last letters of the ids of the lines that fit."""
    return [found.id[-1] for found in (await ledger.page(Wanted(**wanted))).lines]


async def test_lines_by_everything_that_can_be_asked(ledger: Ledger) -> None:
    """Alone and together."""
    await ledger.intend(intent("command-1", made=1000))
    await ledger.intend(intent("command-2", made=2000, origin="api", name="pump", reason="50 % is_too much"))
    await ledger.intend(intent("command-3", made=3000, kind="action", name="test", input=None, reason="Too HOT"))
    await ledger.act(Act(id="command-4", name="stop", who="bob", origin="page", made=4000, reason="smoke"))
    await ledger.end(outcome("command-2", End.FAILED, detail="The Relay is stuck", remedy="knock"))
    assert await ids(ledger) == ["4", "3", "2", "1"]
    assert await ids(ledger, origin="api") == ["2"]
    assert await ids(ledger, kind="site") == ["4"]
    assert await ids(ledger, kind="property") == ["2", "1"]
    assert await ids(ledger, kind="action", node="pi") == ["3"]
    assert await ids(ledger, name="pump") == ["2"]
    assert await ids(ledger, since=2000) == ["4", "3", "2"]
    assert await ids(ledger, until=2000) == ["1"]
    assert await ids(ledger, since=1500, until=3500, who="ada") == ["3", "2"]
    assert await ids(ledger, text="too") == ["3", "2", "1"]
    assert await ids(ledger, text="RELAY is") == await ids(ledger, text="knock") == ["2"]
    assert await ids(ledger, text="50 %") == await ids(ledger, text="is_too") == ["2"]
    assert await ids(ledger, text="%") == ["2"]
    assert await ids(ledger, thing="relays", end="failed", who="ada", origin="api") == ["2"]
    assert await ids(ledger, end="", thing="relays") == ["3", "1"]
    assert await ids(ledger, end="confirmed") == ["4"]


async def pages(ledger: Ledger, wanted: Wanted, limit: int) -> list[list[str]]:
    """Ids of all pages, one after the other."""
    found, before = [], ""
    while True:
        page = await ledger.page(wanted, before=before, limit=limit)
        found.append([each.id for each in page.lines])
        before = page.next
        if not before:
            return found


@pytest.mark.parametrize("wanted", [Wanted(), Wanted(who="ada"), Wanted(since=0), Wanted(end="", origin="page")])
async def test_pages_follow_one_another(ledger: Ledger, wanted: Wanted) -> None:
    """Every line once, newest first, and the last page says that it is the last."""
    names = [f"command-{number:03}" for number in range(25)]
    for number, name in enumerate(names):
        await ledger.intend(intent(name, made=1000 + number // 3))
    found = await pages(ledger, wanted, 10)
    assert [len(page) for page in found] == [10, 10, 5] and [*chain(*found)] == names[::-1]
    assert [len(page) for page in await pages(ledger, wanted, 25)] == [25]


@pytest.mark.parametrize(
    "wanted", [Wanted(text="needle"), Wanted(text="needle", who="ada"), Wanted(text="needle", since=0)]
)
async def test_a_page_looks_at_a_bounded_part_of_the_ledger(
    ledger: Ledger, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be empty and still have a next one; nothing is left out on the way."""
    monkeypatch.setattr("pilothouse.record.search.WINDOW", 4)
    for number in range(20):
        await ledger.intend(
            intent(f"command-{number:03}", made=number, reason="needle" if number in (1, 2, 11) else "")
        )
    found = await pages(ledger, wanted, 10)
    assert found[0] == [] and [*chain(*found)] == ["command-011", "command-002", "command-001"]


async def test_a_page_before_a_line_that_is_not_there(ledger: Ledger) -> None:
    """It is said, and not taken for the end of the ledger."""
    with pytest.raises(NotThere, match="nothing-there"):
        await ledger.page(Wanted(), before="nothing-there")


INDEXED = [
    Wanted(node="pi"),
    Wanted(node="pi", thing="relays"),
    Wanted(thing="relays"),
    Wanted(who="ada"),
    Wanted(origin="page"),
    Wanted(end="failed"),
    Wanted(end=""),
    Wanted(kind="site"),
    Wanted(since=5, until=9),
    Wanted(since=5, who="ada", end="failed"),
    Wanted(who="ada", end="failed", text="x"),
]


@pytest.mark.parametrize("wanted", INDEXED)
async def test_a_filter_is_read_off_an_index(ledger: Ledger, wanted: Wanted) -> None:
    """Neither the whole table is walked over nor are its lines sorted."""

    def plans(connection: sqlite3.Connection) -> list[str]:
        asked: list[str] = []
        connection.set_trace_callback(asked.append)
        search(connection, wanted, "", 50)
        connection.set_trace_callback(None)
        return [row[3] for sql in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]

    said = await ledger.database.read(plans)
    assert said and all("SEARCH command USING" in step for step in said if "command" in step), said
    assert not any("TEMP B-TREE" in step for step in said), said


async def test_an_older_record_is_brought_up_to_date(tmp_path: Path, clock: FakeClock) -> None:
    """Lines and later truths from before stand as they were."""
    path = tmp_path / "main.db"
    connection = sqlite3.connect(path)
    for statement in statements(migrations("main")[0]):
        connection.execute(statement)
    connection.execute(
        "INSERT INTO command (id, node, thing, kind, name, input, who, origin, reason, made, ttl, epoch, ended_as)"
        " VALUES ('command-1', 'pi', 'relays', 'property', 'fan', 'true', 'ada', 'page', '', 5, 5.0, 7, 'unknown')"
    )
    connection.execute("INSERT INTO later_truth VALUES ('command-1', 'confirmed', '', 'true', 9)")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    ledger = await Ledger.open(path, clock)
    found = await line(ledger)
    assert (found.who, [(truth.end, truth.time, truth.asked) for truth in found.later]) == (
        "ada",
        [("confirmed", 9, 0)],
    )
    assert await ids(ledger, end="unknown") == ["1"]
    await ledger.close()
