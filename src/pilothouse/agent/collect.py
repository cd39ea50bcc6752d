"""Gathers readings for a few milliseconds and sends them as one numbered batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from pilothouse.agent.spool import Spool, batch_id
from pilothouse.bus.messages import Batch, Message
from pilothouse.clock import Clock
from pilothouse.model import Reading

GATHER = 0.005
"""Seconds that a reading waits for company."""
MOST_READINGS = 2000
MOST_BYTES = 256 * 1024


class Collector:
    """See the module's text; one a node."""

    def __init__(self, node: str, epoch: Callable[[], int], spool: Spool, clock: Clock) -> None:
        self.seq = 0
        """Number of the last batch made."""
        self._node = node
        self._epoch = epoch
        self._spool = spool
        self._clock = clock
        self._readings: list[Reading] = []
        self._size = 0
        self._timer: asyncio.Task[None] | None = None

    def add(self, reading: Reading) -> None:
        """Take a reading; it is sent within GATHER seconds."""
        size = weigh(reading)
        if self._readings and (self._size + size > MOST_BYTES or len(self._readings) >= MOST_READINGS):
            self.flush()
        self._readings.append(reading)
        self._size += size
        if self._timer is None:
            self._timer = asyncio.create_task(self._flush_soon())

    def flush(self) -> None:
        """Make a batch of what is there now."""
        if not self._readings:
            return
        readings, size = self._readings, self._size
        self._readings, self._size = [], 0
        self.seq += 1
        epoch = self._epoch()
        batch = Batch(node=self._node, epoch=epoch, seq=self.seq, readings=readings)
        self._spool.add(batch_id(self._node, epoch, self.seq), batch, size)

    def up_to_date(self) -> int:
        """Number of the last batch, with everything in it that was added up to now."""
        self.flush()
        return self.seq

    async def _flush_soon(self) -> None:
        await self._clock.sleep(GATHER)
        self._timer = None
        self.flush()

    def close(self) -> None:
        """Send what is there; takes no more time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.flush()


def weigh(reading: Reading) -> int:
    """About how many bytes a reading has on the wire."""
    value = reading.value
    size = len(reading.thing) + len(reading.property) + 40
    if value is None or isinstance(value, bool | int | float):
        return size
    return size + len(msgspec.json.encode(value))


def count_readings(message: Message) -> int:
    """How many readings a dropped message had."""
    return len(message.readings) if isinstance(message, Batch) else 0
