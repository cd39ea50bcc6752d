"""A device that does whatever a test wants: answers nonsense, raises, hangs. And ears for what its agent says of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pilothouse.agent.build import Built
from pilothouse.agent.lane import Watch
from pilothouse.agent.owned import Owned
from pilothouse.config.site import ThingConfig
from pilothouse.model import Event, Readable, Reading, Thing, Writable, action, event, readable, setting, writable


class Odd(Thing):
    """Its answers are set by the test, from the test's thread; `calls` is what it was asked, in order."""

    bus_name: str = setting("", doc="resource that it shares")

    number: Readable[float] = readable(doc="a number", minimum=-1000, maximum=1000, dead_band=0.5)
    text: Readable[str] = readable(doc="a text", every=2.0)
    level: Writable[float] = writable(doc="a level", unit="V", minimum=0, maximum=10, precision=2, safe=0.0)
    slow: Writable[float] = writable(doc="a level that takes its time", minimum=0, maximum=10, settle=2.0)
    on: Writable[bool] = writable(doc="a switch", safe=False)
    rang: Event[int] = event(doc="it rang")

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        super().__init__(settings)
        self.values: dict[str, Any] = {"number": 1.0, "text": "well", "level": 5.0, "slow": 5.0, "on": True}
        self.calls: list[Any] = []
        self.broken: dict[str, BaseException] = {}
        """By kind of call ("open", "read", "write", "close"): what it raises."""
        self.free = threading.Event()
        self.free.set()
        self.deaf = False
        """Whether writes change nothing."""

    def resource(self) -> str:
        """Shared when the setting says so."""
        return self.bus_name or super().resource()

    def _called(self, kind: str, *more: Any) -> None:
        self.calls.append((kind, *more))
        if not self.free.wait(20):
            raise TimeoutError("a test left the odd device hanging")
        if kind in self.broken:
            raise self.broken[kind]

    def open(self) -> None:
        """As told."""
        self._called("open")

    def close(self) -> None:
        """As told."""
        self._called("close")

    def read(self, names: Collection[str]) -> Any:
        """As told."""
        self._called("read", *sorted(names))
        return {name: self.values[name] for name in names if name in self.values}

    def write(self, name: str, value: Any) -> None:
        """As told."""
        self._called("write", name, value)
        if not self.deaf:
            self.values[name] = value

    @action(doc="do something", timeout=3.0)
    def work(self, times: int = 1) -> int:
        """As told."""
        self._called("work", times)
        return times

    @action(doc="give something back that is no value")
    def nonsense(self) -> float:
        """NaN."""
        return float("nan")

    def count(self, kind: str) -> int:
        """How often it was asked so."""
        return sum(call[0] == kind for call in self.calls)


class Heard:
    """Takes what a thing tells its node."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.changes = 0
        self.descriptions = 0

    def reading(self, reading: Reading) -> None:
        """A reading."""
        self.readings.append(reading)

    def changed(self, thing: str, *, at_once: bool = False) -> None:
        """A state."""
        self.changes += 1

    def described(self, thing: str) -> None:
        """A description."""
        self.descriptions += 1

    def of(self, name: str) -> list[tuple[Any, str]]:
        """Values and qualities of one property."""
        return [(r.value, str(r.quality)) for r in self.readings if r.property == name]


def own(
    thing: Odd, watch: Watch, out: Any, clock: Any, random: Any, *, name: str = "odd", config: ThingConfig | None = None
) -> Owned:
    """The agent's side of an odd thing."""
    thing.bind(name, clock, lambda *_: None, lambda *_: None)
    built = Built(thing, config or ThingConfig(driver="support.odd:Odd"))
    return Owned(built, "pi", watch.lane(thing.resource()), out, clock, random)


async def soon(ask: Callable[[], Any], what: str = "it", *, seconds: float = 5.0) -> Any:
    """Wait in real time for what threads do; the fake clock stands still."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        await asyncio.sleep(0.0005)
    return answer


async def passing(
    clock: Any, ask: Callable[[], Any], what: str = "it", *, most: float = 100.0, step: float = 0.05
) -> Any:
    """Move the fake clock on until it is so."""
    for _ in range(round(most / step)):
        for _ in range(5):
            if answer := ask():
                return answer
            await asyncio.sleep(0.0002)
        await clock.advance(step)
    raise AssertionError(f"{most} s of the fake clock passed without {what}")
