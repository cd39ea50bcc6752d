"""`pilothouse keeper`: writes the record."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import AsyncExitStack

from pilothouse.bus import Bus, load_address
from pilothouse.clock import Clock, SystemClock, parse_duration
from pilothouse.config.launch import Launch, parse
from pilothouse.errors import BusDown, CannotStart, TimedOut
from pilothouse.keeper import lead, upkeep
from pilothouse.keeper.directory import directory
from pilothouse.keeper.status import Status
from pilothouse.keeper.writer import Writer
from pilothouse.process import stop_signals
from pilothouse.record import Broken, HistoryWriter, Ledger

log = logging.getLogger(__name__)


async def main(launch: Launch) -> None:
    """Write the record until SIGTERM or SIGINT. Raises CannotStart; Broken when the record is damaged meanwhile."""
    with stop_signals() as asked:
        work = asyncio.create_task(_keep(launch, SystemClock()))
        stop = asyncio.create_task(asked.wait())
        await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        work.cancel()
        try:
            await work
        except asyncio.CancelledError:
            log.info("stopped")
        except BaseExceptionGroup as group:
            raise _first(group) from group


async def _keep(launch: Launch, clock: Clock) -> None:
    """Wait for the lead, then do a keeper's work for ever."""
    places, config = launch.places, launch.config
    status = Status(places.keeper_status, clock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(lead.lock(places.keeper_lock, clock))
        ledger = await Ledger.open(places.ledger, clock)
        stack.push_async_callback(ledger.close)
        history = await HistoryWriter.open(places.history, clock)
        stack.push_async_callback(history.close)
        stack.callback(status.set, "stopped")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(status.keep_fresh())
            tasks.create_task(upkeep.sweep(ledger, clock))
            tasks.create_task(upkeep.roll_up(history, clock))
            tasks.create_task(upkeep.retain(history, config.keeper, clock))
            status.set("waiting for bus")
            bus = await _reach(launch, clock)
            stack.push_async_callback(bus.close)
            writer = Writer(bus, config.site.name, history=history, ledger=ledger, status=status, clock=clock)
            tasks.create_task(writer.flush(parse_duration(config.keeper.flush), parse_duration(config.keeper.settle)))
            while True:
                await _lead(launch, bus, writer, history, status)


async def _lead(launch: Launch, bus: Bus, writer: Writer, history: HistoryWriter, status: Status) -> None:
    """Read the bus into the record while this keeper leads; returns when another machine has taken over."""
    site = launch.config.site.name
    async with AsyncExitStack() as stack:
        lost = asyncio.Event()
        if launch.config.bus.url:
            # The embedded bus is this machine's own, and the lock on the file has decided already.
            status.set("standing by", "another keeper of this site may lead")
            lost = await stack.enter_async_context(lead.lease(bus, site))
        log.info("leading: writing the record in %s", launch.places.record)
        status.set("leading")
        async with asyncio.TaskGroup() as tasks:
            work = [
                tasks.create_task(writer.readings()),
                tasks.create_task(writer.events()),
                tasks.create_task(writer.outcomes()),
                tasks.create_task(writer.measure(10.0)),
                tasks.create_task(directory(bus, site, history, SystemClock())),
            ]
            await lost.wait()
            for task in work:
                task.cancel()
        log.warning("another keeper may lead now")


async def _reach(launch: Launch, clock: Clock) -> Bus:
    """A connection to the bus, however long that takes."""
    said = False
    while True:
        try:
            address = await load_address(launch.places, launch.config.bus, clock)
            bus = await Bus.connect(address, name="keeper", clock=clock)
            break
        except BusDown as error:
            if not said:
                said = True
                log.warning("waiting for the bus: %s", error)
            await clock.sleep(0.5)
    try:
        await bus.ensure_streams(launch.config.site.name)
    except (BusDown, TimedOut) as error:
        log.debug("the streams come with the next link: %s", error)
    return bus


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that ended the work; the others follow from it."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    try:
        asyncio.run(main(parse("keeper", "Writes the record: readings, events, commands and how they ended.")))
    except (CannotStart, Broken) as error:
        print(f"pilothouse keeper: {error}", file=sys.stderr)  # noqa: T201 - the one line that people get
        raise SystemExit(2) from None
