"""The single rules of the guard, in the words that people read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.guard import Barred, Breach, Group, Guard, Known, Output, Ref, Verdict, parse
from pilothouse.guard.rules import interlock
from pilothouse.guard.slew import Range, Trail
from pilothouse.guard.words import lasting, said
from pilothouse.model import PropertyDescription, Value

START = 1_000


class Bench:
    """A guard with a few outputs and readings that a test sets."""

    def __init__(self, *outputs: Output, actions: dict[str, str] | None = None, **readings: Any) -> None:
        self.mono = START
        self.readings: dict[str, Known | str] = {}
        for name, value in readings.items():
            self.read(name, value)
        calls = {key: (parse(text).resolved("pi", "tank"),) for key, text in (actions or {}).items()}
        self.guard = Guard({output.key: output for output in outputs}, calls, self.lookup, START)
        self.number = 0

    def lookup(self, ref: Ref) -> Known | str:
        """As the agent gives it."""
        return self.readings.get(ref.property, "it has not been read yet") if ref.node == "pi" else "node b is away"

    def read(self, name: str, value: Known | Value) -> None:
        """A reading that is no output's."""
        self.readings[name] = value if isinstance(value, Known) else Known(value)

    def see(self, name: str, value: Value, after: float = 0) -> list[Breach]:
        """A reading of an output, `after` seconds; gives what must go safe then."""
        self.mono += round(after * 1000)
        self.readings[name] = "it is bad" if value is None else Known(value)
        self.guard.seen(f"tank.{name}", value, self.mono)
        return self.guard.breaches(self.mono)

    def bar(self, name: str, value: Value = True) -> Barred | None:
        """Why a write may not pass now."""
        return self.guard.bar(f"tank.{name}", value, self.mono)

    def begin(self, name: str, value: Value = True) -> str:
        """A command that may pass is let through."""
        assert self.bar(name, value) is None
        self.number += 1
        self.guard.reserve(f"tank.{name}", value, f"id-{self.number}", self.mono)
        return f"id-{self.number}"

    def end(self, name: str, id: str, *, asked: bool = True) -> None:
        """It is over."""
        self.guard.release(f"tank.{name}", id, self.mono, asked=asked)

    def put(self, name: str, value: Value, after: float = 0) -> list[Breach]:
        """A command from its beginning to its good end."""
        self.mono += round(after * 1000)
        id = self.begin(name, value)
        self.guard.accepted(f"tank.{name}", id, self.mono)
        found = self.see(name, value)
        self.end(name, id)
        return found + self.see(name, value)


def switch(name: str, *interlocks: str, groups: tuple[Group, ...] = (), **more: Any) -> Output:
    """An output that is on or off."""
    described = PropertyDescription(
        name=name, schema={"type": "boolean"}, writable=True, safe=False, has_safe=True, **more
    )
    conditions = tuple(parse(text).resolved("pi", "tank") for text in interlocks)
    return Output(node="pi", thing="tank", described=described, interlocks=conditions, groups=groups)


def number(name: str, *interlocks: str, kind: str = "number", **more: Any) -> Output:
    """An output that is a number."""
    more = {"safe": 0.0, "has_safe": True} | more
    described = PropertyDescription(name=name, schema={"type": kind}, writable=True, **more)
    conditions = tuple(parse(text).resolved("pi", "tank") for text in interlocks)
    return Output(node="pi", thing="tank", described=described, interlocks=conditions)


VALVES = Group("water", ("tank.a", "tank.b"))


def valves(**more: Any) -> Bench:
    """Two that exclude each other, both seen safe."""
    bench = Bench(switch("a", groups=(VALVES,), **more), switch("b", groups=(VALVES,), **more))
    bench.see("a", False)
    bench.see("b", False)
    return bench


def test_an_interlock_names_itself_and_the_reading_that_broke_it() -> None:
    """With its value and unit; the safe value passes all the same."""
    bench = Bench(switch("heater", "requires pump == true and level > 20"), pump=True, level=Known(12.5, "%"))
    barred = bench.bar("heater")
    assert barred is not None and barred.rule == "interlock"
    assert barred.text == "interlock of tank.heater, requires pump == true and level > 20: tank.level is 12.5 %"
    assert bench.bar("heater", False) is None
    bench.read("level", 21.0)
    assert bench.bar("heater") is None
    bench.readings["pump"] = "it has not been read since 12:03:07"
    barred = bench.bar("heater")
    assert barred is not None and "tank.pump is not known: it has not been read since 12:03:07" in barred.text
    assert "not known" in barred.remedy


def test_a_reading_of_another_node_is_named_with_it() -> None:
    """And is not known while that node is away."""
    barred = Bench(switch("heater", "b/tank.pump")).bar("heater")
    assert barred is not None and barred.text.endswith("b/tank.pump is not known: node b is away")


def test_an_interlock_that_breaks_while_on_is_a_breach() -> None:
    """Told once; told again when it is still seen on after a second; over when it is seen safe."""
    bench = Bench(switch("heater", "level > 20"), level=30)
    assert bench.see("heater", False) == []
    assert bench.put("heater", True) == []
    bench.read("level", 10)
    reason = "interlock of tank.heater, requires level > 20: tank.level is 10"
    assert bench.guard.breaches(bench.mono) == [Breach("tank.heater", "interlock", reason)]
    assert bench.guard.breaches(bench.mono) == []
    assert bench.see("heater", True, after=0.9) == []
    assert bench.guard.next_look(bench.mono) == bench.mono + 100
    assert len(bench.see("heater", True, after=0.2)) == 1, "it is still on"
    assert bench.see("heater", True, after=1.9) == []
    assert len(bench.see("heater", True, after=0.2)) == 1, "the pauses grow"
    assert bench.see("heater", False) == []
    assert len(bench.see("heater", True)) == 1, "switched on by hand: told at once"


def test_what_cannot_be_read_is_sent_safe_once() -> None:
    """Not again and again; not when it was never read."""
    bench = Bench(switch("heater", "level > 20"), level=10)
    assert bench.see("heater", None) == []
    bench.see("heater", False)
    assert len(bench.see("heater", None, after=1)) == 1
    assert bench.see("heater", None, after=100) == []
    assert bench.guard.is_on("tank.heater") and not bench.guard.is_on("tank.other")


def test_what_waits_to_turn_it_on_is_a_breach_too() -> None:
    """So that it is taken back; and it is not told twice when that takes a while."""
    bench = Bench(switch("heater", "level > 20"), level=30)
    bench.see("heater", False)
    id = bench.begin("heater")
    bench.read("level", 10)
    assert len(bench.guard.breaches(bench.mono)) == 1
    assert bench.see("heater", False) == []
    bench.end("heater", id, asked=False)
    assert not bench.guard.is_on("tank.heater")


def test_what_is_let_through_after_a_breach_can_break_again() -> None:
    """At once, although the first was not seen mended yet."""
    bench = Bench(switch("heater", "level > 20"), level=30)
    bench.see("heater", False)
    bench.put("heater", True)
    bench.read("level", 10)
    assert len(bench.guard.breaches(bench.mono)) == 1
    bench.read("level", 30)
    bench.begin("heater")
    assert bench.guard.breaches(bench.mono) == []
    bench.read("level", 10)
    assert len(bench.guard.breaches(bench.mono)) == 1


def test_a_condition_on_its_own_value_sees_the_value_that_is_asked_for() -> None:
    """Before and while it is on."""
    bench = Bench(number("flow", "flow <= 5 or pump"), pump=False)
    bench.see("flow", 0.0)
    assert bench.bar("flow", 5) is None
    barred = bench.bar("flow", 6)
    assert barred is not None and "tank.flow would be 6, tank.pump is false" in barred.text
    bench.end("flow", bench.begin("flow", 4), asked=False)
    bench.read("pump", True)
    id = bench.begin("flow", 6)
    assert bench.guard.breaches(bench.mono) == []
    bench.read("pump", False)
    assert [breach.key for breach in bench.guard.breaches(bench.mono)] == ["tank.flow"]
    bench.end("flow", id, asked=False)
    assert bench.guard.bars(bench.mono) == {}


def test_a_condition_counts_writes_that_are_on_their_way() -> None:
    """Two conditions that forbid each other cannot be outrun."""
    bench = Bench(switch("a", "not b"), switch("b", "not a"))
    bench.see("a", False)
    bench.see("b", False)
    id = bench.begin("a")
    barred = bench.bar("b")
    assert barred is not None and barred.text.endswith("tank.a is being set to true")
    bench.end("a", id, asked=False)
    id = bench.begin("b")
    bench.end("b", id)
    assert bench.bar("a") is not None, "nobody knows yet what became of b"
    bench.see("b", False)
    assert bench.bar("a") is None


def test_too_much_on_its_way_is_not_known() -> None:
    """A condition over many outputs, all being changed at once, has too many ways to come out."""
    names = "abcdef"
    bench = Bench(*(switch(name) for name in names), switch("top", " and ".join(f"not {name}" for name in names)))
    for name in names:
        bench.see(name, False)
        bench.begin(name)
    barred = bench.bar("top")
    assert barred is not None and "it is being changed" in barred.text


def test_an_action_has_its_conditions() -> None:
    """Checked when it is called, and said before."""
    bench = Bench(actions={"tank.rinse": "level > 20"}, level=10)
    barred = bench.guard.bar_action("tank.rinse", START)
    assert barred is not None and barred.text.startswith("interlock of tank.rinse, requires level > 20")
    assert bench.guard.bars(START) == {"tank.rinse": barred}
    bench.read("level", 30)
    assert bench.guard.bar_action("tank.rinse", START) is None
    assert bench.guard.bar_action("tank.other", START) is None


def test_of_two_that_exclude_each_other_one_may_pass() -> None:
    """From the moment the first is let through until a readback shows it safe again."""
    bench = valves()
    first = bench.begin("a")
    barred = bench.bar("b")
    assert barred is not None and barred.rule == "exclusive"
    assert barred.text == "tank.a is being switched on, and of tank.a and tank.b (group water) at most one may be on"
    bench.see("a", True)
    bench.end("a", first)
    off = bench.begin("a", False)
    barred = bench.bar("b")
    assert barred is not None and barred.text.startswith("tank.a is on"), "a command to close is not a closed valve"
    bench.see("a", False)
    assert bench.bar("b") is None
    bench.end("a", off)
    assert bench.bar("b") is None


def test_a_command_that_was_never_asked_is_as_if_it_had_not_come() -> None:
    """One whose end nobody knows is not."""
    bench = valves()
    bench.end("a", bench.begin("a"), asked=False)
    assert bench.bar("b") is None
    bench.end("a", bench.begin("a"))
    assert bench.bar("b") is not None
    bench.see("a", None)
    assert bench.bar("b") is not None
    bench.see("a", False)
    assert bench.bar("b") is None


def test_one_that_cannot_be_read_counts_as_on() -> None:
    """For the others of its group; also one that is not there yet."""
    bench = valves()
    bench.see("a", None)
    barred = bench.bar("b")
    assert barred is not None and barred.text.startswith("tank.a cannot be read, so it may be on")
    alone = Bench(switch("a", groups=(VALVES,)))
    barred = alone.bar("a")
    assert barred is not None and barred.text.startswith("tank.b is not there yet")


def test_two_that_are_found_on_together_both_go_safe() -> None:
    """Somebody switched the second by hand."""
    bench = valves()
    bench.put("a", True)
    found = bench.see("b", True)
    reason = "only one of group water may be on, and tank.a and tank.b are"
    assert found == [Breach("tank.a", "exclusive", reason), Breach("tank.b", "exclusive", reason)]


def test_max_on_counts_from_the_first_moment() -> None:
    """Writing it again does not make it longer, nor does a reading that fails."""
    bench = Bench(switch("lamp", max_on=60))
    bench.see("lamp", False)
    bench.put("lamp", True)
    assert bench.guard.next_look(bench.mono) == START + 60_000
    bench.put("lamp", True, after=30)
    bench.see("lamp", None, after=10)
    assert bench.see("lamp", True, after=19.9) == []
    assert bench.guard.next_look(bench.mono) == START + 60_000
    found = bench.see("lamp", True, after=0.1)
    assert found == [Breach("tank.lamp", "max-on", "it has been on for 60 s, which is the longest")]
    bench.put("lamp", False)
    bench.put("lamp", True)
    assert bench.guard.next_look(bench.mono) == bench.mono + 60_000


def test_max_on_counts_from_the_write_where_the_device_is_slow_to_show_it() -> None:
    """And not from the time that a command waited for its turn."""
    bench = Bench(switch("lamp", max_on=60))
    bench.see("lamp", False)
    id = bench.begin("lamp")
    bench.see("lamp", False, after=5)
    bench.guard.accepted("tank.lamp", id, bench.mono)
    bench.see("lamp", False)
    assert bench.guard.next_look(bench.mono) == bench.mono + 60_000


def test_min_off_counts_from_seen_safe_and_from_the_start() -> None:
    """Whoever wants it on sooner hears how long; writing on what is on already is free."""
    bench = Bench(switch("pump", min_off=10))
    bench.see("pump", False, after=1)
    barred = bench.bar("pump")
    assert barred is not None and (barred.rule, barred.over_in) == ("min-off", 10_000)
    assert barred.text == "tank.pump stays at its safe value for 10 s each time"
    assert bench.guard.next_look(bench.mono) == bench.mono + 10_000
    bench.see("pump", None, after=4)
    bench.see("pump", False, after=5)
    assert bench.bar("pump") is not None
    bench.mono += 1000
    assert bench.guard.bars(bench.mono) == {}
    bench.put("pump", True)
    assert bench.bar("pump") is None
    bench.put("pump", False)
    assert bench.bar("pump") is not None


def test_a_reading_within_its_dead_band_shows_the_safe_value() -> None:
    """But a command is safe only when it is the safe value itself."""
    bench = Bench(number("level", "requires pump", precision=1, dead_band=0.3), pump=False)
    assert bench.see("level", 0.3) == []
    assert [breach.origin for breach in bench.see("level", 0.4)] == ["interlock"]
    assert bench.bar("level", 0.1) is not None
    assert bench.bar("level", 0) is None


def test_a_step_that_is_too_large_names_the_value_that_may_pass() -> None:
    """Within any second the wish moves by no more; the safe value is free, and so is the way from there."""
    bench = Bench(number("set", slew=5, unit="Cel"))
    barred = bench.bar("set", 3)
    assert barred is not None and "it has not been read yet" in barred.text
    bench.see("set", 20.02)
    barred = bench.bar("set", 50)
    assert barred is not None and (barred.rule, barred.nearest) == ("slew", 25.02)
    assert barred.text == "tank.set may move by 5 °C a second: 50 °C is too far from 20.02 °C"
    assert barred.remedy == "Right now it may go to 25.02 °C"
    bench.put("set", 25)
    barred = bench.bar("set", 30)
    assert barred is not None and (barred.nearest, barred.over_in) == (25.02, 1000)
    bench.put("set", 25.02)
    barred = bench.bar("set", 30)
    assert barred is not None and barred.text == "tank.set may move by 5 °C a second, and has just done so"
    assert barred.over_in == 1000
    bench.mono += 1000
    bench.put("set", 30)
    bench.put("set", 27)
    assert bench.bar("set", 0) is None
    bench.put("set", 0)
    bench.put("set", -5)


def test_a_ramp_waits_for_its_device() -> None:
    """While a step is on its way the next one counts from both ends of it."""
    bench = Bench(number("set", slew=1, safe=None, has_safe=False, kind="integer"))
    bench.see("set", 0)
    id = bench.begin("set", 1)
    bench.mono += 5000
    barred = bench.bar("set", 2)
    assert barred is not None and barred.nearest is None and barred.over_in == 1000
    bench.end("set", id, asked=False)
    barred = bench.bar("set", 9)
    assert barred is not None and barred.nearest == 1 and isinstance(barred.nearest, int)
    bench.end("set", bench.begin("set", 1), asked=True)
    bench.see("set", 3)
    bench.mono += 100
    barred = bench.bar("set", 4)
    assert barred is not None and barred.nearest is None, "it was moved by hand, too far from where it was just now"
    bench.end("set", "never begun")


def test_an_output_without_a_safe_value_is_neither_on_nor_off() -> None:
    """No rule but slew can be kept for it."""
    bench = Bench(number("set", "level > 5", safe=None, has_safe=False), level=1)
    assert bench.see("set", 9) == []
    assert bench.bar("set", 100) is None
    assert bench.guard.bars(bench.mono) == {}
    assert not bench.guard.is_on("tank.set")


def test_a_key_that_nobody_knows_is_let_be() -> None:
    """The guard says nothing about it."""
    bench = Bench()
    assert bench.bar("gone") is None
    other = Bench(switch("a", "b/tank.a or level > 5"), level=10)
    other.see("a", False)
    assert other.bar("a") is None, "an output of another node may have the same name"
    bench.begin("gone")
    bench.end("gone", "id-1")
    bench.guard.accepted("tank.gone", "id-1", START)
    bench.guard.seen("tank.gone", True, START)
    assert bench.guard.next_look(START) is None


def test_a_thing_that_is_described_anew_keeps_its_state() -> None:
    """Its rules are the new ones."""
    bench = Bench(switch("a"))
    bench.put("a", True)
    bench.guard.describe({"tank.a": switch("a", "level > 5")}, {}, bench.mono)
    assert bench.guard.refs == {Ref("pi", "tank", "level")}
    assert [breach.key for breach in bench.guard.breaches(bench.mono)] == ["tank.a"]


def test_the_next_look_is_when_a_reading_grows_stale() -> None:
    """Of all that conditions ask for."""
    bench = Bench(switch("a", "level > 5"), level=Known(10, until=START + 700))
    assert bench.guard.next_look(START) == START + 700
    assert bench.guard.next_look(START + 700) is None


MOVES = st.lists(st.tuples(st.floats(0, 3), st.floats(-50, 50)), max_size=60)


@given(MOVES, st.floats(0.1, 20))
def test_no_two_wishes_of_a_second_are_further_apart_than_slew(moves: list[tuple[float, float]], slew: float) -> None:
    """Whatever is asked, and when what is offered instead is taken."""
    bench = Bench(number("set", slew=slew, safe=None, has_safe=False))
    bench.see("set", 0.0)
    made = [(START - 5000, 0.0)]
    for pause, wanted in moves:
        bench.mono += round(pause * 1000)
        barred = bench.bar("set", wanted)
        value = wanted if barred is None else barred.nearest
        if value is None:
            continue
        assert isinstance(value, int | float)
        assert bench.put("set", value) == [], "what is offered may pass"
        made.append((bench.mono, value))
    for at, (mono, value) in enumerate(made):
        # A wish lasts until the next one; the last moment before `mono` counts with it.
        for other, (_, before) in enumerate(made[:at]):
            if mono - made[other + 1][0] < 1000:
                assert abs(value - before) <= slew * (1 + 1e-6) + 1e-6


def test_a_long_trail_is_kept_short() -> None:
    """Many small moves within a second are remembered as a span."""
    trail = Trail()
    for step in range(1000):
        trail.leave(step / 1000, START + step // 2)
    assert len(trail._left) <= 32
    assert trail.allowed([1.0], 2.0, START + 500) == Range(-1.0, 2.0)
    trail.forget()
    assert trail.over_at() == 0


def test_values_and_times_in_words() -> None:
    """As a person would say them."""
    assert [said(True), said(12.5, "%"), said(3, "Cel"), said("a"), said(2, "1")] == [
        "true",
        "12.5 %",
        "3 °C",
        "'a'",
        "2",
    ]
    assert [lasting(one) for one in (0.5, 90, 60, 120, 1200, 3600, 7200)] == [
        "0.5 s", "90 s", "60 s", "2 min", "20 min", "60 min", "2 h",
    ]  # fmt: skip


@pytest.mark.parametrize("holds", [True, False, None])
def test_only_a_condition_that_holds_lets_pass(holds: bool | None) -> None:
    """Not to know is not to hold."""
    barred = interlock("a.b", parse("x"), Verdict(holds, () if holds else ("x is not known",)))
    assert (barred is None) is bool(holds)
