"""The agent as a whole: puts its parts together, starts them in order, and stops them so that outputs are safe."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Collection, Coroutine
from functools import partial
from random import Random
from typing import Any

from pilothouse.agent.admission import Book
from pilothouse.agent.alive import Alive
from pilothouse.agent.announce import Announcer
from pilothouse.agent.build import build, node_name
from pilothouse.agent.claim import Claim
from pilothouse.agent.collect import Collector, count_readings
from pilothouse.agent.commands import Commands
from pilothouse.agent.events import Events
from pilothouse.agent.gather import Gather
from pilothouse.agent.halting import Halting
from pilothouse.agent.handover import TAKEN_OVER, answering
from pilothouse.agent.lane import Watch
from pilothouse.agent.lanes_told import LanesTold, TakingBack
from pilothouse.agent.last_run import LastRun
from pilothouse.agent.owned import Owned
from pilothouse.agent.poll import Poller
from pilothouse.agent.safety import Safety
from pilothouse.agent.spool import Spool
from pilothouse.agent.stop_file import StopFile
from pilothouse.agent.uplink import Connect, Link, ended, reach
from pilothouse.agent.words import in_words
from pilothouse.bus import Subjects
from pilothouse.bus.messages import AskConfirmation, Cancel, Command, Handover, Message, Presence, StopOrder
from pilothouse.clock import Clock
from pilothouse.config.places import Places
from pilothouse.config.site import Config
from pilothouse.errors import CannotStart, ConfigError, PilothouseError
from pilothouse.model import Reading

log = logging.getLogger(__name__)

_FINISH = 0.4
_SAFE = 0.8
_LAST_WORDS = 0.4
"""Seconds that each part of stopping may take; together under two."""
_SHOW_ANYWAY = 1.0
"""Seconds after which a thing that is still being opened is shown."""


class Node:
    """One run of the agent of one node; `run` is its whole life."""

    def __init__(self, config: Config, places: Places, *, clock: Clock, random: Random, connect: Connect) -> None:
        """Make everything and touch nothing yet; raises ConfigError when the things cannot be made."""
        self.name = node_name(config.node)
        self.config = config
        self.clock = clock
        self.subjects = Subjects(config.site.name)
        self._connect = connect
        self._tasks: set[asyncio.Task[Any]] = set()
        self._leave = asyncio.Event()
        self._code = 0
        self._closed = asyncio.Event()
        """Set when the hardware is let go."""
        self._bus: Link | None = None
        self._serving: list[Any] = []
        self._make_spools()
        self.watch = Watch(clock)
        self.things: dict[str, Owned] = {}
        self.claim = Claim(self.name, config.site.name, places, clock)
        self.announcer = Announcer(self.name, self.subjects, self.things, clock, self.collector.up_to_date)
        self.poller = Poller(clock, lambda thing, names: self.things[thing].poll(names))
        self.events = Events(self.name, self.subjects, lambda: self.claim.epoch, clock)
        self._make_safety()
        self._make_stops(places)
        self._make_things(random)
        self._last_run = LastRun(places.agent / "running")

    def _make_safety(self) -> None:
        changed = partial(self.changed, at_once=True)
        spawn = partial(self._spawn, name="safe", for_ever=False)
        self.safety = Safety(self.config, self.name, self.things, self.clock, spawn=spawn, changed=changed)
        self.commands = Commands(self.things, self.ledger, self.subjects, self.clock, self.step_down, self.safety.gate)
        self.safety.acts = self.commands
        self.announcer.bars = self.safety.bars

    def _make_stops(self, places: Places) -> None:
        file = StopFile(places.stops, self.clock)
        self.halting = Halting(self.name, self.things, self.commands, file, self.clock, self.announcer.presence)
        self.announcer.stops = self.halting.stops
        self.safety.gate.stopped = self.halting.holds
        self.lanes_told = LanesTold(self.name, self.subjects, self.watch, self.things, self.clock)
        self.taking_back = TakingBack(self.name, self.watch, lambda: self.commands.book)

    def _make_spools(self) -> None:
        data = self.subjects.data(self.name)
        self._dropped = 0
        self.spool = Spool(data, self.clock, window=1, most=100_000, dropped=self._dropping)
        self.ledger = Gather(self.name, Spool(self.subjects.ledger(self.name), self.clock, window=64, most=10_000))
        self.collector = Collector(self.name, lambda: self.claim.epoch, self.spool, self.clock)

    def _make_things(self, random: Random) -> None:
        loop = asyncio.get_running_loop()
        for name, built in build(self.config, self.clock).items():
            hint = partial(self._hinted, loop, name)
            try:
                built.thing.bind(name, self.clock, self.events.emitter(loop, name), hint)
                lane = self.watch.lane(str(built.thing.resource()))
            except Exception as error:  # edge: the class is a stranger's and may raise anything
                raise ConfigError(f"things.{name}: driver {built.config.driver!r} raises {in_words(error)}") from error
            self.things[name] = Owned(built, self.name, lane, self, self.clock, random)
            self.things[name].driving.stopped = lambda: self.halting.holds() is not None
            self.things[name].on_opened.append(partial(self.commands.started, name))
            self.announcer.add(name)
        self.safety.begin()

    # news of the things

    def reading(self, reading: Reading) -> None:
        """A reading is to be sent."""
        self.collector.add(reading)

    def changed(self, thing: str, *, at_once: bool = False) -> None:
        """A thing's state is to be said again."""
        if self.things[thing].opened.is_set():
            self.announcer.changed(thing, at_once=at_once)

    def described(self, thing: str) -> None:
        """A thing's description changed, or it is known only now."""
        self.safety.guarding.described(thing)
        properties = self.things[thing].description.properties
        self.poller.plan(thing, {name: described.every for name, described in properties.items()})
        self._spawn(self.announcer.description(thing), "describe", for_ever=False)

    def _hinted(self, loop: asyncio.AbstractEventLoop, thing: str, names: Collection[str]) -> None:
        """From any thread: a driver says that properties changed by themselves."""
        try:
            loop.call_soon_threadsafe(self.things[thing].poll_after, tuple(names))
        except RuntimeError:
            pass  # the agent has ended, and the driver's thread does not know yet

    def _dropping(self, message: Message) -> None:
        self._dropped += count_readings(message)
        text = f"{self._dropped} readings are lost: the link was down for longer than the node can remember"
        self.announcer.note("dropped", text)
        if self._dropped == count_readings(message):
            log.warning("the oldest readings are dropped: more are waiting for the bus than fit")

    # life

    async def run(self, asked: asyncio.Event) -> int:
        """Work until `asked` is set or another agent takes over; gives the exit code. Raises CannotStart."""
        start = self._spawn(self._start(), "start", for_ever=False)
        waits = [asyncio.create_task(asked.wait()), asyncio.create_task(self._leave.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await self._stop()
        if start.done() and not start.cancelled():
            start.result()
        return self._code

    async def _start(self) -> None:
        self._spawn(Alive(self.clock, os.environ).run(), "sign of life", for_ever=False)
        self._hold_epoch(self.claim.begin())
        self.halting.load()
        self._spawn(self._link(), "link", for_ever=False)
        if not await self.claim.hardware():
            self.leave(TAKEN_OVER)
            return
        self._spawn(self.claim.keep_lock(), "lock", for_ever=False)
        self.commands.after_kill = self._last_run.was_cut_off()
        for name, thing in self.things.items():
            self._spawn(thing.keep(), f"keep {name}")
        self._spawn(asyncio.to_thread(self._last_run.begin), "last run", for_ever=False)
        for name, work in (
            ("watch", self.watch.run()),
            ("poll", self.poller.run()),
            ("states", self.announcer.run()),
            ("presence", self.announcer.presence_for_ever()),
            ("data", self.spool.run()),
            ("ledger", self.ledger.run()),
            ("events", self.events.spool.run()),
            ("lanes", self.lanes_told.run()),
            *self.safety.works().items(),
        ):
            self._spawn(work, name)
        await self.clock.sleep(_SHOW_ANYWAY)
        for name, thing in self.things.items():
            if not thing.opened.is_set():
                await self.announcer.whole(name)

    def _hold_epoch(self, epoch: int) -> None:
        self.announcer.epoch = epoch
        self.spool.renumber(epoch)
        self.commands.book = Book(self.name, epoch)
        self.halting.epoch = self.lanes_told.epoch = epoch

    async def _link(self) -> None:
        bus = self._bus = await reach(self._connect, self.clock)
        self.claim.linked.set()
        bus.on_up(partial(self._up, bus))

    async def _up(self, bus: Link) -> None:
        """There is a link, for the first time or again."""
        if not await self.claim.name(bus):
            self.leave(TAKEN_OVER)
            return
        if self._leave.is_set():
            return
        await self._serve(bus)
        self.spool.up(bus)
        self.ledger.up(bus)
        self.events.spool.up(bus)
        await self.announcer.up(bus)
        await self.lanes_told.up(bus)

    async def _serve(self, bus: Link) -> None:
        if self._serving:
            return
        if self.claim.epoch != self.announcer.epoch:
            self._hold_epoch(self.claim.epoch)
        if self.claim.note:
            self.announcer.note("handover", self.claim.note)
        self._spawn(self._hear(bus), "hear")
        for name, work in self.safety.up(bus).items():
            self._spawn(work, name, for_ever=False)
        confirm = self.safety.confirming(lambda: self.claim.epoch)
        letting_go = answering(self.name, lambda: self.claim.epoch, self._let_go)
        self._serving = [await bus.serve(self.subjects.handover(self.name), Handover, letting_go)]
        self._serving.append(await bus.serve(self.subjects.stop(), StopOrder, self.halting.handle))
        self._serving.append(await bus.serve(self.subjects.command(self.name), Command, self._command))
        self._serving.append(await bus.serve(self.subjects.confirm(self.name), AskConfirmation, confirm.handle))
        self._serving.append(await bus.serve(self.subjects.cancel(self.name), Cancel, self.taking_back.handle))

    async def _command(self, subject: str, command: Command) -> Message | None:
        return await self.commands.handle(subject, command)

    async def _hear(self, bus: Link) -> None:
        """Listen to what is said in this node's name, by whomever."""
        async for _, presence in bus.listen(self.subjects.presence(self.name), Presence):
            if presence.node != self.name:
                continue
            if presence.epoch > self.claim.epoch:
                self.step_down(presence.epoch)
            elif presence.epoch < self.claim.epoch:
                # Its last words may stand on the bus where ours should; it will hear us and go.
                await self.announcer.up(bus)
            elif not self.announcer.is_mine(presence):
                log.error("another agent of this name began in the same second; starting anew to get another number")
                self.leave(1)

    # leaving

    def leave(self, code: int) -> None:
        """Stop, and exit with `code`."""
        if not self._leave.is_set():
            self._code = code
            self._leave.set()

    def step_down(self, epoch: int) -> None:
        """A newer agent of this name is there: let go of everything."""
        if not self._leave.is_set():
            log.warning(
                "another agent of this node name has taken over (its epoch %d, ours %d)", epoch, self.claim.epoch
            )
        self.leave(TAKEN_OVER)

    async def _let_go(self, message: Handover) -> None:
        log.warning("another agent of this node name takes over: %s", message.host or "it does not say where it runs")
        self.leave(TAKEN_OVER)
        await self._closed.wait()

    async def _stop(self) -> None:
        """Refuse commands, make outputs safe, close, say the last words; under two seconds whatever hangs."""
        self.commands.stopping = True
        for lane in self.watch.lanes():
            lane.stop_taking()
        await self.commands.finish(_FINISH)
        if await self._make_safe():
            self._last_run.end()
        await self.halting.finish()
        if self._code == TAKEN_OVER:
            self.announcer.fall_silent()
        self._closed.set()
        self.collector.close()
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await self._last_words()
        except (TimeoutError, PilothouseError) as error:
            log.warning("not all could be said at the end: %s", error or "the bus did not answer in time")
        self._say_lost()
        await self._end_tasks()

    async def _make_safe(self) -> bool:
        """Whether the next run will find safe what it would make safe."""
        keepers = [task for task in self._tasks if task.get_name().startswith("keep ")]
        for task in keepers:
            task.cancel()
        if not self.things or not self.claim.owning:
            return False
        stops = [asyncio.create_task(thing.stop(allowed=_SAFE), name=name) for name, thing in self.things.items()]
        done, late = await asyncio.wait(stops, timeout=_SAFE)
        for stop in late:
            log.error("%s may not be safe: its driver does not come back", stop.get_name())
            stop.cancel()
        for stop in done:
            if stop.result():
                log.error("%s", stop.result())
        return not any(owned.may_be_on(name) for owned in self.things.values() for name in owned.safe_at("start"))

    async def _last_words(self) -> None:
        bus = self._bus
        if bus is None or not bus.up:
            return
        for subscription in self._serving:
            await subscription.close()
        for name in self.things:
            await self.announcer.state(name)
        await self.announcer.presence(leaving=True)
        await asyncio.gather(self.spool.drained(), self.ledger.drained(), self.events.spool.drained())

    def _say_lost(self) -> None:
        for what, spool in (
            ("batches of readings", self.spool),
            ("outcomes", self.ledger),
            ("events", self.events.spool),
        ):
            if len(spool):
                log.warning("%d %s could not be sent before the end", len(spool), what)

    async def _end_tasks(self) -> None:
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for lane in self.watch.lanes():
            lane.close()
        if self._bus is not None:
            try:
                async with asyncio.timeout(0.3):
                    await self._bus.close()
            except TimeoutError:
                log.debug("the link did not close in time")
        self.claim.release()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str, *, for_ever: bool = True) -> asyncio.Task[None]:
        """Run a part of the agent; one that breaks ends the agent in order: half an agent is worse than a new one."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(partial(self._over, for_ever=for_ever))
        return task

    def _over(self, task: asyncio.Task[None], *, for_ever: bool) -> None:
        self._tasks.discard(task)
        error = ended(task)
        if error is None or self._leave.is_set() or (not for_ever and task.exception() is None):
            return
        if not isinstance(error, CannotStart):  # that one is told by whoever runs us
            log.critical("the agent broke in its part %r", task.get_name(), exc_info=error)
        self.leave(1)
