"""The page of the ledger and the story of one command: filters, the way older and newer, what was done by itself."""

from __future__ import annotations

import pytest

from pilothouse.errors import NotThere
from pilothouse.hub.pages import command, ledger
from pilothouse.hub.pages.commands import SITE_ACTS, command_row
from pilothouse.hub.pages.ledger import Filters, checked, chips_of, wanted_of
from pilothouse.hub.pages.render import render, shell_of
from pilothouse.hub.story import Step, story
from pilothouse.record.rows import Line, Lines
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


def person_act(name: str, **more: object) -> Line:
    """A line about people."""
    given = {"kind": "people", "node": "", "name": name, "input": {"from": "10.0.0.7"}, "ttl": 0.0, "epoch": 0}
    return made_up.line(f"9-{name}", **given | {"thing": "bob", "who": "anna"} | more)


async def test_what_was_done_about_people_has_words() -> None:
    """Each act that the record knows, with whom it is about and from where whoever did it came."""
    row = command_row(person_act("user.rights", detail="viewer"), made_up.directory())
    assert (row.what, row.thing_title, row.href, row.address) == ("Rights changed", "bob", "/people", "10.0.0.7")
    assert row.target == ""
    shown = await command.build(made_up.site([person_act("user.rights")]), "9-user.rights")
    assert (shown.kind, shown.input, shown.ttl) == ("log-in or change of people", "", 0.0)
    assert [step.what for step in shown.steps] == ["anna changed what bob may, on a page, from 10.0.0.7."]
    html = render("command.html", shown, shell_of(made_up.site(), made_up.visitor(), title="x"))
    assert "<dd>10.0.0.7</dd>" in html


def test_every_act_about_people_is_told() -> None:
    """In the list and as a story."""
    acts = {name for name in SITE_ACTS if name.partition(".")[0] not in ("stop", "safe-end", "lift", "lease")}
    assert len(acts) >= 18
    for name in acts:
        (step,) = story(person_act(name))
        assert step.what.startswith("anna ")
        assert name not in step.what
        assert "{" not in step.what
    (failed,) = story(person_act("login.failed", who="", thing=""))
    assert failed.what == "Somebody tried to log in and was not let in, on a page, from 10.0.0.7."
    (machine,) = story(person_act("password.reset", who="owner", origin="cli", input=None))
    assert machine.what == "owner reset the password of bob, on the command line."


async def test_only_auditors_choose_what_was_done_about_people() -> None:
    """The list says that it is there; others do not learn that there is such a kind."""
    site = made_up.site([person_act("login")])
    shown = await ledger.build(site, Filters(kind="people"), audit=True)
    assert ("people", "log-ins and people") in shown.kinds
    assert [chip.text for chip in shown.chips] == ["log-ins and people"]
    html = render("ledger.html", shown, shell_of(site, made_up.visitor(), title="x"))
    assert "page, from 10.0.0.7" in html
    assert "log-in and change of people" in html
    shown = await ledger.build(site, Filters())
    assert "people" not in [choice.value for choice in shown.kinds]


async def test_a_page_of_few_lines_leads_on() -> None:
    """Whoever sees a part of the ledger may find none of it on a page, and more on the next."""
    site = made_up.site([])
    site.ledger.page = lambda wanted, **more: _answered(Lines(lines=[], next="~50"))
    shown = await ledger.build(site, Filters())
    html = render("ledger.html", shown, shell_of(site, made_up.visitor("ada", "viewer@bench"), title="x"))
    assert "there may be older ones" in html
    assert "/ledger?before=~50" in html


async def _answered(lines: Lines) -> Lines:
    return lines
