"""Leases and the link, by the agent's own clock: both end by themselves, whatever the bus and the wall clock do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pilothouse.agent.leasing import Leasing
from pilothouse.agent.link_proof import LinkProof
from pilothouse.bus.messages import StandLease
from pilothouse.bus.subjects import Subjects
from pilothouse.testing import FakeClock
from support.fake_bus import FakeBus

SUBJECTS = Subjects("home")


class Office:
    """What an agent knows of stands."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.bus = FakeBus()
        self.over: list[tuple[str, str]] = []
        self.leasing = Leasing("pi", SUBJECTS, self.clock, lambda thing, reason: self.over.append((thing, reason)))
        self.tasks = [asyncio.create_task(self.leasing.run())]

    def lease(self, holder: str = "bob", left: float = 60.0, *, ago: float = 0.0, **more: Any) -> StandLease:
        """Stand "rig", written some seconds ago."""
        fields: dict[str, Any] = {
            "stand": "rig",
            "things": ("pi/bath", "b/pump"),
            "holder": holder,
            "time": self.clock.now() - round(ago * 1000),
            "left": left,
        }
        return StandLease(**(fields | more))

    def barred(self, who: str = "ada") -> bool:
        """Whether this person may not command the bath."""
        return self.leasing.bar("bath", who) is not None


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    """Running."""
    office = Office()
    yield office
    for task in office.tasks:
        task.cancel()
    await asyncio.gather(*office.tasks, return_exceptions=True)


async def test_a_lease_counts_from_when_it_was_heard(office: Office) -> None:
    """A wall clock that is wrong by a day changes nothing for one that came live."""
    office.leasing.heard(office.lease(ago=86_400), kept=False)
    assert office.barred() and not office.barred("bob")
    assert office.leasing.bar("pump", "ada") is None, "a thing of another node"
    await office.clock.advance(59)
    office.clock.jump(86_400)
    assert office.barred() and not office.over
    await office.clock.advance(1.1)
    assert not office.barred()
    assert office.over == [("bath", "the lease of stand rig is over, bob held it")]


@pytest.mark.parametrize(("ago", "left"), [(0, 60), (20, 40), (59, 1), (-3600, 60)])
async def test_one_that_was_kept_is_as_old_as_the_clocks_say(office: Office, ago: float, left: float) -> None:
    """And never longer than it was when it was written."""
    office.leasing.heard(office.lease(ago=ago), kept=True)
    await office.clock.advance(left - 0.5)
    assert office.barred()
    await office.clock.advance(1)
    assert not office.barred() and len(office.over) == 1


async def test_one_that_is_over_already_bars_nobody(office: Office) -> None:
    """It is told once, so that outputs that stayed on go safe."""
    office.leasing.heard(office.lease(ago=1000), kept=True)
    await office.clock.advance(0.1)
    assert not office.barred() and len(office.over) == 1
    office.leasing.heard(office.lease("", ended="expired", last="bob"), kept=False)
    await office.clock.advance(1)
    assert len(office.over) == 1


async def test_told_again_is_not_renewed(office: Office) -> None:
    """The same words after a new link."""
    lease = office.lease()
    office.leasing.heard(lease, kept=False)
    await office.clock.advance(50)
    office.leasing.heard(lease, kept=False)
    await office.clock.advance(11)
    assert not office.barred()


async def test_given_back_makes_nothing_safe(office: Office) -> None:
    """Nor does one whose stand does not want it; one that must be held bars everybody then."""
    office.leasing.heard(office.lease(), kept=False)
    office.leasing.heard(office.lease("", 0, ended="released", last="bob"), kept=False)
    await office.clock.advance(100)
    assert not office.over and not office.barred()
    office.leasing.heard(office.lease("eve", 5, safe_on_expiry=False, required=True), kept=False)
    await office.clock.advance(10)
    assert not office.over and office.barred() and office.barred("eve")


async def test_what_comes_before_the_end_of_what_was_kept_is_taken_for_kept(office: Office) -> None:
    """After every new link; and what names another stand than its subject is nobody's."""
    bus = office.bus
    office.tasks.append(asyncio.create_task(office.leasing.hear(bus)))  # type: ignore[arg-type]
    await office.clock.advance(0)
    bus.others_say(SUBJECTS.stand("rig"), office.lease(left=60, ago=50))
    await office.clock.advance(11)
    assert not office.barred()
    bus.synced()
    await office.clock.advance(0)
    bus.others_say(SUBJECTS.stand("rig"), office.lease(left=60, ago=50))
    await office.clock.advance(11)
    assert office.barred()
    bus.links += 1
    bus.others_say(SUBJECTS.stand("rig"), office.lease("eve", left=60, ago=59))
    await office.clock.advance(2)
    assert not office.barred()
    bus.others_say(SUBJECTS.stand("other"), office.lease("eve"))
    await office.clock.advance(0)
    assert not office.barred()


async def test_the_word_of_a_hub_that_was_too_slow_is_not_believed(office: Office) -> None:
    """Of two that write at once both are heard, and one of them is kept."""
    bus = office.bus
    office.tasks.append(asyncio.create_task(office.leasing.hear(bus)))  # type: ignore[arg-type]
    await office.clock.advance(0)
    bus.synced()
    won, lost = office.lease("bob"), office.lease("eve")
    bus.stands[SUBJECTS.stand("rig")] = won
    bus.others_say(SUBJECTS.stand("rig"), won)
    bus.others_say(SUBJECTS.stand("rig"), lost)
    await office.clock.advance(1)
    assert office.barred("eve") and not office.barred("bob")


class Cut(RuleBasedStateMachine):
    """A link that comes and goes, and outputs that go on and off: none is on without a link for longer than it may."""

    def __init__(self) -> None:
        super().__init__()
        self.proof = LinkProof()
        self.mono = 1000
        self.limits: dict[str, float] = {}
        self.since: dict[str, int] = {}
        self.up = True
        self.last_up = 1000
        self.told: dict[str, int] = {}
        self.asked: int | None = None

    def pass_to(self, mono: int) -> None:
        """Look at every time that was asked for on the way, as the agent does."""
        while True:
            due = self.proof.next_look()
            if due is None or due > mono:
                break
            self.mono = max(self.mono, due)
            self.look()
        self.mono = mono
        if self.up:
            self.last_up = self.mono
        self.look()

    def look(self) -> None:
        """Outputs whose time is over are safe from now on."""
        for key, limit in self.proof.over(self.mono).items():
            assert key not in self.told, "told once"
            assert self.mono - self.since[key] >= limit * 1000
            self.told[key] = self.mono

    @rule(step=st.integers(0, 900))
    def wait(self, step: int) -> None:
        """Time passes."""
        self.pass_to(self.mono + step)

    @rule(key=st.sampled_from("abc"), limit=st.sampled_from([0.5, 1.0, 3.0]))
    def switch_on(self, key: str, limit: float) -> None:
        """An output goes on."""
        if key not in self.limits:
            self.limits[key], self.since[key] = limit, self.mono
            self.proof.watch(dict(self.limits), self.mono)

    @rule(key=st.sampled_from("abc"))
    def switch_off(self, key: str) -> None:
        """And off."""
        if self.limits.pop(key, None) is not None:
            self.told.pop(key, None)
            self.proof.watch(dict(self.limits), self.mono)

    @rule()
    def cut(self) -> None:
        """The link goes."""
        self.up = False

    @rule()
    def mend(self) -> None:
        """And comes."""
        self.up = True
        self.last_up = self.mono

    @rule()
    def ask(self) -> None:
        """A question goes out; nobody asks when nothing is on."""
        assert (self.proof.pause() is None) == (not self.limits)
        self.asked = self.mono if self.up else None

    @rule()
    def answer(self) -> None:
        """Its answer comes, however late."""
        if self.asked is not None:
            self.proof.proven(self.asked)
            self.told = {key: told for key, told in self.told.items() if told > self.asked}
            self.asked = None

    @invariant()
    def never_too_long(self) -> None:
        """An output that is on and was not told has had a link, or was off, within its time."""
        for key, limit in self.limits.items():
            if key not in self.told:
                assert self.mono - max(self.last_up, self.since[key]) < limit * 1000 or self.up


Cut.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestCut = Cut.TestCase
