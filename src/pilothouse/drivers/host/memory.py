"""Memory and swap."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import psutil

from pilothouse.drivers.host.gauge import Gauge
from pilothouse.model import Value


class Memory(Gauge):
    """What is used and what could be had without swapping."""

    every = 2.0

    def find(self) -> Collection[str]:
        """As in Gauge."""
        return tuple(self.sample(0))

    def sample(self, mono: int) -> Mapping[str, Value]:
        """As in Gauge."""
        memory = psutil.virtual_memory()
        used = memory.total - memory.available
        return {
            "memory": round(100 * used / memory.total, 1),
            "memory_total": memory.total,
            "memory_used": used,
            "memory_available": memory.available,
        }


class Swap(Gauge):
    """Swap space, where there is any."""

    every = 10.0

    def find(self) -> Collection[str]:
        """As in Gauge."""
        return tuple(self.sample(0))

    def sample(self, mono: int) -> Mapping[str, Value]:
        """As in Gauge."""
        swap = psutil.swap_memory()
        if not swap.total:
            return {}
        return {"swap": round(100 * swap.used / swap.total, 1), "swap_total": swap.total, "swap_used": swap.used}
