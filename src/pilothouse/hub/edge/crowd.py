"""Who may connect, and how many of them at once. Pure."""

from __future__ import annotations

import ipaddress
from collections import Counter
from enum import Enum

from pilothouse.config.edge import Networks, ip_of, is_loopback, within
from pilothouse.hub.edge.bounds import Bounds


class TurnedAway(Enum):
    """Why somebody may not connect."""

    CROWDED = "too many connections from that address"
    FULL = "too many connections in all"
    BESIDE_PROXY = "not through the proxy"


class Seat:
    """The right to one connection; to be left once, by whoever ends it first."""

    __slots__ = ("_crowd", "_of")

    def __init__(self, crowd: Crowd, of: str) -> None:
        self._crowd: Crowd | None = crowd
        self._of = of

    def leave(self) -> None:
        """The connection is gone; harmless when it was before."""
        if self._crowd is not None:
            self._crowd.left(self._of)
            self._crowd = None


class Crowd:
    """All connections by where they come from.

    `only_through` is whether nobody but the `proxies` and this machine may connect: what they do not bring is plain.
    """

    def __init__(self, bounds: Bounds, proxies: Networks = (), *, only_through: bool = False) -> None:
        self._bounds = bounds
        self._proxies = proxies
        self._only_through = only_through
        self._by_origin: Counter[str] = Counter()
        self.total = 0

    def enter(self, address: str) -> Seat | TurnedAway:
        """Whether one more from `address` may connect."""
        bounds, own, proxy = self._bounds, is_loopback(address), within(address, self._proxies)
        if self._only_through and not (own or proxy):
            return TurnedAway.BESIDE_PROXY
        if self.total >= bounds.total - (0 if own else bounds.kept_for_us):
            return TurnedAway.FULL
        origin = origin_of(address)
        if self._by_origin[origin] >= (bounds.per_proxy if own or proxy else bounds.per_address):
            return TurnedAway.CROWDED
        self._by_origin[origin] += 1
        self.total += 1
        return Seat(self, origin)

    def left(self, origin: str) -> None:
        """One from there is gone; a Seat says so."""
        self.total -= 1
        self._by_origin[origin] -= 1
        if not self._by_origin[origin]:
            del self._by_origin[origin]

    @property
    def origins(self) -> int:
        """From how many places there are connections."""
        return len(self._by_origin)


def origin_of(address: str) -> str:
    """What counts as one place: an IPv4 address, an IPv6 network of 64 bits."""
    found = ip_of(address)
    if isinstance(found, ipaddress.IPv6Address) and not found.is_loopback:
        return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
    return address if found is None else str(found)
