"""The stops that hold: pressed by anybody, lifted by name. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

MOST = 16
"""Stops that are kept; with more, the oldest is forgotten, and the newer ones hold all the same."""
REMEMBERED = 64
"""Ids of lifted stops that are remembered."""


class Pressed(Protocol):
    """What is known of one stop."""

    @property
    def id(self) -> str:
        """Which stop it is."""
        ...


P = TypeVar("P", bound=Pressed)


class Latches(Generic[P]):
    """Stops by their ids. Pressing or lifting one twice does nothing more, in whatever order the words come.

    `records` and `lifted` are what an earlier one ended with, so that it outlives its process.
    """

    def __init__(self, records: Iterable[P] = (), lifted: Iterable[str] = ()) -> None:
        self._records = {record.id: record for record in records}
        self._lifted = dict.fromkeys(lifted)

    @property
    def holds(self) -> bool:
        """Whether any stop holds."""
        return bool(self._records)

    @property
    def records(self) -> tuple[P, ...]:
        """Those that hold, the oldest first."""
        return tuple(self._records.values())

    @property
    def lifted(self) -> tuple[str, ...]:
        """Ids that were lifted lately."""
        return tuple(self._lifted)

    def press(self, record: P) -> bool:
        """Let a stop hold; False when it holds already, or was lifted: its word has then come late or twice."""
        if record.id in self._records or record.id in self._lifted:
            return False
        self._records[record.id] = record
        while len(self._records) > MOST:
            del self._records[next(iter(self._records))]
        return True

    def lift(self, ids: Iterable[str]) -> tuple[P, ...]:
        """Lift the stops of these ids and no other; gives those that held until now."""
        gone: list[P] = []
        for id in ids:
            self._lifted.pop(id, None)
            self._lifted[id] = None
            record = self._records.pop(id, None)
            if record is not None:
                gone.append(record)
        while len(self._lifted) > REMEMBERED:
            del self._lifted[next(iter(self._lifted))]
        return tuple(gone)
