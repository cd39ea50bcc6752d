"""Which table a chart comes from, and how buckets become points."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.record.tiers import HOUR, MINUTE, Bucket, choose, draw

DAY = 24 * HOUR


def test_few_readings_are_given_as_they_are() -> None:
    """No bucket when every reading is a point."""
    assert choose(0, MINUTE * 5, 1000, raw_rows=300, raw_whole=True, minutes_whole=True) == ("raw", 0)


def test_more_readings_than_points_are_gathered() -> None:
    """Ten readings a second for an hour."""
    assert choose(0, HOUR, 1000, raw_rows=36_000, raw_whole=True, minutes_whole=True) == ("raw", 3600)


def test_a_day_at_one_hertz_comes_from_minutes() -> None:
    """Too many readings to be worth reading."""
    assert choose(0, DAY, 1000, raw_rows=None, raw_whole=True, minutes_whole=True) == ("minute", 2 * MINUTE)
    assert choose(0, DAY, 2000, raw_rows=None, raw_whole=True, minutes_whole=True) == ("minute", MINUTE)


def test_what_is_deleted_comes_from_the_next_tier() -> None:
    """Older than the readings, older than the minutes."""
    assert choose(0, HOUR, 1000, raw_rows=0, raw_whole=False, minutes_whole=True) == ("minute", MINUTE)
    assert choose(0, HOUR, 1000, raw_rows=0, raw_whole=False, minutes_whole=False) == ("hour", HOUR)


def test_a_year_comes_from_hours() -> None:
    """Half a million minutes a series are too many."""
    assert choose(0, 365 * DAY, 1000, raw_rows=None, raw_whole=False, minutes_whole=True) == ("hour", 9 * HOUR)


@given(
    st.integers(1, 400 * DAY),
    st.integers(2, 20_000),
    st.one_of(st.none(), st.integers(0, 40_000)),
    st.integers(0, 9 * DAY),
)
def test_never_more_buckets_than_points(span: int, points: int, rows: int | None, start: int) -> None:
    """However long the range, as long as a tier is that fine."""
    tier, bucket = choose(start, start + span, points, raw_rows=rows, raw_whole=True, minutes_whole=True)
    if bucket == 0:
        assert rows is not None and rows <= points
    else:
        assert (start + span - 1) // bucket - start // bucket + 1 <= points
        assert bucket % {"raw": 1, "minute": MINUTE, "hour": HOUR}[tier] == 0


def test_a_gap_follows_the_bucket_that_it_is_in() -> None:
    """The line ends there and begins anew with the next bucket."""
    buckets = {0: Bucket(1.0, 2.0, 1.5, 2, 900), 1000: Bucket(5.0, 5.0, 5.0, 1, 0)}
    assert draw(buckets, 0) == [(0, 1.0, 2.0, 1.5), (900, None, None, None), (1000, 5.0, 5.0, 5.0)]


def test_a_long_gap_is_one_point() -> None:
    """A device that did not answer for many buckets."""
    buckets = {time: Bucket(None, None, None, 0, time + 5) for time in (0, 1000, 2000)}
    assert draw(buckets, 0) == [(5, None, None, None)]


def test_the_first_bucket_begins_with_the_range() -> None:
    """Buckets lie on round times; a point before the range would not."""
    assert draw({1000: Bucket(1.0, 1.0, 1.0, 1, 0)}, 1500) == [(1500, 1.0, 1.0, 1.0)]


def test_two_tiers_in_one_bucket() -> None:
    """What is rolled up and what is not yet; the later says whether the line goes on."""
    bucket = Bucket(1.0, 3.0, 2.0, 3, 7)
    bucket.add(Bucket(0.0, 9.0, 6.0, 1, 0))
    assert bucket == Bucket(0.0, 9.0, 3.0, 4, 0)
    bucket.add(Bucket(None, None, None, 0, 50))
    assert bucket == Bucket(0.0, 9.0, 3.0, 4, 50)
    empty = Bucket(None, None, None, 0, 50)
    empty.add(Bucket(1.0, 1.0, 1.0, 1, 0))
    assert empty == Bucket(1.0, 1.0, 1.0, 1, 0)
