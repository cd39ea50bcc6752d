"""What a run of the fault suite has seen: commands, moves of devices, troubles, looks at the pages' data."""

from __future__ import annotations

from typing import Any, NamedTuple


class Move(NamedTuple):
    """An output of a simulated device took a value."""

    mono: int
    """Monotonic milliseconds of this machine, as everywhere here."""
    output: str
    """thing.property"""
    value: Any


class Attempt(NamedTuple):
    """One command as its client saw it, with all its repetitions under the same key."""

    id: str
    output: str
    value: Any
    sent: int
    """When it was sent for the first time."""
    answered: int
    """When the last answer came, or was given up."""
    end: str
    """As the hub told it; "" when nobody answered."""
    detail: str = ""


class Trouble(NamedTuple):
    """Something that was done to a process."""

    mono: int
    process: str
    kind: str
    """ "kill" or "freeze"."""
    seconds: float = 0.0
    """How long it was frozen."""


class Look(NamedTuple):
    """The agent's node as a reader saw it, with the age of its sensor's value."""

    mono: int
    life: str
    age_ms: int | None
    fresh_for: int
    """Milliseconds for which a value of that sensor counts as fresh."""


class Pressed(NamedTuple):
    """A stop that the hub had told as obeyed by the node, until its lifting was asked for."""

    safe: int
    lifted: int


class Seen(NamedTuple):
    """All of one run."""

    attempts: list[Attempt]
    moves: list[Move]
    troubles: list[Trouble]
    looks: list[Look]
    stops: list[Pressed]
    ledger: dict[str, dict[str, Any]]
    """Lines by id."""
    kept: list[tuple[int, float]]
    """Readings of the sensor that the bus had acknowledged: (time, value)."""
    history: list[tuple[int, float]]
    """The same series as the record gives it."""
