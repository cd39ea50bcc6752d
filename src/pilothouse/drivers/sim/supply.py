"""Simulated bench power supply with a load."""

from __future__ import annotations

import math
from typing import Literal

from pilothouse.drivers.sim.faults import SimThing
from pilothouse.drivers.sim.noise import gauss
from pilothouse.model import Event, Readable, Writable, event, readable, setting, writable

Mode = Literal["off", "cv", "cc"]

_RISE = 0.08
"""Seconds in which the terminals come within 1/e of where they go: the output capacitor."""


class Supply(SimThing):
    """A bench power supply, 30 V and 5 A, with a resistor on its terminals.

    Wiring: none, it is simulated. It holds the voltage (mode cv) until the load would take more than the current limit,
    then it holds the current (mode cc). Readbacks carry the noise of a good instrument: 2 mV and 0.5 mA.

        [things.supply]
        driver = "sim.supply"
        load_ohms = 12.0
        seed = 1
    """

    power_on = {"voltage_setpoint": 0.0, "current_limit": 1.0, "output": False}

    load_ohms: float = setting(12.0, doc="resistance of the load in ohms", minimum=0.01, maximum=1e6)

    voltage_setpoint: Writable[float] = writable(
        doc="voltage that it holds while the current allows", unit="V", minimum=0, maximum=30, precision=2, safe=0.0
    )
    current_limit: Writable[float] = writable(
        doc="current that it never exceeds", unit="A", minimum=0, maximum=5, precision=3
    )
    output: Writable[bool] = writable(
        doc="terminals on", safe=False, hazard="Puts up to 30 V and 5 A on the terminals: a short or a coil gets hot"
    )
    voltage: Readable[float] = readable(doc="at the terminals", unit="V", precision=3, dead_band=0.01)
    current: Readable[float] = readable(doc="through the load", unit="A", precision=4, dead_band=0.002)
    power: Readable[float] = readable(doc="into the load", unit="W", precision=2, dead_band=0.05)
    mode: Readable[Mode] = readable(doc="cv = holds the voltage, cc = holds the current")
    limited: Event[float] = event(doc="went from holding the voltage to holding the current; the current in A")

    _volts = 0.0
    _mode: Mode = "off"

    def advance(self, seconds: float) -> None:
        """The terminals follow the output stage; off, the load empties the capacitor just as fast."""
        aim, mode = self._aim()
        self._volts += (aim - self._volts) * -math.expm1(-seconds / _RISE)
        if mode == "cc" and self._mode == "cv":
            self.emit("limited", self.level("current_limit"))
        self._mode = mode

    def read_voltage(self) -> float:
        """Volts."""
        return self._volts + 0.002 * gauss(self.seed, "voltage", self.steps())

    def read_current(self) -> float:
        """Amperes."""
        return self._volts / self.load_ohms + 0.0005 * gauss(self.seed, "current", self.steps())

    def read_power(self) -> float:
        """Watts, from the two readbacks as a real one does it."""
        return self.read_voltage() * self.read_current()

    def read_mode(self) -> Mode:
        """By the registers as they are now, not as they were at the last step."""
        return self._aim()[1]

    def _aim(self) -> tuple[float, Mode]:
        if not self.on("output"):
            return 0.0, "off"
        wanted, most = self.level("voltage_setpoint"), self.level("current_limit") * self.load_ohms
        return (wanted, "cv") if wanted <= most else (most, "cc")
