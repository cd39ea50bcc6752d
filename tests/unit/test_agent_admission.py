"""Whether a command may pass: any mixture of repetitions, delays, restarts gives at most one call and one end."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from pilothouse.agent.admission import LONGEST, Act, Book, Refusal, Step, Write, no_thing, resolve
from pilothouse.agent.build import Built
from pilothouse.agent.driving import Driving
from pilothouse.agent.turn import Stage, Turn
from pilothouse.bus.messages import Command, End, Outcome, Why
from pilothouse.config.site import ThingConfig
from pilothouse.model.values import DEEPEST, is_too_deep
from support.odd import Odd

NAMES = ("pi", "odd", "on")


def command(id: str = "command-1", **more: Any) -> Command:
    """A command to the switch."""
    fields: dict[str, Any] = {
        "id": id,
        "node": "pi",
        "epoch": 7,
        "thing": "odd",
        "kind": "property",
        "name": "on",
        "input": True,
        "deadline": 1000,
        "who": "ada",
        "origin": "test",
    }
    return Command(**(fields | more))


def ended(given: Command, end: End, epoch: int = 7) -> Outcome:
    """Its outcome."""
    return Outcome(id=given.id, node=given.node, epoch=epoch, thing=given.thing, name=given.name, end=end)


class CommandPath(RuleBasedStateMachine):
    """Book, lane and device, with everything that may happen in between; the agent may die and start anew."""

    commands = Bundle("commands")

    def __init__(self) -> None:
        super().__init__()
        self.mono = 1000
        self.epoch = 7
        self.book = Book("pi", self.epoch, kept=3, most=12)
        self.lane: list[tuple[Command, Turn]] = []
        self.running: tuple[Command, Turn] | None = None
        self.calls: list[tuple[str, int, int]] = []
        """Of the device: (id, when, deadline)."""
        self.ends: list[Outcome] = []
        """In the ledger."""
        self.taken: set[str] = set()
        self.count = 0

    @rule(target=commands, ttl=st.integers(-50, 400), value=st.booleans())
    def make(self, ttl: int, value: bool) -> Any:
        """Somebody makes a command, and it is on its way for as long as it likes."""
        self.count += 1
        return command(f"command-{self.count}", epoch=self.epoch, deadline=self.mono + ttl, input=value)

    @rule(target=commands, value=st.booleans())
    def make_garbage(self, value: bool) -> Any:
        """Commands with a bad id, an absurd life, or for a run to come."""
        if value:
            return multiple(command("x", deadline=self.mono + 100), command("y" * 500, deadline=self.mono + 100))
        self.count += 1
        return command(f"command-{self.count}", epoch=self.epoch, deadline=self.mono + LONGEST + 1)

    @rule(given=commands)
    def arrive(self, given: Command) -> None:
        """It comes; perhaps not for the first time."""
        taken = self.book.take(given, NAMES, self.mono)
        match taken.step:
            case Step.DO:
                self.taken.add(given.id)
                self.lane.append((given, Turn(given.deadline)))
            case Step.END:
                self.finish(given, taken.refusal.end if taken.refusal else End.UNKNOWN)
            case Step.ANSWER:
                assert taken.refusal is not None and taken.refusal.end in (End.REFUSED, End.UNKNOWN)
            case Step.AGAIN:
                outcome = self.book.outcome(given.id)
                waiting = [one.id for one, _ in self.lane] + ([self.running[0].id] if self.running else [])
                assert outcome in self.ends if outcome else given.id in waiting
            case Step.YIELD:
                assert given.epoch > self.epoch

    @rule(given=commands, value=st.integers())
    def arrive_changed(self, given: Command, value: int) -> None:
        """Its id with another content never does anything to the first."""
        before = self.book.outcome(given.id)
        if self.book.take(msgspec.structs.replace(given, input=value), NAMES, self.mono).step is Step.DO:
            # it is the first of its id, then
            self.finish(given, End.REFUSED)
        elif before is not None:
            assert self.book.outcome(given.id) == before

    @rule(given=commands)
    def arrive_elsewhere(self, given: Command) -> None:
        """On another subject it is nobody's."""
        assert self.book.take(given, ("pi", "odd", "level"), self.mono).step is Step.ANSWER

    @rule(step=st.integers(0, 300))
    def wait(self, step: int) -> None:
        """Time passes, and the lane is looked after."""
        self.mono += step
        for one in list(self.lane):
            if one[1].late(self.mono) and one[1].take_back():
                self.lane.remove(one)
                self.finish(one[0], End.EXPIRED)

    @rule()
    def begin(self) -> None:
        """The lane takes its next call."""
        if self.running is None and self.lane:
            given, turn = self.lane.pop(0)
            if turn.begin(self.mono):
                self.calls.append((given.id, self.mono, given.deadline))
                self.running = (given, turn)
            elif turn.stage is Stage.LATE:
                self.finish(given, End.EXPIRED)

    @rule(end=st.sampled_from([End.CONFIRMED, End.FAILED, End.UNKNOWN]))
    def come_back(self, end: End) -> None:
        """The device answers, refuses, or is given up; a call that was given up may come back a second time."""
        if self.running is not None:
            given, turn = self.running
            self.finish(given, end)
            if end is not End.UNKNOWN:
                turn.over()
                self.running = None

    @rule()
    def stop_taking(self) -> None:
        """What waits is taken back."""
        for given, turn in self.lane:
            if turn.take_back():
                self.finish(given, End.REFUSED)
        self.lane = []

    @rule()
    def die_and_start_anew(self) -> None:
        """kill -9: all memory is gone, the epoch grows; what the device was asked, it was asked."""
        self.epoch += 1
        self.book = Book("pi", self.epoch, kept=3, most=12)
        self.lane = []
        self.running = None
        self.mono += 5

    def finish(self, given: Command, end: End) -> None:
        """As Commands does."""
        outcome = ended(given, end, self.epoch)
        if self.book.end(outcome):
            self.ends.append(outcome)

    @invariant()
    def at_most_once(self) -> None:
        """No id reaches the device twice, over all runs."""
        assert all(number == 1 for number in Counter(id for id, _, _ in self.calls).values())

    @invariant()
    def never_late(self) -> None:
        """No call begins at or after its deadline."""
        assert all(mono < deadline for _, mono, deadline in self.calls)

    @invariant()
    def one_end(self) -> None:
        """What was done has at most one end; a command that was done is never called refused or expired."""
        done = {id for id, _, _ in self.calls}
        ends = Counter(outcome.id for outcome in self.ends if outcome.id in done)
        asked = {o.id for o in self.ends if o.end in (End.CONFIRMED, End.FAILED, End.UNKNOWN)}
        assert asked <= done
        assert all(number == 1 or id not in asked for id, number in ends.items() if id in self.unforgotten())

    def unforgotten(self) -> set[str]:
        """Ids that the book still knows."""
        return {outcome.id for outcome in self.ends if self.book.outcome(outcome.id)}

    @invariant()
    def bounded(self) -> None:
        """The book does not grow for ever."""
        assert len(self.book) <= 12


CommandPath.TestCase.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)
TestCommandPath = CommandPath.TestCase


def test_a_command_that_could_still_be_repeated_is_never_forgotten() -> None:
    """Rather, new ones are refused."""
    book = Book("pi", 7, kept=2, most=5)
    for number in range(5):
        given = command(f"command-{number}", deadline=10_000)
        assert book.take(given, NAMES, 0).step is Step.DO
        book.end(ended(given, End.CONFIRMED))
    refused = book.take(command("command-9", deadline=10_000), NAMES, 0)
    assert refused.step is Step.ANSWER and refused.refusal and refused.refusal.why is Why.BUSY
    assert book.take(command("command-0", deadline=10_000), NAMES, 1).step is Step.AGAIN
    assert book.take(command("command-9", deadline=20_000), NAMES, 10_000).step is Step.DO


def test_the_first_end_stands() -> None:
    """A second one is not taken."""
    book = Book("pi", 7)
    given = command()
    book.take(given, NAMES, 0)
    assert book.end(ended(given, End.UNKNOWN))
    assert not book.end(ended(given, End.CONFIRMED))
    outcome = book.outcome(given.id)
    assert outcome and outcome.end is End.UNKNOWN


@pytest.mark.parametrize(
    "more", [{"node": "pj"}, {"thing": "even"}, {"name": "level"}, {"id": "a b c d e f"}, {"id": ""}]
)
def test_a_command_that_names_another_target_than_its_subject_is_refused(more: Any) -> None:
    """And nothing of it is remembered."""
    book = Book("pi", 7)
    taken = book.take(command(**more), NAMES, 0)
    assert taken.step is Step.ANSWER and taken.refusal and taken.refusal.why is Why.INPUT
    assert len(book) == 0


THING = Odd()


def asked(**more: Any) -> Any:
    """What a command asks of the odd thing."""
    description = Driving(Built(THING, ThingConfig(driver="odd")), "pi").described_by_class()
    return resolve(command(**more), THING, description)


def test_good_input_becomes_what_the_driver_takes() -> None:
    """Whole numbers are numbers; defaults are filled in."""
    assert asked() == Write(True, True)
    write = asked(name="level", input=3)
    assert write == Write(3.0, 3.0) and type(write.value) is float
    assert asked(kind="action", name="work", input=None) == Act({"times": 1})
    assert asked(kind="action", name="work", input={"times": 4}) == Act({"times": 4})


@pytest.mark.parametrize(
    ("more", "why", "words"),
    [
        ({"input": 1}, Why.INPUT, "odd.on cannot take 1"),
        ({"name": "level", "input": 11}, Why.INPUT, "from 0 to 10 V"),
        ({"name": "level", "input": True}, Why.INPUT, "level"),
        ({"name": "level", "input": None}, Why.INPUT, "level"),
        ({"name": "level", "input": float("nan")}, Why.INPUT, "NaN"),
        ({"name": "level", "input": "x" * 70_000}, Why.INPUT, "too large"),
        ({"name": "number"}, Why.READ_ONLY, "only be read"),
        ({"name": "onn"}, Why.MISSING, "no property 'onn'"),
        ({"name": "work"}, Why.MISSING, "is an action"),
        ({"kind": "action", "name": "on"}, Why.MISSING, "is a property"),
        ({"kind": "action", "name": "wrk"}, Why.MISSING, "no action 'wrk'"),
        ({"kind": "action", "name": "work", "input": {"time": 1}}, Why.INPUT, "no input 'time'"),
        ({"kind": "action", "name": "work", "input": [1]}, Why.INPUT, "action work"),
        ({"kind": "action", "name": "work", "input": {"times": "x"}}, Why.INPUT, "action work"),
        ({"kind": "action", "name": "nonsense", "input": {"x": 1}}, Why.INPUT, "takes no input"),
    ],
)
def test_bad_input_is_refused_with_its_reason(more: Any, why: Why, words: str) -> None:
    """In words, with the nearest right thing where there is one."""
    refusal = asked(**more)
    assert isinstance(refusal, Refusal)
    assert (refusal.end, refusal.why) == (End.REFUSED, why)
    assert words in refusal.detail
    assert len(refusal.detail) < 500


def test_the_nearest_is_named() -> None:
    """For names and for limits."""
    assert asked(name="levle").remedy == "Did you mean 'level'?"
    assert asked(name="level", input=11).remedy == "The nearest that it takes is 10"
    assert no_thing("pi", "od", ["odd", "even"]).remedy == "Did you mean 'odd'?"


def test_a_late_repetition_of_what_was_forgotten_says_nothing_about_its_end() -> None:
    """It may have been done long ago: "expired" would be a lie in the ledger. What was surely never here expires."""
    book = Book("pi", 7, kept=2, most=12)
    for number in range(4):
        given = command(f"command-{number}", epoch=7, deadline=100 + number)
        assert book.take(given, NAMES, 0).step is Step.DO
        book.end(ended(given, End.CONFIRMED, 7))
    book.take(command("command-8", epoch=7, deadline=900), NAMES, 500)  # the oldest are forgotten
    taken = book.take(command("command-0", epoch=7, deadline=100), NAMES, 500)
    assert taken.step is Step.ANSWER and taken.refusal is not None and taken.refusal.end is End.UNKNOWN
    never = book.take(command("command-9", epoch=7, deadline=400), NAMES, 500)
    assert never.step is Step.END and never.refusal is not None and never.refusal.end is End.EXPIRED


@pytest.mark.parametrize("depth", [100, 101, 5000])
def test_an_input_that_nobody_can_walk_through_is_refused(depth: int) -> None:
    """Before anything looks into it; the deepest that is allowed is none of them."""
    for value in (1, [], {}):
        levels = depth if value == 1 else depth - 1
        for number in range(levels):
            value = [value] if number % 2 else {"x": value, "y": 1}
        assert is_too_deep(value) is (depth > DEEPEST)
