"""Lines about people in the ledger, and reading it without them, whatever database it is in."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.record import Act, Intent, Ledger, Wanted
from pilothouse.record.search import search
from pilothouse.testing import FakeClock

KINDS = ("property", "action", "site", "people")


@pytest.fixture(params=["sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Ledger]:
    """An empty ledger in each kind of database."""
    opened = await Ledger.open(tmp_path / "main.db", clock)
    yield opened
    await opened.close()


async def write(ledger: Ledger, number: int, kind: str) -> None:
    """A line of a kind."""
    usual: dict[str, Any] = {"id": f"line-{number:04}", "who": "ada", "origin": "page", "made": number, "kind": kind}
    if kind in ("site", "people"):
        await ledger.act(Act(name="login" if kind == "people" else "stop", **usual))
    else:
        await ledger.intend(Intent(node="pi", thing="relays", name="fan", **usual))


async def test_a_line_about_people(ledger: Ledger) -> None:
    """Has a kind of its own, and says who did what with whom, from where."""
    await ledger.act(
        Act(
            id="act-0001",
            kind="people",
            name="user.rights",
            thing="bob",
            who="ada",
            origin="page",
            made=5,
            detail="viewer → admin",
            input={"from": "10.0.0.7"},
        )
    )
    await write(ledger, 2, "site")
    (found,) = (await ledger.page(Wanted(kind="people"))).lines
    assert (found.kind, found.node, found.thing, found.name, found.who) == ("people", "", "bob", "user.rights", "ada")
    assert (found.end, found.detail, found.input) == ("confirmed", "viewer → admin", {"from": "10.0.0.7"})
    assert [line.kind for line in (await ledger.page(Wanted(kind="site"))).lines] == ["site"]


@pytest.mark.parametrize("without", [(), ("people",), ("people", "site"), ("nothing",), KINDS])
@pytest.mark.parametrize(
    "other", [{}, {"who": "ada"}, {"since": 0}, {"kind": "people"}, {"origin": "page", "until": 30}]
)
async def test_kinds_are_left_out(ledger: Ledger, without: tuple[str, ...], other: dict[str, Any]) -> None:
    """Alone and together with everything else, page by page, and no line of the others is missing."""
    for number in range(40):
        await write(ledger, number, KINDS[number % 4])
    found, before = [], ""
    while True:
        page = await ledger.page(Wanted(without=without, **other), before=before, limit=7)
        found += page.lines
        before = page.next
        if not before:
            break
    kept = [n for n in range(40) if KINDS[n % 4] not in without and other.get("kind") in (None, KINDS[n % 4])]
    assert [line.made for line in found] == [n for n in reversed(kept) if n < other.get("until", 40)]


async def test_a_page_is_bounded_also_between_many_lines_that_are_left_out(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be empty and still have a next one."""
    monkeypatch.setattr("pilothouse.record.search.FEW", 2)
    monkeypatch.setattr("pilothouse.record.search.WINDOW", 5)
    for number in range(20):
        await write(ledger, number, "people" if 3 < number < 18 else "property")
    found, before, empty = [], "", 0
    while True:
        page = await ledger.page(Wanted(without=("people",)), before=before, limit=4)
        found += [line.made for line in page.lines]
        empty += not page.lines
        before = page.next
        if not before:
            break
    assert found == [19, 18, 3, 2, 1, 0] and empty >= 2


@given(
    st.lists(st.sampled_from(KINDS), max_size=30),
    st.integers(1, 6),
    st.integers(1, 12),
    st.integers(1, 5),
)
async def test_few_lines_first_gives_the_same_pages(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], few: int, window: int, limit: int
) -> None:
    """However many are looked at first."""
    ledger = await Ledger.open(tmp_path_factory.mktemp("kinds") / "main.db", FakeClock())
    try:
        for number, kind in enumerate(kinds):
            await write(ledger, number, kind)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pilothouse.record.search.FEW", few)
            patch.setattr("pilothouse.record.search.WINDOW", window)
            found: list[int] = []
            before = ""
            while True:
                page = await ledger.page(Wanted(without=("people",)), before=before, limit=limit)
                assert len(page.lines) <= limit
                found += [line.made for line in page.lines]
                before = page.next
                if not before:
                    break
        assert found == [number for number, kind in reversed([*enumerate(kinds)]) if kind != "people"]
    finally:
        await ledger.close()


async def test_acts_of_a_kind_are_read_off_an_index(ledger: Ledger) -> None:
    """Few log-ins among very many leases are found without walking over these."""

    def plan(connection: sqlite3.Connection) -> list[str]:
        asked: list[str] = []
        connection.set_trace_callback(asked.append)
        search(connection, Wanted(kind="people"), "", 50)
        connection.set_trace_callback(None)
        return [row[3] for sql in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]

    assert await ledger.database.read(plan) == ["SEARCH command USING INDEX command_act (kind=?)"]
