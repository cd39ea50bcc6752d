"""What the ledger says about people: who came in, who failed to, what was changed about whom, and from where.

Only administrators read these lines. What somebody does without being logged in is bounded, or strangers could fill
the record by knocking: beyond that it is counted, and the next line says how many there were.
"""

from __future__ import annotations

import logging
from typing import Final

from pilothouse.clock import Clock
from pilothouse.errors import RecordError
from pilothouse.model import new_id
from pilothouse.record.ledger import Ledger
from pilothouse.record.rows import Act

log = logging.getLogger(__name__)

STRANGER: Final = "nobody"
"""Who did what is done without a log-in."""
AT_ONCE = 30
"""Lines that strangers may cause at once."""
EVERY = 15_000
"""Milliseconds after which they may cause one more."""


class Allowance:
    """How many lines may still be written. Pure; times are milliseconds of a monotonic clock."""

    def __init__(self, most: int = AT_ONCE, every: int = EVERY) -> None:
        self._most = most
        self._every = every
        self._left = most
        self._since: int | None = None
        self._kept_back = 0

    def take(self, now: int) -> int | None:
        """How many were kept back since the last line, when one may be written now; None when this one is kept back."""
        since = now if self._since is None else self._since
        more = max(0, now - since) // self._every
        self._left = min(self._most, self._left + more)
        self._since = now if self._left == self._most else since + more * self._every
        if self._left == 0:
            self._kept_back += 1
            return None
        self._left -= 1
        kept_back, self._kept_back = self._kept_back, 0
        return kept_back


class Audit:
    """Writes lines of the kind "people"."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._strangers = Allowance()

    async def note(
        self, name: str, *, thing: str = "", who: str, origin: str, address: str = "", detail: str = ""
    ) -> None:
        """Write down what somebody did: `name` such as "user.rights", `thing` whom or what it concerns.

        Raises RecordError.
        """
        now = self._clock.now()
        act = Act(
            id=new_id(now),
            kind="people",
            name=name,
            thing=thing,
            who=who,
            origin=origin,
            made=now,
            detail=detail,
            input={"from": address} if address else None,
        )
        await self._ledger.act(act)

    async def note_stranger(
        self, name: str, *, thing: str = "", who: str = STRANGER, origin: str, address: str, detail: str
    ) -> None:
        """Write down what anybody may do who is not logged in, within bounds. A record that is full is only logged."""
        kept_back = self._strangers.take(self._clock.mono())
        if kept_back is None:
            return
        if kept_back:
            detail = f"{detail} Before it, {kept_back} more such lines were left out."
        try:
            await self.note(name, thing=thing, who=who, origin=origin, address=address, detail=detail)
        except RecordError as error:
            # It did not happen, so nothing stands on it; and whoever knocks learns nothing of our disk.
            log.error("%s from %s could not be written down: %s", name, address, error)
