"""Follows the bus: feeds the directory with what comes up, and tells viewers what changed."""

from __future__ import annotations

import asyncio
import logging

from pilothouse.bus import Bus, Synced, load_address
from pilothouse.bus.messages import Batch, Described, Lanes, Message, Outcomes, Presence, State, StopOrder
from pilothouse.bus.subjects import Subjects, streams
from pilothouse.errors import BadMessage, BusDown, CannotStart, ConfigError, RecordError, TimedOut
from pilothouse.hub.directory import Change
from pilothouse.hub.live import Live
from pilothouse.hub.site import Site
from pilothouse.hub.stats import Averages
from pilothouse.hub.stops import Stops
from pilothouse.model import Address, Quality, is_name

log = logging.getLogger(__name__)

TICK = 0.5
"""Seconds between looks at the time, the link, and the processes of this machine."""
_FROZEN = 2000
"""Milliseconds between two ticks after which the hub itself was away."""
_TRY_AGAIN = 2.0


class Follower:
    """Keeps a site's directory true. Each method runs until it is cancelled."""

    def __init__(self, site: Site, live: Live, stops: Stops, averages: Averages) -> None:
        self._site = site
        self._live = live
        self._stops = stops
        self._averages = averages
        self._subjects = Subjects(site.config.site.name)
        self._host = Address(site.node, "host")
        self._told = site.hub_status()

    async def remember(self) -> None:
        """Take from the record what was there last, so that a hub without a bus has something to show."""
        try:
            remembered = await self._site.history.directory()
        except RecordError as error:
            log.warning("what was there last is not known: %s", error)
            return
        for one in remembered:
            self._site.directory.remember(one.description, one.properties, last_seen=one.last_seen)
        self._site.revision += 1

    async def run(self) -> None:
        """Connect, for as long as it takes, and follow."""
        bus = self._site.bus = await self._connect()
        bus.on_up(self._stops.catch_up)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._streams(bus))
                group.create_task(self._watch(bus))
                group.create_task(self._readings(bus))
                group.create_task(self._outcomes(bus))
                group.create_task(self._stop_orders(bus))
                group.create_task(self._site.stands.run(bus))
        finally:
            self._site.link_up = False

    async def _connect(self) -> Bus:
        site, said = self._site, False
        while True:
            try:
                address = await load_address(site.places, site.config.bus, site.clock, wait=_TRY_AGAIN)
                return await Bus.connect(address, name="hub", clock=site.clock, wait=_TRY_AGAIN)
            except (BusDown, ConfigError) as error:
                if not said:
                    log.warning("%s", error)
                    said = True
                await site.clock.sleep(_TRY_AGAIN / 4)

    async def _streams(self, bus: Bus) -> None:
        try:
            await bus.ensure_streams(self._site.config.site.name)
        except (BusDown, TimedOut) as error:
            log.info("streams are ensured at the next link: %s", error)
        except CannotStart as error:
            log.error("%s", error)

    async def _watch(self, bus: Bus) -> None:
        rows: list[tuple[str, type[Message]]] = [
            (self._subjects.presence(), Presence),
            (self._subjects.description(), Described),
            (self._subjects.state(), State),
            (self._subjects.lanes(), Lanes),
        ]
        async for found in bus.watch(streams(self._site.config.site.name)["now"], rows):
            if isinstance(found, Synced):
                continue
            subject, message = found
            if not _belongs(subject, message):
                bus.note_bad(subject, BadMessage("the message names another node or thing than its subject"))
                continue
            change = self._take(message)
            if change.nodes or change.things or change.lanes or change.described:
                self._live.changed(change)

    def _take(self, message: Message) -> Change:
        directory, clock = self._site.directory, self._site.clock
        if isinstance(message, State):
            change = directory.state(message)
            if change.things and Address(message.node, message.thing) == self._host:
                self._sample()
            return change
        if isinstance(message, Presence):
            change = directory.presence(message, now=clock.now(), mono=clock.mono())
            if change.nodes:
                self._stops.look.set()
            return change
        if isinstance(message, Lanes):
            return directory.told_lanes(message)
        if isinstance(message, Described):
            return directory.described(message)
        return Change()

    async def _readings(self, bus: Bus) -> None:
        async for subject, message in bus.listen(self._subjects.data(), Batch):
            if not _belongs(subject, message):
                bus.note_bad(subject, BadMessage("the message names another node than its subject"))
                continue
            change = self._site.directory.batch(message)
            if change.readings:
                self._live.changed(change)
                if message.node == self._site.node:
                    self._sample_from(change)

    async def _outcomes(self, bus: Bus) -> None:
        async for _, message in bus.listen(self._subjects.ledger(), Outcomes):
            for outcome in message.outcomes:
                self._live.ended(outcome)

    async def _stop_orders(self, bus: Bus) -> None:
        async for _, order in bus.listen(self._subjects.stop(), StopOrder):
            self._stops.heard(order)

    def _sample_from(self, change: Change) -> None:
        if any(reading.thing == "host" and reading.property == "cpu" for _, reading in change.readings):
            self._sample()

    def _sample(self) -> None:
        state = self._site.directory.thing(self._host).properties.get("cpu")
        if state is None:
            return
        known = state.quality is not Quality.BAD and isinstance(state.value, int | float)
        self._averages.add(self._site.clock.mono(), float(state.value) if known else None)  # type: ignore[arg-type]

    async def tick(self) -> None:
        """Look at the time every half second: who fell silent, whether the link is there, what `up` says."""
        site, clock = self._site, self._site.clock
        before = clock.mono()
        while True:
            await clock.sleep(TICK)
            mono = clock.mono()
            if mono - before > _FROZEN:
                log.warning("the hub was away for %.1f s", (mono - before) / 1000)
                site.directory.hiccup(mono)
            before = mono
            self._look_at_link(mono)
            change = site.directory.tick(now=clock.now(), mono=mono)
            if change.nodes:
                self._live.changed(change)

    def _look_at_link(self, mono: int) -> None:
        site = self._site
        up = site.bus is not None and site.bus.up
        if up and not site.link_up:
            # Nobody could be heard, so nobody's silence counts yet.
            site.directory.hiccup(mono)
        site.link_up = up
        status = site.hub_status()
        if status != self._told:
            self._told = status
            self._live.hub_changed()


def _belongs(subject: str, message: Message) -> bool:
    """Whether a message speaks of what its subject names: a slip of one node must not change another."""
    names = subject.split(".")[3:]
    if isinstance(message, Described):
        described = message.description
        return (
            names == [message.node, message.thing]
            and all(map(is_name, names))
            and (described.node, described.name) == tuple(names)
        )
    if isinstance(message, State):
        return names == [message.node, message.thing]
    if isinstance(message, Presence | Batch | Lanes):
        return names == [message.node] and is_name(message.node)
    return False
