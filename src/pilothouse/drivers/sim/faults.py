"""The base of all simulated devices: time steps, outputs with their trace, and failing on request."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from pilothouse.clock import Clock
from pilothouse.drivers.sim.trace import Trace, Traced
from pilothouse.model import Thing, Value, action, setting
from pilothouse.model.thing import Changed, Emit

FaultKind = Literal["hang", "drop", "wrong"]
FaultTime = Annotated[float, Meta(gt=0, le=3600, description="seconds that it lasts")]

_LOOK_EVERY = 0.02
"""Seconds between looks at the clock while hanging: a fake clock wakes nobody."""

_MOST_STEPS = 36_000
"""Steps computed at once; a device that nobody asked for longer than that stood still for the rest."""


class SimThing(Thing):
    """A device that is no hardware.

    `outputs` are the registers of the device: what was last written to each, and what `power_on` says before that.
    A property without a `read_x` of its own reads its output; one without a `write_x` writes it. Physics go into
    `advance`, called for every step of time that passed since the last look, so that the state depends on the clock
    and on what was written when, and not on how often it was read. Every change of an output is in `trace`.

    Like a board of latching relays the device outlives its agent: with `trace_file` set, a new process finds
    the outputs as the last one left them, also after kill -9.
    """

    simulated = True
    power_on: ClassVar[Mapping[str, Value]] = {}
    """Outputs when the device gets its power."""
    step: ClassVar[float] = 0.1
    """Seconds of one step of `advance`."""

    seed: int = setting(0, doc="two devices with the same seed make the same noise")
    trace_file: str = setting("", doc="file to which every change of an output is appended, one JSON object a line")

    def __init__(self, settings: Mapping[str, Value] | None = None) -> None:
        super().__init__(settings)
        self.outputs: dict[str, Value] = dict(self.power_on)
        self._trace = Trace(self.name, self.trace_file)
        self._fault: FaultKind | None = None
        self._fault_until = 0
        self._closed = threading.Event()
        self._started: int | None = None
        self._steps = 0
        self.outputs_lock = threading.RLock()
        """Held while an output changes: a second path may do that from another thread than the lane's."""

    @property
    def trace(self) -> deque[Traced]:
        """The last 10,000 changes of outputs, oldest first."""
        return self._trace.entries

    def bind(self, name: str, clock: Clock, emit: Emit, changed: Changed) -> None:
        """As in Thing."""
        super().bind(name, clock, emit, changed)
        self._trace = Trace(name, self.trace_file)

    def open(self) -> None:
        """Get hold of the device; raises ConnectionError while it is dropped."""
        self._closed.clear()
        if self._started is None:
            self._started = self.clock.mono()
            self.outputs |= {name: value for name, value in self._trace.last().items() if name in self.outputs}
        self.reach()

    def close(self) -> None:
        """Let go; releases a call that hangs at once, from whatever thread."""
        self._closed.set()

    def read(self, names: Collection[str]) -> Mapping[str, Any]:
        """As in Thing; hangs, raises or lies while failing."""
        self.reach()
        self.catch_up()
        values = {name: self._value(name) for name in names}
        if self._failing() == "wrong":
            second = self.clock.mono() // 1000
            return {name: nonsense(value, second) for name, value in values.items()}
        return values

    def write(self, name: str, value: Any) -> None:
        """As in Thing; hangs or raises while failing."""
        self.reach()
        self.catch_up()
        method = getattr(self, f"write_{name}", None)
        if method is None:
            self.put(name, value)
        else:
            method(value)

    @action(doc="fail on purpose: hang = no answer until it is over, drop = an error, wrong = nonsense values")
    def fail(self, kind: FaultKind, seconds: FaultTime) -> None:
        """Start failing; a second call replaces the first."""
        self._fault = kind
        self._fault_until = self.clock.mono() + round(seconds * 1000)

    @action(doc="end a failure; waits its turn like every call, so it cannot end a hang early")
    def heal(self) -> None:
        """Stop failing."""
        self._fault = None

    # for the devices

    def advance(self, seconds: float) -> None:
        """Let one step of time pass in the device; override it."""

    def elapsed(self) -> float:
        """Seconds of the device's own time, in whole steps since it was first opened."""
        return self._steps * self.step

    def steps(self) -> int:
        """Steps since the device was first opened; what noise is made from."""
        return self._steps

    def on(self, output: str) -> bool:
        """Whether an output is on."""
        return self.outputs[output] is True

    def level(self, output: str) -> float:
        """An output as a number."""
        value = self.outputs[output]
        if not isinstance(value, int | float):
            raise TypeError(f"{output} is {value!r}")
        return float(value)

    def put(self, output: str, value: Value) -> None:
        """Set an output and trace it, also when it had that value already: a command done twice must show."""
        with self.outputs_lock:  # so that the trace tells the changes in the order in which they happened
            self.outputs[output] = value
            self._trace.note(self.clock.mono(), output, value)

    def reach(self) -> None:
        """Get through to the device: waits while it hangs, raises ConnectionError when it cannot be reached."""
        while self._failing() == "hang":
            if self._closed.wait(_LOOK_EVERY):
                raise ConnectionError("closed while the simulated device hung")
        if self._failing() == "drop":
            raise ConnectionError("the simulated device does not answer, as was asked of it")

    def catch_up(self) -> None:
        """Let the time pass that passed since the last look."""
        if self._started is None:
            raise ConnectionError("the simulated device was never opened")
        due = (self.clock.mono() - self._started) // round(self.step * 1000)
        for _ in range(min(due - self._steps, _MOST_STEPS)):
            self._steps += 1
            self.advance(self.step)
        self._steps = max(self._steps, due)

    def _failing(self) -> FaultKind | None:
        if self._fault is not None and self.clock.mono() >= self._fault_until:
            self._fault = None
        return self._fault

    def _value(self, name: str) -> Any:
        method = getattr(self, f"read_{name}", None)
        if method is None:
            return self.outputs[name]
        value = method()
        return round(value, self.declared_properties[name].precision) if isinstance(value, float) else value


def nonsense(value: Any, second: int) -> Any:
    """What a lying device gives for `value`: the contrary, a number far off, or (each odd second) no number at all."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return math.nan if second % 2 else -1.0e6 - value
    return None if second % 2 else f"?{value}?"
