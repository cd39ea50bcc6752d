"""The client itself: one object a hub, one method a question."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec

from pilothouse.client import live
from pilothouse.client.answers import (
    Change,
    Ended,
    HubHealth,
    LedgerLine,
    LineList,
    Lost,
    Node,
    NodeList,
    PropertyNow,
    SeriesData,
    SeriesList,
    Snapshot,
    ThingList,
    ThingNow,
)
from pilothouse.client.problems import Problem, Unreachable, plain, problem_of
from pilothouse.errors import BadName, BadValue, TimedOut
from pilothouse.model import Address, Series, Value, is_id, new_id
from pilothouse.model.types import finite

T = TypeVar("T")

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Client:
    """Asks one hub. Use it in a `with` block, or call `close`.

    `url` is the hub's address, such as "http://127.0.0.1:8470"; `token` an API token. `timeout` is how many seconds
    an answer may take (a command adds its own time to live). `transport` is for tests.

    Every method raises Unreachable, NotAllowed, NotThere (with the nearest name), BadName or Problem; `set` and `do`
    raise NotConfirmed too, with what became of the command.
    """

    def __init__(
        self, url: str, token: str = "", *, timeout: float = 10.0, transport: httpx2.BaseTransport | None = None
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
            # A proxy of the company's must not stand between this machine and itself.
            trust_env=parts.hostname not in _LOOPBACK,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    # what is there

    def health(self) -> HubHealth:
        """Whether a hub answers there and is well; needs no token."""
        return self._ask(HubHealth, "/healthz")

    def nodes(self) -> list[Node]:
        """All nodes by name."""
        return self._ask(NodeList, "/api/nodes").nodes

    def things(self, node: str = "") -> list[ThingNow]:
        """All things (of one node) by address, without descriptions."""
        found = self._ask(ThingList, "/api/things").things
        return [thing for thing in found if not node or thing.node == node]

    def thing(self, address: str) -> ThingNow:
        """One thing with its description; `address` is `node/thing`."""
        return self._ask(ThingNow, _thing_path(Address.parse(address)))

    def get(self, series: str) -> PropertyNow:
        """One property now; `series` is `node/thing.property`."""
        return self._ask(PropertyNow, _property_path(Series.parse(series)))

    # commands

    def set(
        self,
        series: str,
        value: Value,
        *,
        reason: str = "",
        ttl: float = 5.0,
        id: str = "",
        patience: float = 30.0,
    ) -> Ended:
        """Write a property and wait for its end; gives it when confirmed, raises NotConfirmed otherwise.

        `ttl` is how many seconds may pass until the device is asked (0.1 to 60), `patience` how many the device may
        take from then on (`settle` of its description). The same `id` is never done twice: a second call with it gets
        the first one's end. TimedOut says that nobody can tell what became of it.
        """
        body = {"value": value, "reason": reason, "ttl": ttl}
        return self._command("PUT", _property_path(Series.parse(series)), body, ttl + patience, id)

    def do(
        self,
        action: str,
        input: dict[str, Value] | None = None,
        *,
        reason: str = "",
        ttl: float = 5.0,
        id: str = "",
        patience: float = 30.0,
    ) -> Ended:
        """Call an action, written `node/thing.action`, and wait for its end; as `set`.

        `patience` is how many seconds the action itself may take (`timeout` of its description).
        """
        node, thing, name = Series.parse(action)
        body = {"input": input, "reason": reason, "ttl": ttl}
        path = f"{_thing_path(Address(node, thing))}/actions/{name}"
        return self._command("POST", path, body, ttl + patience, id)

    def _command(self, method: str, path: str, body: dict[str, Any], lasts: float, id: str) -> Ended:
        key = id or new_id(time.time_ns() // 1_000_000)
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        patience = httpx2.Timeout(self.timeout + lasts, connect=5.0)
        if not finite(body):
            raise BadValue("A command takes no NaN and no infinity")
        content = msgspec.json.encode(body)
        try:
            response = self._http.request(method, path, content=content, headers=headers, timeout=patience)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.InvalidURL) as error:
            raise self._unreachable(error) from None
        except httpx2.TransportError as error:
            raise TimedOut(
                "The link to the hub broke before it answered: nobody here can say what became of the command",
                why=f"{plain(error)}; its id is {key}",
                remedy=f"Look it up: pilothouse ledger {key} (sent again with that id it is never done twice)",
            ) from None
        return self._decode(Ended, response)

    # the record

    def command(self, id: str) -> LedgerLine:
        """One command of the ledger, with its end so far."""
        if not is_id(id):
            raise BadName(f"{id[:80]!r} cannot be the id of a command")
        return self._ask(LedgerLine, f"/api/ledger/{id}")

    def ledger(
        self,
        *,
        node: str = "",
        thing: str = "",
        end: str = "",
        who: str = "",
        before: str = "",
        limit: int = 100,
    ) -> list[LedgerLine]:
        """Commands, newest first. `before` is the id of a line: those older than it. `end` "open" = not ended yet."""
        asked = {"node": node, "thing": thing, "end": end, "who": who, "before": before, "limit": str(limit)}
        return self._ask(LineList, "/api/ledger", {k: v for k, v in asked.items() if v}).lines

    def history(
        self, series: Sequence[str], start: str | int = "-1h", end: str | int = "now", *, points: int = 300
    ) -> list[SeriesData]:
        """History of some series, at most about `points` of each.

        `start` and `end` are Unix milliseconds, RFC 3339 ("2026-11-21T08:00:00Z"), relative ("-1h", "-30d") or "now".
        """
        names = ",".join(str(Series.parse(name)) for name in series)
        asked = {"series": names, "from": str(start), "to": str(end), "points": str(points)}
        return self._ask(SeriesList, "/api/history", asked).series

    def watch(self, things: Sequence[str] = ()) -> Iterator[Snapshot | Change | Lost]:
        """What happens, for ever: a Snapshot, then each Change; after a Lost link a Snapshot again.

        `things` are addresses `node/thing`; none = everything.
        """
        addresses = [str(Address.parse(address)) for address in things]
        return live.follow(self._http, addresses)

    # how it is asked

    def _ask(self, kind: type[T], path: str, params: dict[str, str] | None = None) -> T:
        return self._decode(kind, self._send("GET", path, params))

    def _send(self, method: str, path: str, params: dict[str, str] | None = None) -> httpx2.Response:
        try:
            return self._http.request(method, path, params=params)
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(
            f"The hub at {self.url} cannot be reached",
            why=plain(error),
            remedy="See what is wrong with: pilothouse doctor",
        )

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


def _thing_path(address: Address) -> str:
    return f"/api/things/{address.node}/{address.thing}"


def _property_path(series: Series) -> str:
    return f"{_thing_path(Address(series.node, series.thing))}/properties/{series.property}"
