"""What the bus had acknowledged: the readings in its stream."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pilothouse.bus import Bus, load_address, streams
from pilothouse.bus.messages import Batch, decode
from pilothouse.clock import SystemClock
from pilothouse.config.places import Places
from pilothouse.config.site import BusConfig


def readings(data: Path, thing: str, name: str, *, since: int) -> list[tuple[int, float]]:
    """(time, value) of one property in the stream from `since` on, oldest first, each once."""
    return asyncio.run(_readings(data, thing, name, since))


async def _readings(data: Path, thing: str, name: str, since: int) -> list[tuple[int, float]]:
    clock = SystemClock()
    address = await load_address(Places(data), BusConfig(), clock, wait=5.0)
    found: dict[int, float] = {}
    async with await Bus.connect(address, name="fault run", clock=clock) as bus:
        stream = streams("home")["data"]
        last = (await bus.stream_info(stream)).last
        async for batch in bus.read(stream, after=0):
            for stored in batch:
                for reading in decode(Batch, stored.data).readings:
                    if (reading.thing, reading.property) == (thing, name) and isinstance(reading.value, float):
                        found[reading.time] = reading.value
            if not batch or batch[-1].seq >= last:
                break
    return sorted((time, value) for time, value in found.items() if time >= since)
