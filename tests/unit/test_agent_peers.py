"""Readings of other nodes: whatever is doubtful is not known, and says why."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pilothouse.agent.peers import HEARD, Peer, Peers
from pilothouse.bus.messages import Batch, Described, Presence, State
from pilothouse.bus.subjects import Subjects
from pilothouse.guard import Known, Ref
from pilothouse.model import Health, PropertyDescription, PropertyState, Quality, Reading, ThingDescription
from pilothouse.testing import FakeClock
from support.fake_bus import FakeBus

SUBJECTS = Subjects("home")
HEARTBEAT = 4.0
FRESH = 10_000
"""Milliseconds: two and a half heartbeats."""


def presence(time: int, mono: int, *, epoch: int = 3, **more: Any) -> Presence:
    """Node b is here."""
    return Presence(node="b", epoch=epoch, version="", time=time, mono=mono, things=("tank",), **more)


def described() -> Described:
    """What its tank is."""
    level = PropertyDescription(name="level", schema={"type": "number"}, unit="%", heartbeat=HEARTBEAT)
    description = ThingDescription(node="b", name="tank", properties={"level": level})
    return Described(node="b", epoch=3, thing="tank", description=description)


def state(value: Any, time: int, *, epoch: int = 3, seq: int = 1, quality: Quality = Quality.GOOD) -> State:
    """The latest of its tank."""
    latest = PropertyState(value=value, time=time, quality=quality)
    return State(node="b", epoch=epoch, thing="tank", seq=seq, time=time, health=Health(), properties={"level": latest})


def batch(value: Any, time: int, *, epoch: int = 3, seq: int = 2) -> Batch:
    """A reading of its tank."""
    return Batch(node="b", epoch=epoch, seq=seq, readings=[Reading("tank", "level", time, value)])


def peer() -> Peer:
    """Node b, heard at our time 1000, which is 500,000 there; its level is 40 %."""
    peer = Peer("b", [("tank", "level")])
    peer.present(presence(500_000, 77), 1000)
    peer.described(described())
    assert peer.state(state(40.0, 500_000), 1000)
    return peer


def known(found: Known | str) -> Any:
    """The value; None when it is not known."""
    return found.value if isinstance(found, Known) else None


def test_a_fresh_reading_of_a_node_that_is_heard_is_known() -> None:
    """With its unit, and until when."""
    assert peer().lookup("tank", "level", 1500) == Known(40.0, "%", 1000 + HEARD)


def test_a_silent_node_is_away_after_five_seconds() -> None:
    """And is back with its next word."""
    one = peer()
    assert known(one.lookup("tank", "level", 5999)) == 40.0
    assert one.lookup("tank", "level", 6000) == "node b is away"
    one.present(presence(506_000, 6077), 7000)
    assert known(one.lookup("tank", "level", 7000)) == 40.0


def test_an_old_reading_is_not_known_although_its_node_is_here() -> None:
    """By that node's clock, and also by ours when that one is set back."""
    one = peer()
    for second in range(2, 10, 2):
        one.present(presence(500_000 + second * 1000, 77 + second * 1000), 1000 + second * 1000)
    assert known(one.lookup("tank", "level", 10_999)) == 40.0
    assert "has not been read since" in str(one.lookup("tank", "level", 11_000))
    one.present(presence(300_000, 20_000), 12_000)
    assert "has not been read since" in str(one.lookup("tank", "level", 12_000))


def test_what_is_told_again_is_no_younger() -> None:
    """The same reading in another state."""
    one = peer()
    one.present(presence(300_000, 9000), 9000)
    one.state(state(40.0, 500_000, seq=5), 9000)
    one.present(presence(302_000, 11_000), 11_000)
    assert "has not been read since" in str(one.lookup("tank", "level", 11_000))


def test_words_of_another_run_are_not_known() -> None:
    """Neither a value of the run before, nor one of a run that has not said that it is here."""
    one = peer()
    one.present(presence(501_000, 5, epoch=4), 2000)
    assert one.lookup("tank", "level", 2000) == "node b has not told it yet"
    one.state(state(10.0, 501_000, epoch=3, seq=9), 2000)
    assert isinstance(one.lookup("tank", "level", 2000), str)
    one.state(state(50.0, 501_000, epoch=4, seq=0), 2000)
    assert known(one.lookup("tank", "level", 2000)) == 50.0
    one.present(presence(900_000, 99_000, epoch=3), 2500)
    assert known(one.lookup("tank", "level", 2500)) == 50.0, "a late word of the run before"


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (presence(501_000, 1077, state="leaving"), "node b has left"),
        (Presence(node="b", epoch=3, version="", time=501_000, mono=1077), "has no thing 'tank'"),
        (state(None, 501_000, seq=2, quality=Quality.BAD), "cannot be read"),
        (state(40.0, 501_000, seq=2, quality=Quality.UNCERTAIN), "uncertain"),
        (state(40.0, 600_000, seq=2), "has not been read since"),
    ],
)
def test_what_is_doubtful_is_not_known(heard: Any, why: str) -> None:
    """Left, gone, bad, uncertain, from the future."""
    one = peer()
    if isinstance(heard, Presence):
        one.present(heard, 2000)
    else:
        one.state(heard, 2000)
    assert why in str(one.lookup("tank", "level", 2000))


def test_nothing_is_known_before_all_has_been_heard() -> None:
    """Presence, description, value."""
    one = Peer("b", [("tank", "level")])
    assert one.lookup("tank", "level", 0) == "node b has not been heard yet"
    one.present(presence(500_000, 77), 1000)
    assert one.lookup("tank", "level", 1000) == "node b has not told it yet"
    one.state(state(40.0, 500_000), 1000)
    assert isinstance(one.lookup("tank", "level", 1000), str)
    one.described(described())
    assert known(one.lookup("tank", "level", 1000)) == 40.0


def test_an_older_batch_does_not_replace_a_newer_state() -> None:
    """Batches that come late, for the link was down."""
    one = peer()
    one.batch(batch(60.0, 500_500, seq=2), 1500)
    assert not one.batch(batch(1.0, 499_000, seq=0), 1600)
    assert known(one.lookup("tank", "level", 1600)) == 60.0
    assert not one.batch(Batch(node="b", epoch=3, seq=9, readings=[Reading("tank", "flow", 500_500, 1.0)]), 1600)


class Doubt(RuleBasedStateMachine):
    """Node b lives, dies, jumps with its clock and talks late; what is known is always young and of its present run."""

    def __init__(self) -> None:
        super().__init__()
        self.peer = Peer("b", [("tank", "level")])
        self.peer.described(described())
        self.mono = 1000
        self.offset = 400_000
        self.epoch = 3
        self.seq = 0
        self.made: dict[float, int] = {}
        """Our time at which each value was read."""
        self.last_word = -HEARD
        self.late: list[Batch] = []

    @rule(step=st.integers(0, 4000))
    def wait(self, step: int) -> None:
        """Time passes."""
        self.mono += step

    @rule()
    def present(self) -> None:
        """It says that it is here."""
        self.peer.present(presence(self.mono + self.offset, self.mono, epoch=self.epoch), self.mono)
        self.last_word = self.mono

    @rule(late=st.booleans())
    def read(self, late: bool) -> None:
        """It reads its tank, and tells now or later."""
        self.seq += 1
        value = float(len(self.made))
        self.made[value] = self.mono
        told = batch(value, self.mono + self.offset, epoch=self.epoch, seq=self.seq)
        if late:
            self.late.append(told)
        else:
            self.peer.batch(told, self.mono)

    @rule()
    def tell_late(self) -> None:
        """What was not told comes now."""
        for told in self.late:
            self.peer.batch(told, self.mono)
        self.late.clear()

    @rule()
    def start_anew(self) -> None:
        """Killed, and back."""
        self.epoch += 1
        self.seq = 0

    @rule(offset=st.sampled_from([-86_400_000, 397_000, 400_000, 403_000, 86_400_000]))
    def set_clock(self, offset: int) -> None:
        """Its wall clock is set; its next presence tells."""
        self.offset = offset
        self.present()

    @invariant()
    def young(self) -> None:
        """Never older than fresh by our clock, with a clock that is set by seconds at most that much more."""
        value = known(self.peer.lookup("tank", "level", self.mono))
        if value is not None:
            assert self.mono - self.last_word < HEARD
            assert self.mono - self.made[value] < 2 * FRESH + 6000


Doubt.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestDoubt = Doubt.TestCase


async def test_peers_listen_to_the_nodes_that_are_named() -> None:
    """And tell of what is new; nothing is known without a link."""
    clock, bus, told = FakeClock(), FakeBus(), []
    peers = Peers("a", SUBJECTS, clock, lambda: told.append(1))
    ref = Ref("b", "tank", "level")
    peers.want([ref, Ref("a", "here", "on"), Ref("b", "bad name!", "x")])
    assert peers.lookup(ref) == "there is no link to the bus"
    task = asyncio.create_task(peers.hear(bus))  # type: ignore[arg-type]
    await clock.advance(0)
    now = clock.now()
    bus.others_say(SUBJECTS.presence("b"), presence(now, 77))
    bus.others_say(SUBJECTS.description("b", "tank"), described())
    bus.others_say(SUBJECTS.state("b", "tank"), state(40.0, now))
    bus.others_say(SUBJECTS.data("b"), batch(41.0, now, seq=2))
    bus.synced()
    await clock.advance(0)
    assert known(peers.lookup(ref)) == 41.0 and len(told) == 4
    bus.up = False
    assert peers.lookup(ref) == "there is no link to the bus"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_nobody_is_listened_to_when_none_is_named() -> None:
    """It costs nothing."""
    peers = Peers("a", SUBJECTS, FakeClock(), lambda: None)
    peers.want([Ref("a", "here", "on")])
    await peers.hear(FakeBus())  # type: ignore[arg-type]
