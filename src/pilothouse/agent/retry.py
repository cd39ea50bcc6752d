"""When a failed device is tried again, and what of its errors goes into the log. Pure."""

from __future__ import annotations

from random import Random

FIRST = 1.0
MOST = 60.0
FORGOTTEN = 600.0
"""Seconds of good health after which an error is logged again."""
_REMEMBERED = 32


class BackOff:
    """Seconds to wait before the next try: 1, 2, 4 … 60, each shortened by up to a quarter at random.

    The randomness keeps things that failed together from being tried together for ever.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self.failures = 0

    def next(self) -> float:
        """The wait after one more failure."""
        full = min(MOST, FIRST * 2 ** min(self.failures, 10))
        self.failures += 1
        return float(full * self._random.uniform(0.75, 1.0))

    def reset(self) -> None:
        """It worked."""
        self.failures = 0


class Said:
    """Which errors of a thing were logged already: each distinct one once, until it has been well for a while."""

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._well_since = 0

    def well(self, mono: int) -> bool:
        """It is well again, at monotonic `mono`; whether anybody was told that it was not."""
        self._well_since = mono
        return bool(self._texts) and not self.full

    def unwell(self, mono: int) -> None:
        """It is no longer well; after a long time that is worth telling anew."""
        if mono - self._well_since > FORGOTTEN * 1000:
            self._texts.clear()

    def is_new(self, text: str) -> bool:
        """Whether to log it; the last one that is remembered is followed by silence, so a log cannot be filled."""
        if text in self._texts or len(self._texts) >= _REMEMBERED:
            return False
        self._texts.add(text)
        return True

    @property
    def full(self) -> bool:
        """Whether no further error will be logged."""
        return len(self._texts) >= _REMEMBERED
