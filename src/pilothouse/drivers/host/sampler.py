"""Sampling in the background, so that reading the vitals answers at once whatever the kernel does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Sequence

from pilothouse.clock import Clock
from pilothouse.drivers.host.gauge import Gauge
from pilothouse.model import Value

log = logging.getLogger(__name__)

_FIRST = 0.2
"""Seconds to the second sample: rates need two, and nobody wants to wait for the first picture."""
_MISSED = 3
"""Samples that may fail to come before a value is not known any more."""
_PATIENCE_MS = 10_000
"""A sample that takes longer than this hangs."""


class Sampler:
    """A thread that takes the samples of some gauges, each at its own pace.

    `find` and the first `take` run in the caller; after `start` the gauges belong to the thread.
    """

    def __init__(self, name: str, gauges: Sequence[Gauge], clock: Clock) -> None:
        self.name = name
        self.names: frozenset[str] = frozenset()
        self._gauges = list(gauges)
        self._clock = clock
        self._due = [0] * len(self._gauges)
        self._latest: dict[str, tuple[int, float, Value]] = {}
        self._busy_since: int | None = None
        self._told: set[str] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def find(self) -> None:
        """Ask each gauge what there is; one that raises or has nothing is dropped."""
        kept: list[Gauge] = []
        names: set[str] = set()
        for gauge in self._gauges:
            try:
                found = set(gauge.find())
            except Exception as error:  # noqa: BLE001 - edge: odd kernels raise anything, and it costs one gauge
                self._tell(gauge, error)
                continue
            if found:
                kept.append(gauge)
                names |= found
        self._gauges, self.names = kept, frozenset(names)
        self._due = [0] * len(kept)

    def take(self) -> None:
        """Sample every gauge whose time has come."""
        mono = self._busy_since = self._clock.mono()
        for index, gauge in enumerate(self._gauges):
            if mono < self._due[index]:
                continue
            self._due[index] = mono + round(gauge.every * 1000)
            try:
                values = gauge.sample(mono)
            except Exception as error:  # noqa: BLE001 - edge of a thread: one gauge must not end the others
                self._tell(gauge, error)
                continue
            self._latest |= {name: (mono, gauge.every, value) for name, value in values.items()}
        self._busy_since = None

    def start(self) -> None:
        """Go on in the background until `stop`."""
        self._due = [0] * len(self._gauges)
        self._thread = threading.Thread(target=self._run, name=f"host-{self.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; one that hangs in the kernel is left to itself."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def read(self, names: Collection[str]) -> dict[str, Value]:
        """The newest value of each of `names` that is known and not old."""
        now = self._clock.mono()
        found: dict[str, Value] = {}
        for name in names:
            entry = self._latest.get(name)
            if entry is not None and now - entry[0] <= max(_MISSED * entry[1] * 1000, _PATIENCE_MS):
                found[name] = entry[2]
        return found

    def stuck(self) -> float:
        """Seconds that the sample under way has taken when that is too long; 0 when all is well."""
        since = self._busy_since
        took = 0 if since is None else self._clock.mono() - since
        return took / 1000 if took > _PATIENCE_MS else 0.0

    def _run(self) -> None:
        pace = min((gauge.every for gauge in self._gauges), default=60.0)
        wait = min(_FIRST, pace)
        while not self._stop.wait(wait):
            self.take()
            wait = pace

    def _tell(self, gauge: Gauge, error: Exception) -> None:
        text = f"{type(gauge).__name__}: {type(error).__name__}: {error}"
        if text not in self._told and len(self._told) < 20:
            self._told.add(text)
            log.warning("vitals: %s", text)
