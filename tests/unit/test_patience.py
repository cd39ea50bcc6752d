"""How long a connection is waited for: nobody is let go who gets on, and nobody stays who does not."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pilothouse.hub.edge.bounds import Bounds
from pilothouse.hub.edge.patience import Patience, Phase, Verdict

BOUNDS = Bounds(head=10, body=30, pause=10, idle=20, answer=30, taken=1000, closing=5)


def verdict(patience: Patience, now: float, unsent: int = 0, *, endless: bool = False) -> Verdict:
    """What a sweep at `now` comes to."""
    return Verdict.WAIT if patience.due > now else patience.look(now, unsent, endless=endless)


def test_silence_after_connecting_ends_without_a_word() -> None:
    """Nothing was asked, so nothing is answered."""
    patience = Patience(BOUNDS, 100)
    assert verdict(patience, 109.9) is Verdict.WAIT
    assert verdict(patience, 110) is Verdict.CLOSE


def test_a_head_has_its_time_from_its_first_byte() -> None:
    """Further bytes of it give it no more."""
    patience = Patience(BOUNDS, 100)
    patience.head(105)
    assert verdict(patience, 114.9) is Verdict.WAIT
    assert verdict(patience, 115) is Verdict.LATE


def test_a_body_must_get_on_and_come_to_an_end() -> None:
    """A pause may be 10 s, the whole 30 s."""
    patience = Patience(BOUNDS, 0)
    patience.head(0)
    patience.body(0)
    for now in (9, 18, 27):
        assert verdict(patience, now) is Verdict.WAIT
        patience.piece(now)
    assert verdict(patience, 29.9) is Verdict.WAIT
    assert verdict(patience, 30) is Verdict.LATE
    paused = Patience(BOUNDS, 0)
    paused.body(0)
    assert verdict(paused, 10) is Verdict.LATE


def test_the_application_may_take_its_time() -> None:
    """A command waits for its device, a page for the record: that is not the reader's doing."""
    patience = Patience(BOUNDS, 0)
    patience.whole(0)
    for now in range(0, 600, 30):
        assert verdict(patience, now) is Verdict.WAIT


def test_a_reader_who_does_not_read_is_let_go() -> None:
    """After 30 s in which nothing could be written; a stream has a time of its own."""
    patience = Patience(BOUNDS, 0)
    patience.whole(0)
    patience.stuck(25)
    assert verdict(patience, 30, 80_000) is Verdict.WAIT
    assert verdict(patience, 54.9, 80_000) is Verdict.WAIT
    assert verdict(patience, 55, 80_000, endless=True) is Verdict.WAIT
    assert verdict(patience, 85, 80_000) is Verdict.ABORT
    patience.flows()
    assert verdict(patience, 200) is Verdict.WAIT


def test_an_idle_connection_is_closed() -> None:
    """When its last answer has been read."""
    patience = Patience(BOUNDS, 0)
    patience.whole(0)
    patience.answered(5, 0)
    assert verdict(patience, 24.9) is Verdict.WAIT
    assert verdict(patience, 25) is Verdict.CLOSE


@pytest.mark.parametrize(("left", "then"), [(10_000, Verdict.ABORT), (9_500, Verdict.ABORT), (9_000, Verdict.WAIT)])
def test_the_rest_of_an_answer_must_be_taken(left: int, then: Verdict) -> None:
    """A byte now and then is not reading."""
    patience = Patience(BOUNDS, 0)
    patience.whole(0)
    patience.answered(0, 10_000)
    assert verdict(patience, 20, left) is then


def test_a_refused_body_goes_on_being_waited_for() -> None:
    """Its answer came before its end: the connection is not idle yet, and not for ever."""
    patience = Patience(BOUNDS, 0)
    patience.head(0)
    patience.body(1)
    patience.answered(2, 0)
    assert patience.phase is Phase.BODY
    assert verdict(patience, 11) is Verdict.LATE


@pytest.mark.parametrize(("unsent", "until"), [(0, 5), (500, 5), (50_000, 30)])
def test_who_was_told_to_go_goes(unsent: int, until: float) -> None:
    """Soon; with much still to read, not so soon."""
    patience = Patience(BOUNDS, 0)
    patience.closing(0, unsent)
    assert verdict(patience, until - 0.1, unsent) is Verdict.WAIT
    assert verdict(patience, until, unsent) is Verdict.ABORT


class Connections(RuleBasedStateMachine):
    """A connection that does anything in any order; a sweep every second."""

    @initialize()
    def connect(self) -> None:
        """It is opened."""
        self.now = 0.0
        self.patience = Patience(BOUNDS, 0.0)
        self.unsent = 0
        self.ended = False

    @rule()
    def begin(self) -> None:
        """A request begins where one may."""
        if self.patience.phase in (Phase.FRESH, Phase.IDLE):
            self.patience.head(self.now)

    @rule()
    def head_ends(self) -> None:
        """Its head is whole."""
        if self.patience.phase is Phase.HEAD:
            self.patience.body(self.now)

    @rule()
    def piece(self) -> None:
        """A piece of a body."""
        if self.patience.phase is Phase.BODY:
            self.patience.piece(self.now)

    @rule()
    def whole(self) -> None:
        """Its end."""
        if self.patience.phase is Phase.BODY:
            self.patience.whole(self.now)

    @rule(unsent=st.integers(0, 100_000))
    def answered(self, unsent: int) -> None:
        """The answer is written."""
        self.unsent = unsent
        self.patience.answered(self.now, unsent)

    @rule(seconds=st.integers(1, 120))
    def nothing(self, seconds: int) -> None:
        """The other side does nothing for a while."""
        for _ in range(seconds):
            self.now += 1
            self.ended = self.ended or verdict(self.patience, self.now, self.unsent) is not Verdict.WAIT

    @rule()
    def vanish(self) -> None:
        """The other side does nothing ever again: it ends, unless it is the application that is waited for."""
        if self.patience.phase is not Phase.ANSWER:
            self.nothing(65)
            assert self.ended

    @invariant()
    def always_looked_at(self) -> None:
        """There is always a next time, and it is not far."""
        if not self.ended:
            assert self.patience.due <= self.now + 30


TestConnections = Connections.TestCase
TestConnections.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
