"""Network: bytes a second in and out of each interface."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import psutil

from pilothouse.drivers.host.gauge import NUMBER, Count, Gauge, property_name, rate
from pilothouse.model import PropertyDescription, Value

_MOST = 12


class Network(Gauge):
    """Rates of each interface that is a device or has carried anything since boot; no loopback, no container ends."""

    every = 2.0

    def find(self) -> Collection[str]:
        """As in Gauge."""
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
        self._before: dict[str, Count] = {}
        self._properties: dict[str, tuple[str, str]] = {}
        for interface, count in sorted(counters.items()):
            if interface == "lo" or interface.startswith("veth") or len(self._properties) == _MOST:
                continue
            device = (self.root / "sys/class/net" / interface / "device").exists()
            if device or count.bytes_recv or count.bytes_sent:
                self._properties[interface] = (
                    self._describe(interface, "in", f"received by {interface}"),
                    self._describe(interface, "out", f"sent by {interface}"),
                )
        return list(self.described)

    def sample(self, mono: int) -> Mapping[str, Value]:
        """As in Gauge; an interface that has gone is left out, alone."""
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
        values: dict[str, Value] = {}
        for interface, (received, sent) in self._properties.items():
            count = counters.get(interface)
            if count is None:
                continue
            for name, total in ((received, count.bytes_recv), (sent, count.bytes_sent)):
                after = Count(mono, total)
                speed = rate(self._before.get(name), after)
                self._before[name] = after
                if speed is not None:
                    values[name] = round(speed)
        return values

    def _describe(self, interface: str, direction: str, doc: str) -> str:
        name = property_name("net_", interface, f"_{direction}", self.described)
        self.described[name] = PropertyDescription(
            name=name,
            title=f"{interface} {direction}",
            doc=doc,
            schema=NUMBER | {"minimum": 0},
            minimum=0,
            unit="By/s",
            precision=0,
            every=self.every,
            dead_band=2_000.0,
            heartbeat=60.0,
        )
        return name
