"""How long a connection is waited for, whatever it is doing right now. Pure: times are given, in seconds of any clock.

A connection is fresh until its first byte; then it sends a head, perhaps a body; waits for its answer; is idle; and so
on until it is closed. In each phase there is a time at which it is looked at (`due`); one that has not got on until
then is let go, so that every connection ends by itself when the other side does nothing, or next to nothing.
"""

from __future__ import annotations

from enum import Enum, auto

from pilothouse.hub.edge.bounds import Bounds


class Phase(Enum):
    """What the other side is doing."""

    FRESH = auto()
    """Connected, and has not said a word."""
    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    """Waits for its answer, or reads it."""
    IDLE = auto()
    """Has its answer, or has what is left of it yet to read."""
    CLOSING = auto()
    """Was told to go, and may still read."""


class Verdict(Enum):
    """What becomes of a connection that was looked at."""

    WAIT = auto()
    CLOSE = auto()
    """Without a word: nothing was asked."""
    LATE = auto()
    """It is told that its request came too slowly."""
    ABORT = auto()
    """At once, whatever it has not read yet."""


class Patience:
    """The patience with one connection."""

    __slots__ = ("_bounds", "_end", "_stuck", "_unsent", "due", "phase")

    def __init__(self, bounds: Bounds, now: float) -> None:
        self._bounds = bounds
        self._end = 0.0
        self._stuck = 0.0
        self._unsent = 0
        self.phase = Phase.FRESH
        self.due = now + bounds.head
        """When to look at it."""

    def head(self, now: float) -> None:
        """A request begins."""
        self.phase = Phase.HEAD
        self.due = now + self._bounds.head

    def body(self, now: float) -> None:
        """Its head is whole."""
        self.phase = Phase.BODY
        self._end = now + self._bounds.body
        self.due = now + min(self._bounds.pause, self._bounds.body)

    def piece(self, now: float) -> None:
        """A piece of its body came."""
        self.due = min(now + self._bounds.pause, self._end)

    def whole(self, now: float) -> None:
        """All of the request is there; its answer is to come."""
        self.phase = Phase.ANSWER
        self.due = now + self._bounds.answer

    def answered(self, now: float, unsent: int) -> None:
        """The answer is written, but for `unsent` bytes that the other side has yet to take.

        A request that is still on its way goes on being waited for: it was refused before its body came, or it is
        the next one.
        """
        if self.phase is Phase.ANSWER:
            self.phase = Phase.IDLE
            self._unsent = unsent
            self.due = now + self._bounds.idle

    def closing(self, now: float, unsent: int) -> None:
        """It was told to go."""
        self.phase = Phase.CLOSING
        self._unsent = unsent
        self.due = now + (self._bounds.answer if unsent > self._bounds.taken else self._bounds.closing)

    def stuck(self, now: float) -> None:
        """The other side does not take what we write."""
        self._stuck = now

    def flows(self) -> None:
        """It takes it again."""
        self._stuck = 0.0

    def look(self, now: float, unsent: int, *, endless: bool) -> Verdict:
        """What to do now that it is due; `endless` is whether it reads a stream, which has a time of its own."""
        if self.phase is Phase.FRESH:
            return Verdict.CLOSE
        if self.phase in (Phase.HEAD, Phase.BODY):
            return Verdict.LATE
        if self.phase is Phase.ANSWER:
            return self._answering(now, endless=endless)
        if not unsent:
            return Verdict.CLOSE if self.phase is Phase.IDLE else Verdict.ABORT
        if self._unsent - unsent < self._bounds.taken:
            return Verdict.ABORT
        self._unsent = unsent
        self.due = now + self._bounds.answer
        return Verdict.WAIT

    def _answering(self, now: float, *, endless: bool) -> Verdict:
        wait = self._bounds.answer
        if self._stuck and not endless:
            if now - self._stuck >= wait:
                return Verdict.ABORT
            self.due = self._stuck + wait
        else:
            self.due = now + wait
        return Verdict.WAIT
