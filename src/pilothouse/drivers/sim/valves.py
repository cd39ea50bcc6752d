"""Simulated pair of valves with a pump and a tank."""

from __future__ import annotations

import math

from pilothouse.drivers.sim.faults import SimThing
from pilothouse.drivers.sim.noise import gauss
from pilothouse.model import Event, Readable, Writable, event, readable, setting, writable

_DEAD_HEAD = 250.0
"""Pressure of the pump against a closed valve, kPa."""
_FLOWING = 40.0
"""Pressure of the pump while water flows, kPa."""
_RELIEF = 240.0
"""Pressure at which the relief valve opens, kPa."""
_PRESSURE_LAG = 0.5
"""Seconds in which the pressure follows."""


class Valves(SimThing):
    """A tank that is filled by a pump through valve A and emptied by its own weight through valve B.

    Wiring: none, it is simulated. On the real one the two valves must never be open together (the pump would feed the
    drain), and the pump must not run long against a closed valve A: nothing here prevents either, so that interlocks
    have something to prevent, and the trace shows whether they did.

        [things.valves]
        driver = "sim.valves"
        tank_litres = 20.0
        seed = 1
    """

    power_on = {"valve_a": False, "valve_b": False, "pump": False}

    tank_litres: float = setting(20.0, doc="volume of the full tank, litres", minimum=0.1, maximum=100_000)
    pump_flow: float = setting(6.0, doc="what the pump gives through the open valve, L/min", minimum=0.01, maximum=1e5)
    drain_flow: float = setting(5.0, doc="what leaves the full tank through valve B, L/min", minimum=0.01, maximum=1e5)
    filled: float = setting(50.0, doc="level at the start, percent", minimum=0, maximum=100)

    valve_a: Writable[bool] = writable(doc="inlet, from the pump; true = open", safe=False)
    valve_b: Writable[bool] = writable(doc="drain; true = open", safe=False, hazard="Empties the tank into the drain")
    pump: Writable[bool] = writable(
        doc="pump runs", safe=False, hazard="Against a closed inlet it builds up 2.5 bar until the relief valve opens"
    )
    tank_level: Readable[float] = readable(doc="of the tank, by its float", unit="%", precision=1, dead_band=0.2)
    flow: Readable[float] = readable(doc="into the tank", unit="L/min", precision=2, dead_band=0.05)
    pressure: Readable[float] = readable(doc="behind the pump", unit="kPa", precision=1, dead_band=1.0)
    overflowed: Event[float] = event(doc="the tank ran over; the inflow in L/min")
    relieved: Event[float] = event(doc="the relief valve opened; the pressure in kPa")

    _pressure = 0.0

    def open(self) -> None:
        """The tank begins as the settings say."""
        if not hasattr(self, "_litres"):
            self._litres = self.tank_litres * self.filled / 100
        super().open()

    def advance(self, seconds: float) -> None:
        """Water flows in, drains by its height, runs over at the brim; the pressure follows the pump."""
        inflow = self.read_flow()
        drained = self.drain_flow * math.sqrt(self._litres / self.tank_litres) if self.on("valve_b") else 0.0
        litres = self._litres + (inflow - drained) / 60 * seconds
        if litres > self.tank_litres > self._litres:
            self.emit("overflowed", inflow)
        self._litres = min(max(litres, 0.0), self.tank_litres)
        aim = 0.0 if not self.on("pump") else _FLOWING if self.on("valve_a") else _DEAD_HEAD
        before = self._pressure
        self._pressure += (aim - before) * -math.expm1(-seconds / _PRESSURE_LAG)
        if before < _RELIEF <= self._pressure:
            self.emit("relieved", round(self._pressure, 1))

    def read_tank_level(self) -> float:
        """Percent; the float bobs by 0.05."""
        level = 100 * self._litres / self.tank_litres + 0.05 * gauss(self.seed, "tank_level", self.steps())
        return min(max(level, 0.0), 100.0)

    def read_flow(self) -> float:
        """Litres per minute."""
        return self.pump_flow if self.on("pump") and self.on("valve_a") else 0.0

    def read_pressure(self) -> float:
        """Kilopascals."""
        return self._pressure
