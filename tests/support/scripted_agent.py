"""An agent without hardware: it answers on the bus as a test tells it to, and keeps what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pilothouse.bus import Bus, Subjects, Subscription
from pilothouse.bus.messages import (
    AskConfirmation,
    Batch,
    Cancel,
    Cancelled,
    Command,
    Confirmation,
    Described,
    End,
    Lanes,
    LaneView,
    Latch,
    Outcome,
    Outcomes,
    Presence,
    State,
    StopOrder,
    Stopped,
    Why,
)
from pilothouse.clock import SystemClock
from pilothouse.errors import BusDown
from pilothouse.model import (
    ActionDescription,
    Bar,
    Health,
    PropertyDescription,
    PropertyState,
    Reading,
    ThingDescription,
    Value,
)

Script = Callable[[Command], Awaitable[Outcome | None]]
"""What becomes of a command; None = silence."""

BENCH = {
    "on": PropertyDescription(name="on", schema={"type": "boolean"}, writable=True, doc="switch"),
    "level": PropertyDescription(
        name="level", schema={"type": "number"}, writable=True, unit="%", minimum=0, maximum=100, doc="wish"
    ),
    "label": PropertyDescription(name="label", schema={"type": "string"}, writable=True, doc="text"),
    "temperature": PropertyDescription(name="temperature", schema={"type": "number"}, unit="Cel", doc="probe"),
}
ACTIONS = {
    "run": ActionDescription(name="run", doc="run for a while", input={"type": "object"}, timeout=0.5),
}


class ScriptedAgent:
    """One node with things that all look alike; `async with` starts and stops it."""

    def __init__(self, bus: Bus, node: str = "pi", things: tuple[str, ...] = ("bench",), *, epoch: int = 7) -> None:
        self.bus = bus
        self.node = node
        self.things = things
        self.epoch = epoch
        self.clock = SystemClock()
        self.subjects = Subjects("home")
        self.commands: list[Command] = []
        """Every command that came, in order."""
        self.scripts: dict[str, Script] = {}
        """What becomes of commands by the name of their property or action; others are confirmed."""
        self.ledger = True
        """Whether outcomes also go to the ledger stream, as an agent sends them."""
        self.every = 0.3
        self.values: dict[str, dict[str, PropertyState]] = {thing: {} for thing in things}
        self.confirmation = Confirmation(token="once", lives=60.0)
        """The answer to whoever asks for a token."""
        self.to_confirm: list[AskConfirmation] = []
        """Every token that was asked for."""
        self.cancelled = Cancelled(done=True)
        """The answer to whoever takes a command back."""
        self.cancels: list[Cancel] = []
        """Every command that was to be taken back."""
        self.stops: dict[str, Latch] = {}
        """Stops that it obeys; it says so in its presence."""
        self.orders: list[StopOrder] = []
        """Every stop and lift that came for it, in order."""
        self.deaf = False
        """Whether it takes no notice of stops and lifts."""
        self.mistakes: tuple[str, ...] = ()
        """What it says may not be safe."""
        self.bars: dict[str, dict[str, Bar]] = {thing: {} for thing in things}
        """What it says in the states of its things."""
        self._serving: list[Subscription[Any]] = []
        self._beating: asyncio.Task[None] | None = None
        self._seq = 0
        self._numbers: dict[str, int] = {}

    async def __aenter__(self) -> ScriptedAgent:
        of = self.subjects
        self._serving = [
            await self.bus.serve(of.command(self.node), Command, self._answer, limit=5000),
            await self.bus.serve(of.confirm(self.node), AskConfirmation, self._confirm),
            await self.bus.serve(of.cancel(self.node), Cancel, self._cancel),
            await self.bus.serve(of.stop(), StopOrder, self._stop),
        ]
        await self.presence()
        for thing in self.things:
            await self.describe(thing)
            await self.state(thing)
        self._beating = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.die()

    async def die(self) -> None:
        """Be gone without a word, as after kill -9."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
        for serving in self._serving:
            await serving.close()
        self._serving = []

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.every)
            try:
                await self.presence()
            except BusDown:
                pass  # the next one comes soon

    async def presence(self, *, leaving: bool = False, notes: tuple[str, ...] = ()) -> None:
        """Say that it is there."""
        message = Presence(
            node=self.node,
            epoch=self.epoch,
            version="0.1.0",
            time=self.clock.now(),
            mono=self.clock.mono(),
            state="leaving" if leaving else "here",
            seq=self._seq,
            things=self.things,
            stops=tuple(self.stops.values()),
            notes=notes,
        )
        await self.bus.publish(self.subjects.presence(self.node), message)

    def description(self, thing: str) -> ThingDescription:
        """Description of one of its things."""
        return ThingDescription(
            node=self.node, name=thing, title=thing.title(), driver="sim.relays", properties=BENCH, actions=ACTIONS
        )

    async def describe(self, thing: str) -> None:
        """Say what a thing is."""
        message = Described(node=self.node, epoch=self.epoch, thing=thing, description=self.description(thing))
        await self.bus.publish(self.subjects.description(self.node, thing), message)

    async def state(self, thing: str = "bench", *, error: str = "") -> None:
        """Say what all of its properties are."""
        self._numbers[thing] = self._numbers.get(thing, 0) + 1
        message = State(
            node=self.node,
            epoch=self.epoch,
            thing=thing,
            number=self._numbers[thing],
            seq=self._seq,
            time=self.clock.now(),
            health=Health(ok=not error, error=error),
            properties=self.values[thing],
            bars=self.bars[thing],
        )
        await self.bus.publish(self.subjects.state(self.node, thing), message)

    async def read(self, values: dict[str, Value], thing: str = "bench") -> None:
        """Say that properties were read."""
        now = self.clock.now()
        self._seq += 1
        readings = [Reading(thing, name, now, value) for name, value in values.items()]
        self.values[thing] |= {name: PropertyState(value=value, time=now) for name, value in values.items()}
        message = Batch(node=self.node, epoch=self.epoch, seq=self._seq, readings=readings)
        await self.bus.publish(self.subjects.data(self.node), message)

    async def say_lanes(self, *lanes: LaneView) -> None:
        """Say what runs and waits."""
        message = Lanes(node=self.node, epoch=self.epoch, time=self.clock.now(), lanes=lanes)
        await self.bus.publish(self.subjects.lanes(self.node), message)

    async def _stop(self, subject: str, order: StopOrder) -> Stopped | None:
        """Obey a stop or a lift that is for this node, say so in a presence, and answer."""
        if self.deaf or order.node not in ("", self.node):
            return None
        self.orders.append(order)
        if order.kind == "lift":
            for id in order.lifts:
                self.stops.pop(id, None)
        else:
            self.stops[order.id] = Latch(
                id=order.id,
                kind=order.kind,
                time=order.time,
                who=order.who,
                origin=order.origin,
                reason=order.reason,
            )
        await self.presence()
        return Stopped(
            node=self.node,
            epoch=self.epoch,
            stops=tuple(self.stops),
            outputs=2,
            mistakes=self.mistakes,
            took_ms=1.5,
        )

    async def _answer(self, subject: str, command: Command) -> Outcome | None:
        self.commands.append(command)
        outcome = await self.scripts.get(command.name, self.confirm)(command)
        if outcome is not None and self.ledger:
            try:
                lot = Outcomes(node=self.node, outcomes=(outcome,))
                await self.bus.publish(self.subjects.ledger(self.node), lot)
            except BusDown:
                pass  # a real one would keep it; tests of the hub look at what the hub writes
        return outcome

    async def _confirm(self, subject: str, question: AskConfirmation) -> Confirmation:
        self.to_confirm.append(question)
        return self.confirmation

    async def _cancel(self, subject: str, question: Cancel) -> Cancelled:
        self.cancels.append(question)
        return self.cancelled

    async def confirm(self, command: Command) -> Outcome:
        """It was done."""
        return self.outcome(command, value=command.input)

    def outcome(self, command: Command, end: End = End.CONFIRMED, why: Why = Why.NONE, **more: Any) -> Outcome:
        """An end for a command."""
        now = self.clock.now()
        return Outcome(
            id=command.id,
            node=self.node,
            epoch=self.epoch,
            thing=command.thing,
            name=command.name,
            end=end,
            why=why,
            **{"accepted": now, "asked": now, "ended": now, "took_ms": 0.4} | more,
        )

    def always(self, end: End, why: Why, detail: str = "", remedy: str = "") -> Script:
        """A script that gives every command the same end."""

        async def script(command: Command) -> Outcome:
            return self.outcome(command, end, why, detail=detail, remedy=remedy, asked=0)

        return script

    @staticmethod
    async def silent(command: Command) -> None:
        """Never answers."""

    def slow(self, seconds: float) -> Script:
        """A script that takes its time and then confirms."""

        async def script(command: Command) -> Outcome:
            await asyncio.sleep(seconds)
            return self.outcome(command, value=command.input)

        return script
