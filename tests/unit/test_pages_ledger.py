"""The page of the ledger and the story of one command: filters, the way older and newer, what was done by itself."""

from __future__ import annotations

import pytest

from pilothouse.errors import NotThere
from pilothouse.hub.pages import command, ledger
from pilothouse.hub.pages.commands import command_row
from pilothouse.hub.pages.ledger import Filters, checked, chips_of, wanted_of
from pilothouse.hub.story import Step
from support import made_up
from support.made_up import NOW

LINES = [made_up.line(f"{number:04}") for number in range(2 * ledger.PAGE + 20)]


async def test_older_and_back() -> None:
    """The way back is carried along, so that it needs no memory anywhere."""
    site = made_up.site(LINES)
    first = await ledger.build(site, Filters(end="confirmed"))
    assert (first.first, first.older, first.newer) == (True, "end=confirmed&before=0049", "end=confirmed")
    second = await ledger.build(site, Filters(), "0049")
    assert (second.older, second.newer) == ("before=0099&trail=0049", "")
    third = await ledger.build(site, Filters(), "0099", ("0049",))
    assert (third.older, third.newer) == ("", "before=0049")
    fourth = await ledger.build(site, Filters(), "0110", ("0049", "0099"))
    assert fourth.newer == "before=0099&trail=0049"


def test_filters_ask_the_record() -> None:
    """Days are whole days where the person is."""
    wanted = wanted_of(Filters(who="bob", end="open", origin="max-on", kind="site", q="tea"))
    assert (wanted.who, wanted.end, wanted.origin, wanted.kind, wanted.text) == ("bob", "", "max-on", "site", "tea")
    wanted = wanted_of(Filters(since="2026-11-20", until="2026-11-20"))
    assert wanted.since == 1_795_132_800_000
    assert wanted.until == wanted.since + 86_400_000
    wanted = wanted_of(Filters(since="2026-11-20", tz="Europe/Berlin"))
    assert wanted.since in (1_795_132_800_000, 1_795_132_800_000 - 3_600_000)
    for zone in ("../../etc/passwd", "Nowhere/Else", "\x00"):
        assert wanted_of(Filters(since="2026-11-20", tz=zone)).since == 1_795_132_800_000


async def test_what_is_no_day_is_said_and_left_out() -> None:
    """The others still narrow the list."""
    assert checked(Filters(since="2026-11-20")) == (Filters(since="2026-11-20"), [])
    for day in ("yesterday", "9999-12-31", "2026-02-30"):
        filters, wrong = checked(Filters(until=day, who="bob"))
        assert filters == Filters(who="bob")
        assert day in wrong[0]
    shown = await ledger.build(made_up.site(LINES), Filters(since="soon", end="confirmed"))
    assert [chip.text for chip in shown.chips] == ["confirmed"]
    assert shown.wrong == ["“soon” is no day; write it as 2026-11-21."]


def test_chips_take_one_filter_away() -> None:
    """Each leads to the page without it and with all others."""
    chips = chips_of(Filters(who="bob", end="open", origin="interlock", since="2026-11-20", tz="Europe/Berlin"))
    assert [each.text for each in chips] == ["by bob", "under way", "by itself: interlock", "from 2026-11-20"]
    assert chips[0].href == "/ledger?end=open&origin=interlock&since=2026-11-20&tz=Europe%2FBerlin"
    assert chips[3].href == "/ledger?who=bob&end=open&origin=interlock"
    assert not Filters(tz="UTC").any


def test_what_nobody_asked_for_is_told_apart() -> None:
    """By the rule that did it."""
    directory = made_up.directory()
    assert command_row(made_up.line(), directory).automatic == ""
    assert command_row(made_up.line(who="guard", origin="max-on"), directory).automatic == "on for too long"
    assert command_row(made_up.line(who="guard", origin="new-rule"), directory).automatic == "new-rule"


def test_acts_on_the_site_have_words_and_a_place() -> None:
    """A stop leads to the page of stop, a lease to its stand."""
    act = {"kind": "site", "node": "", "thing": "", "input": None}
    stop = command_row(made_up.line(**act, name="stop"), made_up.directory())
    assert (stop.what, stop.href, stop.target) == ("Stop", "/stop", "")
    given = made_up.line(**act | {"thing": "bench", "name": "lease.give", "input": {"to": "carol"}})
    row = command_row(given, made_up.directory())
    assert (row.what, row.href, row.target) == ("Stand given", "/stands/bench", "carol")
    odd = command_row(made_up.line(**act, name="other"), made_up.directory())
    assert odd.what == "other"


async def test_the_story_has_the_time_between_its_steps() -> None:
    """What was asked for and what came back as they were; an id that is not there is said."""
    line = made_up.line(
        value=True, accepted=NOW - 4990, asked=NOW - 4989, ended=NOW - 4000, reason="tea", later=[made_up.LATER]
    )
    shown = await command.build(made_up.site([line]), "0001")
    assert (shown.input, shown.value, shown.kind, shown.through) == ("true", "true", "write", "page")
    assert [step.at for step in shown.steps][:3] == [NOW - 5000, NOW - 4990, NOW - 4989]
    assert shown.steps[2].after == "1.0 ms"
    assert shown.clocks
    act = made_up.line("0002", kind="site", node="", thing="", name="lift", input={"stops": ["x"]}, ttl=0.0, epoch=0)
    lift = await command.build(made_up.site([act]), "0002")
    assert (lift.kind, lift.ttl, len(lift.steps)) == ("act on the site", 0.0, 1)
    with pytest.raises(NotThere):
        await command.build(made_up.site([line]), "nothing")


def test_between_two_clocks_it_is_only_about() -> None:
    """And never less than nothing."""
    steps = [
        Step(at=1000, what="asked", by="hub"),
        Step(at=1012, what="taken", by="node"),
        Step(at=1012, what="the device", by="node"),
        Step(at=900, what="later", by="hub"),
    ]
    assert [row.after for row in command.step_rows(steps)] == ["", "about 12 ms", "within 1 ms", ""]
