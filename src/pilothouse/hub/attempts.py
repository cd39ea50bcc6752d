"""How often a log-in may be tried: some times at once, then more and more slowly, and never not at all. Pure.

Tries are counted by account and by address. Whoever comes from an address from which that account was logged in before
is counted apart, so that a stranger who hammers an account does not keep its owner out. A try that comes too early is
refused at once and makes nobody wait longer. Times are milliseconds of a monotonic clock.

Each hub counts for itself, and forgets when it starts anew.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import Literal, NamedTuple

Kind = Literal["account", "address", "own"]
Key = tuple[Kind, str, str]
MOST = 10_000
"""What is counted at most; what was not tried for longest is forgotten."""
_LONGEST = 64
"""Letters of a name that tell it from others; no account has more."""


class Pace(NamedTuple):
    """How fast tries may come."""

    free: int
    """Tries that may come at once."""
    longest: int
    """Milliseconds between two tries at most; in that time one try is forgotten, too."""

    def gap(self, tries: int) -> int:
        """Milliseconds that must pass after so many tries: none, then 1 s, 2 s, 4 s …"""
        if tries < self.free:
            return 0
        return min(self.longest, 1000 << min(tries - self.free, 30))


PACES: dict[Kind, Pace] = {
    "account": Pace(free=5, longest=60_000),
    "address": Pace(free=10, longest=300_000),
    "own": Pace(free=5, longest=60_000),
}
"""Of an account from where it was never logged in; of an address; of an account from where it was."""


class TooOften(NamedTuple):
    """A try that came too early. It was not counted as one."""

    wait: int
    """Milliseconds until the next may come."""
    kind: Kind
    """By what it was counted."""
    first: bool
    """Whether it is the first that was refused since there were too many."""


class Try(NamedTuple):
    """A try that may be made. It counts as a failed one until `succeeded` or `taken_back` is told of it."""

    name: str
    address: str
    own: bool
    """Whether that account was logged in from that address before."""
    refused: int
    """Tries that were refused since the last one that was not."""


class _Count:
    """Tries by one key."""

    __slots__ = ("last", "mark", "pace", "refused", "told", "tries")

    def __init__(self, pace: Pace, now: int) -> None:
        self.pace = pace
        self.tries = 0
        self.last = self.mark = now
        self.refused = 0
        self.told = False

    def wait(self, now: int) -> int:
        """Milliseconds until a try may come; forgets what is long ago first."""
        faded = max(0, now - self.mark) // self.pace.longest
        self.tries = max(0, self.tries - faded)
        self.mark += faded * self.pace.longest
        if self.tries < self.pace.free:
            self.told = False
        return max(0, self.last + self.pace.gap(self.tries) - now)

    def add(self, now: int) -> None:
        """Count a try that may be made."""
        if self.tries == 0:
            self.mark = now
        self.tries += 1
        self.last = now

    def refuse(self) -> bool:
        """Count one that may not; gives whether it is the first."""
        self.refused += 1
        first, self.told = not self.told, True
        return first


class Attempts:
    """Counts tries. `begin` before the password is looked at, then `succeeded` or `taken_back`, or nothing."""

    def __init__(self, most: int = MOST) -> None:
        self._counts: OrderedDict[Key, _Count] = OrderedDict()
        self._most = most

    def __len__(self) -> int:
        return len(self._counts)

    def begin(self, name: str, address: str, now: int, *, own: bool = False) -> Try | TooOften:
        """Whether a try may be made now; `own` = that account was logged in from that address before.

        It counts at once, so that many at the same moment do not pass together.
        """
        name, address = name[:_LONGEST], network(address)
        asked = self._asked(name, address, own=own)
        for key in asked:
            count = self._count(key, now)
            wait = count.wait(now)
            if wait:
                return TooOften(wait, key[0], count.refuse())
        refused = 0
        for key in self._counted(name, address, own=own):
            count = self._count(key, now)
            count.wait(now)
            count.add(now)
            if key in asked:
                refused, count.refused = max(refused, count.refused), 0
        return Try(name, address, own, refused)

    def succeeded(self, tried: Try) -> None:
        """It was the right password: it does not count, and whoever has it starts afresh from this address.

        The address stays under the count of its other tries: who has one account must not guess at others for ever.
        """
        self.taken_back(tried)
        self._counts.pop(("own", tried.name, tried.address), None)

    def taken_back(self, tried: Try) -> None:
        """The password was not looked at, for a reason that has nothing to do with it."""
        for key in self._counted(tried.name, tried.address, own=tried.own):
            count = self._counts.get(key)
            if count is not None:
                count.tries = max(0, count.tries - 1)

    def _asked(self, name: str, address: str, *, own: bool) -> tuple[Key, ...]:
        """By what a try may be refused. The address comes first: one that is slowed down costs no account a try."""
        return (("own", name, address),) if own else (("address", "", address), ("account", name, ""))

    def _counted(self, name: str, address: str, *, own: bool) -> tuple[Key, ...]:
        """By what it counts. A wrong password from the owner's desk tells against the address, too."""
        return (("own", name, address), ("address", "", address)) if own else self._asked(name, address, own=False)

    def _count(self, key: Key, now: int) -> _Count:
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count(PACES[key[0]], now)
            while len(self._counts) > self._most:
                self._counts.popitem(last=False)
        self._counts.move_to_end(key)
        return count


class OwnPlaces:
    """From where accounts were logged in, as far as it is remembered: some addresses of some accounts."""

    def __init__(self, most: int = 1000, each: int = 32) -> None:
        self._known: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()
        self._most = most
        self._each = each

    def knows(self, name: str) -> bool:
        """Whether anything is remembered of this account, if only that it was nowhere."""
        return name[:_LONGEST] in self._known

    def add(self, name: str, *addresses: str) -> None:
        """It was logged in from there."""
        name = name[:_LONGEST]
        known = self._known.setdefault(name, OrderedDict())
        self._known.move_to_end(name)
        for address in map(network, addresses):
            known[address] = None
            known.move_to_end(address)
        while len(known) > self._each:
            known.popitem(last=False)
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    def __contains__(self, place: tuple[str, str]) -> bool:
        name, address = place
        return network(address) in self._known.get(name[:_LONGEST], ())


def network(address: str) -> str:
    """What counts as one address: one of IPv4, a whole /64 of IPv6, for that is what one machine may choose from."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:_LONGEST]
    if found.version == 6 and found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    if found.version == 6:
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found)
