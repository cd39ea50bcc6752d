"""A simulated device whose every write has a number of its own, so that a lost or a double one shows in its trace."""

from __future__ import annotations

from pilothouse.drivers.sim.faults import SimThing
from pilothouse.model import Writable, writable


class Counter(SimThing):
    """Takes a whole number; without a safe value, so that nobody but a command ever writes it."""

    power_on = {"level": 0}

    level: Writable[int] = writable(doc="any whole number", minimum=0)
