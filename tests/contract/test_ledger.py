"""The ledger keeps its promises, whatever database it is in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.bus.messages import End, Outcome, Why
from pilothouse.errors import CannotStart, RecordError
from pilothouse.model import new_id
from pilothouse.record import Intent, Ledger, Line, Position
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
