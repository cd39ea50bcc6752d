"""Where lines break: every order of delivery ends with the right marks, and nothing new is left out."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.record.gaps import MOST_HOLES, Hole, Track, judge


def end_of(seq: int) -> int:
    """Time of the newest reading of a batch, in a node whose clock is right."""
    return seq * 1000


def play(track: Track, marks: set[int], epoch: int, seq: int, newest: int | None = None) -> bool:
    """Judge a batch, and keep the marks as the record would."""
    verdict = judge(track, epoch, seq, end_of(seq) if newest is None else newest)
    if verdict.unmark:
        marks.discard(verdict.unmark)
    if verdict.mark:
        marks.add(verdict.mark)
    return verdict.take


def expected(came: set[int]) -> set[int]:
    """A mark after each batch whose follower is missing although later ones came."""
    return {end_of(seq) + 1 for seq in came if seq + 1 not in came and seq < max(came)}


@given(st.lists(st.integers(1, 40), max_size=80))
def test_any_order_any_loss_any_doubling(order: list[int]) -> None:
    """Each batch is taken the first time only, and the marks stand exactly before what is missing."""
    track, marks, came = Track(), set[int](), set[int]()
    for seq in order:
        assert play(track, marks, 7, seq) == (seq not in came)
        came.add(seq)
        assert marks == expected(came)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 12)), max_size=60))
def test_runs_in_any_order(order: list[tuple[int, int]]) -> None:
    """Nothing new is ever left out, also of runs that are over; holes of the newest are told exactly."""
    track, came = Track(), set[tuple[int, int]]()
    for epoch, seq in order:
        take = judge(track, epoch, seq, end_of(seq)).take
        assert take or (epoch, seq) in came
        came.add((epoch, seq))
    newest = {seq for epoch, seq in came if epoch == track.epoch}
    missing = {seq for hole in track.holes for seq in range(hole.first, hole.last + 1)}
    if came:
        assert track.epoch == max(epoch for epoch, _ in came)
        assert missing >= set(range(1, max(newest))) - newest


@settings(max_examples=10)
@given(st.sets(st.integers(1, 600), min_size=150, max_size=200), st.randoms())
def test_very_many_holes_stay_bounded(present: set[int], random: Random) -> None:
    """A node that loses every other batch costs little memory, and late ones are still taken."""
    track = Track()
    for seq in sorted(present):
        assert judge(track, 1, seq, end_of(seq)).take
    assert len(track.holes) <= MOST_HOLES
    late = [seq for seq in range(1, max(present)) if seq not in present]
    random.shuffle(late)
    assert all(judge(track, 1, seq, end_of(seq)).take for seq in late)
    assert len(track.holes) <= MOST_HOLES


def test_a_new_run_breaks_the_line() -> None:
    """Right after the last reading of the run before, and for good."""
    track, marks = Track(), set[int]()
    for seq in (1, 2, 3):
        play(track, marks, 1, seq)
    assert marks == set()
    play(track, marks, 2, 1, newest=9000)
    assert marks == {3001}
    play(track, marks, 2, 2, newest=9500)
    assert marks == {3001}
    assert track == Track(epoch=2, seq=2, end=9500)


def test_a_run_whose_first_batches_come_late() -> None:
    """They need no mark of their own in front, and one where a part of them stays away."""
    track, marks = Track(), set[int]()
    play(track, marks, 1, 1)
    play(track, marks, 2, 5, newest=9000)
    assert (marks, track.holes) == ({1001}, [Hole(1, 4)])
    play(track, marks, 2, 2, newest=6000)
    assert (marks, track.holes) == ({1001, 6001}, [Hole(1, 1), Hole(3, 4, 6001)])
    play(track, marks, 2, 3, newest=7000)
    play(track, marks, 2, 4, newest=8000)
    assert (marks, track.holes) == ({1001}, [Hole(1, 1)])


def test_batches_without_readings() -> None:
    """Fill their place and move no mark."""
    track, marks = Track(), set[int]()
    for seq, newest in ((1, 1000), (2, 0), (5, 5000), (3, 0)):
        play(track, marks, 1, seq, newest=newest)
    assert (marks, track.holes) == ({1001}, [Hole(4, 4, 1001)])
    play(track, marks, 1, 4, newest=4000)
    assert (marks, track.holes) == (set(), [])


def test_the_first_ever_batch_may_be_any() -> None:
    """A keeper that is new beside an old agent has nothing to break, and takes what comes late."""
    track = Track()
    assert judge(track, 9, 100, 5000) == (True, 0, 0)
    assert judge(track, 9, 99, 4000).take
    assert not judge(track, 9, 99, 4000).take
