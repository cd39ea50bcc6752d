"""The vitals of this machine as a thing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import psutil
from msgspec import Struct

from pilothouse.drivers.host.cpu import Cpu, Frequency, Load, Processes
from pilothouse.drivers.host.disks import DiskRates, Disks
from pilothouse.drivers.host.machine import Machine, Uptime
from pilothouse.drivers.host.memory import Memory, Swap
from pilothouse.drivers.host.network import Network
from pilothouse.drivers.host.sampler import Sampler
from pilothouse.drivers.host.temperatures import Temperatures
from pilothouse.drivers.host.throttling import Throttling
from pilothouse.model import PropertyDescription, Readable, Thing, Value, readable, setting

_STEP = 16.0 * 1024 * 1024
"""Dead band of amounts of memory, bytes."""
_RARELY = 600.0
"""Heartbeat of what hardly ever changes, seconds."""


class About(Struct, frozen=True, kw_only=True):
    """What the machine is."""

    hostname: str
    os: str
    kernel: str
    machine: str
    """Architecture, such as "aarch64"."""
    model: str
    """Board or product; "" when the machine does not tell."""
    cores: int
    python: str


class Host(Thing):
    """CPU, temperatures, memory, disks, network and the rest of the machine that the agent runs on.

    Wiring: none. What the machine does not tell is not there; what stops telling keeps its last reading and turns
    stale, alone. Samples are taken in the background, so that reading never waits. Besides the properties below it
    has, as the machine gives them: `temperature_…` for each sensor, `disk_…` and `disk_…_free` for each file
    system on a disk, `net_…_in` and `net_…_out` for each interface.
    Periods and dead bands keep what an idle machine reports below one reading a second: SD cards wear.

        [node]
        host = true        # a thing "host" without more words; or, to change something of it:

        [things.host]
        driver = "host"
        properties.cpu.dead_band = 0.5
    """

    root: str = setting("/", doc="where the machine's /proc and /sys are, for an agent in a container")

    cpu: Readable[float] = readable(
        doc="busy, all cores", title="CPU", unit="%", minimum=0, maximum=100, precision=1, dead_band=2.0, heartbeat=30.0
    )
    cpu_cores: Readable[list[int]] = readable(
        doc="busy, each core", title="CPU cores", unit="%", every=2.0, heartbeat=60.0
    )
    cpu_frequency: Readable[float] = readable(
        doc="clock, mean of the cores",
        title="CPU clock",
        unit="MHz",
        precision=0,
        every=5,
        dead_band=50,
        heartbeat=60.0,
    )
    load_1: Readable[float] = readable(
        doc="processes that run or wait, mean of 1 min", precision=2, every=5.0, dead_band=0.1, heartbeat=60.0
    )
    load_5: Readable[float] = readable(
        doc="the same, mean of 5 min", precision=2, every=15.0, dead_band=0.1, heartbeat=120.0
    )
    load_15: Readable[float] = readable(
        doc="the same, mean of 15 min", precision=2, every=30.0, dead_band=0.1, heartbeat=300.0
    )
    temperature: Readable[float] = readable(
        doc="of the CPU", unit="Cel", precision=1, every=2.0, dead_band=0.5, heartbeat=30.0
    )
    memory: Readable[float] = readable(
        doc="used", unit="%", minimum=0, maximum=100, precision=1, every=2.0, dead_band=0.5, heartbeat=30.0
    )
    memory_used: Readable[int] = readable(
        doc="total less available", unit="By", every=5.0, dead_band=_STEP, heartbeat=120.0
    )
    memory_available: Readable[int] = readable(
        doc="what programs could have without swapping", unit="By", every=5.0, dead_band=_STEP, heartbeat=120.0
    )
    memory_total: Readable[int] = readable(doc="built in", unit="By", every=60.0, heartbeat=_RARELY)
    swap: Readable[float] = readable(
        doc="used", unit="%", minimum=0, maximum=100, precision=1, every=10.0, dead_band=0.5, heartbeat=120.0
    )
    swap_used: Readable[int] = readable(doc="used", unit="By", every=10.0, dead_band=_STEP, heartbeat=300.0)
    swap_total: Readable[int] = readable(doc="set up", unit="By", every=60.0, heartbeat=_RARELY)
    disk_read: Readable[int] = readable(
        doc="from all disks", unit="By/s", every=5.0, dead_band=50_000.0, heartbeat=60.0
    )
    disk_written: Readable[int] = readable(
        doc="to all disks", unit="By/s", every=5.0, dead_band=50_000.0, heartbeat=60.0
    )
    processes: Readable[int] = readable(doc="how many there are", every=10.0, dead_band=2, heartbeat=120.0)
    uptime: Readable[int] = readable(doc="since the machine was started", unit="s", every=30.0)
    boot_time: Readable[str] = readable(
        doc="when the machine was started, by its clock as it is now; RFC 3339", every=30.0, heartbeat=_RARELY
    )
    about: Readable[About] = readable(doc="names and versions", every=60.0, heartbeat=_RARELY)

    under_voltage: Readable[bool] = readable(doc="the supply is too weak now", every=5.0, heartbeat=120.0)
    under_voltage_since_boot: Readable[bool] = readable(doc="it was at some time", every=5.0, heartbeat=_RARELY)
    frequency_capped: Readable[bool] = readable(doc="the clock is held down now", every=5.0, heartbeat=120.0)
    frequency_capped_since_boot: Readable[bool] = readable(doc="it was at some time", every=5.0, heartbeat=_RARELY)
    throttled: Readable[bool] = readable(doc="the processor is slowed down now", every=5.0, heartbeat=120.0)
    throttled_since_boot: Readable[bool] = readable(doc="it was at some time", every=5.0, heartbeat=_RARELY)
    temperature_limited: Readable[bool] = readable(
        doc="over the soft limit of temperature now", every=5.0, heartbeat=120.0
    )
    temperature_limited_since_boot: Readable[bool] = readable(doc="it was at some time", every=5.0, heartbeat=_RARELY)

    def __init__(self, settings: Mapping[str, Value] | None = None) -> None:
        super().__init__(settings)
        self._samplers: list[Sampler] = []
        self._properties: dict[str, PropertyDescription] = {}

    def open(self) -> None:
        """Look what there is, take a first sample, and go on in the background."""
        self.close()
        root = Path(self.root)
        # psutil knows one /proc a process; one host a process is what there is.
        psutil.PROCFS_PATH = str(root / "proc")
        quick = [Cpu(root), Temperatures(root), Network(root), Memory(root), Load(root), Frequency(root), Swap(root)]
        quick += [DiskRates(root), Uptime(root, self.clock), Processes(root), Machine(root)]
        # These may hang: a disk that dies, a firmware that is busy. They hang alone.
        slow = [Disks(root), Throttling(root)]
        self._samplers = [Sampler("vitals", quick, self.clock), Sampler("disks", slow, self.clock)]
        self._properties = {}
        for sampler in self._samplers:
            sampler.find()
            sampler.take()
        described = {name: found for gauge in (*quick, *slow) for name, found in gauge.described.items()}
        known = self.declared_properties | described
        names = frozenset[str]().union(*(sampler.names for sampler in self._samplers))
        self._properties = {name: known[name] for name in known if name in names}
        for sampler in self._samplers:
            sampler.start()

    def close(self) -> None:
        """End the background threads."""
        for sampler in self._samplers:
            sampler.stop()
        self._samplers = []

    def properties(self) -> dict[str, PropertyDescription]:
        """What this machine has of the properties above, and its own."""
        return self._properties

    def read(self, names: Collection[str]) -> Mapping[str, Any]:
        """The newest samples; raises TimeoutError when all that is asked for hangs in the kernel."""
        values: dict[str, Value] = {}
        for sampler in self._samplers:
            values |= sampler.read([name for name in names if name in sampler.names])
        if not values:
            for sampler in self._samplers:
                if sampler.stuck() and not sampler.names.isdisjoint(names):
                    raise TimeoutError(f"sampling {sampler.name} has hung for {sampler.stuck():.0f} s")
        return values
