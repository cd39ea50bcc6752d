"""Simulated relay board."""

from __future__ import annotations

from pilothouse.drivers.sim.faults import SimThing
from pilothouse.model import Readable, Value, Writable, action, readable, writable

_MAINS = "May switch mains voltage: what hangs on it starts without a further warning"


class Relays(SimThing):
    """A board of four relays, as they come with USB or I2C.

    Wiring: none, it is simulated; on a real one use the NO contacts, so that a dead board is a safe board.
    Switching is instant, and the readback is the contact, not the coil. A contactor cuts the current of all coils, also
    while the board does not answer: its second path. Until a relay is next switched off, none can be switched on then.

        [things.relays]
        driver = "sim.relays"
        seed = 1
    """

    power_on = {"relay_1": False, "relay_2": False, "relay_3": False, "relay_4": False}

    relay_1: Writable[bool] = writable(doc="contact of relay 1", safe=False, hazard=_MAINS)
    relay_2: Writable[bool] = writable(doc="contact of relay 2", safe=False, hazard=_MAINS)
    relay_3: Writable[bool] = writable(doc="contact of relay 3", safe=False, hazard=_MAINS)
    relay_4: Writable[bool] = writable(doc="contact of relay 4", safe=False, hazard=_MAINS)
    switched: Readable[int] = readable(doc="how often any contact has moved since power-on", every=2.0)

    _moves = 0
    _cut = False
    """Whether the contactor is open."""

    def put(self, output: str, value: Value) -> None:
        """Set a contact; counts it when it moves."""
        with self.outputs_lock:
            if value and self._cut:
                raise ConnectionError("the contactor of the coils is open; switching any relay off closes it")
            self._cut = False
            self._moves += self.outputs[output] != value
            super().put(output, value)

    def halt(self) -> None:
        """Open the contactor: all contacts open, whatever the board is at."""
        with self.outputs_lock:
            for output in self.power_on:
                self.put(output, False)
            self._cut = True

    def read_switched(self) -> int:
        """Moves of all contacts."""
        return self._moves

    @action(doc="open all four contacts")
    def all_off(self) -> None:
        """Open all contacts, in order."""
        self.reach()
        for output in self.power_on:
            self.put(output, False)
