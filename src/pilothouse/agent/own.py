"""The agent's own commands: outputs that go to their safe values by themselves, each with its line in the ledger.

A safe value that cannot be written is tried again until its output is seen safe, or until somebody has been let
through to turn it on again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

from pilothouse.agent.driving import MadeSafe, NotOpen, Opened, Written
from pilothouse.agent.ending import Ending, Overruled
from pilothouse.agent.gate import Gate
from pilothouse.agent.lane import CallFailed, Done, Hang, NoAnswer, NotAsked
from pilothouse.agent.owned import Owned
from pilothouse.agent.settle import settled
from pilothouse.agent.words import at_time, in_words
from pilothouse.bus.messages import Command, End, Made, Outcome, Why
from pilothouse.clock import Clock
from pilothouse.model import PropertyState, Value, new_id

log = logging.getLogger(__name__)

WHO = "guard"
_LOOK_EVERY = 0.1
"""Seconds between looks whether a lane that is waited for has come to hang."""
_AGAIN_FIRST, _AGAIN_MOST = 1.0, 10.0
_FOR_EVER = 2**62
_WHY = {"interlock": Why.INTERLOCK, "exclusive": Why.INTERLOCK, "stop": Why.STOPPED, "lease": Why.LEASE}
"""What stands behind commands that are taken back; else another rule of the guard."""


class Ends(Protocol):
    """Where the ends of commands go: the ledger."""

    @property
    def full(self) -> bool:
        """Whether more is waiting than should."""
        ...

    def add(self, id: str, outcome: Outcome) -> None:
        """Take an end; `id` tells a repetition."""
        ...


class _Order:
    """One output that is to go safe, and the command that is made of it."""

    def __init__(self, command: Command, ending: Ending, reason: str) -> None:
        self.command = command
        self.ending = ending
        self.reason = reason
        self.before: PropertyState | None = None
        self.quiet = False
        """Whether it is said only when it worked: the first try has said that it did not."""
        self.ended = False


class _Insisted(NamedTuple):
    """An output that is not seen safe yet."""

    origin: str
    reason: str
    wish_id: str
    mistake: str


class Own:
    """See the module's text. `turning` are the commands on the lanes that turn an output on: (thing, name) by id."""

    def __init__(
        self,
        things: Mapping[str, Owned],
        ledger: Ends,
        clock: Clock,
        epoch: Callable[[], int],
        *,
        turning: Mapping[str, tuple[str, str]],
        gate: Gate,
    ) -> None:
        self._things = things
        self._ledger = ledger
        self._clock = clock
        self._epoch = epoch
        self._turning = turning
        self._gate = gate
        self._tasks: set[asyncio.Task[str] | asyncio.Task[None]] = set()
        self._going: dict[tuple[str, str], int] = {}
        """Outputs that are being made safe right now, with how many tries."""
        self._insisted: dict[str, dict[str, _Insisted]] = {}

    def at_it(self, thing: str, name: str) -> bool:
        """Whether this output is being made safe, or will be tried again."""
        return (thing, name) in self._going or name in self._insisted.get(thing, {})

    def mistakes(self, thing: str) -> dict[str, str]:
        """Outputs of a thing that may not be safe although they should, with why."""
        return {name: one.mistake for name, one in self._insisted.get(thing, {}).items()}

    async def make_safe(self, thing: str, names: Collection[str] | None, origin: str, reason: str) -> str:
        """Have these outputs go safe (None = all that have a safe value), before all that waits on their lane.

        Gives what may not be safe after the first try, in one sentence; "" = all is. A lane that hangs is not waited
        for: then that is said at once, and the rest goes on by itself.
        """
        owned = self._things[thing]
        written = _outputs(owned) if names is None else [name for name in _outputs(owned) if name in names]
        turning = self._overrule(owned, written, origin, reason)
        # Not `may_be_on` alone: what waited or runs may have been on its way to turn it on.
        on = [name for name in written if owned.may_be_on(name) or name in turning]
        written = written if names is None else on
        if not written:
            return ""
        orders = {name: self._order(owned, name, origin, reason) for name in on}
        task = asyncio.create_task(self._first(owned, written, orders))
        self._keep(task)
        hang = await self._unless_hung(owned, task)
        if hang is None:
            return task.result()
        for order in orders.values():
            self._end(owned, order, order.ending.unknown(_hanging(hang)))
        return f"{thing} may not be safe: {_hanging(hang)}"

    def started(self, thing: str, opened: Opened, done: Done) -> None:
        """The thing was opened, and outputs that may have been on were made safe with it: say so in the ledger."""
        if opened.made is None:
            return
        owned = self._things[thing]
        for name in opened.made.names:
            described = opened.description.properties[name]
            order = self._order(owned, name, "start", "the run of the agent before was killed, and this one has begun")
            owned.accept(name, described.safe, done)
            values = {name: opened.made.values[name]} if name in opened.made.values else {}
            outcome = order.ending.written(Written(values, opened.made.unread), done.asked, described.safe, described)
            if outcome.end is End.CONFIRMED or not described.settle:  # else nobody has watched it settle
                self._end(owned, order, outcome)
            else:
                self._end(owned, order, order.ending.unknown("the device took the value, and needs time to show it"))

    async def finish(self) -> None:
        """Try nothing again: the agent stops, and makes all its outputs safe in doing so."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # one try

    def _overrule(self, owned: Owned, names: Collection[str], origin: str, reason: str) -> set[str]:
        """Take back the commands that wait to turn these on; gives the outputs of all that are on their way."""
        turning = {id: name for id, (thing, name) in self._turning.items() if thing == owned.name and name in names}
        for id, name in turning.items():
            owned.lane.take_back(id, Overruled(f"{owned.name}.{name} goes safe: {reason}", _WHY.get(origin, Why.GUARD)))
        return set(turning.values())

    def _order(self, owned: Owned, name: str, origin: str, reason: str) -> _Order:
        safe, now = owned.description.properties[name].safe, self._clock.now()
        command = Command(
            id=new_id(now),
            node=owned.description.node,
            epoch=self._epoch(),
            thing=owned.name,
            kind="property",
            name=name,
            input=safe,
            deadline=_FOR_EVER,
            who=WHO,
            origin=origin,
            reason=reason,
        )
        made = Made(input=safe, who=WHO, origin=origin, reason=reason, time=now)
        order = _Order(command, Ending(command, command.epoch, self._clock, made), reason)
        order.before = owned.wish(name, safe, command.id)
        return order

    async def _first(self, owned: Owned, names: Collection[str], orders: Mapping[str, _Order]) -> str:
        mistakes = await self._try(owned, names, orders)
        if mistakes:
            self._insist(owned, mistakes, orders)
        return f"{owned.name} may not be safe: {_listed(mistakes)}" if mistakes else ""

    async def _try(self, owned: Owned, names: Collection[str], orders: Mapping[str, _Order]) -> dict[str, str]:
        """Write, read back, and end the orders; gives the outputs that are not seen safe, with why."""
        keys = [(owned.name, name) for name in names]
        for key in keys:
            self._going[key] = self._going.get(key, 0) + 1
        for order in orders.values():
            self._gate.own(order.command)
        asked = True
        try:
            outcomes = await self._ask(owned, names, orders)
            asked = any(isinstance(one, Outcome) and one.asked > 0 for one in outcomes.values())
        except asyncio.CancelledError:
            for order in orders.values():
                if not order.ended:
                    order.ending.on_lane = True
                    self._end(owned, order, order.ending.stopped())
            raise
        finally:
            for order in orders.values():
                self._gate.over(order.command, asked=asked)
            for key in keys:
                self._going[key] -= 1
                if not self._going[key]:
                    del self._going[key]
        return self._ended(owned, orders, outcomes)

    def _ended(
        self, owned: Owned, orders: Mapping[str, _Order], outcomes: Mapping[str, Outcome | str]
    ) -> dict[str, str]:
        mistakes = {}
        for name, outcome in outcomes.items():
            if isinstance(outcome, Outcome):
                self._end(owned, orders[name], outcome)
                if outcome.end is not End.CONFIRMED:
                    mistakes[name] = outcome.detail
            elif outcome and owned.may_be_on(name):
                mistakes[name] = outcome
        return mistakes

    async def _ask(
        self, owned: Owned, names: Collection[str], orders: Mapping[str, _Order]
    ) -> dict[str, Outcome | str]:
        """By output: how its order ended; of one without an order, what went wrong."""

        def later(end: Done | CallFailed) -> None:
            self._late(owned, names, orders, end)

        def each(make: Callable[[Ending], Outcome], text: str) -> dict[str, Outcome | str]:
            return {name: make(orders[name].ending) if name in orders else text for name in names}

        try:
            done = await owned.go_safe(names, on_late=later)
        except NotAsked as error:
            self._unwish(owned, orders)
            not_asked = error
            return each(lambda ending: ending.not_asked(not_asked), error.what)
        except CallFailed as error:
            if isinstance(error.cause, NotOpen):
                self._unwish(owned, orders)
            failed = error
            return each(lambda ending: ending.failed(failed), in_words(error.cause))
        except NoAnswer as error:
            owned.fail(error)
            silent = error
            return each(lambda ending: ending.no_answer(silent), error.what)
        outcomes = await self._shown(owned, names, orders, done)
        owned.poll_after()
        return outcomes

    async def _shown(
        self, owned: Owned, names: Collection[str], orders: Mapping[str, _Order], done: Done
    ) -> dict[str, Outcome | str]:
        made: MadeSafe = done.result
        self._accept(owned, names, made, done)
        for name in orders.keys() - made.failed.keys():
            self._gate.took(orders[name].command)
        owned.take(made.values, done)

        async def one(name: str) -> Outcome | str:
            order = orders.get(name)
            if order is None:
                return made.failed.get(name, made.unread)
            if name in made.failed:
                return order.ending.raised(made.failed[name], done.asked)
            values = {name: made.values[name]} if name in made.values else {}
            written = Written(values, made.unread)
            safe = order.command.input
            return await settled(owned, name, safe, written, done, ending=order.ending, clock=self._clock)

        return dict(zip(names, await asyncio.gather(*(one(name) for name in names)), strict=True))

    def _late(self, owned: Owned, names: Collection[str], orders: Mapping[str, _Order], end: Done | CallFailed) -> None:
        """The driver came back after its call was given up."""
        if isinstance(end, CallFailed):
            for order in orders.values():
                self._end(owned, order, order.ending.failed(end))
            return
        made: MadeSafe = end.result
        self._accept(owned, names, made, end)
        for name, order in orders.items():
            written = Written({n: s for n, s in made.values.items() if n == name}, made.unread)
            described = owned.description.properties[name]
            outcome = order.ending.written(written, end.asked, order.command.input, described)
            if name in made.failed:
                outcome = order.ending.raised(made.failed[name], end.asked)
            if outcome.end is End.CONFIRMED or not described.settle:  # else nobody has watched it settle
                self._end(owned, order, outcome)

    def _accept(self, owned: Owned, names: Iterable[str], made: MadeSafe, done: Done) -> None:
        for name in names:
            if name not in made.failed:
                owned.accept(name, owned.description.properties[name].safe, done)

    def _unwish(self, owned: Owned, orders: Mapping[str, _Order]) -> None:
        for name, order in orders.items():
            owned.unwish(name, order.before, order.command.id)

    def _end(self, owned: Owned, order: _Order, outcome: Outcome) -> None:
        if order.quiet and outcome.end is not End.CONFIRMED:
            return
        later = "-later" if order.ended else ""
        order.ended = True
        self._ledger.add(f"{outcome.id}-{outcome.epoch}{later}", outcome)
        level = logging.INFO if outcome.end is End.CONFIRMED else logging.ERROR
        sentence = (
            f"went safe ({order.reason})" if outcome.end is End.CONFIRMED else f"may not be safe: {outcome.detail}"
        )
        log.log(level, "%s.%s %s", owned.name, outcome.name, sentence)

    async def _unless_hung(self, owned: Owned, task: asyncio.Task[str]) -> Hang | None:
        """Wait for the try; gives the hang when its lane hangs on another call, before this one was begun."""
        while not task.done():
            if owned.lane.hang is not None:
                return owned.lane.hang
            sleeper = asyncio.create_task(self._clock.sleep(_LOOK_EVERY))
            try:
                await asyncio.wait((task, sleeper), return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeper.cancel()
        return None

    # and again

    def _insist(self, owned: Owned, mistakes: Mapping[str, str], orders: Mapping[str, _Order]) -> None:
        known = self._insisted.get(owned.name)
        wanted = known if known is not None else self._insisted.setdefault(owned.name, {})
        for name, mistake in mistakes.items():
            order = orders.get(name)
            wish_id = order.command.id if order else owned.value(name).wish_id
            origin, reason = (order.command.origin, order.reason) if order else ("stop", "stop was pressed")
            wanted[name] = _Insisted(origin, reason, wish_id, mistake)
        owned.tell()
        if known is None:
            self._keep(asyncio.create_task(self._again(owned)))

    async def _again(self, owned: Owned) -> None:
        wait = _AGAIN_FIRST
        wanted = self._insisted[owned.name]
        try:
            while True:
                await self._clock.sleep(wait)
                wait = min(2 * wait, _AGAIN_MOST)
                for name in [name for name, one in wanted.items() if self._is_over(owned, name, one)]:
                    del wanted[name]
                if not wanted:
                    return
                if owned.working:
                    await self._once_more(owned, wanted)
        finally:
            del self._insisted[owned.name]
            owned.tell()

    def _is_over(self, owned: Owned, name: str, one: _Insisted) -> bool:
        """It is seen safe, or somebody was let through to turn it on since."""
        state = owned.states().get(name)
        return state is None or not owned.may_be_on(name) or (state.wish_id != one.wish_id and owned.wants_on(name))

    async def _once_more(self, owned: Owned, wanted: dict[str, _Insisted]) -> None:
        orders = {}
        for name, one in wanted.items():
            order = orders[name] = self._order(owned, name, one.origin, one.reason)
            order.quiet = True
            wanted[name] = one._replace(wish_id=order.command.id)
        mistakes = await self._try(owned, list(orders), orders)
        for name, mistake in mistakes.items():
            if name in wanted:
                wanted[name] = wanted[name]._replace(mistake=mistake)

    def _keep(self, task: asyncio.Task[str] | asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _outputs(owned: Owned) -> list[str]:
    properties = owned.description.properties
    return [name for name, described in properties.items() if described.writable and described.has_safe]


def _hanging(hang: Hang) -> str:
    return f"its driver has not answered since {at_time(hang.since)} ({hang.label}); it is done as soon as it does"


def _listed(mistakes: Mapping[str, Value]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in mistakes.items())
