"""Every temperature sensor that the kernel knows, and which of them is the CPU's.

Read here and not by psutil: that one looks at thermal zones only when there is no hwmon chip at all, so on a Pi with
a clock chip or a 1-Wire sensor the CPU's temperature would be missing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pilothouse.drivers.host.gauge import NUMBER, Gauge, property_name, read_number, read_text
from pilothouse.model import PropertyDescription, Value

_CPU = (
    r"cpu_thermal",  # Raspberry Pi and most other boards
    r"coretemp_package",  # Intel
    r"(k10temp|zenpower)_t(die|ctl)",  # AMD
    r"x86_pkg_temp",
    r"coretemp|k10temp|zenpower",
    r"(cpu|soc)",  # boards that name their zones "cpu0-thermal", "soc_thermal", "bigcore0"
    r"(big|little)core|center_thermal",
    r"acpitz",
)
"""Sensors of the CPU, the surest first, as patterns of slugs."""


class Sensor(NamedTuple):
    """One temperature sensor."""

    label: str
    """As the kernel names it: chip and input, or thermal zone."""
    path: Path
    scale: float
    """What its numbers are to be divided by."""


class Temperatures(Gauge):
    """`temperature_…` for each sensor, and `temperature` for the CPU."""

    every = 2.0

    def find(self) -> Collection[str]:
        """As in Gauge; sensors that give no sensible number now are not there."""
        self._sensors: dict[str, Sensor] = {}
        for sensor in [*_chips(self.root), *_zones(self.root)]:
            if celsius(sensor) is None or any(_same(sensor, other) for other in self._sensors.values()):
                continue
            name = property_name("temperature_", sensor.label, "", self._sensors)
            self._sensors[name] = sensor
            self.described[name] = PropertyDescription(
                name=name,
                title=f"Temperature {sensor.label}",
                doc=f"sensor {sensor.label} of the kernel",
                schema=NUMBER,
                unit="Cel",
                precision=1,
                every=4.0,
                dead_band=0.5,
                heartbeat=60.0,
            )
        self._cpu = best_cpu(self._sensors)
        return [*self._sensors, *(["temperature"] if self._cpu else [])]

    def sample(self, mono: int) -> Mapping[str, Value]:
        """As in Gauge; a sensor that has gone is left out, alone."""
        values: dict[str, Value] = {}
        for name, sensor in self._sensors.items():
            found = celsius(sensor)
            if found is not None:
                values[name] = found
        if self._cpu in values:
            values["temperature"] = values[self._cpu]
        return values


def best_cpu(names: Collection[str]) -> str:
    """Which of these properties is the CPU's temperature; "" when none looks like it."""
    for pattern in _CPU:
        for name in sorted(names):
            if re.match(pattern, name.removeprefix("temperature_")):
                return name
    return ""


def celsius(sensor: Sensor) -> float | None:
    """Its temperature now, °C; None when it says nothing that a thermometer could."""
    number = read_number(sensor.path)
    if number is None:
        return None
    value = number / sensor.scale
    return round(value, 1) if -90 <= value <= 300 else None


def _chips(root: Path) -> Iterator[Sensor]:
    """Inputs of hwmon chips; in the order of their devices, because hwmon's numbers change from boot to boot."""
    chips = sorted(root.glob("sys/class/hwmon/hwmon*"), key=lambda path: (str((path / "device").resolve()), path.name))
    for chip in chips:
        # Old kernels have the files one folder deeper.
        inputs = [*chip.glob("temp*_input"), *chip.glob("device/temp*_input")]
        kind = read_text(chip / "name") or read_text(chip / "device/name") or chip.name
        for path in sorted(inputs, key=lambda path: (len(path.name), path.name)):
            stem = path.name.removesuffix("_input")
            label = read_text(path.with_name(f"{stem}_label"))
            single = len(inputs) == 1 and not label
            yield Sensor(kind if single else f"{kind} {label or stem}", path, 1000)


def _zones(root: Path) -> Iterator[Sensor]:
    for zone in sorted(root.glob("sys/class/thermal/thermal_zone*"), key=lambda path: (len(path.name), path.name)):
        path = zone / "temp"
        number = read_number(path)
        # Kernels of some boards give whole degrees here. No CPU that runs is below 0.15 °C.
        yield Sensor(read_text(zone / "type") or zone.name, path, 1 if number and 1 <= number <= 150 else 1000)


def _same(zone: Sensor, other: Sensor) -> bool:
    """Whether a thermal zone is another one's hwmon chip: the kernel shows most zones twice."""
    return zone.path.name == "temp" != other.path.name and zone.label.replace("-", "_") == other.label
