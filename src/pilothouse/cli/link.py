"""`pilothouse link`: a new log-in link, made on the machine of the record."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pilothouse.cli import show
from pilothouse.cli.access import HERE_ONLY, Local, own_hub
from pilothouse.clock import SystemClock, parse_duration
from pilothouse.config.load import load
from pilothouse.config.places import Places
from pilothouse.errors import BadValue, CannotStart
from pilothouse.record.people import People


def link(
    *,
    who: str = "owner",
    life: str = "24h",
    config: Annotated[Path | None, Parameter(show_default=False)] = None,
    local: Local = HERE_ONLY,
) -> None:
    """Print a new log-in link, which lets one browser in, once.

    Works on the machine of the hub only, for whoever may write its data folder.

    For example:
        pilothouse link
        pilothouse link --data /var/lib/pilothouse --life 10m

    Parameters
    ----------
    who:
        as whom the browser is let in
    life:
        how long the link can be used: 10m, 24h, 7d
    config:
        configuration file; default: pilothouse.toml in the data folder
    """
    try:
        seconds = parse_duration(life)
    except ValueError:
        raise BadValue(f"{life!r} is no length of time", nearest="24h", remedy="Write it as 10m, 24h or 7d") from None
    url = f"{_page(local.places, config)}/login?token={asyncio.run(_make(local.places, who, seconds))}"
    print(show.as_json({"url": url, "who": who, "seconds": seconds}) if local.json else url)


def _page(places: Places, config: Path | None) -> str:
    """How browsers reach the hub: as the configuration says, as the running hub says, or as it will listen."""
    settings = load(places.data, config)[0].hub
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    return (settings.public_url or own_hub(places) or f"http://{host}:{settings.port or 8470}").rstrip("/")


async def _make(places: Places, who: str, seconds: float) -> str:
    if not places.ledger.exists():
        raise CannotStart(
            f"There is no record in {places.data}",
            remedy="Start Pilothouse once with: pilothouse up, or name --data DIR",
        )
    people = await People.open(places.ledger, SystemClock())
    try:
        return await people.make_link(who, life=seconds)
    finally:
        await people.close()
