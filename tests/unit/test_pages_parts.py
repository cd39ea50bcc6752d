"""Rows, cards, commands and charts: what pages are made of."""

from __future__ import annotations

import json

from msgspec.structs import replace

from pilothouse.bus.messages import Call, Lanes, LaneView
from pilothouse.hub.directory import Directory
from pilothouse.hub.pages.actions import action_form
from pilothouse.hub.pages.cards import ON_A_TILE, cards, main_properties
from pilothouse.hub.pages.charts import at_first
from pilothouse.hub.pages.commands import command_row
from pilothouse.hub.pages.lanes import lane_rows
from pilothouse.hub.pages.rows import PropertyRow, choices_of, control_for, freshness, property_rows, step_for
from pilothouse.hub.pages.rules import over_at, rules_of, rules_of_action
from pilothouse.hub.why_not import Reason
from pilothouse.model import ActionDescription, Address, Bar, Health, PropertyDescription, PropertyState, Quality
from support import made_up
from support.made_up import NOW


def rows(directory: Directory, *, now: int = NOW, node: str = "pi", thing: str = "relays") -> dict[str, PropertyRow]:
    """All rows of a thing by name."""
    address = Address(node, thing)
    made = property_rows(
        directory.thing(address), directory.description(address), directory.node(node), now=now, operable=True
    )
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
    assert row.told == ("asked for 15.00\u00a0V now · the device has not taken it yet · shows 12.00\u00a0V now", "open")


def test_what_was_changed_by_hand_says_so() -> None:
    """The device shows something else than what it took."""
    directory = made_up.directory()
    before = {"wish": False, "wish_time": NOW - 90_000, "accepted": False, "accepted_time": NOW - 90_000}
    made_up.state(directory, time=NOW + 1, relay_1=True, more={"relay_1": before | {"differs_since": NOW - 30_000}})
    row = rows(directory)["relay_1"]
    assert row.told.look == "differs"
    assert row.told.text == "changed at the device 30 s ago: it shows on, asked for was off 1 min ago"


def test_what_stands_against_an_output_is_on_its_row() -> None:
    """The agent's own bar, its end by the hub's clock; stop and lease come before it; nothing on what is only read."""
    directory = made_up.directory()
    made_up.hear(directory, "pi", ("relays", "host"), offset=-60_000)
    bar = Bar(rule="min-off", text="relay_2 was on just now", until=NOW - 50_000)
    made_up.state(directory, time=NOW - 59_000, relay_2=False, switched=3, bars={"relay_2": bar})
    found = rows(directory)
    assert found["relay_2"].bar == Reason(rule="min-off", text="relay_2 was on just now", until=NOW + 10_000)
    assert found["relay_1"].bar is None
    address = Address("pi", "relays")
    stop = Reason(rule="stop", text="Stop was pressed.")
    made = property_rows(
        directory.thing(address),
        directory.description(address),
        directory.node("pi"),
        now=NOW,
        operable=True,
        against=[stop],
    )
    barred = {row.name: row.bar for row in made}
    assert barred["relay_2"] == barred["level"] == stop
    assert barred["switched"] is None


def test_an_output_is_on_when_it_may_be() -> None:
    """Away from its safe value, or not known; a number as exactly as it can tell."""
    directory = made_up.directory()
    found = rows(directory)
    assert (found["relay_1"].on, found["relay_2"].on, found["level"].on) == (True, False, False)
    made_up.state(directory, time=NOW + 1, quality=Quality.BAD, relay_2=None)
    assert rows(directory)["relay_2"].on


def test_rules_in_words() -> None:
    """Everything that the guard holds an output to, as sentences."""
    output = PropertyDescription(
        name="heater",
        schema={"type": "number"},
        unit="Cel",
        minimum=5,
        maximum=95,
        writable=True,
        safe=20,
        has_safe=True,
        link_lost_after=5,
        slew=2.5,
        max_on=1200,
        min_off=30,
        interlocks=("requires pump.on == true", "level > 20"),
        exclusive=("valves.a", "valves.b", "valves.c"),
        confirm="two-person",
    )
    thing = made_up.relays()
    assert rules_of(output, thing) == (
        "It takes 5 … 95 °C.",
        "It changes by at most 2.5 °C within a second.",
        "It is on for at most 20 min, then goes to 20 °C by itself.",
        "Once 20 °C, it stays so for at least 30 s.",
        "It may only be on while pump.on == true.",
        "It may only be on while level > 20.",
        "It is never on together with valves.a, valves.b or valves.c.",
        "Needs the confirmation of a second person first.",
        "It goes to 20 °C when its agent starts, its agent ends, the lease of its stand runs out, the link to the bus "
        "is lost for 5 s or stop is pressed.",
        "No second path: stop waits while its driver hangs.",
    )


def test_rules_of_what_has_few() -> None:
    """No safe value; a switch that stays when the link is lost, with a second path; and an action's."""
    plain = PropertyDescription(name="level", schema={}, writable=True)
    assert rules_of(plain, made_up.relays()) == (
        "It has no safe value: stop, and an agent that ends, leave it as it is.",
    )
    assert rules_of(PropertyDescription(name="read", schema={}), made_up.relays()) == ()
    switch = PropertyDescription(
        name="on", schema={"type": "boolean"}, writable=True, safe=False, has_safe=True, safe_when=("end",), min_off=0.5
    )
    assert rules_of(switch, made_up.relays(second_path=True)) == (
        "Once off, it stays so for at least 0.5 s.",
        "It goes to off when its agent ends or stop is pressed.",
        "It stays as it is when the link to the bus is lost.",
        "Stop reaches it by a second path, also while its driver hangs.",
    )
    action = ActionDescription(name="boil", interlocks=("requires level > 5",), confirm="yes")
    assert rules_of_action(action) == ("It may only be called while level > 5.", "Asks for a confirmation first.")


def test_how_long_an_output_may_still_be_on() -> None:
    """From when the device took it, or was switched by hand; nothing for what is off or has no such rule."""
    rule = PropertyDescription(name="on", schema={}, writable=True, safe=False, has_safe=True, max_on=60)
    on = PropertyState(value=True, time=NOW, accepted=True, accepted_time=NOW - 10_000)
    assert over_at(on, rule) == NOW + 50_000
    by_hand = PropertyState(value=True, time=NOW, accepted=False, accepted_time=NOW - 90_000, differs_since=NOW)
    assert over_at(by_hand, rule) == NOW + 60_000
    assert over_at(PropertyState(value=False, accepted_time=NOW), rule) == 0
    assert over_at(on, replace(rule, max_on=0.0)) == 0
    assert over_at(PropertyState(value=True, time=NOW), rule) == 0


def test_lanes_in_words() -> None:
    """What runs, what waits in its order with whose command, times by the hub's clock; what hangs comes first."""
    directory = made_up.directory()
    made_up.hear(directory, "pi", ("relays", "host"), offset=-60_000)
    assert lane_rows(directory, "pi", made_up.allowed()) == []
    running = Call(thing="relays", label="writing relay_1", since=NOW - 70_000, id="0001", name="relay_1", who="ann")
    waiting = Call(thing="gone", label="", since=NOW - 65_000, id="0002", name="relay_2", who="bob")
    lanes = (
        LaneView(name="a", things=("host",), running=Call(thing="host", label="reading it", since=NOW - 61_000)),
        LaneView(
            name="usb", things=("relays", "gone"), hung_since=NOW - 62_000, running=running, waiting=(waiting,), more=2
        ),
    )
    directory.told_lanes(Lanes(node="pi", epoch=7, time=NOW - 60_000, lanes=lanes))
    hung, other = lane_rows(directory, "pi", made_up.allowed())
    assert (hung.things, hung.hung_since, hung.more) == ("Relay board, gone", NOW - 2000, 2)
    assert hung.running is not None
    assert (hung.running.what, hung.running.since, hung.running.who) == ("writing relay_1", NOW - 10_000, "ann")
    assert [(each.id, each.what, each.thing_title) for each in hung.waiting] == [("0002", "Relay 2", "gone")]
    assert (other.running and other.running.id, other.waiting) == ("", ())


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
    away, pi = cards(made_up.directory(), made_up.allowed(), hub_node="pi", now=NOW)
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
    pi = next(card for card in cards(directory, made_up.allowed(), hub_node="", now=NOW) if card.node == "pi")
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
    tile = next(card for card in cards(directory, made_up.allowed(), hub_node="", now=NOW) if card.node == "pi").tiles[
        0
    ]
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
    form = action_form(made_up.relays().actions["fail"], operable=True)
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
