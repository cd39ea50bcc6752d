"""How fast a number may be moved: where it may go now, by where it has been within the last second. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

WINDOW = 1000
"""Milliseconds of a second."""
_MOST = 32
"""Places that are remembered one by one; with more, the oldest are taken together."""
_EXACT = 1e-9


class Range(NamedTuple):
    """From where to where a number may go; nowhere when `low` is above `high`."""

    low: float
    high: float

    def has(self, value: float) -> bool:
        """Whether a value lies in it, but for what arithmetic loses."""
        slack = _EXACT * max(1.0, abs(self.low), abs(self.high))
        return self.low - slack <= value <= self.high + slack

    def nearest(self, value: float, *, whole: bool) -> float | None:
        """The value in it that is nearest to one outside; None when there is none. `whole`: no fractions."""
        if self.low > self.high:
            return None
        if not whole:
            return float(f"{min(max(value, self.low), self.high):.12g}")
        slack = _EXACT * max(1.0, abs(self.low), abs(self.high))
        low, high = math.ceil(self.low - slack), math.floor(self.high + slack)
        return None if low > high else min(max(round(value), low), high)


class _Left(NamedTuple):
    """Places that a wish left at some time."""

    mono: int
    low: float
    high: float


class Trail:
    """Where a wish has been within the last second."""

    def __init__(self) -> None:
        self._left: list[_Left] = []

    def leave(self, value: float, mono: int) -> None:
        """The wish was there until now."""
        self._left = [one for one in self._left if mono - one.mono < WINDOW]
        self._left.append(_Left(mono, value, value))
        if len(self._left) > _MOST:
            first, second = self._left[:2]
            both = _Left(second.mono, min(first.low, second.low), max(first.high, second.high))
            self._left[:2] = [both]

    def forget(self) -> None:
        """It went to the safe value, from where every way is new."""
        self._left.clear()

    def allowed(self, places: Iterable[float], slew: float, mono: int) -> Range:
        """Where the wish may go now, when it may be at any of `places` and has been where this trail says."""
        found = within(places, slew)
        for one in self._left:
            if mono - one.mono < WINDOW:
                found = Range(max(found.low, one.high - slew), min(found.high, one.low + slew))
        return found

    def over_at(self) -> int:
        """When all of it is a second ago; 0 when there is nothing."""
        return max((one.mono + WINDOW for one in self._left), default=0)


def within(places: Iterable[float], slew: float) -> Range:
    """What is within one step of all these places."""
    found = Range(-math.inf, math.inf)
    for place in places:
        found = Range(max(found.low, place - slew), min(found.high, place + slew))
    return found
