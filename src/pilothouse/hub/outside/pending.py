"""Log-ins that were begun and sent to the provider: kept here, bound to one browser, each used once."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import NamedTuple

from pilothouse.clock import Clock

LIFE = 600
"""Seconds that somebody has for logging in at the provider."""
MOST = 1000
"""Log-ins that may be on their way at once."""
MOST_OF_ONE = 20
"""And of one address, so that nobody pushes the others out."""


class Begun(NamedTuple):
    """A log-in on its way."""

    nonce: str
    """What the identity token must carry."""
    verifier: str
    """What proves to the provider that the code was ordered here (PKCE)."""
    next: str
    """Where on this hub to go afterwards."""
    address: str
    """Of whoever began it."""
    browser: bytes
    """Hash of what the cookie of its browser holds."""
    ends: int
    """Monotonic milliseconds."""

    def __repr__(self) -> str:
        return f"Begun(next={self.next!r})"  # nonce and verifier have no place in a log


class Ticket(NamedTuple):
    """What goes out when a log-in begins."""

    state: str
    """For the provider to send back."""
    browser: str
    """For the browser's cookie."""
    begun: Begun

    def __repr__(self) -> str:
        return f"Ticket({self.begun!r})"


class Pending:
    """States of log-ins by their hashes, the oldest first; it never holds more than MOST."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun: dict[bytes, Begun] = {}

    def __len__(self) -> int:
        return len(self._begun)

    def begin(self, next: str, address: str, browser: str = "") -> Ticket:
        """A new one. `browser` is the cookie that came: kept when it is one of ours, so that two tabs may log in."""
        self._forget_old()
        known = _hash(browser)
        if not any(hmac.compare_digest(known, begun.browser) for begun in self._begun.values()):
            browser = secrets.token_urlsafe(32)
        ends = self._clock.mono() + LIFE * 1000
        nonce, verifier, state = (secrets.token_urlsafe(32) for _ in range(3))
        begun = Begun(nonce, verifier, next, address, _hash(browser), ends)
        self._make_room(address)
        self._begun[_hash(state)] = begun
        return Ticket(state, browser, begun)

    def take(self, state: str, browser: str) -> Begun | None:
        """The one that was begun with this state in this browser, once; None for any other.

        A state that comes from another browser stays for its own: nobody can use it up from outside.
        """
        self._forget_old()
        begun = self._begun.get(_hash(state))
        if begun is None or not hmac.compare_digest(begun.browser, _hash(browser)):
            return None
        del self._begun[_hash(state)]
        return begun

    def _forget_old(self) -> None:
        now = self._clock.mono()
        while self._begun:
            oldest = next(iter(self._begun))
            if self._begun[oldest].ends > now:
                return
            del self._begun[oldest]

    def _make_room(self, address: str) -> None:
        own = [key for key, begun in self._begun.items() if begun.address == address]
        if len(own) >= MOST_OF_ONE:
            del self._begun[own[0]]
        elif len(self._begun) >= MOST:
            del self._begun[next(iter(self._begun))]


def _hash(text: str) -> bytes:
    return sha256(text.encode("utf-8", "replace")).digest()
