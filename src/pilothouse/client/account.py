"""Who one is to a hub: getting a token for a name and a password, and ending it."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from pilothouse.client.connection import Connection
from pilothouse.errors import TimedOut

Scope = Literal["read", "operate", "administer"]


class Me(Struct, frozen=True, kw_only=True):
    """Who a hub takes this client for."""

    who: str
    """Name, as the ledger has it."""
    title: str = ""
    """What pages call them; "" = the name."""
    rights: tuple[str, ...] = ()
    """"viewer", "operator@bench" …"""
    how: str = ""
    """What they came with: "token", "machine" …"""
    most: str = ""
    """The role that they have at most with this token."""
    only: str = ""
    """The one place that the token is for; "" = all of its owner's."""
    expires: int = 0
    """When the token ends, Unix milliseconds; 0 = not by itself."""


class TokenKnown(Struct, frozen=True, kw_only=True):
    """A token as the hub knows it."""

    id: str
    who: str
    """Its owner."""
    name: str
    """What it is for."""
    scope: str
    only: str = ""
    expires: int = 0
    """When it ends, Unix milliseconds."""


class LoggedIn(Struct, frozen=True, kw_only=True):
    """What a log-in gives."""

    secret: str
    """The token; give it to `Client(url, token)`."""
    token: TokenKnown

    def __repr__(self) -> str:
        return f"LoggedIn({self.token!r})"


class _Ended(Struct):
    id: str = ""
    """Of the token."""


class Account(Connection):
    """The part of `Client` that is about whoever asks."""

    def me(self) -> Me:
        """Who the hub takes this client for."""
        return self._ask(Me, "/api/me")

    def log_in(
        self, name: str, password: str, *, token: str, scope: Scope = "read", only: str = "", days: float = 90
    ) -> LoggedIn:
        """A token named `token` for whoever this name and password belong to; needs none before.

        `scope` is what it is for at most, `only` a stand, node/thing or node/* that it is for, `days` how long it
        lasts. Raises NotAllowed when they do not let in, Problem (status 429) when it was tried too often.
        """
        wanted = {"name": token, "scope": scope, "only": only, "days": days}
        body = {"name": name, "password": password, "token": wanted}

        def lost(why: str) -> TimedOut:
            what = "The link to the hub broke before it answered: a token may have been made that nobody has"
            return TimedOut(
                what, why=why, remedy="Log in again; end tokens that you do not know on your account's page"
            )

        parts = urlsplit(self.url)
        headers = {"Origin": f"{parts.scheme}://{parts.netloc}"}
        return self._decode(LoggedIn, self._change("POST", "/api/login", body, lost, headers=headers, lasts=0.0))

    def log_out(self) -> None:
        """End the token of this client at the hub."""
        self._tell(_Ended, "POST", "/api/logout", {}, remedy="Look for it on your account's page")
