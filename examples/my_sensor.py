"""A driver of your own in one small file: a DS18B20 temperature probe on the 1-wire bus of a Raspberry Pi.

Wiring: data to GPIO 4 with 4.7 kΩ up to 3.3 V; `dtoverlay=w1-gpio` in /boot/firmware/config.txt.
The kernel then shows each probe as a folder: ls /sys/bus/w1/devices

    [things.probe]
    driver = "my_sensor:Probe"
    folder = "/sys/bus/w1/devices/28-0316a2795dff"

Python must find this file: start Pilothouse with its folder in PYTHONPATH (see README.md beside it).
"""

from __future__ import annotations

from pathlib import Path

from pilothouse.model import Event, Readable, Thing, Writable, action, event, readable, setting, writable


class Probe(Thing):
    """Waterproof temperature probe DS18B20, -55 to 125 °C."""

    folder: str = setting(doc="the probe's folder, such as /sys/bus/w1/devices/28-0316a2795dff")
    offset: float = setting(0.0, doc="what is added to each reading, from your calibration in ice water, °C")

    temperature: Readable[float] = readable(
        doc="at the tip", unit="Cel", minimum=-55, maximum=125, precision=2, every=2.0, dead_band=0.1
    )
    resolution: Writable[int] = writable(
        doc="bits; each one more takes twice as long to measure", minimum=9, maximum=12, every=30.0, settle=2.0
    )
    restarted: Event[None] = event(doc="the probe lost its power for a moment and forgot its settings")

    def open(self) -> None:
        """Fail at once, with a sentence, when there is no such probe."""
        if not Path(self.folder).is_dir():
            raise OSError(f"There is no probe at {self.folder}; see: ls /sys/bus/w1/devices")

    def resource(self) -> str:
        """All probes hang on one wire, so they are asked one after the other."""
        return "w1"

    def read_temperature(self) -> float:
        """Degrees Celsius. Takes up to 0.75 s, which holds up nobody else."""
        millidegrees = int(self._file("temperature").read_text("ascii"))
        if millidegrees == 85_000:
            # What it says right after it got power, before it has measured anything.
            self.emit("restarted")
            raise OSError("The probe has just got its power and has not measured yet")
        return millidegrees / 1000 + self.offset

    def read_resolution(self) -> int:
        """Bits."""
        return int(self._file("resolution").read_text("ascii"))

    def write_resolution(self, value: int) -> None:
        """Bits; within limits, the agent has seen to that."""
        self._file("resolution").write_text(str(value), "ascii")

    @action(doc="keep the resolution also without power", timeout=5.0)
    def save(self) -> None:
        """Write the settings into the probe's own memory, which may be done some 50,000 times."""
        self._file("eeprom_cmd").write_text("save", "ascii")

    def _file(self, name: str) -> Path:
        return Path(self.folder) / name
