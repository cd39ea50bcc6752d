"""What somebody reads of the record who may not see all: nothing of the rest, and all of theirs, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pilothouse.bus.messages import Batch, Described, Happened
from pilothouse.errors import NotThere
from pilothouse.model import PropertyDescription, Reading, Series, ThingDescription
from pilothouse.record import Act, History, HistoryWriter, Intent, Ledger, Line, Wanted, search
from pilothouse.testing import FakeClock

T0 = 1_700_000_000_000
LINES = 300
THINGS = [("pi", "kiln"), ("pi", "pump"), ("pu", "kiln"), ("pu", "scale")]


@pytest.fixture
def clock() -> FakeClock:
    """Time that stands still."""
    return FakeClock()


@pytest.fixture(params=["sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Ledger]:
    """A ledger with commands to four things, leases of two stands, stops, and what only administrators read."""
    opened = await Ledger.open(tmp_path / "main.db", clock)
    random, writes = Random(4), []
    for number in range(LINES):
        id, made = f"line-{number:05d}", T0 + number // 3
        kind = random.choice(["thing"] * 6 + ["lease", "stop", "people"])
        if kind == "thing":
            node, thing = random.choice([*THINGS, *[("pu", "scale")] * 8])
            more: dict[str, Any] = {"who": random.choice("ab"), "origin": "page", "made": made}
            writes.append(opened.intend(Intent(id=id, node=node, thing=thing, kind="property", name="x", **more)))
        else:
            acts = {"lease": ("lease.take", random.choice(["north", "south"])), "stop": ("stop", "")}
            name, about = acts.get(kind, ("login", random.choice(["north", "ada"])))
            site = "people" if kind == "people" else "site"
            writes.append(opened.act(Act(id=id, kind=site, name=name, thing=about, who="a", origin="page", made=made)))
    await asyncio.gather(*writes)
    yield opened
    await opened.close()


def sees_pump_and_north(node: str, thing: str) -> bool:
    """The rarest thing, one stand, and stops."""
    return (node, thing) in {("pi", "pump"), ("", "north"), ("", "")}


def sees_scales(node: str, thing: str) -> bool:
    """The thing that most is about, and nothing else."""
    return (node, thing) == ("pu", "scale")


def sees_nothing(node: str, thing: str) -> bool:
    """Nothing at all."""
    return False


QUESTIONS = [
    Wanted(), Wanted(who="a"), Wanted(kind="site"), Wanted(kind="people"), Wanted(thing="scale"), Wanted(node="pi"),
    Wanted(node="pi", thing="pump"), Wanted(since=T0 + 20, until=T0 + 80), Wanted(since=T0 + 20, who="b"),
    Wanted(end=""), Wanted(end="confirmed"), Wanted(text="nowhere"), Wanted(origin="page", kind="property"),
]  # fmt: skip


def fits(line: Line, wanted: Wanted) -> bool:
    """Whether a line is one of those that are asked for, said in the plainest way."""
    for name in ("node", "thing", "who", "origin", "kind", "end"):
        if getattr(wanted, name) not in (None, getattr(line, name)):
            return False
    if wanted.text:
        return False
    return (wanted.since or 0) <= line.made < (wanted.until or 2**60)


async def all_pages(ledger: Ledger, wanted: Wanted, limit: int) -> tuple[list[str], list[str]]:
    """Ids of the lines of all pages, and what each page gave as the next."""
    ids: list[str] = []
    following = [""]
    while len(following) == 1 or following[-1]:
        page = await ledger.page(wanted, before=following[-1], limit=limit)
        assert len(page.lines) <= limit
        ids += [line.id for line in page.lines]
        following.append(page.next)
        assert len(following) < LINES + 10, "it never ends"
    return ids, following[1:-1]


@pytest.mark.parametrize("sees", [sees_pump_and_north, sees_scales, sees_nothing, None])
@pytest.mark.parametrize(("window", "limit"), [(5, 3), (40, 7), (50_000, 1), (50_000, 500)])
async def test_pages_have_every_visible_line_once_and_end(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, sees: Any, window: int, limit: int
) -> None:
    """However few of the lines that are looked at may be seen."""
    everything = await ledger.lines(limit=LINES)
    assert len(everything) == LINES
    monkeypatch.setattr(search, "WINDOW", window)
    monkeypatch.setattr(search, "FEW", max(1, window // 4))
    part = ledger.part(sees, without=("people",))
    for wanted in QUESTIONS:
        expected = [
            line.id
            for line in sorted(everything, key=lambda line: (line.made, line.id), reverse=True)
            if fits(line, wanted) and line.kind != "people" and (sees is None or sees(line.node, line.thing))
        ]
        ids, following = await all_pages(part, wanted, limit)
        assert ids == expected, wanted
        assert all(id.startswith("~") or id in expected for id in following), "no hidden line is named"


async def test_a_hidden_line_is_not_there(ledger: Ledger) -> None:
    """Not by its id, not as a place to go on from; a visible one is."""
    part = ledger.part(sees_pump_and_north, without=("people",))
    for line in await ledger.lines(limit=LINES):
        visible = line.kind != "people" and sees_pump_and_north(line.node, line.thing)
        assert (await part.line(line.id) is not None) is visible
        if visible:
            await part.page(Wanted(), before=line.id, limit=1)
            continue
        with pytest.raises(NotThere) as caught:
            await part.page(Wanted(), before=line.id, limit=1)
        with pytest.raises(NotThere) as never:
            await part.page(Wanted(), before="line-99999", limit=1)
        assert str(caught.value).replace(line.id, "") == str(never.value).replace("line-99999", "")


@pytest.mark.parametrize("before", ["~", "~0", "~-1", "~x", "~1.5", "~٣", "~99999999999999999999", "~1 OR 1=1", "~~1"])
async def test_a_place_that_is_none(ledger: Ledger, before: str) -> None:
    """Somebody has written it by hand."""
    with pytest.raises(NotThere):
        await ledger.part(sees_scales).page(Wanted(), before=before)


async def test_the_part_writes_and_reads_the_same_ledger(ledger: Ledger) -> None:
    """It is a way of looking at it, and no copy."""
    part = ledger.part(sees_scales)
    intent = {"who": "b", "origin": "api", "made": T0 + 1000}
    await ledger.intend(Intent(id="line-newer", node="pu", thing="scale", kind="action", name="tare", **intent))
    assert (await part.page(Wanted(), limit=1)).lines[0].id == "line-newer"


# readings and events


@pytest.fixture(params=["sqlite"])
async def history(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[History]:
    """Readings of four things, and many events of one of them."""
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    writer = await HistoryWriter.open(tmp_path / "history.db", clock)
    for number, (node, thing) in enumerate(THINGS):
        described = ThingDescription(
            node=node, name=thing, properties={"x": PropertyDescription(name="x", schema={"type": "number"})}
        )
        writer.intake.described(Described(node=node, epoch=1, thing=thing, description=described), T0)
        readings = [Reading(thing, "x", T0 + second * 1000, float(number)) for second in range(3)]
        writer.intake.batch(node, Batch(node=node, epoch=1, seq=number + 1, readings=readings), T0)
    for number in range(400):
        node, thing = THINGS[3] if number % 50 else THINGS[number // 50 % 4]
        event = Happened(id=f"event-{number:04d}", node=node, epoch=1, thing=thing, name="hot", time=T0 + number)
        writer.intake.event(node, thing, event)
    await writer.settle()
    opened = await History.open_reader(tmp_path / "history.db", clock)
    yield opened
    await opened.close()
    await writer.close()


async def test_a_hidden_series_is_one_that_was_never_recorded(history: History) -> None:
    """In charts, in what is known last, and in what is remembered at start."""
    part = history.part(lambda node, thing: (node, thing) == ("pi", "pump"))
    shown, hidden, never = await part.query(
        [Series("pi", "pump", "x"), Series("pi", "kiln", "x"), Series("pi", "never", "x")], T0 - 1, T0 + 9000, 100
    )
    assert len(shown.points) == 3
    assert (hidden.points, hidden.unit, hidden.tier) == (never.points, never.unit, never.tier) == ([], "", never.tier)
    assert list(await part.latest()) == [Series("pi", "pump", "x")]
    assert [one.description.name for one in await part.directory()] == ["pump"]


@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("asked", [{}, {"node": "pi"}, {"thing": "kiln"}, {"node": "pu", "thing": "scale"}], ids=str)
@pytest.mark.parametrize("visible", [[], THINGS[:1], THINGS[1:3], THINGS])
async def test_events_of_visible_things_come_once_each(
    history: History, visible: list[tuple[str, str]], asked: dict[str, str], limit: int
) -> None:
    """Newest first, page by page, though nearly all are of one thing."""
    part = history.part(lambda node, thing: (node, thing) in visible)
    expected = [
        event.id
        for event in await history.events(limit=1000)
        if (event.node, event.thing) in visible
        and event.node == asked.get("node", event.node) and event.thing == asked.get("thing", event.thing)
    ]  # fmt: skip
    found: list[str] = []
    before: int | None = None
    while events := await part.events(**asked, before=before, limit=limit):
        found += [event.id for event in events]
        before = events[-1].time
    assert found == expected
