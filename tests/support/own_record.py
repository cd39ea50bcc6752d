"""A data folder with an empty record, as the first start of a hub leaves it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pilothouse.clock import SystemClock
from pilothouse.config.places import Places
from pilothouse.record import Ledger


def make_record(data: Path) -> Places:
    """Make it there."""
    places = Places(data)

    async def make() -> None:
        await (await Ledger.open(places.ledger, SystemClock())).close()

    asyncio.run(make())
    return places
