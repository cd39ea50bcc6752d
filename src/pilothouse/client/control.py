"""What is done to a site beside commands: stop, stands, confirmations, lanes; and why something may not be done now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pilothouse.client.answers import Explained
from pilothouse.client.connection import Connection, action_path, property_path
from pilothouse.client.control_answers import (
    Cancelled,
    LanesNow,
    Lifted,
    Stand,
    StandList,
    StopDone,
    StopsNow,
    Token,
)
from pilothouse.errors import BadName
from pilothouse.model import Series, Value, check_name, is_id

LeaseAct = Literal["take", "ask", "give", "deny", "release", "extend"]

_SAFE_END = 15.0
"""Seconds that a safe end may take, for it lets what runs come to its end."""


class Control(Connection):
    """The part of `Client` that controls the site as a whole."""

    # why not

    def explain(self, series: str) -> Explained:
        """Whether `node/thing.property` may be switched from its safe value now, and all that stands against it."""
        return self._ask(Explained, property_path(Series.parse(series)), {"explain": "true"})

    def explain_action(self, action: str) -> Explained:
        """Whether `node/thing.action` may be called now, and all that stands against it."""
        return self._ask(Explained, action_path(Series.parse(action)), {"explain": "true"})

    # confirmations

    def confirm(self, series: str, value: Value) -> Token:
        """A token to write exactly this value; give it as `confirmation` to `set`. Good for one use."""
        return self._confirm(series, "property", value)

    def confirm_action(self, action: str, input: dict[str, Value] | None = None) -> Token:
        """A token to call an action with exactly this input; give it as `confirmation` to `do`. Good for one use."""
        return self._confirm(action, "action", input)

    def _confirm(self, target: str, kind: str, input: Value) -> Token:
        node, thing, name = Series.parse(target)
        body = {"node": node, "thing": thing, "kind": kind, "name": name, "input": input}
        return self._tell(
            Token, "POST", "/api/confirmations", body, remedy="Ask again; a token that is lost does no harm"
        )

    # stop

    def stops(self) -> StopsNow:
        """The stops that hold now, and which nodes obey them."""
        return self._ask(StopsNow, "/api/stop")

    def stop(self, *, kind: Literal["hard", "end"] = "hard", reason: str = "") -> StopDone:
        """Stop the whole site: outputs go safe at once, or with "end" when what runs has come to its end.

        It holds until it is lifted. Answers when all nodes have said that they are safe, or within the time.
        """
        remedy, lasts = "Stop again; twice does no harm", _SAFE_END if kind == "end" else 0.0
        body = {"kind": kind, "reason": reason}
        return self._tell(StopDone, "POST", "/api/stop", body, remedy=remedy, lasts=lasts)

    def lift(self, reason: str, stops: Sequence[str] = ()) -> Lifted:
        """Lift the stops of these ids, none = all that hold now; the reason stands in the ledger."""
        body: dict[str, Any] = {"reason": reason}
        if stops:
            body["stops"] = list(stops)
        remedy = "See what holds: pilothouse stop --status"
        return self._tell(Lifted, "POST", "/api/stop/lift", body, remedy=remedy)

    # stands

    def stands(self) -> list[Stand]:
        """All stands by name."""
        return self._ask(StandList, "/api/stands").stands

    def stand(self, name: str) -> Stand:
        """One stand: what belongs to it, who holds it and until when, and who waits."""
        return self._ask(Stand, f"/api/stands/{check_name('stand', name)}")

    def lease(
        self, name: str, do: LeaseAct, *, to: str = "", note: str = "", reason: str = "", force: bool = False
    ) -> Stand:
        """Take a stand, ask for it, give it to somebody, say no, release or extend it; the stand as it is then.

        What the lease does not allow raises Problem with status 423, which names the holder and until when.
        """
        body = {"do": do, "to": to, "note": note, "reason": reason, "force": force}
        path = f"/api/stands/{check_name('stand', name)}/lease"
        return self._tell(Stand, "POST", path, body, remedy="Look who holds it now")

    # lanes

    def lanes(self, node: str) -> LanesNow:
        """What runs on the lanes of a node and what waits, where it takes longer than a moment."""
        return self._ask(LanesNow, f"/api/nodes/{check_name('node', node)}/lanes")

    def cancel(self, id: str, *, reason: str = "") -> Cancelled:
        """Take back a command that waits for its device; raises Problem (409) when it does not wait (any more)."""
        if not is_id(id):
            raise BadName(f"{id[:80]!r} cannot be the id of a command")
        remedy = f"Look how it ended: pilothouse ledger {id}"
        return self._tell(Cancelled, "DELETE", f"/api/commands/{id}", {"reason": reason}, remedy=remedy)
