"""The guard over a modelled device: whatever comes in whatever order, it holds what it promises."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pilothouse.guard import Group, Guard, Known, Output, Ref, parse
from pilothouse.model import PropertyDescription

A, B, C, D = "v.a", "v.b", "w.c", "w.d"
"""Two lanes; a, b and c exclude one another; a has an interlock, b a min_off, c a max_on, d all of it on its own."""
GROUP = Group("water", (A, B, C))
KEYS = st.sampled_from([A, B, C, D])
ON_MOST = 5000


def output(key: str) -> Output:
    """One of the four."""
    thing, _, name = key.partition(".")
    described = PropertyDescription(
        name=name,
        schema={"type": "boolean"},
        writable=True,
        safe=False,
        has_safe=True,
        max_on=ON_MOST / 1000 if key in (C, D) else 0,
        min_off=2.0 if key in (B, D) else 0,
    )
    condition = parse("requires env.ok and not v.b" if key == D else "requires env.ok").resolved("pi", thing)
    return Output(
        node="pi",
        thing=thing,
        described=described,
        interlocks=(condition,) if key in (A, D) else (),
        groups=(GROUP,) if key in GROUP.members else (),
    )


class Device(RuleBasedStateMachine):
    """A device with two lanes, an agent that does what the guard says, and hands that meddle."""

    def __init__(self) -> None:
        super().__init__()
        self.mono = 1_000
        self.ids = count()
        self.ok: Known | str = Known(True)
        self.real = dict.fromkeys((A, B, C, D), False)
        self.shown: dict[str, Known | str] = dict.fromkeys(self.real, "not read yet")
        self.outputs = {key: output(key) for key in self.real}
        self.guard = Guard(self.outputs, {"w.act": self.outputs[A].interlocks}, self.lookup, self.mono)
        self.waiting: dict[str, deque[tuple[str, str, bool]]] = {"v": deque(), "w": deque()}
        self.hanging: dict[str, tuple[str, str, bool] | None] = {"v": None, "w": None}
        self.news: dict[str, deque[Callable[[], object]]] = {"v": deque(), "w": deque()}
        self.under_way: dict[str, set[str]] = {key: set() for key in self.real}
        self.unsettled = dict.fromkeys(self.real, False)
        self.hands = False
        self.on_since: dict[str, int] = {}

    def lookup(self, ref: Ref) -> Known | str:
        """The environment's reading, or an output's."""
        return self.ok if ref.thing == "env" else self.shown[f"{ref.thing}.{ref.property}"]

    @initialize(hands=st.booleans(), read=st.sampled_from([True, True, True, False]))
    def begin(self, hands: bool, read: bool) -> None:
        """With or without somebody at the bench; most times all was read once."""
        self.hands = hands
        if read:
            for key in self.real:
                self.saw(key, False)
            self.wait(3.0)

    # the agent

    def act(self) -> None:
        """Do what the guard says: take back what waits, and go safe at the front of the lane."""
        for breach in self.guard.breaches(self.mono):
            lane = self.waiting[breach.key[0]]
            for entry in [entry for entry in lane if entry[1] == breach.key and entry[2]]:
                lane.remove(entry)
                self.release(breach.key, entry[0], asked=False)
            self.send(breach.key, False, front=True)

    def send(self, key: str, value: bool, *, front: bool = False) -> None:
        """Let a command through to its lane."""
        id = f"id-{next(self.ids)}"
        self.guard.reserve(key, value, id, self.mono)
        if value:
            self.under_way[key].add(id)
        lane = self.waiting[key[0]]
        lane.insert(0, (id, key, value)) if front else lane.append((id, key, value))

    def release(self, key: str, id: str, *, asked: bool) -> None:
        """A command is over."""
        self.guard.release(key, id, self.mono, asked=asked)
        self.unsettled[key] |= asked and id in self.under_way[key]
        self.under_way[key].discard(id)

    def saw(self, key: str, value: bool | None) -> None:
        """A reading has come."""
        self.shown[key] = "it is bad" if value is None else Known(value)
        self.guard.seen(key, value, self.mono)
        self.unsettled[key] &= value is None
        if value:
            self.on_since.setdefault(key, self.mono)
        elif value is False:
            self.on_since.pop(key, None)
        self.act()

    def over(self, key: str, id: str, value: bool, read: bool | None) -> None:
        """The end of a command has come; `read` = its readback."""
        if read is not None:
            self.guard.accepted(key, id, self.mono)
            self.saw(key, read)
        self.release(key, id, asked=True)
        self.act()

    # what may happen

    @rule(key=KEYS, value=st.sampled_from([True, True, False]))
    def command(self, key: str, value: bool) -> None:
        """Somebody asks."""
        barred = self.guard.bar(key, value, self.mono)
        assert barred is None or value, "the safe value may always pass"
        if barred is None:
            if value and key in GROUP.members:
                others = [other for other in GROUP.members if other != key and self.maybe(other)]
                assert others == [], "it is let through only while the others are surely off"
            self.send(key, value)
        self.act()

    def maybe(self, key: str) -> bool:
        """Whether an output is or may be on, counted in another way than the guard does."""
        return bool(self.under_way[key]) or self.unsettled[key] or self.shown[key] != Known(False)

    @rule(first=KEYS, second=KEYS)
    def race(self, first: str, second: str) -> None:
        """Two clients ask at the same moment."""
        self.command(first, True)
        self.command(second, True)

    @rule(lane=st.sampled_from("vw"))
    def all_is_well(self, lane: str) -> None:
        """The lane does all that waits, is read, and the agent hears all of it; the condition holds."""
        self.weather(True)
        while not self.hanging[lane] and self.waiting[lane]:
            self.work(lane, "done")
        self.poll(lane, False)
        while self.news[lane]:
            self.hear(lane)

    @rule(lane=st.sampled_from("vw"), end=st.sampled_from(["done", "done", "deaf", "broken", "lost"]))
    def work(self, lane: str, end: str) -> None:
        """The lane does the next command; its answer is on its way to the agent."""
        if self.hanging[lane] or not self.waiting[lane]:
            return
        id, key, value = self.waiting[lane].popleft()
        if end in ("done", "lost"):
            self.real[key] = value
        read = self.real[key] if end in ("done", "deaf") else None
        self.news[lane].append(lambda: self.over(key, id, value, read))

    @rule(lane=st.sampled_from("vw"))
    def hang(self, lane: str) -> None:
        """The driver hangs in the next command: its end is unknown, and it may be done much later."""
        if not self.hanging[lane] and self.waiting[lane]:
            id, key, value = self.hanging[lane] = self.waiting[lane].popleft()
            self.news[lane].append(lambda: self.over(key, id, value, None))

    @rule(lane=st.sampled_from("vw"), done=st.booleans())
    def come_back(self, lane: str, done: bool) -> None:
        """The driver comes back."""
        hung, self.hanging[lane] = self.hanging[lane], None
        if hung and done:
            self.real[hung[1]] = hung[2]

    @rule(lane=st.sampled_from("vw"), bad=st.sampled_from([False, False, False, True]))
    def poll(self, lane: str, bad: bool) -> None:
        """All of a thing is read."""
        if not self.hanging[lane]:
            read = {key: None if bad else value for key, value in self.real.items() if key[0] == lane}
            self.news[lane].append(lambda: [self.saw(key, value) for key, value in read.items()])

    @rule(lane=st.sampled_from("vw"))
    def hear(self, lane: str) -> None:
        """The next answer of a lane reaches the agent."""
        if self.news[lane]:
            self.news[lane].popleft()()

    @rule(lane=st.sampled_from("vw"))
    def expire(self, lane: str) -> None:
        """The oldest that waits is never done."""
        if self.waiting[lane]:
            id, key, _ = self.waiting[lane].popleft()
            self.release(key, id, asked=False)
            self.act()

    @rule(ok=st.sampled_from([True, True, False, None]))
    def weather(self, ok: bool | None) -> None:
        """The reading that interlocks ask for changes."""
        self.ok = "it is stale" if ok is None else Known(ok)
        self.act()

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 3.0, 10.0]))
    def wait(self, seconds: float) -> None:
        """Time passes; the agent looks when the guard asks it to."""
        end = self.mono + round(seconds * 1000)
        while (look := self.guard.next_look(self.mono)) is not None and look <= end:
            assert look > self.mono or self.guard.breaches(self.mono) == [], "it was looked at already"
            self.mono = look
            self.act()
        self.mono = end
        self.act()

    @precondition(lambda self: self.hands)
    @rule(key=KEYS, value=st.booleans())
    def meddle(self, key: str, value: bool) -> None:
        """Somebody switches it at the bench."""
        self.real[key] = value

    # what must hold

    @invariant()
    def never_two_open(self) -> None:
        """Without hands at the bench, no two of the group are ever on together, at the device itself."""
        open_now = [key for key in GROUP.members if self.real[key]]
        assert self.hands or len(open_now) <= 1, open_now

    @invariant()
    def what_is_broken_goes_safe(self) -> None:
        """An output that is read on while its condition does not hold has its safe value on the way, or had a try."""
        for key in (A, D):
            held = self.guard._held[key]
            if self.ok != Known(True) and held.breakable(self.outputs[key]):
                assert held.told is not None, key
            if self.ok != Known(True):
                waiting = [entry for entry in self.waiting[key[0]] if entry[1] == key and entry[2]]
                assert waiting == [], "it was taken back"

    @invariant()
    def never_longer_than_it_may(self) -> None:
        """One that has been seen on for its longest time was told."""
        for key in (C, D):
            since = self.on_since.get(key)
            if since is not None and self.mono - since >= ON_MOST:
                assert self.guard._held[key].told is not None, key

    @invariant()
    def bars_are_what_a_command_would_meet(self) -> None:
        """Said before the press as after it."""
        bars = self.guard.bars(self.mono)
        for key in self.real:
            assert bars.get(key) == self.guard.bar(key, True, self.mono)
        assert bars.get("w.act") == self.guard.bar_action("w.act", self.mono)

    def teardown(self) -> None:
        """Left alone with a device that works and a condition that does not hold, everything guarded goes safe."""
        self.ok = Known(False)
        self.act()
        for _ in range(3):
            for lane in "vw":
                self.come_back(lane, True)
                while self.waiting[lane]:
                    self.work(lane, "done")
                self.poll(lane, False)
                while self.news[lane]:
                    self.hear(lane)
            self.wait(ON_MOST / 1000 + 11)
        assert not any(self.real[key] for key in (A, C, D))
        assert len(self.waiting["v"]) + len(self.waiting["w"]) == 0
        for key, held in self.guard._held.items():
            assert not list(held.coming())
            assert held.told is None or self.real[key], "b alone may be on: its condition is its group"


Device.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
TestDevice = Device.TestCase
TestDevice.__doc__ = "Commands, answers, failures, hands and time in any order."
