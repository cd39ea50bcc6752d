"""The gate under any mixture of commands, stops, leases, tokens, hangs and hands at the device."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pilothouse.agent.gate import GuardedGate
from pilothouse.agent.guarding import Guarding
from pilothouse.agent.leasing import Leasing
from pilothouse.bus.messages import AskConfirmation, Command, Latch, StandLease, Why
from pilothouse.bus.subjects import Subjects
from pilothouse.guard import Group
from pilothouse.model import (
    Health,
    PropertyDescription,
    PropertyState,
    Quality,
    ThingDescription,
)
from pilothouse.testing import FakeClock

GROUP = Group("valves", ("a.on", "b.on"))
LATCH = Latch(id="stop-1", kind="hard", time=1, who="bob", origin="page")
REST = 0.5
"""Seconds that b rests."""
PEOPLE = st.sampled_from(["ada", "ada", "bob"])
NAMES = st.sampled_from("abc")


class Fake:
    """A thing as the guard sees it."""

    def __init__(self, name: str, **rules: Any) -> None:
        on = PropertyDescription(
            name="on", schema={"type": "boolean"}, writable=True, safe=False, has_safe=True, heartbeat=1e6, **rules
        )
        self.name = name
        self.description = ThingDescription(node="pi", name=name, properties={"on": on})
        self.on_reading: list[Callable[[str, PropertyState, int], None]] = []
        self.working = True
        self.opened = asyncio.Event()
        self.health = Health()


class Passing(RuleBasedStateMachine):
    """Valves a and b exclude each other, b rests between, and c runs only while a is shown on and needs a token."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        things: dict[str, Any] = {
            "a": Fake("a"),
            "b": Fake("b", min_off=REST),
            "c": Fake("c", interlocks=("requires a.on == true",), confirm="yes"),
        }
        self.things = things
        self.guarding = Guarding("pi", things, (GROUP,), lambda _: "", self.clock, self.go_safe, lambda _: None)
        for thing in things.values():
            self.guarding.add(thing)
        self.leasing = Leasing("pi", Subjects("home"), self.clock, lambda *_: None)
        self.gate = GuardedGate(self.guarding, self.leasing, self.clock)
        self.latch: Latch | None = None
        self.gate.stopped = lambda: self.latch
        self.device = dict.fromkeys("abc", False)
        self.both = False
        """Whether the valves were ever on together, for however short."""
        self.lanes: dict[str, list[Command]] = {name: [] for name in "abc"}
        self.running: dict[str, Command] = {}
        self.late: dict[str, Command] = {}
        """Calls that were given up and may come back yet."""
        self.unseen: set[str] = set()
        """Things whose write raised, and that were not read since."""
        self.token = ""
        self.holder = ""
        self.count = 0
        self.off_at = dict.fromkeys("abc", self.clock.mono())
        for name in "abc":
            self.read(name)

    # what the agent would do

    def go_safe(self, thing: str, names: Any, origin: str, reason: str) -> None:
        """Take back what waits, and write the safe value in front; here the device does it at once."""
        for waiting in [one for one in self.lanes[thing] if one.input]:
            self.lanes[thing].remove(waiting)
            self.gate.over(waiting, asked=False)
        if thing in self.running:
            self.end(thing, deaf=False)
        if thing in self.late:
            return  # its lane hangs
        own = self.command(thing, False, "guard")
        self.gate.own(own)
        self.put(thing, False)
        self.gate.took(own)
        self.read(thing)
        self.gate.over(own, asked=True)

    def look(self) -> None:
        """As Guarding.run."""
        self.guarding._look()

    def command(self, thing: str, value: bool, who: str, token: str = "") -> Command:
        """A command."""
        self.count += 1
        return Command(
            id=f"command-{self.count}",
            node="pi",
            epoch=1,
            thing=thing,
            kind="property",
            name="on",
            input=value,
            deadline=0,
            who=who,
            origin="test",
            confirmation=token,
        )

    def put(self, thing: str, value: bool) -> None:
        """The device is switched."""
        if self.device[thing] and not value:
            self.off_at[thing] = self.clock.mono()
        self.device[thing] = value
        self.both = self.both or (self.device["a"] and self.device["b"])

    def read(self, thing: str) -> None:
        """A good reading."""
        self.unseen.discard(thing)
        state = PropertyState(value=self.device[thing], time=self.clock.now())
        for tell in self.things[thing].on_reading:
            tell("on", state, self.clock.mono())

    # what happens

    @initialize(on=st.sampled_from(["", "a", "ac", "b"]))
    def begin_with(self, on: str) -> None:
        """Some are on from the first step."""
        self.wait(1.0)
        for thing in on:
            self.ask_and_do(thing, True, deaf=False)
        assert [thing for thing in "abc" if self.device[thing]] == list(on)

    @rule(thing=NAMES, value=st.sampled_from([True, True, False]), who=PEOPLE, with_token=st.booleans())
    def ask(self, thing: str, value: bool, who: str, with_token: bool) -> None:
        """Somebody commands; what passes waits on the lane."""
        command = self.command(thing, value, who, self.token if with_token else "")
        described = self.things[thing].description.properties["on"]
        refusal = self.gate.write(command, value, described)
        if not value:
            assert refusal is None, "the safe value always passes"
        elif self.latch is not None:
            assert refusal is not None and refusal.why is Why.STOPPED
        elif self.holder and who != self.holder:
            assert refusal is not None and refusal.why is Why.LEASE
        elif refusal is None and thing == "b":
            rested = self.clock.mono() - self.off_at["b"] >= REST * 1000
            assert rested or self.device["b"] or self.at_b() or "b" in self.unseen
        elif refusal is None and thing == "c":
            assert with_token and self.token, "c passes with a token only"
            self.token = ""
        if refusal is None:
            self.lanes[thing].append(command)
        self.look()

    def at_b(self) -> bool:
        """Whether a command that turns b on is under way already."""
        found = [*self.lanes["b"], self.late.get("b"), self.running.get("b")]
        return any(one.input for one in found if one is not None)

    @rule(thing=NAMES, value=st.booleans(), deaf=st.booleans())
    def ask_and_do(self, thing: str, value: bool, deaf: bool) -> None:
        """All of it in one go."""
        if thing == "c" and value:
            self.confirm(self.holder or "ada")
        self.ask(thing, value, self.holder or "ada", with_token=True)
        for _ in range(3):
            self.begin(thing)
            self.come_back(thing, deaf=deaf)

    @rule(who=PEOPLE)
    def confirm(self, who: str) -> None:
        """Somebody gets a token for switching c on."""
        ask = AskConfirmation(node="pi", epoch=1, thing="c", kind="property", name="on", input=True, who=who)
        self.token = self.gate.give_token(ask, True, two_person=False)

    @precondition(lambda self: any(self.lanes.values()))
    @rule(thing=NAMES)
    def begin(self, thing: str) -> None:
        """The lane asks its device."""
        if self.lanes[thing] and thing not in self.running and thing not in self.late:
            self.running[thing] = self.lanes[thing].pop(0)

    @precondition(lambda self: self.running)
    @rule(thing=NAMES, deaf=st.booleans())
    def come_back(self, thing: str, deaf: bool) -> None:
        """The device did it; its readback comes with it, or it raised after all."""
        if thing in self.running:
            self.end(thing, deaf=deaf)
            self.look()

    def end(self, thing: str, *, deaf: bool) -> None:
        """What runs is done."""
        command = self.running.pop(thing)
        self.put(thing, bool(command.input))
        if deaf:
            self.unseen.add(thing)
        else:
            self.gate.took(command)
            self.read(thing)
        self.gate.over(command, asked=True)

    @precondition(lambda self: self.running)
    @rule(thing=NAMES)
    def hang(self, thing: str) -> None:
        """The driver does not come back: nobody knows, and the reading is bad."""
        if thing not in self.running:
            return
        command = self.late[thing] = self.running.pop(thing)
        self.gate.over(command, asked=True)
        bad = PropertyState(value=None, quality=Quality.BAD, time=self.clock.now())
        for tell in self.things[thing].on_reading:
            tell("on", bad, self.clock.mono())
        for waiting in self.lanes[thing]:
            self.gate.over(waiting, asked=False)
        self.lanes[thing] = []
        self.look()

    @precondition(lambda self: self.late)
    @rule()
    def free(self) -> None:
        """It does after all, and the device is read."""
        thing, command = self.late.popitem()
        self.put(thing, bool(command.input))
        self.read(thing)
        self.look()

    @precondition(lambda self: any(self.lanes.values()))
    @rule(thing=NAMES)
    def expire(self, thing: str) -> None:
        """What waits is too late."""
        if self.lanes[thing]:
            self.gate.over(self.lanes[thing].pop(), asked=False)
            self.look()

    @rule(thing=NAMES)
    def poll(self, thing: str) -> None:
        """A reading comes by itself; none from a lane that hangs."""
        if thing not in self.late:
            self.read(thing)
            self.look()

    @rule(seconds=st.sampled_from([0.1, 0.3, 0.6]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.clock.tick(seconds)
        self.look()

    @rule(pressed=st.sampled_from([True, False, False]))
    def stop(self, pressed: bool) -> None:
        """Stop is pressed or lifted."""
        self.latch = LATCH if pressed else None

    @rule(holder=st.sampled_from(["", "", "", "ada"]))
    def lease(self, holder: str) -> None:
        """The stand of all three changes hands; it lasts for longer than the test."""
        self.holder = holder
        things = ("pi/a", "pi/b", "pi/c")
        lease = StandLease(stand="rig", things=things, holder=holder, time=self.count, left=1e6)
        self.leasing.heard(msgspec.structs.replace(lease, since=self.count), kept=False)
        self.count += 1

    # what never happens

    @invariant()
    def never_both(self) -> None:
        """Whatever was let through, waits, runs or hangs: at most one valve is on at the device."""
        assert not self.both

    @invariant()
    def never_alone(self) -> None:
        """c is on only with a, once both were read and everybody has looked."""
        if not self.late and not self.running and not self.unseen:
            assert not self.device["c"] or self.device["a"]

    @invariant()
    def said_before_the_press(self) -> None:
        """An output without a bar passes when nothing else stands against it."""
        bars = self.guarding.guard.bars(self.clock.mono())
        for name, thing in self.things.items():
            described = thing.description.properties["on"]
            against = self.guarding.guard.bar(f"{name}.on", True, self.clock.mono())
            assert (against is None) == (f"{name}.on" not in bars), described.name


Passing.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestPassing = Passing.TestCase
