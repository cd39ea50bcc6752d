"""What is done to the record from time to time: roll-ups, deleting what is old, ending commands nobody will end."""

from __future__ import annotations

import logging

from pilothouse.clock import Clock, parse_duration
from pilothouse.config.site import KeeperConfig
from pilothouse.errors import RecordError
from pilothouse.record import Broken, HistoryWriter, Keep, Ledger

log = logging.getLogger(__name__)

_SWEEP = 5.0
_OPEN_FOR = 30_000
"""Milliseconds after its time to live that a command may still be open."""
_ROLL = 10.0
_RETAIN_FIRST, _RETAIN = 60.0, 6 * 3600.0


async def sweep(ledger: Ledger, clock: Clock) -> None:
    """End commands as "unknown" that nobody has told the end of, for ever."""
    while True:
        try:
            count = await ledger.close_open(_OPEN_FOR)
            if count:
                log.warning("%d commands have ended as unknown: nobody told how", count)
        except Broken:
            raise
        except RecordError as error:
            log.debug("open commands wait: %s", error)
        await clock.sleep(_SWEEP)


async def roll_up(history: HistoryWriter, clock: Clock) -> None:
    """Roll up what is complete, for ever."""
    while True:
        try:
            await history.roll_up()
        except Broken:
            raise
        except RecordError as error:
            log.debug("roll-ups wait: %s", error)
        await clock.sleep(_ROLL)


async def retain(history: HistoryWriter, config: KeeperConfig, clock: Clock) -> None:
    """Delete what is older than the configuration says, for ever."""
    keep = Keep(
        raw=int(parse_duration(config.keep_raw) * 1000),
        minutes=int(parse_duration(config.keep_minutes) * 1000),
        hours=int(parse_duration(config.keep_hours) * 1000),
    )
    await clock.sleep(_RETAIN_FIRST)
    while True:
        try:
            count = await history.retain(keep, clock.now())
            if count:
                log.info("deleted %d rows that are older than the configuration keeps", count)
        except Broken:
            raise
        except RecordError as error:
            log.debug("deleting waits: %s", error)
        await clock.sleep(_RETAIN)
