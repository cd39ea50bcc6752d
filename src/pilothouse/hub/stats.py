"""The vitals of the hub's own node in one small answer; CPU averaged over any interval of the last minute. Pure.

Nothing is sampled here: the agent's readings come by all the time, and those of the last minute are kept. It reports
a reading only when the value has changed, so between two readings the first one holds.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from pilothouse.hub.directory import ThingView
from pilothouse.hub.problems import WebError
from pilothouse.model import PropertyState, Quality

SHORTEST, LONGEST = 0.1, 60.0
"""Seconds over which CPU can be averaged."""
_SAMPLES = 2000


class Memory(Struct, kw_only=True):
    """Main memory, in bytes; null = the machine does not tell."""

    total: int | None = None
    used: int | None = None
    available: int | None = None
    percent: float | None = None
    """Used, of the total."""


class Stats(Struct, kw_only=True):
    """Vitals of the hub's own node; null = there is no such sensor, or nobody reads it now."""

    node: str
    cpu: float | None = None
    """Busy, all cores, percent; mean over `interval` when one was asked for."""
    temperature: float | None = None
    """Of the CPU, °C."""
    memory: Memory
    uptime: int | None = None
    """Seconds since the machine was started."""
    interval: float | None = None
    """Seconds that `cpu` is averaged over; null = the last reading."""
    sampled_at: int | None = None
    """When the CPU was last read, Unix milliseconds."""


class Averages:
    """One number over the last minute, as a staircase."""

    def __init__(self) -> None:
        self._steps: deque[tuple[int, float | None]] = deque(maxlen=_SAMPLES)

    def add(self, mono: int, value: float | None) -> None:
        """From `mono` (milliseconds) on it is `value`; None = nobody reads it."""
        self._steps.append((mono, value))
        # One step older than the window is kept: its value holds at the window's beginning.
        while len(self._steps) > 1 and self._steps[1][0] <= mono - LONGEST * 1000:
            self._steps.popleft()

    def mean(self, mono: int, interval: float) -> float | None:
        """Mean over the `interval` seconds before `mono`, of what is known of them; None = nothing is."""
        begin = mono - interval * 1000
        weight = total = 0.0
        until = float(mono)
        for time, value in reversed(self._steps):
            since = max(float(time), begin)
            if value is not None and until > since:
                weight += until - since
                total += value * (until - since)
            until = min(until, since)
            if time <= begin:
                break
        if weight > 0:
            return round(total / weight, 2)
        return self._steps[-1][1] if self._steps else None


def parse_interval(text: str) -> float:
    """Seconds; raises WebError (400)."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not SHORTEST <= seconds <= LONGEST:  # also for NaN
        raise WebError(
            400,
            "bad-query",
            f"interval = {text[:40]!r} cannot be averaged over",
            why=f"it is a number of seconds from {SHORTEST} to {LONGEST:g}",
            remedy="Ask for /stats?interval=5, or for the last reading with /stats",
        )
    return seconds


def stats_of(host: ThingView | None, node: str, *, now: int, interval: float | None, mean: float | None) -> Stats:
    """The answer, from the node's thing "host"; `host` None = there is none, or its node is away."""
    known = host.properties if host is not None else {}
    cpu = known.get("cpu", PropertyState())
    uptime = known.get("uptime", PropertyState())
    since_boot = _number(uptime)
    return Stats(
        node=node,
        cpu=_number(cpu) if interval is None else (mean if host is not None else None),
        temperature=_number(known.get("temperature")),
        memory=Memory(
            total=_whole(known.get("memory_total")),
            used=_whole(known.get("memory_used")),
            available=_whole(known.get("memory_available")),
            percent=_number(known.get("memory")),
        ),
        # It is read rarely, and goes on meanwhile.
        uptime=None if since_boot is None else int(since_boot + max(0, now - uptime.time) / 1000),
        interval=interval,
        sampled_at=cpu.time or None,
    )


def _number(state: PropertyState | None) -> float | None:
    if state is None or state.time == 0 or state.quality in (Quality.BAD, Quality.GAP):
        return None
    value = state.value
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(state: PropertyState | None) -> int | None:
    number = _number(state)
    return None if number is None else int(number)
