"""The connection to one hub: requests sent, answers decoded, what goes wrong said in words."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec

from pilothouse.client.answers import Ended
from pilothouse.client.problems import Problem, plain, problem_of
from pilothouse.client.trust import unreachable
from pilothouse.errors import BadValue, TimedOut
from pilothouse.model import Address, Series, new_id
from pilothouse.model.types import finite

T = TypeVar("T")

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Connection:
    """Asks one hub; `Client` is what people use.

    `verify` says whose certificates are believed (client.trust); unless said, those that the system trusts.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        timeout: float = 10.0,
        verify: ssl.SSLContext | bool = True,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadValue(f"{url!r} is no address of a hub", nearest="http://127.0.0.1:8470")
        self.url = url.rstrip("/")
        self.timeout = timeout
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx2.Client(
            base_url=self.url,
            headers=headers,
            timeout=timeout,
            transport=transport,
            verify=verify,
            # A proxy of the company's must not stand between this machine and itself.
            trust_env=parts.hostname not in _LOOPBACK,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    # how it is asked

    def _ask(self, kind: type[T], path: str, params: dict[str, str] | None = None) -> T:
        return self._decode(kind, self._send("GET", path, params))

    def _send(self, method: str, path: str, params: dict[str, str] | None = None) -> httpx2.Response:
        try:
            return self._http.request(method, path, params=params)
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            raise unreachable(self.url, error) from None

    def _decode(self, kind: type[T], response: httpx2.Response) -> T:
        content_type = response.headers.get("content-type", "")
        if response.status_code >= 300:
            raise problem_of(response.status_code, content_type, response.content, self.url)
        try:
            return msgspec.json.decode(response.content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Problem(
                f"The hub at {self.url} answered something that this client does not understand",
                why=str(error)[:200],
                remedy="Are both of the same version? pilothouse --version",
            ) from None

    def _command(self, method: str, path: str, body: dict[str, Any], lasts: float, id: str) -> Ended:
        """Send a command, with an id so that a proxy that repeats it does not have it done twice."""
        key = id or new_id(time.time_ns() // 1_000_000)

        def lost(why: str) -> TimedOut:
            return TimedOut(
                "The link to the hub broke before it answered: nobody here can say what became of the command",
                why=f"{why}; its id is {key}",
                remedy=f"Look it up: pilothouse ledger {key} (sent again with that id it is never done twice)",
            )

        headers = {"Idempotency-Key": key}
        return self._decode(Ended, self._change(method, path, body, lost, headers=headers, lasts=lasts))

    def _tell(
        self, kind: type[T], method: str, path: str, body: dict[str, Any], *, remedy: str, lasts: float = 0.0
    ) -> T:
        """Have something done that is no command; `remedy` is for when nobody can say whether it was."""

        def lost(why: str) -> TimedOut:
            what = "The link to the hub broke before it answered: nobody here can say whether it was done"
            return TimedOut(what, why=why, remedy=remedy)

        return self._decode(kind, self._change(method, path, body, lost, headers={}, lasts=lasts))

    def _change(
        self,
        method: str,
        path: str,
        body: dict[str, Any],
        lost: Callable[[str], TimedOut],
        *,
        headers: dict[str, str],
        lasts: float,
    ) -> httpx2.Response:
        if not finite(body):
            raise BadValue("A command takes no NaN and no infinity")
        content, headers = msgspec.json.encode(body), {"Content-Type": "application/json", **headers}
        patience = httpx2.Timeout(self.timeout + lasts, connect=5.0)
        try:
            return self._http.request(method, path, content=content, headers=headers, timeout=patience)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.InvalidURL) as error:
            raise unreachable(self.url, error) from None
        except httpx2.TransportError as error:
            raise lost(plain(error)) from None


def thing_path(address: Address) -> str:
    """Where a thing is asked for."""
    return f"/api/things/{address.node}/{address.thing}"


def property_path(series: Series) -> str:
    """Where a property is asked for."""
    return f"{thing_path(Address(series.node, series.thing))}/properties/{series.property}"


def action_path(action: Series) -> str:
    """Where an action is called."""
    return f"{thing_path(Address(action.node, action.thing))}/actions/{action.property}"
