"""A stand as pages, REST and the live stream show it. Pure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from pilothouse.bus.messages import LeaseAsk, StandLease
from pilothouse.config.site import StandConfig
from pilothouse.model import Address, title_of


class StandView(Struct, kw_only=True, frozen=True):
    """One stand: what belongs to it, who holds it, who would like to."""

    stand: str
    title: str
    doc: str = ""
    things: list[str]
    """Its things as node/thing."""
    holder: str = ""
    """"" = nobody."""
    since: int = 0
    until: int = 0
    """When the lease is over by itself, Unix milliseconds; 0 while nobody holds it."""
    length: float
    """Seconds that a lease lasts from the last use on."""
    required: bool = False
    """Whether nobody may command it without holding it."""
    safe_on_expiry: bool = True
    """Whether its outputs go safe when a lease runs out."""
    asks: list[LeaseAsk] = []
    """Who waits for it, in the order in which they asked."""
    ended: Literal["", "released", "expired"] = ""
    """How the last lease ended, while nobody holds it."""
    last: str = ""
    """Who held it last."""

    def has(self, address: Address) -> bool:
        """Whether a thing belongs to it."""
        return str(address) in self.things


def view_of(lease: StandLease, config: StandConfig | None, *, over: bool) -> StandView:
    """A stand to show; `over` says that its time is up and nobody has written it down yet."""
    holder = "" if over else lease.holder
    return StandView(
        stand=lease.stand,
        title=config.title if config and config.title else title_of(lease.stand),
        doc=config.doc if config else "",
        things=list(lease.things),
        holder=holder,
        since=lease.since if holder else 0,
        until=lease.until if holder else 0,
        length=lease.length,
        required=lease.required,
        safe_on_expiry=lease.safe_on_expiry,
        asks=list(lease.asks),
        ended="expired" if over else lease.ended,
        last=lease.holder if over else lease.last,
    )
