"""The client itself: one object a hub, one method a question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypedDict, Unpack

from pilothouse.client import live
from pilothouse.client.account import Account
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
from pilothouse.client.connection import action_path, property_path, thing_path
from pilothouse.client.control import Control
from pilothouse.errors import BadName
from pilothouse.model import Address, Series, Value, is_id


class LedgerAsked(TypedDict, total=False):
    """Which lines of the ledger are wanted; what is left out or "" is any."""

    node: str
    thing: str
    name: str
    """The property, action or act."""
    end: str
    """"confirmed", "refused", "failed", "expired", "unknown", or "open": not ended yet."""
    who: str
    origin: str
    """Through what it came: "page", "api", "cli"; or which rule of the agent's own: "max-on", "interlock" …"""
    kind: str
    """"property", "action", or "site": stops, stands."""
    q: str
    """Text in reason, detail or remedy."""
    since: str | int
    """Made then or later: Unix milliseconds, RFC 3339, relative ("-1h")."""
    until: str | int
    """Made before then."""
    before: str
    """Older than the line of this id."""
    limit: int
    """How many at most; 100 unless said."""


class Client(Control, Account):
    """Asks one hub. Use it in a `with` block, or call `close`.

    `url` is the hub's address, such as "http://127.0.0.1:8470"; `token` an API token. `timeout` is how many seconds
    an answer may take (a command adds its own time to live). `transport` is for tests.

    Every method raises Unreachable, NotAllowed, NotThere (with the nearest name), BadName or Problem; `set` and `do`
    raise NotConfirmed too, with what became of the command.
    """

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
        return self._ask(ThingNow, thing_path(Address.parse(address)))

    def get(self, series: str) -> PropertyNow:
        """One property now; `series` is `node/thing.property`."""
        return self._ask(PropertyNow, property_path(Series.parse(series)))

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
        confirmation: str = "",
    ) -> Ended:
        """Write a property and wait for its end; gives it when confirmed, raises NotConfirmed otherwise.

        `ttl` is how many seconds may pass until the device is asked (0.1 to 60), `patience` how many the device may
        take from then on (`settle` of its description). The same `id` is never done twice: a second call with it gets
        the first one's end. `confirmation` is the token that `confirm` gave for exactly this write, where it needs one.
        TimedOut says that nobody can tell what became of it.
        """
        body = _with({"value": value, "reason": reason, "ttl": ttl}, confirmation)
        return self._command("PUT", property_path(Series.parse(series)), body, ttl + patience, id)

    def do(
        self,
        action: str,
        input: dict[str, Value] | None = None,
        *,
        reason: str = "",
        ttl: float = 5.0,
        id: str = "",
        patience: float = 30.0,
        confirmation: str = "",
    ) -> Ended:
        """Call an action, written `node/thing.action`, and wait for its end; as `set`.

        `patience` is how many seconds the action itself may take (`timeout` of its description).
        """
        body = _with({"input": input, "reason": reason, "ttl": ttl}, confirmation)
        return self._command("POST", action_path(Series.parse(action)), body, ttl + patience, id)

    # the record

    def command(self, id: str) -> LedgerLine:
        """One command of the ledger, with its end so far and its story."""
        if not is_id(id):
            raise BadName(f"{id[:80]!r} cannot be the id of a command")
        return self._ask(LedgerLine, f"/api/ledger/{id}")

    def ledger(self, **asked: Unpack[LedgerAsked]) -> list[LedgerLine]:
        """Lines of the ledger, newest first; see `LedgerAsked` for what can be asked."""
        return self.ledger_page(**asked).lines

    def ledger_page(self, **asked: Unpack[LedgerAsked]) -> LineList:
        """As `ledger`, with `next`: what `before` must be for the page after it; "" = there is nothing older."""
        return self._ask(LineList, "/api/ledger", {key: str(value) for key, value in asked.items() if value != ""})

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


def _with(body: dict[str, Any], confirmation: str) -> dict[str, Any]:
    return {**body, "confirmation": confirmation} if confirmation else body
