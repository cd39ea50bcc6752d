"""Simulated noisy sensor."""

from __future__ import annotations

import math
from typing import Any, Literal

from pilothouse.drivers.sim.faults import SimThing
from pilothouse.drivers.sim.noise import gauss
from pilothouse.model import PropertyDescription, Readable, Writable, readable, setting, writable

Averaging = Literal["off", "short", "long"]

_QUIETER: dict[Any, float] = {"off": 1.0, "short": 0.3, "long": 0.1}
"""What is left of the noise with each averaging: 1, some 10 and 100 samples."""


class Sensor(SimThing):
    """A climate sensor in a room whose temperature swings, with noise.

    Wiring: none, it is simulated. `channels` adds as many voltage inputs as are wanted, noisier ones, for load tests.

        [things.sensor]
        driver = "sim.sensor"
        mean = 21.0
        noise = 0.2
        seed = 1
    """

    power_on = {"offset": 0.0, "averaging": "off"}

    mean: float = setting(21.0, doc="temperature around which it swings, °C", minimum=-200, maximum=1000)
    swing: float = setting(3.0, doc="how far it swings, K", minimum=0, maximum=500)
    period: float = setting(600.0, doc="seconds of one swing", minimum=1, maximum=1e7)
    noise: float = setting(0.2, doc="standard deviation of the temperature's noise, K", minimum=0, maximum=100)
    channels: int = setting(0, doc="further inputs channel_1, channel_2 …", minimum=0, maximum=1000)

    temperature: Readable[float] = readable(doc="of the air", unit="Cel", precision=2, dead_band=0.05)
    humidity: Readable[float] = readable(
        doc="relative, of the air", unit="%", minimum=0, maximum=100, precision=1, dead_band=0.5
    )
    offset: Writable[float] = writable(doc="added to the temperature", unit="K", minimum=-5, maximum=5, precision=2)
    averaging: Writable[Averaging] = writable(doc="how many samples make a reading")

    def properties(self) -> dict[str, PropertyDescription]:
        """Those declared, and the channels."""
        number = {"type": "number"}
        added = {
            f"channel_{i}": PropertyDescription(
                name=f"channel_{i}", title=f"Channel {i}", doc=f"input {i}", schema=number, unit="V", precision=3
            )
            for i in range(1, self.channels + 1)
        }
        return self.declared_properties | added

    def read_temperature(self) -> float:
        """Degrees Celsius."""
        swing = self.swing * math.sin(2 * math.pi * self.elapsed() / self.period)
        return self.mean + swing + self._noise("temperature") * self.noise + self.level("offset")

    def read_humidity(self) -> float:
        """Percent; falls as the air warms."""
        swing = 8 * math.sin(2 * math.pi * self.elapsed() / self.period)
        return min(max(45 - swing + 0.4 * self._noise("humidity"), 0.0), 100.0)

    def _noise(self, channel: str) -> float:
        return gauss(self.seed, channel, self.steps()) * _QUIETER[self.outputs["averaging"]]

    def _value(self, name: str) -> Any:
        if name.startswith("channel_"):
            return round(math.sin(self.elapsed() + phase_of(name)) + 0.05 * gauss(self.seed, name, self.steps()), 3)
        return super()._value(name)


def phase_of(name: str) -> float:
    """Where in its swing a channel starts, radians: each by its number, a golden angle apart."""
    return 2.399963 * int(name.rpartition("_")[2])
