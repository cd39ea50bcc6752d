"""Stop: outputs go safe at once whatever is full, hangs or is cut off, and stay so until somebody lifts that stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, Protocol

import msgspec

from pilothouse.agent.lane import LaneStopped
from pilothouse.agent.owned import Owned
from pilothouse.agent.second_path import SecondPath
from pilothouse.agent.stop_file import StopFile
from pilothouse.agent.words import at_time
from pilothouse.bus.messages import Latch, StopOrder, Stopped
from pilothouse.clock import Clock
from pilothouse.guard.latch import Latches

log = logging.getLogger(__name__)

ENDING = 10.0
"""Seconds that a safe end leaves to what runs and waits."""
_LOOK_EVERY = 0.05
PATIENCE = 1.0
"""Seconds after which whoever pressed stop is told what has not answered; it is tried on all the same."""
_ID_LENGTH, _WHO_LENGTH, _REASON_LENGTH = 64, 100, 300
_ANSWERS = 64
"""Orders whose answers are remembered, for the same order may come again."""


Say = Callable[[], Coroutine[Any, Any, None]]


class Acts(Protocol):
    """What stopping needs of the commands."""

    async def own(self, thing: str, names: Collection[str] | None, origin: str, reason: str) -> str:
        """Make outputs safe (None = all) as a command of the agent's own; "" or what may not be safe, and why."""
        ...

    def running_writes(self) -> int:
        """How many commands run or wait."""
        ...


class Halting:
    """The stops of one node; see the module's text. `say` says presence, in which they stand."""

    def __init__(
        self, node: str, things: Mapping[str, Owned], acts: Acts, file: StopFile, clock: Clock, say: Say
    ) -> None:
        self.epoch = 0
        """Of this run."""
        self._node = node
        self._things = things
        self._acts = acts
        self._file = file
        self._clock = clock
        self._say = say
        self._latches: Latches[Latch] = Latches()
        self._answers: dict[str, asyncio.Task[Stopped]] = {}
        self._paths: dict[str, SecondPath] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def load(self) -> None:
        """Obey what was pressed before this run; call it before a device is opened and before anything is served."""
        self._latches = self._file.load()
        for latch in self._latches.records:
            log.warning("%s; it holds until somebody lifts it", pressed(latch))

    # what holds

    def holds(self) -> Latch | None:
        """The stop that stands against commands; a hard one before a safe end."""
        records = self._latches.records
        return next((latch for latch in records if latch.kind == "hard"), records[0] if records else None)

    def stops(self) -> tuple[Latch, ...]:
        """All stops that hold, the oldest first."""
        return self._latches.records

    def _ids(self) -> tuple[str, ...]:
        return tuple(latch.id for latch in self.stops())

    # orders

    async def handle(self, _subject: str, order: StopOrder) -> Stopped | None:
        """Obey an order, also without a bus; answers when the outputs are safe, or it is known that some may not be.

        The same order again gets the same answer, and nothing is done a second time.
        """
        if order.node not in ("", self._node):
            return None
        found = self._answers.get(order.id)
        if found is None:
            found = self._answers[order.id] = asyncio.create_task(self._obey(order), name=f"{order.kind} {order.id}")
            self._forget()
        answer = await asyncio.shield(found)
        return msgspec.structs.replace(answer, stops=self._ids())

    async def finish(self) -> None:
        """The agent ends: nothing of this goes on."""
        tasks = [*self._tasks, *self._answers.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self) -> None:
        for id in [id for id, task in self._answers.items() if task.done()][: max(0, len(self._answers) - _ANSWERS)]:
            del self._answers[id]

    async def _obey(self, order: StopOrder) -> Stopped:
        began = self._clock.fine()
        mistakes: list[str] = []
        if order.kind == "lift":
            mistakes = await self._lift(order)
        else:
            latch = _latch(order)
            if self._latches.press(latch):
                mistakes = await self._stop(latch)
        return Stopped(
            node=self._node,
            epoch=self.epoch,
            stops=self._ids(),
            outputs=sum(len(_outputs(owned)) for owned in self._things.values()),
            mistakes=tuple(mistakes),
            took_ms=round(self._clock.fine() - began, 1),
        )

    async def _lift(self, order: StopOrder) -> list[str]:
        for latch in self._latches.lift(id for id in order.lifts if len(id) <= _ID_LENGTH):
            log.warning(
                "%s lifts the stop of %s: %s", order.who[:_WHO_LENGTH], latch.who, order.reason[:_REASON_LENGTH]
            )
        self._spawn(self._say())
        why = await self._file.keep(self._latches)
        return [f"the lifting could not be kept ({why}), so the stop will hold again after a restart"] if why else []

    # stopping

    async def _stop(self, latch: Latch) -> list[str]:
        reason = pressed(latch)
        log.warning("%s", reason)
        if latch.kind == "end":
            kept = self._tell()
            await self._ended()
            safe = self._make_safe(reason)
        else:
            safe = self._make_safe(reason)
            kept = self._tell()  # after the outputs: neither the disk nor the bus is waited for before them
        mistakes = [text for text in await asyncio.gather(*safe) if text]
        done, _ = await asyncio.wait((kept,), timeout=PATIENCE)
        why = kept.result() if done else "the disk does not answer"
        if why:
            mistakes.append(f"the stop could not be kept ({why}), so it would not hold after a restart")
        return mistakes

    def _tell(self) -> asyncio.Task[str]:
        self._spawn(self._say())
        return self._spawn(self._file.keep(self._latches))

    async def _ended(self) -> None:
        """Let what runs and waits come to its end, for a while."""
        until = self._clock.mono() + round(ENDING * 1000)
        while self._acts.running_writes() and self._clock.mono() < until:
            await self._clock.sleep(_LOOK_EVERY)

    def _make_safe(self, reason: str) -> list[asyncio.Task[str]]:
        """Take back every command that waits, and begin with all things at once."""
        things = [owned for owned in self._things.values() if _outputs(owned)]
        begun = [self._spawn(self._thing_safe(owned, reason)) for owned in things]
        # After those are on their way: telling what is taken back takes a while when it is much.
        for owned in self._things.values():
            owned.lane.drop_waiting(LaneStopped(reason), keep=lambda by: not by.id)
        return begun

    async def _thing_safe(self, owned: Owned, reason: str) -> str:
        """Gives what may not be safe, and why; goes on with it after that."""
        own = self._spawn(self._acts.own(owned.name, None, "stop", reason))
        path = self._path(owned) if owned.lane.running() else None
        if path is not None:
            await asyncio.wait((own, path), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if path.done() and not path.result():
                return ""
        await asyncio.wait((own,), timeout=PATIENCE)
        said = own.result() if own.done() else f"{owned.name} may not be safe: its outputs do not show it yet"
        path = path or (self._path(owned) if said else None)
        if said and path is not None:
            await asyncio.wait((path,), timeout=PATIENCE)
        return said and _mistake(owned, path, said)

    def _path(self, owned: Owned) -> asyncio.Future[str] | None:
        """Take the thing's second path, if it has one."""
        if not owned.description.second_path:
            return None
        if owned.name not in self._paths:
            self._paths[owned.name] = SecondPath(owned.thing)
        return self._paths[owned.name].take()

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _latch(order: StopOrder) -> Latch:
    """What is kept of an order: presence carries it, and must stay small whatever somebody writes into it."""
    return Latch(
        id=order.id[:_ID_LENGTH],
        kind="end" if order.kind == "end" else "hard",
        time=order.time,
        who=order.who[:_WHO_LENGTH],
        origin=order.origin[:_WHO_LENGTH],
        reason=order.reason[:_REASON_LENGTH],
    )


def pressed(latch: Latch) -> str:
    """Who pressed it and why, in one sentence."""
    what = "pressed stop" if latch.kind == "hard" else "asked for a safe end"
    return f"{latch.who} {what} at {at_time(latch.time)}" + (f": {latch.reason}" if latch.reason else "")


def _outputs(owned: Owned) -> list[str]:
    properties = owned.description.properties
    return [name for name, described in properties.items() if described.writable and described.has_safe]


def _mistake(owned: Owned, path: asyncio.Future[str] | None, said: str) -> str:
    """What to say of a thing that was not made safe on its lane."""
    if path is not None and path.done() and not path.result():
        return ""  # its second path did it
    running = owned.lane.running()
    if running is not None:
        driver = "its driver" if running.thing == owned.name else f"the driver of {running.thing}, on the same lane,"
        said = f"{owned.name} may not be safe: {driver} has not answered since {at_time(running.since)}"
    if path is None:
        return f"{said} and it has no second path" if running else said
    return f"{said}; its second path failed: {path.result() if path.done() else 'it has not come back'}"
