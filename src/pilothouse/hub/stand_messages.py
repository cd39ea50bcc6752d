"""Stands as they travel: from the configuration, to the bus, and as the rules want them."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from msgspec.structs import replace

from pilothouse.bus.messages import LeaseAsk, StandLease
from pilothouse.clock import parse_duration
from pilothouse.config.site import Config
from pilothouse.errors import BadName
from pilothouse.model import Address
from pilothouse.model.stands import Ask, Lease

log = logging.getLogger(__name__)

_SHORTEST = 1.0
"""Seconds that a lease lasts at least, whatever the configuration says."""


def configured(config: Config, node: str) -> dict[str, StandLease]:
    """What the configuration says, as a stand that nobody holds."""
    return {
        name: StandLease(
            stand=name,
            things=tuple(_addresses(name, stand.things, node)),
            length=max(_SHORTEST, parse_duration(stand.lease)),
            required=stand.required,
            safe_on_expiry=stand.safe_on_expiry,
        )
        for name, stand in config.stands.items()
    }


def _addresses(stand: str, things: Iterable[str], node: str) -> list[str]:
    found: list[str] = []
    for text in things:
        try:
            address = Address.parse(text if "/" in text else f"{node}/{text}")
        except BadName as error:
            log.error("stand %s goes without %r: %s", stand, text[:80], error)
            continue
        if str(address) not in found:
            found.append(str(address))
    return found


def settings(lease: StandLease) -> tuple[object, ...]:
    """What comes from the configuration."""
    return lease.things, lease.length, lease.required, lease.safe_on_expiry


def message_of(message: StandLease, lease: Lease, now: int) -> StandLease:
    """The lease as it goes to the bus, with the settings of `message`."""
    return replace(
        message,
        holder=lease.holder,
        since=lease.since,
        until=lease.until,
        time=now,
        left=max(0, lease.until - now) / 1000 if lease.holder else 0.0,
        asks=tuple(LeaseAsk(who=one.who, time=one.time, note=one.note) for one in lease.asks),
        ended=lease.ended,
        last=lease.last,
    )


def lease_of(message: StandLease, until: int) -> Lease:
    """A message as the rules want it; `until` is its end by the wall clock of this hub, 0 while nobody holds it."""
    return Lease(
        stand=message.stand,
        length=max(_SHORTEST, message.length),
        holder=message.holder,
        since=message.since,
        until=until,
        asks=tuple(Ask(who=one.who, time=one.time, note=one.note) for one in message.asks),
        ended=message.ended,
        last=message.last,
    )
