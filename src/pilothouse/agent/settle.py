"""Whether a property comes to show what was written, within its time to settle."""

from __future__ import annotations

from pilothouse.agent.driving import Written
from pilothouse.agent.ending import Ending
from pilothouse.agent.lane import CallFailed, Done, NoAnswer, NotAsked
from pilothouse.agent.owned import Owned
from pilothouse.bus.messages import End, Outcome
from pilothouse.clock import Clock
from pilothouse.model import Value

_LOOK_EVERY = 0.1
"""Seconds between two readbacks while a property settles."""


async def settled(
    owned: Owned, name: str, plain: Value, written: Written, done: Done, *, ending: Ending, clock: Clock
) -> Outcome:
    """Read back until the property shows what was written, or its time to settle is over; gives how that ended.

    `done` is the call that wrote it, whose readback `written` holds.
    """
    described = owned.description.properties[name]
    first, until = done.asked, done.mono + round(described.settle * 1000)
    while True:
        owned.take(written.values, done)
        outcome = ending.written(written, first, plain, described)
        if outcome.end is End.CONFIRMED or clock.mono() >= until:
            return outcome
        await clock.sleep(min(_LOOK_EVERY, described.settle))
        try:
            done = await owned.read_back(name)
            written = Written(done.result)
        except CallFailed as error:
            owned.fail(error)
            return ending.unread(error)
        except NoAnswer as error:
            owned.fail(error)
            return ending.unknown(f"the device took the value, and then {error.what}")
        except NotAsked as error:
            return ending.unknown(f"the device took the value; it could not be read back, for {error.what}")
