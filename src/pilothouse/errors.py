"""Errors that people read: what happened, why, what to do, and the nearest right thing."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class PilothouseError(Exception):
    """Base of every error that may reach a person.

    `what` happened and `why` are sentences without a full stop's worth of jargon; `remedy` is what to do about
    it, best a line to type; `nearest` is the right thing that was probably meant.
    """

    def __init__(self, what: str, *, why: str = "", remedy: str = "", nearest: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy
        self.nearest = nearest

    def __str__(self) -> str:
        parts = [self.what]
        if self.why:
            parts.append(self.why)
        if self.nearest:
            parts.append(f"Did you mean {self.nearest!r}?")
        if self.remedy:
            parts.append(self.remedy)
        return " ".join(part if part.endswith((".", "?", "!", ":")) else f"{part}." for part in parts)


class BadName(PilothouseError):
    """A name that does not follow the grammar of names (model.names)."""


class BadValue(PilothouseError):
    """A value of the wrong type or outside its limits."""


class BadDriver(PilothouseError):
    """A driver class that cannot be described: the author's mistake, found when the class is made."""


class ConfigError(PilothouseError):
    """The configuration cannot be used; names the file and the key."""


class NotThere(PilothouseError):
    """No node, thing, property or action of that name."""


class BadMessage(PilothouseError):
    """Bytes on the bus or in a file that are no message of ours, too large, or of a newer version."""


class NodeAway(PilothouseError):
    """Nobody answers for that node."""


class BusDown(PilothouseError):
    """There is no link to the bus right now."""


class TimedOut(PilothouseError):
    """The other side was there and did not answer in time; nobody can say what it did."""


class RecordError(PilothouseError):
    """The record could not be read or written."""


class CannotStart(PilothouseError):
    """A process cannot do its work here: busy port, unwritable folder, missing program."""


def nearest(name: str, candidates: Iterable[str]) -> str:
    """The candidate most like `name`, or "" when none is close."""
    found = get_close_matches(name, list(candidates), n=1, cutoff=0.6)
    return found[0] if found else ""
