"""Simulated thermal bath with heater and inertia."""

from __future__ import annotations

from pilothouse.drivers.sim.faults import SimThing
from pilothouse.drivers.sim.noise import gauss
from pilothouse.model import Event, Readable, Value, Writable, event, readable, setting, writable

_WATER = 4186.0
"""Heat that one litre of water takes for one degree, J/K."""
_ELEMENT = 350.0
"""Heat that the heating element itself takes for one degree, J/K."""
_ELEMENT_TO_WATER = 60.0
"""Heat from the element to the water, W/K: at full power the element is some 17 K hotter."""
_LOSS = 2.5
"""Heat from the water to the room, W/K."""
_PROBE = 3.0
"""Seconds that the probe lags behind the water."""
_NEAR = 0.2
"""Degrees within which the setpoint counts as reached."""

_GAIN = 250.0
"""Proportional gain of the built-in regulator, W/K."""
_RESET = 150.0
"""Its integral time, seconds."""


class Bath(SimThing):
    """A stirred water bath with a heater and no cooling: it warms in minutes and cools in hours.

    Wiring: none, it is simulated; a real one belongs behind a residual-current breaker and has a float switch.
    A regulator of its own (PI) drives the heater to the setpoint while `heater` is on. Colder than the room it cannot
    get.

        [things.bath]
        driver = "sim.bath"
        litres = 2.0
        ambient = 21.0
        seed = 1
    """

    power_on = {"setpoint": 20.0, "heater": False}

    litres: float = setting(2.0, doc="water in the bath, litres", minimum=0.1, maximum=500)
    heater_watts: float = setting(1000.0, doc="power of the heater at full, W", minimum=1, maximum=20_000)
    ambient: float = setting(21.0, doc="temperature of the room, °C", minimum=-20, maximum=60)

    temperature: Readable[float] = readable(doc="water, at the probe", unit="Cel", precision=2, dead_band=0.03)
    setpoint: Writable[float] = writable(
        doc="temperature to hold; the bath needs minutes", unit="Cel", minimum=5, maximum=95, precision=1, safe=20.0
    )
    heater: Writable[bool] = writable(
        doc="lets the regulator heat", safe=False, hazard="Heats up to 95 °C: scalds, and a dry bath burns out"
    )
    power: Readable[float] = readable(doc="of the heater now", unit="W", precision=0, dead_band=10)
    reached: Event[float] = event(doc="came within 0.2 °C of a new setpoint; the temperature in °C")

    _integral = 0.0
    _power = 0.0
    _waiting = False

    def open(self) -> None:
        """The water begins at the temperature of the room."""
        if not hasattr(self, "_water"):
            self._water = self._element = self._probe = self.ambient
        super().open()

    def put(self, output: str, value: Value) -> None:
        """A new wish is waited for; switching off forgets what the regulator had gathered."""
        super().put(output, value)
        self._waiting = self.on("heater")
        if not self.on("heater"):
            self._integral = self._power = 0.0

    def advance(self, seconds: float) -> None:
        """Heat goes from heater to element to water to room, and the probe follows."""
        self._power = self._regulate(seconds) if self.on("heater") else 0.0
        into_water = _ELEMENT_TO_WATER * (self._element - self._water)
        lost = _LOSS * (self._water - self.ambient)
        self._element += (self._power - into_water) / _ELEMENT * seconds
        self._water += (into_water - lost) / (_WATER * self.litres) * seconds
        self._probe += (self._water - self._probe) / _PROBE * seconds
        if self._waiting and abs(self._probe - self.level("setpoint")) < _NEAR:
            self._waiting = False
            self.emit("reached", round(self._probe, 2))

    def read_temperature(self) -> float:
        """Degrees Celsius."""
        return self._probe + 0.008 * gauss(self.seed, "temperature", self.steps())

    def read_power(self) -> float:
        """Watts."""
        return self._power

    def _regulate(self, seconds: float) -> float:
        """PI; the integral stands still while the heater is at its end, so that it does not wind up."""
        error = self.level("setpoint") - self._probe
        wanted = _GAIN * error + self._integral
        if 0 < wanted < self.heater_watts:
            self._integral += _GAIN / _RESET * error * seconds
        return min(max(wanted, 0.0), self.heater_watts)
