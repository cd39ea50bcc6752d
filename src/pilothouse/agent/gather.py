"""Outcomes on their way to the ledger, gathered for a moment so that many share one flush of the bus."""

from __future__ import annotations

import asyncio

import msgspec

from pilothouse.agent.spool import Appends, Spool
from pilothouse.bus.messages import Outcome, Outcomes

WINDOW = 0.02
"""Seconds that an outcome waits for others. The reply with it is sent at once; this is for the ledger only."""
MOST = 200
MOST_BYTES = 256 * 1024
_FRAME = 400
"""Bytes of an outcome without its value and its words."""


class Gather:
    """Takes outcomes, and gives them to a spool in lots."""

    def __init__(self, node: str, spool: Spool) -> None:
        self._node = node
        self._spool = spool
        self._held: list[Outcome] = []
        self._id = ""
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._held) + len(self._spool)

    @property
    def full(self) -> bool:
        """Whether more is waiting than should."""
        return self._spool.full

    def add(self, id: str, outcome: Outcome) -> None:
        """Take an outcome; `id` tells a repetition."""
        size = _FRAME + len(outcome.detail) + len(outcome.remedy) + len(msgspec.json.encode(outcome.value))
        if self._held and self._size + size > MOST_BYTES:
            self.flush()
        if not self._held:
            self._id = id
        self._held.append(outcome)
        self._size += size
        if len(self._held) >= MOST:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WINDOW, self.flush)

    def up(self, bus: Appends) -> None:
        """There is a link."""
        self._spool.up(bus)

    async def run(self) -> None:
        """Send, for ever."""
        await self._spool.run()

    async def drained(self) -> None:
        """Wait until everything is acknowledged."""
        self.flush()
        await self._spool.drained()

    def flush(self) -> None:
        """Send off what is held now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._held:
            held, size = tuple(self._held), self._size
            self._held, self._size = [], 0
            self._spool.add(self._id, Outcomes(node=self._node, outcomes=held), size)
