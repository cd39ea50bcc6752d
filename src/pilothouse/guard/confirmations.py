"""Tokens that let one command pass which needs a confirmation: each for exactly one command, once, for a minute."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

import msgspec

from pilothouse.model import Value

LIVES = 60.0
"""Seconds that a token lives."""
MOST = 256
"""Tokens that are kept; with more, the oldest is forgotten."""
MOST_EACH = 16
"""Tokens of one person that are kept."""
TRIES = 3
"""Commands that may be tried with a token they do not fit; then it is worth nothing."""


class _Given(NamedTuple):
    """What a token was given for."""

    who: str
    thing: str
    kind: str
    name: str
    input: bytes
    two_person: bool
    until: int
    tries: int = 0


class Tokens:
    """The tokens of one agent. They live by its monotonic clock, and die with it."""

    def __init__(self, make: Callable[[], str] = lambda: secrets.token_urlsafe(24)) -> None:
        self._make = make
        self._given: dict[str, _Given] = {}

    def give(self, who: str, thing: str, kind: str, name: str, input: Value, *, two_person: bool, mono: int) -> str:
        """A new token for exactly this command, asked for by `who`."""
        self._tidy(who, mono)
        token = self._make()
        until = mono + round(LIVES * 1000)
        self._given[token] = _Given(who, thing, kind, name, _digest(input), two_person, until)
        return token

    def use(
        self, token: str, who: str, thing: str, kind: str, name: str, input: Value, *, two_person: bool, mono: int
    ) -> str:
        """Spend a token on a command by `who`: "" when it may pass, else why not, as a sentence part."""
        if not token:
            return "it needs a confirmation, and none came with it"
        given = self._given.get(token)
        if given is None or mono >= given.until:
            self._given.pop(token, None)
            return "its confirmation is not known: it was used already, or is more than a minute old"
        why = _why_not(given, who, (thing, kind, name), _digest(input), two_person=two_person)
        if not why:
            del self._given[token]
        elif given.tries + 1 < TRIES:
            self._given[token] = given._replace(tries=given.tries + 1)
        else:
            del self._given[token]
        return why

    def __len__(self) -> int:
        return len(self._given)

    def _tidy(self, who: str, mono: int) -> None:
        """Make room for one more of `who`; what is over goes first, then the oldest."""
        self._given = {token: given for token, given in self._given.items() if given.until > mono}
        own = [token for token, given in self._given.items() if given.who == who]
        for token in own[: max(0, len(own) - MOST_EACH + 1)]:
            del self._given[token]
        while len(self._given) >= MOST:
            del self._given[next(iter(self._given))]


def _why_not(given: _Given, who: str, target: tuple[str, str, str], digest: bytes, *, two_person: bool) -> str:
    if (given.thing, given.kind, given.name) != target:
        return f"its confirmation is for {given.thing}.{given.name}"
    if given.input != digest:
        return "its confirmation is for another value"
    if (two_person or given.two_person) and who == given.who:
        return "its confirmation must come from somebody else"
    if not (two_person or given.two_person) and who != given.who:
        return f"its confirmation was given to {given.who}"
    return ""


def _digest(input: Value) -> bytes:
    """The same for the same value, however its numbers are written: 20 and 20.0 are one value to a device."""
    return sha256(msgspec.json.encode(_plain(input), order="sorted")).digest()


def _plain(value: Value) -> Value:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
