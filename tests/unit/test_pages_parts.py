"""Rows, cards, commands and charts: what pages are made of."""

from __future__ import annotations

import json

from pilothouse.hub.directory import Directory
from pilothouse.hub.pages.actions import action_form
from pilothouse.hub.pages.cards import ON_A_TILE, cards, main_properties
from pilothouse.hub.pages.charts import at_first
from pilothouse.hub.pages.commands import command_row
from pilothouse.hub.pages.rows import PropertyRow, choices_of, control_for, freshness, property_rows, step_for
from pilothouse.model import Address, Health, PropertyDescription, PropertyState, Quality
from support import made_up
from support.made_up import NOW


def rows(directory: Directory, *, now: int = NOW, node: str = "pi", thing: str = "relays") -> dict[str, PropertyRow]:
    """All rows of a thing by name."""
    address = Address(node, thing)
    made = property_rows(directory.thing(address), directory.description(address), directory.node(node), now=now)
    return {row.name: row for row in made}


def test_a_row_has_all_that_a_control_needs() -> None:
    """Limits, unit, safe value and hazard come from the description."""
    row = rows(made_up.directory())["level"]
    assert (row.control, row.limits, row.step, row.symbol) == ("number", "0 … 30 V", "0.01", "V")
    assert row.shown == ("12.00", "V")
    assert row.series == "pi/relays.level"
    switch = rows(made_up.directory())["relay_1"]
    assert (switch.control, switch.safe_json, switch.hazard, switch.fresh) == ("switch", "false", "Mains", "live")


def test_the_wish_stands_apart_from_the_reading() -> None:
    """A setpoint that the device has not taken yet is shown as asked for, not as the value."""
    directory = made_up.directory()
    made_up.state(directory, level=12.0, wish={"level": 15.0}, time=NOW + 1)
    row = rows(directory)["level"]
    assert row.shown.text == "12.00"
    assert row.wish is not None
    assert row.wish.text == "15.00"


def test_freshness_is_the_worst_that_is_true() -> None:
    """Never read, node away, unreadable, too old, doubtful, live."""
    directory = made_up.directory()
    described = PropertyDescription(name="a", schema={"type": "number"}, heartbeat=10.0)
    here, away = directory.node("pi"), directory.node("away")
    good = PropertyState(value=1, time=NOW)
    assert freshness(PropertyState(), described, here, now=NOW) == "none"
    assert freshness(good, described, away, now=NOW) == "away"
    assert freshness(PropertyState(time=NOW, quality=Quality.BAD), described, here, now=NOW) == "bad"
    assert freshness(good, described, here, now=NOW + 25_000) == "live"
    assert freshness(good, described, here, now=NOW + 25_001) == "stale"
    assert freshness(PropertyState(time=NOW, quality=Quality.UNCERTAIN), described, here, now=NOW) == "doubtful"


def test_ages_count_by_the_clock_of_the_node() -> None:
    """A node whose clock is an hour ahead does not look fresh for an hour, nor one behind stale."""
    directory = made_up.directory()
    made_up.hear(directory, "pi", ("relays", "host"), offset=-3_600_000)
    made_up.state(directory, level=1.0, time=NOW - 3_600_000)
    assert rows(directory)["level"].fresh == "live"


def test_the_control_follows_the_schema() -> None:
    """Also through "or null", and JSON for what nothing fits."""
    assert control_for({"type": "boolean"}) == "switch"
    assert control_for({"anyOf": [{"type": "integer"}, {"type": "null"}]}) == "number"
    assert control_for({"type": ["string", "null"]}) == "text"
    assert control_for({"enum": [1, 2]}) == "choice"
    assert control_for({"type": "array"}) == control_for({}) == "data"
    assert step_for({"type": "integer"}, None) == "1"
    assert step_for({"type": "number"}, None) == "any"
    assert step_for({"type": "number"}, 0) == "1"
    choices = choices_of({"enum": ["cv", "cc"]}, "cc")
    assert [(each.json, each.label, each.chosen) for each in choices] == [('"cv"', "cv", False), ('"cc"', "cc", True)]


def test_a_card_has_vitals_and_tiles() -> None:
    """The host gives the vitals and is no tile; names that only look like a disk's fill are not taken."""
    away, pi = cards(made_up.directory(), hub_node="pi", now=NOW)
    assert [each.name for each in pi.vitals] == ["cpu", "memory", "disk_root"]
    assert [each.thing for each in pi.tiles] == ["relays"]
    assert pi.is_hub
    assert pi.things == "2 things"
    assert (away.node, away.word, away.things) == ("away", "away", "1 thing")
    assert pi.uptime is not None
    assert pi.uptime.shown.text == "1 d 1 h"
    assert pi.flags == ()


def test_what_the_hardware_complains_about_is_on_the_card() -> None:
    """Throttling and undervoltage are what a Pi's owner must see."""
    directory = made_up.directory()
    made_up.state(directory, "pi", "host", throttled=True, time=NOW + 1)
    pi = next(card for card in cards(directory, hub_node="", now=NOW) if card.node == "pi")
    assert pi.flags == ("Throttled: slowed down now",)


def test_a_tile_shows_few_and_says_how_many_more() -> None:
    """Switches and readings first, setpoints where there is room."""
    description = made_up.relays()
    assert [each.name for each in main_properties(description, 3)] == ["relay_1", "relay_2", "switched"]
    assert len(main_properties(description)) <= ON_A_TILE


def test_a_thing_that_does_not_answer_says_so_on_its_tile() -> None:
    """With the driver's words and since when."""
    directory = made_up.directory()
    made_up.state(directory, health=Health(ok=False, error="no route", since=NOW - 9000), time=NOW + 1, level=None)
    tile = next(card for card in cards(directory, hub_node="", now=NOW) if card.node == "pi").tiles[0]
    assert (tile.ok, tile.error, tile.since) == (False, "no route", NOW - 9000)


def test_a_command_in_words() -> None:
    """Titles and units of the thing where it is known, plain names where it is not."""
    directory = made_up.directory()
    row = command_row(made_up.line(name="level", input=12), directory)
    assert (row.what, row.target, row.thing_title, row.quiet) == ("Level", "12.00 V", "Relay board", True)
    action = command_row(made_up.line(kind="action", name="fail", input={"kind": "hang", "seconds": 2}), directory)
    assert (action.what, action.target) == ("Fail", "kind hang, seconds 2")
    gone = command_row(made_up.line(thing="gone", name="old_name", input=1.5), directory)
    assert (gone.thing_title, gone.what, gone.target) == ("gone", "Old name", "1.5")
    unknown = command_row(made_up.line(end="unknown", detail="no answer", later=[made_up.LATER]), directory)
    assert unknown.later == "later: confirmed (the relay closed)"
    assert not unknown.quiet


def test_a_form_from_an_input_schema() -> None:
    """Choices, limits, defaults, what is needed and what is not."""
    form = action_form(made_up.relays().actions["fail"])
    kind, seconds, hard, note, more = form.fields
    assert (kind.control, kind.required, [each.label for each in kind.choices]) == ("choice", True, ["hang", "drop"])
    assert (seconds.title, seconds.control, seconds.minimum) == ("Seconds that it lasts", "number", 0.0)
    assert (hard.control, hard.default, hard.required) == ("switch", "true", False)
    assert (note.control, note.default) == ("text", "")
    assert more.control == "data"
    assert form.title == "Fail"


def test_a_chart_starts_with_what_says_most() -> None:
    """Readings with a unit; the switches of a board that has none; at most two units and four lines."""
    directory = made_up.directory()
    board = at_first(list(rows(directory).values()))
    assert [each.series for each in board] == ["pi/relays.relay_1", "pi/relays.relay_2"]
    assert board[0].boolean
    vitals = at_first(list(rows(directory, thing="host").values()))
    assert [each.series.split(".")[1] for each in vitals] == ["cpu", "memory", "disk_free", "disk_root"]
    assert json.loads(json.dumps(vitals[0].stale)) == 25_000
