"""What needs a person, and what does not."""

from __future__ import annotations

from pilothouse.hub.pages.attention import Concern, concerns
from pilothouse.hub.pages.commands import command_row
from pilothouse.model import Health, Quality
from support import made_up
from support.made_up import NOW


def look(directory=None, *, link_up=True, up=None, lines=()) -> list[Concern]:  # type: ignore[no-untyped-def]
    """What needs a person in a site where the node "away" has been forgotten."""
    made = directory or made_up.directory()
    commands = [command_row(line, made) for line in lines]
    found = concerns(made, link_up=link_up, up=up or {}, commands=commands, now=NOW)
    return [each for each in found if each.subject != "away"]


def test_all_well_is_quiet() -> None:
    """Good is quiet: no concern, also for a confirmed command and a process that fell once."""
    up = {"processes": {"hub": {"state": "running", "restarts": 1, "since": NOW - 1000, "note": "was killed"}}}
    assert look(up=up, lines=[made_up.line()]) == []


def test_a_node_that_is_away_comes_with_how_long() -> None:
    """With the page where more is said."""
    found = concerns(made_up.directory(), link_up=True, up={}, commands=[], now=NOW)
    assert [(each.level, each.word, each.subject, each.href) for each in found] == [
        ("bad", "away", "away", "/nodes/away")
    ]
    assert found[0].text == "Nothing was heard from it for 1 min; its things cannot be switched."


def test_a_node_that_left_is_worth_a_look() -> None:
    """It said so itself, which is less than silence."""
    directory = made_up.directory()
    made_up.hear(directory, "pi", ("relays", "host"), state="leaving")
    found = look(directory)
    assert [(each.level, each.word) for each in found] == [("warn", "left")]


def test_a_dead_device_and_an_unreadable_property() -> None:
    """The device's own words; never both for one thing."""
    directory = made_up.directory()
    made_up.state(directory, time=NOW + 1, quality=Quality.BAD, level=None, switched=None)
    assert [each.text for each in look(directory)] == ["Level, Switched cannot be read."]
    made_up.state(
        directory, time=NOW + 2, quality=Quality.BAD, level=None, health=Health(ok=False, error="no route", since=NOW)
    )
    found = look(directory)
    assert [(each.word, each.text, each.since) for each in found] == [("does not answer", "no route", NOW)]


def test_things_of_a_node_that_is_away_are_not_counted_twice() -> None:
    """The node is the concern, not each of its things."""
    directory = made_up.directory()
    made_up.state(directory, health=Health(ok=False, error="x", since=NOW), time=NOW + 1, level=None)
    directory.tick(now=NOW + 60_000, mono=made_up.MONO + 60_000)
    assert {each.word for each in look(directory)} == {"away"}


def test_notes_and_clocks_are_said() -> None:
    """Another agent of the same name, a clock that is off."""
    directory = made_up.directory()
    made_up.hear(directory, "pi", ("relays", "host"), notes=("took over from another agent",), offset=-3_600_000)
    clock, note = look(directory)
    assert clock.text == "Its clock is 1 h behind the hub's; its readings carry that time."
    assert note.text == "took over from another agent"


def test_processes_that_keep_falling() -> None:
    """Waiting for a new start, stopped for good, or fallen often and running again; and that only for a while."""

    def say(**status: object) -> list[tuple[str, str]]:
        return [(each.level, each.word) for each in look(up={"processes": {"keeper": status}})]

    assert say(state="waiting", restarts=4, since=NOW, note="ended with code 1") == [("bad", "fallen")]
    assert say(state="stopped", restarts=0, since=NOW, note="another agent has taken over") == [("bad", "stopped")]
    assert say(state="stopped", restarts=0, since=NOW, note="") == []
    assert say(state="running", restarts=4, since=NOW, note="x") == [("warn", "restarted")]
    assert say(state="running", restarts=4, since=NOW - 3_600_000, note="x") == []
    assert say(state="waiting", restarts=0, since=NOW, note="") == []


def test_a_lost_bus_comes_first() -> None:
    """Worst first."""
    lines = [made_up.line(end="unknown", detail="no answer")]
    found = look(link_up=False, lines=lines)
    assert [each.word for each in found] == ["no bus", "unknown"]
    assert "Relay 1 on" in found[1].text


def test_an_unknown_end_is_settled_by_later_truth() -> None:
    """Nobody need look at the device any more."""
    assert look(lines=[made_up.line(end="unknown", later=[made_up.LATER])]) == []
