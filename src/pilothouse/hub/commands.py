"""The way down: a wish over HTTP becomes a line of the ledger, then a command on the bus, then an honest end.

The order is the point: the intent is on the disk before the bus sees the command, and one id is never sent twice.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import msgspec

from pilothouse.bus.messages import Command, End, Outcome, Why
from pilothouse.bus.subjects import Subjects
from pilothouse.errors import BadMessage, BusDown, NodeAway, NotThere, RecordError, TimedOut, nearest
from pilothouse.hub.answers import outcome_of
from pilothouse.hub.directory import NodeLife
from pilothouse.hub.live import Live
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import Site
from pilothouse.model import Address, Value
from pilothouse.record.rows import Intent, Line
from pilothouse.rights import MayNot

log = logging.getLogger(__name__)

RUNNING = 5000
"""Commands that are on their way through one hub at most; one more is told to come back."""
_GRACE = 1.0
"""Seconds beyond its time to live that the answer of a command is waited for."""
_LOOK_AGAIN = 0.05
_HOLD = 0.005
"""Seconds that an end waits for the next intent, to share its flush to the disk."""
_LOOK_AT_AGENT = "Look whether its agent runs and has a link to the bus."
_UNTOLD = "Look at the device; what the node says later is added to the ledger."


class Wish(NamedTuple):
    """What somebody wants done, before anything was checked."""

    id: str
    address: Address
    kind: Literal["property", "action"]
    name: str
    input: Value
    who: str
    origin: str
    reason: str
    ttl: float
    """Seconds."""
    confirmation: str = ""
    """The token that the agent gave for exactly this command, where it needs one."""
    denied: MayNot | None = None
    """Why whoever wishes it may not; then it is only written down, with that end."""


class Ended(NamedTuple):
    """How it ended, and whether this was the answer to an earlier call with the same id."""

    outcome: Outcome
    replayed: bool


class Commands:
    """All commands that go through this hub."""

    def __init__(self, site: Site, live: Live) -> None:
        self._site = site
        self._live = live
        self._subjects = Subjects(site.config.site.name)
        self._running: dict[str, tuple[Wish, asyncio.Task[Ended]]] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self._held: list[Outcome] = []
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self.record_ok = True
        """Whether the last attempt to write into the ledger worked."""

    async def run(self, wish: Wish) -> Ended:
        """Do what is wished, at most once, and say how it ended.

        Raises NotThere (nothing is written then), RecordError (nothing was sent then), and WebError when the id
        belongs to another command or too many are on their way. A caller that goes away changes nothing.
        """
        running = self._running.get(wish.id)
        if running is not None:
            _check_same(wish, running[0])
            ended = await asyncio.shield(running[1])
            return Ended(ended.outcome, replayed=True)
        patience = self._patience(wish)
        if self._closing or len(self._running) >= RUNNING:
            raise WebError(503, "busy", "The hub takes no more commands now", remedy="Send it again in a moment")
        task = asyncio.create_task(self._through(wish, wish.ttl + patience + _GRACE))
        self._running[wish.id] = (wish, task)
        task.add_done_callback(lambda done: self._forget(wish.id, done))
        return await asyncio.shield(task)

    def wish_of(self, id: str) -> Wish | None:
        """The wish behind a command of this id that is on its way through this hub."""
        running = self._running.get(id)
        return running[0] if running is not None else None

    async def close(self, within: float = 1.0) -> None:
        """Take nothing new, and wait at most `within` seconds for what is on its way and for the ledger."""
        self._closing = True
        running = [task for _, task in self._running.values()]
        if running:
            await asyncio.wait(running, timeout=within)

    async def settle(self) -> None:
        """Wait until every command has its end, and every end stands in the ledger; the bus is closed by now."""
        while self._running or self._writing or self._held:
            self._write_held()
            await asyncio.wait([*(task for _, task in self._running.values()), *self._writing])

    def _patience(self, wish: Wish) -> float:
        """Seconds that the device itself may take once it is asked, by its description; raises NotThere."""
        description = self._site.directory.description(wish.address)
        if wish.kind == "property":
            described = description.properties.get(wish.name)
            if described is not None:
                return described.settle
            names = list(description.properties)
        else:
            called = description.actions.get(wish.name)
            if called is not None:
                return called.timeout
            names = list(description.actions)
        raise NotThere(f"{wish.address} has no {wish.kind} {wish.name[:63]!r}", nearest=nearest(wish.name, names))

    def _forget(self, id: str, task: asyncio.Task[Ended]) -> None:
        del self._running[id]
        if not task.cancelled():
            task.exception()  # whoever asked may have gone away, and nobody else is to be told

    async def _through(self, wish: Wish, timeout: float) -> Ended:
        site, clock = self._site, self._site.clock
        made, mono = clock.now(), clock.mono()
        epoch, deadline = site.directory.deadline(wish.address.node, wish.ttl, mono=mono)
        known = await self._intend(wish, made=made, epoch=epoch)
        if known is not None:
            _check_same(wish, known)
            return Ended(await self._earlier(known, timeout), replayed=True)
        try:
            outcome = await self._send(wish, epoch, deadline, timeout)
        except Exception:  # edge: what is in the ledger as begun must get an end, whatever we did wrong
            log.exception("command %s broke in the hub", wish.id)
            outcome = self._unknown(wish, epoch, "The hub made a mistake while it was sent.")
        if outcome.end is End.CONFIRMED and wish.kind == "property":
            site.revision += 1
            self._live.changed(site.directory.confirmed(outcome))
        self._live.ended(outcome)
        await self._write(outcome)
        return Ended(outcome, replayed=False)

    async def _intend(self, wish: Wish, *, made: int, epoch: int) -> Line | None:
        intent = Intent(
            id=wish.id,
            node=wish.address.node,
            thing=wish.address.thing,
            kind=wish.kind,
            name=wish.name,
            input=wish.input,
            who=wish.who,
            origin=wish.origin,
            reason=wish.reason,
            made=made,
            ttl=wish.ttl,
            epoch=epoch,
        )
        if self._held:
            self._write_held()
            await asyncio.sleep(0)  # they are in the ledger's queue now, before the intent, and share its flush
        try:
            known = await self._site.ledger.intend(intent)
        except RecordError as error:
            self.record_ok = False
            raise RecordError(
                "The command was not sent, because the record cannot be written",
                why=str(error),
                remedy=error.remedy or "See what is wrong with: pilothouse doctor",
            ) from None
        self.record_ok = True
        return known

    async def _send(self, wish: Wish, epoch: int, deadline: int, timeout: float) -> Outcome:
        if wish.denied is not None:
            what = f"{wish.denied.what}: {wish.denied.why}."
            return self._outcome(wish, epoch, End.REFUSED, Why.RIGHTS, what, f"{wish.denied.remedy}.")
        bus, (node, thing) = self._site.bus, wish.address
        if bus is None or not bus.up:
            return self._refused(wish, epoch, "The hub has no link to the bus.", "It is tried again by itself.")
        view = self._site.directory.node(node)
        if view.life is not NodeLife.HERE:
            gone = "has left" if view.life is NodeLife.LEFT else "is away"
            return self._refused(wish, epoch, f"Node {node} {gone}{_since(view.since)}.", _LOOK_AT_AGENT)
        command = Command(
            id=wish.id,
            node=node,
            epoch=epoch,
            thing=thing,
            kind=wish.kind,
            name=wish.name,
            input=wish.input,
            deadline=deadline,
            who=wish.who,
            origin=wish.origin,
            reason=wish.reason,
            confirmation=wish.confirmation,
        )
        subject = self._subjects.command(node, thing, wish.name)
        self._site.stands.used(wish.address, wish.who)  # what it has to tell the bus comes after the command
        try:
            return await bus.request(subject, command, Outcome, timeout)
        except NodeAway:
            return self._refused(wish, epoch, f"Node {node} is away: nobody listens there.", _LOOK_AT_AGENT)
        except BusDown as error:
            if self._closing:
                return self._unknown(wish, epoch, "The hub stopped before the answer came.")
            return self._refused(wish, epoch, f"It was not sent: {error.what}.", error.remedy)
        except TimedOut:
            return self._unknown(wish, epoch, f"Node {node} did not say in time what became of it.")
        except BadMessage as error:
            return self._unknown(wish, epoch, f"The answer of node {node} could not be read: {error}")

    def _refused(self, wish: Wish, epoch: int, detail: str, remedy: str) -> Outcome:
        return self._outcome(wish, epoch, End.REFUSED, Why.AWAY, detail, remedy)

    def _unknown(self, wish: Wish, epoch: int, detail: str) -> Outcome:
        return self._outcome(wish, epoch, End.UNKNOWN, Why.TIME, detail, _UNTOLD)

    def _outcome(self, wish: Wish, epoch: int, end: End, why: Why, detail: str, remedy: str) -> Outcome:
        return Outcome(
            id=wish.id,
            node=wish.address.node,
            epoch=epoch,
            thing=wish.address.thing,
            name=wish.name,
            end=end,
            why=why,
            detail=detail,
            remedy=remedy,
            ended=self._site.clock.now(),
        )

    async def _earlier(self, line: Line, timeout: float) -> Outcome:
        """How a command ended that was sent before; waits up to `timeout` seconds for an end that is still to come."""
        clock, found = self._site.clock, line
        limit = clock.mono() + timeout * 1000
        while found.end == "" and clock.mono() < limit:
            await clock.sleep(_LOOK_AGAIN)
            found = await self._site.ledger.line(line.id) or found
        if found.end:
            return outcome_of(found)
        return Outcome(
            id=line.id,
            node=line.node,
            epoch=line.epoch,
            thing=line.thing,
            name=line.name,
            end=End.UNKNOWN,
            why=Why.TIME,
            detail="It was sent before, and nobody has told how it ended.",
            remedy=_UNTOLD,
        )

    async def _write(self, outcome: Outcome) -> None:
        """Have an end written down. The answer does not wait for the disk, unless too many ends wait for it."""
        if len(self._writing) + len(self._held) >= RUNNING:
            self._write_held()
            await asyncio.wait(self._writing, return_when=asyncio.FIRST_COMPLETED)
        self._held.append(outcome)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_HOLD, self._write_held)

    def _write_held(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held, self._held = self._held, []
        if held:
            task = asyncio.create_task(self._end(held))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _end(self, held: list[Outcome]) -> None:
        try:
            await self._site.ledger.end_some(held)
            self.record_ok = True
        except RecordError as error:
            # The agent tells its end by the bus too, and the keeper writes it down from there.
            self.record_ok = False
            log.error("the ends of %d commands could not be written down: %s", len(held), error)


def _since(time: int) -> str:
    """ " since 2026-11-21 12:03 UTC", "" when nobody knows."""
    return f" since {datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d %H:%M} UTC" if time else ""


def _check_same(wish: Wish, known: Wish | Line) -> None:
    """Raise WebError (422) when the id of `wish` was used for something else."""
    node, thing = (known.node, known.thing) if isinstance(known, Line) else known.address
    before = (node, thing, known.kind, known.name, known.input, known.who)
    asked = (*wish.address, wish.kind, wish.name, wish.input, wish.who)
    # As bytes, for Python takes true for 1.
    if msgspec.json.encode(before) != msgspec.json.encode(asked):
        raise WebError(
            422,
            "key-reused",
            f"The key {wish.id} belongs to another command",
            why="the same Idempotency-Key came before with another target, input or person",
            remedy="Send every new command with a new key, or without one",
        )
