"""The record of this machine, opened by the command line itself, for what must work without a hub and an account.

Whoever may write the data folder may do this. Everything that is changed here is a line of the ledger.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from pilothouse.cli.access import own_hub
from pilothouse.clock import Clock, SystemClock, parse_duration
from pilothouse.config.load import load
from pilothouse.config.places import Places
from pilothouse.config.site import HubConfig
from pilothouse.errors import BadValue, CannotStart
from pilothouse.model import new_id
from pilothouse.record import Act, Ledger, People
from pilothouse.rights import MACHINE

T = TypeVar("T")


class Here:
    """The open record."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger = ledger
        self._clock = clock
        self.people = People(ledger.database, clock)

    async def note(self, name: str, thing: str, detail: str) -> None:
        """Write down what was done about whom."""
        now = self._clock.now()
        await self.ledger.act(
            Act(
                id=new_id(now),
                kind="people",
                name=name,
                thing=thing,
                who=MACHINE,
                origin="cli",
                made=now,
                detail=detail,
                input={"from": "this machine"},
            )
        )


@asynccontextmanager
async def record_here(places: Places) -> AsyncIterator[Here]:
    """Open the record for as long as the block runs; raises CannotStart when there is none, for none is made here."""
    if not places.ledger.exists():
        raise CannotStart(
            f"There is no record in {places.data}",
            remedy="Start Pilothouse once with: pilothouse up, or name --data DIR",
        )
    clock = SystemClock()
    ledger = await Ledger.open(places.ledger, clock)
    try:
        yield Here(ledger, clock)
    finally:
        await ledger.close()


def with_record(places: Places, work: Callable[[Here], Coroutine[Any, Any, T]]) -> T:
    """Open the record, do the work, close it; raises CannotStart, and what the work raises."""

    async def whole() -> T:
        async with record_here(places) as here:
            return await work(here)

    return asyncio.run(whole())


def link_page(places: Places, config: Path | None) -> str:
    """Where links lead: as the configuration says, as the running hub says, or as it will listen."""
    settings = load(places.data, config)[0].hub
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    as_it_will = f"{_scheme(settings)}://{host}:{settings.port or 8470}"
    return f"{(settings.public_url or own_hub(places) or as_it_will).rstrip('/')}/login?token="


def seconds_of(life: str) -> float:
    """How long a link is good, from "10m", "24h", "7d"; raises BadValue."""
    try:
        return parse_duration(life)
    except ValueError:
        raise BadValue(f"{life!r} is no length of time", nearest="24h", remedy="Write it as 10m, 24h or 7d") from None


def _scheme(settings: HubConfig) -> str:
    if settings.certificate:
        return "https"
    try:
        near = ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        near = settings.host == "localhost"
    return "http" if near or settings.tls == "off" or settings.insecure or settings.behind_proxy else "https"
