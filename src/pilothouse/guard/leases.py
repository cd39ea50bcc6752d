"""What an agent knows of stands and who holds them. Pure.

By its own clock, so that a lease ends also without the bus.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from pilothouse.guard.rules import Barred

MOST = 1000
"""Stands that are kept."""


class Stand(Protocol):
    """What was said of a stand; the bus's StandLease is one."""

    @property
    def stand(self) -> str:
        """Its name."""
        ...

    @property
    def things(self) -> tuple[str, ...]:
        """Its things, as node/thing."""
        ...

    @property
    def holder(self) -> str:
        """Who holds it; "" = nobody."""
        ...

    @property
    def required(self) -> bool:
        """Whether nobody may command it without holding it."""
        ...

    @property
    def safe_on_expiry(self) -> bool:
        """Whether its outputs go safe when a lease runs out."""
        ...

    @property
    def ended(self) -> str:
        """How the last one ended, while nobody holds it: "expired", "released"."""
        ...

    @property
    def last(self) -> str:
        """Who held it last."""
        ...


class Expired(NamedTuple):
    """A lease that ran out."""

    stand: str
    things: tuple[str, ...]
    safe: bool
    """Whether its outputs are to go safe."""
    holder: str
    """Whose it was."""


class _Known(NamedTuple):
    said: Stand
    holder: str
    """Who holds it as this agent counts."""
    until: int
    """By the monotonic clock, in milliseconds."""


class Leases:
    """Stands by name; see the module's text."""

    def __init__(self) -> None:
        self._stands: dict[str, _Known] = {}
        self._over: dict[str, Expired] = {}

    def heard(self, stand: Stand, mono: int, left: float) -> None:
        """The latest of a stand; when it is held, for `left` seconds more."""
        before = self._stands.pop(stand.stand, None)
        ran_out = stand.ended == "expired" and not stand.holder
        if ran_out and (before is None or before.holder):
            # Also when it is the first that is heard of it: it may have run out while this agent was not there.
            self._over[stand.stand] = _expired(stand, stand.last)
        elif left > 0 and stand.stand in self._over and self._over[stand.stand].holder == stand.holder:
            del self._over[stand.stand]  # extended before anybody acted on it
        # A lease that ran out here is over, however often the bus repeats its last word.
        over = left <= 0 and before is not None and not before.holder and before.said.holder == stand.holder
        self._stands[stand.stand] = _Known(stand, "" if over else stand.holder, mono + round(left * 1000))
        if len(self._stands) > MOST:
            del self._stands[next(iter(self._stands))]

    def forget(self, stand: str) -> None:
        """There is no such stand any more."""
        self._stands.pop(stand, None)
        self._over.pop(stand, None)

    def bar(self, thing: str, who: str, mono: int) -> Barred | None:
        """Why `who` may not command a thing (node/thing); None = as far as leases go, they may.

        The end of the lease stands in `over_in`; a clock time for it is the caller's to say.
        """
        for name, known in self._stands.items():
            if thing not in known.said.things:
                continue
            held = known.holder and mono < known.until
            if held and known.holder != who:
                text = f"stand {name} is held by {known.holder}"
                remedy = f"Ask {known.holder} for the stand, or wait until the lease is over"
                return Barred("lease", text, remedy, over_in=known.until - mono)
            if not held and known.said.required:
                return Barred(
                    "lease", f"stand {name} may only be used by who holds it, and nobody does", "Take it first"
                )
        return None

    def expired(self, mono: int) -> list[Expired]:
        """Leases that ran out, each told once."""
        for name, known in self._stands.items():
            if known.holder and mono >= known.until:
                self._over[name] = _expired(known.said, known.holder)
                self._stands[name] = known._replace(holder="")
        over = list(self._over.values())
        self._over.clear()
        return over

    def next_look(self, mono: int) -> int | None:
        """When the next lease runs out, by the monotonic clock."""
        if self._over:
            return mono
        return min((known.until for known in self._stands.values() if known.holder), default=None)


def _expired(stand: Stand, holder: str) -> Expired:
    return Expired(stand.stand, stand.things, stand.safe_on_expiry, holder)
