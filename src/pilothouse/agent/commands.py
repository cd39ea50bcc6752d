"""The down path: from a command on the bus to a device and back to its one honest end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from pilothouse.agent.admission import Act, Book, Refusal, Step, Write, no_thing, resolve
from pilothouse.agent.driving import NotOpen, Written
from pilothouse.agent.ending import STOPPING, Ending
from pilothouse.agent.lane import CallFailed, Done, NoAnswer, NotAsked
from pilothouse.agent.owned import Owned
from pilothouse.agent.words import at_time
from pilothouse.bus.messages import Command, End, Outcome, Why
from pilothouse.bus.subjects import Subjects
from pilothouse.clock import Clock
from pilothouse.errors import BadName

log = logging.getLogger(__name__)

_LOOK_EVERY = 0.1
"""Seconds between two readbacks while a property settles."""

_LEDGER_FULL = Refusal(
    End.REFUSED,
    Why.BUSY,
    "the ends of earlier commands cannot be put into the ledger, so no new one is taken",
    "Look what is wrong with the bus: pilothouse doctor",
)


class Ends(Protocol):
    """Where the ends of commands go: the ledger."""

    @property
    def full(self) -> bool:
        """Whether more is waiting than should."""
        ...

    def add(self, id: str, outcome: Outcome) -> None:
        """Take an end; `id` tells a repetition."""
        ...


class Commands:
    """Takes commands, does each at most once, and gives every one exactly one end."""

    def __init__(
        self,
        things: Mapping[str, Owned],
        ledger: Ends,
        subjects: Subjects,
        clock: Clock,
        step_down: Callable[[int], None],
    ) -> None:
        self.stopping = False
        self.book = Book("", 0)
        """Of this run; set once its epoch is known, before anything is served."""
        self._things = things
        self._ledger = ledger
        self._subjects = subjects
        self._clock = clock
        self._step_down = step_down
        self._running: dict[str, asyncio.Task[Outcome]] = {}

    async def handle(self, subject: str, command: Command) -> Outcome | None:
        """Answer a command; None = stay silent. The command runs on when whoever asked goes away."""
        taken = self.book.take(command, self._names(subject), self._clock.mono(), closed=self._closed())
        match taken.step:
            case Step.YIELD:
                self._step_down(command.epoch)
                return None
            case Step.ANSWER:
                assert taken.refusal is not None
                return Ending(command, self.book.epoch, self._clock).refused(taken.refusal)
            case Step.END:
                assert taken.refusal is not None
                return self._end(Ending(command, self.book.epoch, self._clock).refused(taken.refusal))
            case Step.AGAIN:
                running = self._running.get(command.id)
                return await asyncio.shield(running) if running else self.book.outcome(command.id)
        task = self._running[command.id] = asyncio.create_task(self._do(command))
        return await asyncio.shield(task)

    async def finish(self, seconds: float) -> None:
        """Take nothing new, and give what runs a moment to end; what does not is unknown."""
        self.stopping = True
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=seconds)
        left = list(self._running.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @property
    def running(self) -> int:
        """How many commands are being done."""
        return len(self._running)

    def _closed(self) -> Refusal | None:
        if self.stopping:
            return STOPPING
        return _LEDGER_FULL if self._ledger.full else None

    def _names(self, subject: str) -> tuple[str, str, str]:
        try:
            _, names = self._subjects.parse(subject)
            return names["node"], names["thing"], names["name"]
        except (BadName, KeyError):
            return "", "", ""

    async def _do(self, command: Command) -> Outcome:
        ending = Ending(command, self.book.epoch, self._clock)
        try:
            outcome = await self._ask(command, ending)
        except asyncio.CancelledError:
            outcome = ending.stopped()
        except Exception:  # edge: a fault of ours must not leave a command without its end
            log.exception("command %s on %s.%s", command.id, command.thing, command.name)
            outcome = ending.unknown("the agent made a mistake of its own while doing it; its log has the details")
        finally:
            del self._running[command.id]
        return self._end(outcome)

    def _end(self, outcome: Outcome) -> Outcome:
        if self.book.end(outcome):
            self._ledger.add(f"{outcome.id}-{outcome.epoch}", outcome)
        if outcome.end is not End.CONFIRMED:
            log.info("%s.%s %s: %s", outcome.thing, outcome.name, outcome.end, outcome.detail)
        return outcome

    async def _ask(self, command: Command, ending: Ending) -> Outcome:
        owned = self._things.get(command.thing)
        if owned is None:
            return ending.refused(no_thing(command.node, command.thing, self._things))
        if not owned.opened.is_set() and owned.lane.hang is None:
            await self._until_open(owned, command.deadline)
        asked = resolve(command, owned.thing, owned.description)
        if isinstance(asked, Refusal):
            return ending.refused(asked)
        if not owned.working and owned.health.retry_at and owned.lane.hang is None:
            return ending.refused(_no_device(owned))
        if isinstance(asked, Write):
            return await self._write(command, asked, owned, ending)
        return await self._act(command, asked, owned, ending)

    async def _until_open(self, owned: Owned, deadline: int) -> None:
        """A thing that is being opened for the first time is waited for, as long as the command lives."""
        left = deadline - self._clock.mono()
        waits = [asyncio.create_task(owned.opened.wait()), asyncio.create_task(self._clock.sleep(left / 1000))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _write(self, command: Command, asked: Write, owned: Owned, ending: Ending) -> Outcome:
        described = owned.description.properties[command.name]
        before = owned.wish(command.name, asked.plain, command.id)

        def later(end: Done | CallFailed) -> None:
            if isinstance(end, CallFailed):
                self._later(ending.failed(end))
                return
            outcome = ending.written(end.result, end.asked, asked.plain, described)
            if outcome.end is End.CONFIRMED or not described.settle:  # else nobody has watched it settle
                self._later(outcome)

        ending.on_lane = True
        try:
            done = await owned.write(command.name, asked.value, deadline=command.deadline, on_late=later)
        except NotAsked as error:
            owned.unwish(command.name, before, command.id)
            return ending.not_asked(error)
        except CallFailed as error:
            owned.poll_after()
            if isinstance(error.cause, NotOpen):
                owned.unwish(command.name, before, command.id)
            return ending.failed(error)
        except NoAnswer as error:
            owned.fail(error)
            return ending.no_answer(error)
        outcome = await self._settled(command, asked, owned, ending, done)
        owned.poll_after()
        return outcome

    async def _settled(self, command: Command, asked: Write, owned: Owned, ending: Ending, done: Done) -> Outcome:
        """Read back until the property shows what was written, or its time to settle is over."""
        described = owned.description.properties[command.name]
        written: Written = done.result
        first, until = done.asked, done.mono + round(described.settle * 1000)
        while True:
            owned.take(written.values, done)
            outcome = ending.written(written, first, asked.plain, described)
            if outcome.end is End.CONFIRMED or self._clock.mono() >= until:
                return outcome
            await self._clock.sleep(min(_LOOK_EVERY, described.settle))
            try:
                done = await owned.read_back(command.name)
                written = Written(done.result)
            except CallFailed as error:
                owned.fail(error)
                return ending.unread(error)
            except NoAnswer as error:
                owned.fail(error)
                return ending.unknown(f"the device took the value, and then {error.what}")
            except NotAsked as error:
                return ending.unknown(f"the device took the value; it could not be read back, for {error.what}")

    async def _act(self, command: Command, asked: Act, owned: Owned, ending: Ending) -> Outcome:
        def later(end: Done | CallFailed) -> None:
            self._later(ending.failed(end) if isinstance(end, CallFailed) else ending.acted(end.result, end.asked))

        ending.on_lane = True
        try:
            done = await owned.act(command.name, asked.arguments, deadline=command.deadline, on_late=later)
        except NotAsked as error:
            return ending.not_asked(error)
        except CallFailed as error:
            owned.poll_after()
            return ending.failed(error)
        except NoAnswer as error:
            owned.fail(error)
            return ending.no_answer(error)
        owned.poll_after()
        return ending.acted(done.result, done.asked)

    def _later(self, outcome: Outcome) -> None:
        """The driver came back after its command had ended as unknown: say the later truth in the ledger."""
        self._ledger.add(f"{outcome.id}-{outcome.epoch}-later", outcome)
        log.info("%s.%s was unknown and is %s after all", outcome.thing, outcome.name, outcome.end)


def _no_device(owned: Owned) -> Refusal:
    detail = f"the device has not answered since {at_time(owned.health.since)}: {owned.health.error}"
    return Refusal(End.REFUSED, Why.DEVICE, detail, f"It is tried again at {at_time(owned.health.retry_at)}")
