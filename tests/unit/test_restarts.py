"""A fallen process is back at once, one that keeps falling waits longer and longer."""

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.cli.restarts import FIRST, LONGEST, STEADY, Falls


def test_first_fall_restarts_at_once() -> None:
    """Within the second that the issue gives, with room for the start itself."""
    assert Falls().fell(ran=0.0) == FIRST < 1


def test_repeated_falls_wait_longer() -> None:
    """Half a second, then twice as long each time, up to the longest."""
    falls = Falls()
    assert [falls.fell(1.0) for _ in range(10)] == [FIRST, 0.5, 1, 2, 4, 8, 16, LONGEST, LONGEST, LONGEST]


def test_a_steady_run_forgives() -> None:
    """After a steady run the next fall counts as the first, and the total still grows."""
    falls = Falls()
    for _ in range(5):
        falls.fell(0.1)
    assert falls.fell(STEADY) == FIRST
    assert falls.total == 6


@given(st.lists(st.floats(0, 1e6), max_size=50))
def test_waits_stay_in_bounds(runs: list[float]) -> None:
    """No history gives a wait outside the bounds."""
    falls = Falls()
    assert all(FIRST <= falls.fell(ran) <= LONGEST for ran in runs)
    assert falls.total == len(runs)
