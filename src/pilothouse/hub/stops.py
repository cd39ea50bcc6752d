"""Stop: sent at once to all nodes, and held to until somebody lifts it.

The bus comes first; record and ledger are written beside it, and nothing that fails there delays a stop. `hub.obeying`
sees to it that nodes and hubs that were away meanwhile hold the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any, Literal

from msgspec import Struct

from pilothouse.bus import Subjects
from pilothouse.bus.messages import Latch, StopOrder, Stopped
from pilothouse.errors import BusDown, RecordError
from pilothouse.hub.directory import NodeLife
from pilothouse.hub.holding import MOST
from pilothouse.hub.live import Live
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import Site
from pilothouse.model import is_id, new_id
from pilothouse.record import Act, StopRecord

log = logging.getLogger(__name__)

_ANSWER = {"hard": 2.0, "end": 12.0, "lift": 2.0}
"""Seconds that the answers of nodes are waited for; a safe end answers when what runs has come to its end."""
_NOBODY = 0.3
"""Seconds that is waited for answers when no node is known to be here."""
_DISK = 1.0
"""Seconds that the answer waits for the record beyond that."""
_NO_LINK = "The hub has no link to the bus"
_REASON = 1000
"""Letters of a reason that are kept."""
_BY_HAND = "Use the emergency stop at the bench"


class NodeStopped(Struct, frozen=True, kw_only=True):
    """What a node answered."""

    node: str
    outputs: int = 0
    """Outputs that have a safe value."""
    mistakes: list[str] = []
    """What may not be safe, and why, one sentence a thing."""
    took_ms: float = 0.0


class Pressed(Struct, frozen=True, kw_only=True):
    """What became of a stop."""

    id: str
    kind: str
    nodes: list[NodeStopped]
    """Nodes that answered."""
    silent: list[str]
    """Nodes that are here and did not answer; they are told again."""
    note: str = ""
    """What else people must know, in one sentence."""


class Lifted(Struct, frozen=True, kw_only=True):
    """What became of a lift."""

    lifted: list[str]
    """Stops that it lifted."""
    still: list[str]
    """Stops that hold on."""
    nodes: list[NodeStopped]
    silent: list[str]
    """Nodes that are here and did not answer; they are told again."""
    note: str = ""


class Holds(Struct, frozen=True, kw_only=True):
    """A stop that holds."""

    id: str
    kind: Literal["hard", "end"]
    """"hard": outputs are safe at once. "end": what runs came to its end first."""
    time: int
    """When it was pressed, Unix milliseconds."""
    who: str
    origin: str
    reason: str
    nodes: list[str]
    """Nodes that say they obey it."""


class StopNow(Struct, frozen=True, kw_only=True):
    """Which stops hold."""

    time: int
    """The hub's clock."""
    stops: list[Holds]
    """Oldest first; [] = none."""
    missing: list[str]
    """Nodes that are here and do not obey all of them yet."""


class Stops:
    """The stops of a site; what holds is in `site.holding`."""

    def __init__(self, site: Site, live: Live) -> None:
        self._site = site
        self._live = live
        self._subject = Subjects(site.config.site.name).stop()
        self.record = StopRecord(site.ledger.database)
        self.told: dict[str, int] = {}
        """When each node was last told something, monotonic milliseconds."""
        self.look = asyncio.Event()
        """Set when it should be looked at once whether nodes obey."""
        self._unsent: dict[str, StopOrder] = {}
        """Orders that the bus did not take."""
        self._unwritten: dict[str, Latch] = {}
        """Stops that are not in the record yet, as far as is known."""
        self._writing: asyncio.Task[Any] | None = None
        self._record_ok = True
        self._tasks: set[asyncio.Task[Any]] = set()

    # pressed and lifted here

    async def press(self, kind: Literal["hard", "end"], *, who: str, origin: str, reason: str = "") -> Pressed:
        """Stop the site; a caller that goes away changes nothing.

        Raises WebError (503) when it could not be sent; then it holds all the same, and is sent when the link is back.
        """
        return await asyncio.shield(self._spawn(self._press(kind, who, origin, reason)))

    async def _press(self, kind: Literal["hard", "end"], who: str, origin: str, reason: str) -> Pressed:
        now, bus = self._site.clock.now(), self._site.bus
        latch = Latch(id=new_id(now), kind=kind, time=now, who=who, origin=origin, reason=_clean(reason))
        linked = bus is not None and bus.up
        sending = self._spawn(self._ask(order_of(latch)))
        await asyncio.sleep(0)  # it is on the bus now
        self.hold(latch)
        log.warning("%s pressed stop (%s) through %s: %s", who, kind, origin, reason or "no reason given")
        writing = self.write_soon()
        try:
            nodes, silent = await sending
        except BusDown as error:
            what = "Nobody can say whether the stop got through" if linked else "Stop was not sent"
            why = f"{error.what}; it holds, and is sent when the link is back"
            await asyncio.wait((writing,), timeout=_DISK)
            raise WebError(503, "bus-down", what, why=why, remedy=_BY_HAND) from None
        await asyncio.wait((writing,), timeout=_DISK)
        written = latch.id not in self._unwritten
        note = "" if written else "It is not in the record yet: the record cannot be written now"
        return Pressed(id=latch.id, kind=kind, nodes=nodes, silent=silent, note=note)

    async def lift(self, ids: Sequence[str] = (), *, who: str, origin: str, reason: str) -> Lifted:
        """Lift these stops, all that hold now when none is named; a stop that is pressed meanwhile holds.

        Raises WebError (422 without a reason, 404 for a stop that never was) or RecordError; then none is lifted.
        """
        if not reason.strip():
            raise WebError(422, "bad-value", "A stop is lifted with a reason", remedy="Say why it is safe to go on")
        self._check(ids)
        return await asyncio.shield(self._spawn(self._lift(ids, who, origin, _clean(reason))))

    def _check(self, ids: Sequence[str]) -> None:
        strange = [id for id in ids if not self._site.holding.knows(id)]
        if strange:
            what = f"There is no stop {strange[0][:64]!r}"
            raise WebError(404, "not-there", what, remedy="Which stops hold: GET /api/stop")

    async def _lift(self, named: Sequence[str], who: str, origin: str, reason: str) -> Lifted:
        held = [latch.id for latch in self._site.holding.latches]
        ids = [id for id in held if id in named or not named]
        if not ids:
            return Lifted(lifted=[], still=held, nodes=[], silent=[], note="It was lifted already")
        now = self._site.clock.now()
        order = StopOrder(
            kind="lift", id=new_id(now), time=now, who=who, origin=origin, reason=reason, lifts=tuple(ids)
        )
        # A stop that a broken record has never seen could come back from it as one that holds.
        if not await self.write():
            raise RecordError("The stop was not lifted", why="the record cannot be written", remedy="pilothouse doctor")
        await self.record.lift(ids, _lift_of(order, ids))
        self.let_go(ids)
        log.warning("%s lifted %d stops through %s: %s", who, len(ids), origin, reason)
        nodes, silent, note = await self._ask_to_lift(order)
        still = [latch.id for latch in self._site.holding.latches]
        return Lifted(lifted=ids, still=still, nodes=nodes, silent=silent, note=note)

    async def _ask_to_lift(self, order: StopOrder) -> tuple[list[NodeStopped], list[str], str]:
        try:
            return *await self._ask(order), ""
        except BusDown:
            return [], [], f"{_NO_LINK}: nodes are told when it is back"

    async def _ask(self, order: StopOrder) -> tuple[list[NodeStopped], list[str]]:
        """Send to all, and who answered what; raises BusDown, and then it is sent with the next link."""
        site, here = self._site, self.here()
        for node in here:
            self.told[node] = site.clock.mono()
        wait = _ANSWER[order.kind] if here else _NOBODY
        try:
            if site.bus is None:
                raise BusDown(_NO_LINK)
            answers = await site.bus.ask_all(self._subject, order, Stopped, wait, enough=max(1, len(here)))
        except BusDown as error:
            if len(self._unsent) < MOST:
                self._unsent[order.id] = order
            log.error("a stop, or its lifting, could not be sent: %s", error)
            raise
        found = {answer.node: answer for answer in answers}
        return [_answer_of(found[node]) for node in sorted(found)], sorted(here.keys() - found.keys())

    # what holds

    def shown(self) -> StopNow:
        """What holds now, and who obeys."""
        here, holding = self.here(), self._site.holding
        obeying = {view.node: {latch.id for latch in view.stops} for view in self._site.directory.nodes()}
        stops = [
            Holds(
                id=latch.id,
                kind=latch.kind,
                time=latch.time,
                who=latch.who,
                origin=latch.origin,
                reason=latch.reason,
                nodes=[node for node, ids in obeying.items() if latch.id in ids],
            )
            for latch in holding.latches
        ]
        return StopNow(time=self._site.clock.now(), stops=stops, missing=holding.missing(here))

    def lift_for(self, node: str, ids: Sequence[str]) -> StopOrder:
        """What is said to a node that obeys stops that were lifted."""
        return self._own_lift(ids, "it was lifted before", node)

    def _own_lift(self, ids: Sequence[str], reason: str, node: str = "") -> StopOrder:
        now = self._site.clock.now()
        return StopOrder(
            kind="lift", id=new_id(now), time=now, who="hub", origin="hub", reason=reason, lifts=tuple(ids), node=node
        )

    def here(self) -> dict[str, list[Latch]]:
        """What nodes that are here say they obey."""
        nodes = self._site.directory.nodes()
        return {view.node: view.stops for view in nodes if view.life is NodeLife.HERE}

    def hold(self, latch: Latch) -> None:
        """From now on it holds here, unless it was lifted; the record is told with the next `write`."""
        if not self._site.holding.press(latch):
            return
        self._unwritten[latch.id] = latch
        self._live.hub_changed()
        old = self._site.holding.too_many()
        if old:
            # Agents let go of the oldest in the same way.
            order = self._own_lift(old, f"there were more than {MOST} stops, and the newest hold")
            self.let_go(old)
            self._spawn(self._note_lift(order, old))

    def let_go(self, ids: Sequence[str]) -> None:
        """These stops do not hold any more, and never will again."""
        for id in ids:
            self._unsent.pop(id, None)
        if self._site.holding.lift(ids):
            self._live.hub_changed()

    # what is heard

    def heard(self, order: StopOrder) -> None:
        """Somebody pressed or lifted: another hub, or a program on the bus."""
        if order.kind == "lift":
            ids = [id for id in order.lifts if is_id(id)]
            held = {latch.id for latch in self._site.holding.latches}
            self.let_go(ids)
            if held.intersection(ids):
                self._spawn(self._note_lift(order, ids))
        elif is_id(order.id):
            self.hold(_latch_of(order))
            self.look.set()

    # the record

    def write_soon(self) -> asyncio.Task[Any]:
        """Begin to write down what is not in the record yet; nobody need wait for a disk that hangs."""
        if self._writing is None or self._writing.done():
            self._writing = self._spawn(self.write())
        return self._writing

    async def write(self) -> bool:
        """Write down what is not in the record yet; what that says was lifted holds no more. False = it cannot now."""
        while self._unwritten:
            latch = next(iter(self._unwritten.values()))
            try:
                line = await self.record.press(latch)
            except RecordError as error:
                if self._record_ok:
                    self._record_ok = False
                    log.error("a stop holds that is not in the record; it is tried again: %s", error)
                return False
            self._record_ok = True
            self._unwritten.pop(latch.id, None)
            if line.lifted_time:
                self.let_go([latch.id])
        return True

    async def _note_lift(self, order: StopOrder, ids: Sequence[str]) -> None:
        await self.write()
        try:
            await self.record.lift(ids, _lift_of(order, ids))
        except RecordError as error:
            log.error("that %s lifted a stop is not in the record: %s", order.who, error)

    async def catch_up(self) -> None:
        """The link is back: send what could not be sent. Raises BusDown when it is gone again."""
        for order in list(self._unsent.values()):
            await self.publish(order)
            self._unsent.pop(order.id, None)
        self.look.set()

    async def publish(self, order: StopOrder) -> None:
        """Send without waiting for answers; raises BusDown."""
        if self._site.bus is None:
            raise BusDown(_NO_LINK)
        await self._site.bus.publish(self._subject, order)

    # life

    async def close(self) -> None:
        """Finish what was begun."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked is told, and may have gone away


def order_of(latch: Latch, node: str = "") -> StopOrder:
    """A stop as it is sent: to all, or to one node that has missed it."""
    return StopOrder(
        kind=latch.kind,
        id=latch.id,
        time=latch.time,
        who=latch.who,
        origin=latch.origin,
        reason=latch.reason,
        node=node,
    )


def _latch_of(order: StopOrder) -> Latch:
    kind: Literal["hard", "end"] = "end" if order.kind == "end" else "hard"
    return Latch(id=order.id, kind=kind, time=order.time, who=order.who, origin=order.origin, reason=order.reason)


def _lift_of(order: StopOrder, ids: Sequence[str]) -> Act:
    return Act(
        id=order.id,
        name="lift",
        who=order.who,
        origin=order.origin,
        reason=order.reason,
        made=order.time,
        input={"stops": list(ids)},
    )


def _clean(reason: str) -> str:
    """What can be sent and written whatever it is: no reason is too odd for a stop."""
    return reason.strip()[:_REASON].encode("utf-8", "replace").decode()


def _answer_of(answer: Stopped) -> NodeStopped:
    return NodeStopped(node=answer.node, outputs=answer.outputs, mistakes=list(answer.mistakes), took_ms=answer.took_ms)
