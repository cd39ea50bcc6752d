"""The down path: from a command on the bus to a device and back to its one honest end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping

from pilothouse.agent.admission import Act, Book, Refusal, Step, Write, no_thing, resolve
from pilothouse.agent.driving import NotOpen, Opened, Written
from pilothouse.agent.ending import STOPPING, Ending
from pilothouse.agent.gate import Gate, OpenGate, is_safe
from pilothouse.agent.lane import By, CallFailed, Done, NoAnswer, NotAsked
from pilothouse.agent.own import Ends, Own
from pilothouse.agent.owned import Owned
from pilothouse.agent.settle import settled
from pilothouse.agent.words import at_time
from pilothouse.bus.messages import Command, End, Outcome, Why
from pilothouse.bus.subjects import Subjects
from pilothouse.clock import Clock
from pilothouse.errors import BadName

log = logging.getLogger(__name__)

_LEDGER_FULL = Refusal(
    End.REFUSED,
    Why.BUSY,
    "the ends of earlier commands cannot be put into the ledger, so no new one is taken",
    "Look what is wrong with the bus: pilothouse doctor",
)


class Commands:
    """Takes commands, does each at most once, and gives every one exactly one end."""

    def __init__(
        self,
        things: Mapping[str, Owned],
        ledger: Ends,
        subjects: Subjects,
        clock: Clock,
        step_down: Callable[[int], None],
        gate: Gate | None = None,
    ) -> None:
        self.stopping = False
        self.after_kill = False
        """Whether the run of the agent before did not come to its end, so that outputs may have stayed on."""
        self.book = Book("", 0)
        """Of this run; set once its epoch is known, before anything is served."""
        self._things = things
        self._ledger = ledger
        self._subjects = subjects
        self._clock = clock
        self._step_down = step_down
        self._gate = gate or OpenGate()
        self._turning: dict[str, tuple[str, str]] = {}
        """Commands on the lanes that turn an output on: (thing, name) by id."""
        self._own = Own(things, ledger, clock, lambda: self.book.epoch, turning=self._turning, gate=self._gate)
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

    async def own(self, thing: str, names: Collection[str] | None, origin: str, reason: str) -> str:
        """Have outputs go safe by a command of the agent's own, before all that waits; see Own.make_safe."""
        if self.stopping:
            return ""  # all outputs go safe with the agent's end
        return await self._own.make_safe(thing, names, origin, reason)

    def at_it(self, thing: str, name: str) -> bool:
        """Whether the agent makes this output safe of its own, and has not seen it safe yet."""
        return self._own.at_it(thing, name)

    def unsafe(self, thing: str) -> dict[str, str]:
        """Outputs of a thing that the agent could not make safe yet, with why."""
        return self._own.mistakes(thing)

    def started(self, thing: str, opened: Opened, done: Done) -> None:
        """The thing was opened and made safe with it: a line in the ledger for each output that may have been on."""
        if self.after_kill:
            self._own.started(thing, opened, done)

    async def finish(self, seconds: float) -> None:
        """Take nothing new, and give what runs a moment to end; what does not is unknown."""
        self.stopping = True
        await self._own.finish()
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=seconds)
        left = list(self._running.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def running_writes(self) -> int:
        """How many commands run or wait."""
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
        # From here to the lane nothing is waited for: what the gate decides rests on what is so right now.
        if isinstance(asked, Write):
            refusal = self._gate.write(command, asked.plain, owned.description.properties[command.name])
            return ending.refused(refusal) if refusal else await self._write(command, asked, owned, ending)
        refusal = self._gate.act(command, owned.description.actions[command.name])
        return ending.refused(refusal) if refusal else await self._act(command, asked, owned, ending)

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
        """A write that was let through: whatever becomes of it, the gate hears of its end."""
        if not is_safe(asked.plain, owned.description.properties[command.name]):
            self._turning[command.id] = (command.thing, command.name)
        before = owned.wish(command.name, asked.plain, command.id)
        ending.on_lane = touched = True
        try:
            return await self._ask_to_write(command, asked, owned, ending)
        except NotAsked as error:
            touched = False
            owned.unwish(command.name, before, command.id)
            return ending.not_asked(error)
        except CallFailed as error:
            owned.poll_after()
            if isinstance(error.cause, NotOpen):
                touched = False
                owned.unwish(command.name, before, command.id)
            return ending.failed(error)
        except NoAnswer as error:
            owned.fail(error)
            return ending.no_answer(error)
        finally:
            self._turning.pop(command.id, None)
            self._gate.over(command, asked=touched)

    async def _ask_to_write(self, command: Command, asked: Write, owned: Owned, ending: Ending) -> Outcome:
        described = owned.description.properties[command.name]

        def later(end: Done | CallFailed) -> None:
            if isinstance(end, CallFailed):
                self._later(ending.failed(end))
                return
            owned.accept(command.name, asked.plain, end)
            outcome = ending.written(end.result, end.asked, asked.plain, described)
            if outcome.end is End.CONFIRMED or not described.settle:  # else nobody has watched it settle
                self._later(outcome)

        by = By(command.id, command.name, command.who)
        done = await owned.write(by, asked.value, deadline=command.deadline, on_late=later)
        owned.accept(command.name, asked.plain, done)
        self._gate.took(command)
        written: Written = done.result
        outcome = await settled(owned, command.name, asked.plain, written, done, ending=ending, clock=self._clock)
        owned.poll_after()
        return outcome

    async def _act(self, command: Command, asked: Act, owned: Owned, ending: Ending) -> Outcome:
        def later(end: Done | CallFailed) -> None:
            self._later(ending.failed(end) if isinstance(end, CallFailed) else ending.acted(end.result, end.asked))

        ending.on_lane = True
        by = By(command.id, command.name, command.who)
        try:
            done = await owned.act(by, asked.arguments, deadline=command.deadline, on_late=later)
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
