"""What is rolled up and deleted, and when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.record.retention import DAY, Keep, pieces, reference
from pilothouse.record.rollup import MINUTE, Dirty, due


def test_the_newest_minute_of_a_node_waits() -> None:
    """It is not over; those before it are, each node by its own clock."""
    found = [Dirty(0, node, time, 1000) for node, time in (("a", 0), ("a", MINUTE), ("b", 9 * MINUTE))]
    assert due(found, 1000) == found[:1]


def test_a_node_that_fell_silent_is_rolled_up_in_the_end() -> None:
    """Two hours after its last word, whichever way the clock went."""
    found = [Dirty(0, "a", 0, DAY)]
    assert due(found, DAY + 119 * MINUTE) == []
    assert due(found, DAY + 120 * MINUTE, 60 * MINUTE) == found
    assert due(found, 0) == found


def test_minutes_wait_for_each_other() -> None:
    """A node's are done when they span an hour, each node by itself."""
    found = [Dirty(0, "a", time * MINUTE, DAY) for time in range(60)]
    other = [Dirty(0, "b", time * MINUTE, DAY) for time in range(61)]
    assert due(found + other, DAY, 60 * MINUTE) == other[:-1]


def test_a_clock_that_jumps_deletes_a_day_at_most() -> None:
    """The year 2100 is a mistake; a month of being switched off is caught up a day at a time."""
    assert reference(now=100 * DAY, last=0) == 100 * DAY
    assert reference(now=100 * DAY, last=100 * DAY - 6) == 100 * DAY
    assert reference(now=50_000 * DAY, last=100 * DAY) == 101 * DAY
    assert reference(now=3 * DAY, last=100 * DAY) == 3 * DAY


@given(st.lists(st.integers(0, 40_000 * DAY), min_size=1, max_size=20))
def test_the_reference_is_never_ahead_of_the_clock(times: list[int]) -> None:
    """Nothing young is deleted by it."""
    last = 0
    for now in times:
        last = reference(now, last)
        assert last <= now


def test_each_tier_has_its_time() -> None:
    """Events go with the minutes."""
    keep = Keep(raw=7 * DAY, minutes=90 * DAY, hours=3650 * DAY)
    ages = {piece.table: (4000 * DAY - piece.before) // DAY for piece in pieces(keep, 4000 * DAY)}
    assert ages == {"reading": 7, "minute": 90, "hour": 3650, "event": 90}
