"""Which table a chart is drawn from, and how wide its points are. Pure.

A chart of a day has no more than a thousand or two points, so most of its readings would be read in vain: beyond some
tens of thousands of rows the roll-ups are read instead, unless the range is older than they reach.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import Struct

from pilothouse.record.rows import Point

MINUTE: Final = 60_000
HOUR: Final = 3_600_000
RAW_ROWS: Final = 50_000
"""Readings that one question may cost; shared by its series."""
MOST_POINTS: Final = 20_000


class Choice(NamedTuple):
    """How a question is answered."""

    tier: str
    bucket: int
    """Milliseconds a point; 0 = every row by itself."""


def choose(start: int, end: int, points: int, *, raw_rows: int | None, raw_whole: bool, minutes_whole: bool) -> Choice:
    """The finest tier that is worth reading for [start, end) in at most `points` (2 or more) points.

    `raw_rows` is how many readings the range has, None when they are too many to be read; `raw_whole` and
    `minutes_whole` say whether that tier still reaches back to the start of the range.
    """
    if raw_rows is not None and raw_whole:
        return Choice("raw", 0 if raw_rows <= points else width(start, end, points, 1))
    if end - start <= RAW_ROWS * MINUTE and minutes_whole:
        return Choice("minute", width(start, end, points, MINUTE))
    return Choice("hour", width(start, end, points, HOUR))


def width(start: int, end: int, points: int, unit: int) -> int:
    """The smallest multiple of `unit` of which at most `points` cover [start, end).

    Buckets lie on round times, so that a chart that moves on keeps its points: the first may begin before the range.
    """
    wide = -(-(end - start) // (points * unit)) * unit
    if (end - 1) // wide - start // wide + 1 > points:
        wide = -(-(end - start) // ((points - 1) * unit)) * unit
    return wide


class Bucket(Struct):
    """One point in the making; several tiers may put into it."""

    low: float | None
    high: float | None
    mean: float | None
    count: int
    broken: int
    """The line ends within it: time of the gap, 0 = it does not."""

    def add(self, later: Bucket) -> None:
        """Take in what comes later in the same bucket."""
        if later.low is not None and later.high is not None and later.mean is not None:
            if self.low is None or self.high is None or self.mean is None:
                self.low, self.high, self.mean = later.low, later.high, later.mean
            else:
                self.low, self.high = min(self.low, later.low), max(self.high, later.high)
                whole = max(1, self.count) + max(1, later.count)
                self.mean += (later.mean - self.mean) * max(1, later.count) / whole
        self.count += later.count
        self.broken = later.broken


def draw(buckets: dict[int, Bucket], start: int) -> list[Point]:
    """Buckets by their time as points in order; where the line ends a point without values follows."""
    points: list[Point] = []
    for time in sorted(buckets):
        bucket = buckets[time]
        at = max(time, start)
        if bucket.low is not None:
            points.append((at, bucket.low, bucket.high, bucket.mean))
        if bucket.broken or bucket.low is None:
            gap = max(bucket.broken, at + (bucket.low is not None))
            if points and points[-1][1] is None:
                continue
            points.append((gap, None, None, None))
    return points
