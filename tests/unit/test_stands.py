"""The lease of a stand: who may do what with it, and what is said to those who may not."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pilothouse.model import stands
from pilothouse.model.stands import ASKS, Lease, LeaseRefused

NOON = int(datetime(2026, 11, 21, 12, 0).timestamp() * 1000)  # noqa: DTZ001 - sentences tell local time
MINUTE = 60_000
FREE = Lease(stand="bench", length=1800)


def taken(who: str = "ada", at: int = NOON) -> Lease:
    """The stand held by somebody."""
    return stands.take(FREE, who, at)


def test_a_free_stand_is_taken_for_its_length() -> None:
    """Half an hour from now on."""
    lease = taken()
    assert (lease.holder, lease.since, lease.until) == ("ada", NOON, NOON + 30 * MINUTE)


def test_a_held_stand_is_refused_with_its_holder_and_until_when() -> None:
    """In local time, with what to do about it."""
    with pytest.raises(LeaseRefused) as caught:
        stands.take(taken(), "bob", NOON + MINUTE)
    assert caught.value.what == "Stand bench is held by ada until 12:30"
    assert "Ask ada" in caught.value.remedy


def test_a_time_on_another_day_is_told_with_its_day() -> None:
    """A lease of a week."""
    lease = stands.take(Lease(stand="bench", length=7 * 86_400), "ada", NOON)
    assert stands.held(lease, NOON) == "Stand bench is held by ada until 2026-11-28 12:00"


def test_force_needs_a_reason() -> None:
    """Blanks are none; with one the stand changes hands for its whole length."""
    with pytest.raises(LeaseRefused) as caught:
        stands.take(taken(), "bob", NOON + MINUTE, force=True, reason=" ")
    assert "needs a reason" in caught.value.why
    lease = stands.take(taken(), "bob", NOON + MINUTE, force=True, reason="ada went home")
    assert (lease.holder, lease.last, lease.until) == ("bob", "ada", NOON + 31 * MINUTE)


def test_taking_what_one_holds_extends_it() -> None:
    """Nobody is refused their own stand."""
    assert stands.take(taken(), "ada", NOON + MINUTE).until == NOON + 31 * MINUTE


def test_asking_keeps_the_place_in_the_row() -> None:
    """Asking again changes the note only; the note is cut to its length."""
    lease = stands.ask(taken(), "bob", NOON + 1, note="soon?")
    lease = stands.ask(lease, "eve", NOON + 2)
    lease = stands.ask(lease, "bob", NOON + 3, note="x" * 500)
    assert [(one.who, one.time, len(one.note)) for one in lease.asks] == [("bob", NOON + 1, 200), ("eve", NOON + 2, 0)]


def test_one_asks_only_for_what_somebody_else_holds() -> None:
    """A free one is taken, one's own is there already."""
    with pytest.raises(LeaseRefused, match="Nobody holds stand bench"):
        stands.ask(FREE, "bob", NOON)
    with pytest.raises(LeaseRefused, match="You hold stand bench yourself, until 12:30"):
        stands.ask(taken(), "ada", NOON)


def test_asks_are_bounded() -> None:
    """The twenty-first is told so."""
    lease = taken()
    for number in range(ASKS):
        lease = stands.ask(lease, f"person{number}", NOON)
    with pytest.raises(LeaseRefused, match="20 people wait for it already"):
        stands.ask(lease, "late", NOON)


def test_the_holder_gives_it_to_whoever_asks() -> None:
    """The ask is served and gone; others still wait."""
    lease = stands.ask(stands.ask(taken(), "bob", NOON), "eve", NOON)
    lease = stands.give(lease, "ada", "bob", NOON + MINUTE)
    assert (lease.holder, lease.last, lease.until) == ("bob", "ada", NOON + 31 * MINUTE)
    assert [one.who for one in lease.asks] == ["eve"]


def test_only_the_holder_gives_denies_releases_and_extends() -> None:
    """Others are told who that is."""
    asked = stands.ask(taken(), "bob", NOON)
    for change in (
        lambda: stands.give(asked, "eve", "bob", NOON),
        lambda: stands.deny(asked, "eve", "bob", NOON),
        lambda: stands.release(asked, "eve", NOON),
        lambda: stands.extend(asked, "eve", NOON),
    ):
        with pytest.raises(LeaseRefused, match=r"held by ada until 12:30\. only ada can"):
            change()
    with pytest.raises(LeaseRefused, match="Say to whom"):
        stands.give(asked, "ada", "  ", NOON)


def test_an_ask_is_denied_or_taken_back() -> None:
    """By the holder, or by whoever asked; who does not ask cannot be denied."""
    lease = stands.ask(taken(), "bob", NOON)
    assert stands.deny(lease, "ada", "bob", NOON).asks == ()
    assert stands.deny(lease, "bob", "", NOON).asks == ()
    with pytest.raises(LeaseRefused, match="eve does not ask"):
        stands.deny(lease, "ada", "eve", NOON)


def test_released_is_free_and_remembers_who() -> None:
    """The next one takes it."""
    lease = stands.release(taken(), "ada", NOON + 1)
    assert (lease.holder, lease.until, lease.ended, lease.last) == ("", 0, "released", "ada")
    assert stands.take(lease, "bob", NOON + 2).ended == ""


def test_what_has_run_out_holds_nothing_though_nobody_noticed() -> None:
    """Anybody takes it; who had it is told that it is over."""
    over = NOON + 30 * MINUTE
    assert stands.take(taken(), "bob", over).holder == "bob"
    with pytest.raises(LeaseRefused, match="your lease has expired"):
        stands.extend(taken(), "ada", over)
    assert not stands.is_over(taken(), over - 1) and stands.is_over(taken(), over)
    assert stands.expire(taken(), over).ended == "expired" and stands.expire(taken(), over - 1) == taken()


PEOPLE = st.sampled_from(["ada", "bob", "eve"])


class LeaseMachine(RuleBasedStateMachine):
    """Everything that people and time may do with a lease, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.lease = FREE

    def _do(self, change, *args, may_end: bool, **more) -> None:
        """Change the lease, and hold every change to what it must never do."""
        before = stands.expire(self.lease, self.now)
        try:
            after = change(self.lease, *args, self.now, **more)
        except LeaseRefused:
            return
        assert len(after.asks) <= ASKS
        if after.holder == before.holder:
            assert after.until >= before.until
        elif before.holder:
            assert may_end
        self.lease = after

    @rule(who=PEOPLE, force=st.booleans(), reason=st.sampled_from(["", "must"]))
    def take(self, who: str, force: bool, reason: str) -> None:
        """A held one changes hands by force with a reason only; a free one always."""
        free = not stands.expire(self.lease, self.now).holder
        self._do(stands.take, who, may_end=force and reason != "", force=force, reason=reason)
        assert not free or self.lease.holder == who

    @rule(who=PEOPLE, note=st.text(max_size=300))
    def ask(self, who: str, note: str) -> None:
        """Asking never changes who holds it."""
        self._do(stands.ask, who, may_end=False, note=note)

    @rule(who=PEOPLE, to=PEOPLE)
    def give(self, who: str, to: str) -> None:
        """Only from the holder's own hands."""
        self._do(stands.give, who, to, may_end=stands.expire(self.lease, self.now).holder == who)

    @rule(who=PEOPLE, to=PEOPLE)
    def deny(self, who: str, to: str) -> None:
        """Never changes who holds it."""
        self._do(stands.deny, who, to, may_end=False)

    @rule(who=PEOPLE)
    def release(self, who: str) -> None:
        """Only the holder."""
        self._do(stands.release, who, may_end=stands.expire(self.lease, self.now).holder == who)

    @rule(who=PEOPLE)
    def extend(self, who: str) -> None:
        """Never shortens it, never hands it over."""
        self._do(stands.extend, who, may_end=False)

    @rule()
    def expire(self) -> None:
        """Noticing changes nothing that matters: it held nothing already."""
        self.lease = stands.expire(self.lease, self.now)

    @rule(passed=st.integers(0, 40 * MINUTE))
    def time_passes(self, passed: int) -> None:
        """On a clock that does not jump."""
        self.now += passed

    @invariant()
    def one_holder_who_does_not_wait(self) -> None:
        """Each asks once, the holder not at all, and a free stand has no end."""
        asking = [one.who for one in self.lease.asks]
        assert len(asking) == len(set(asking)) and self.lease.holder not in asking
        assert bool(self.lease.holder) == bool(self.lease.until)
        assert not (self.lease.holder and self.lease.ended)

    @invariant()
    def what_is_over_never_blocks(self) -> None:
        """Anybody takes it then."""
        if stands.is_over(self.lease, self.now):
            assert stands.take(self.lease, "new", self.now).holder == "new"


TestLease = LeaseMachine.TestCase
TestLease.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
