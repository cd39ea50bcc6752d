"""Lanes: one thread a resource, on which all calls to its devices run, one at a time and strictly in order.

A call that has not begun can be taken back, and then never runs. One that has begun cannot be stopped: when it takes
too long, its lane is marked as hung, nothing more is asked on it, and what the call gives in the end is told late.
Other lanes never notice. An urgent call, such as a safe value, goes before all that waits and is never turned away.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from pilothouse.agent.line import Line
from pilothouse.agent.turn import Stage, Turn
from pilothouse.agent.words import at_time
from pilothouse.clock import Clock
from pilothouse.errors import PilothouseError

log = logging.getLogger(__name__)

LIMIT = 200
"""Calls that may wait on one lane; more are refused, for they would only expire there."""
_LOOK_EVERY = 0.05


class Done(NamedTuple):
    """A call that came to its end."""

    result: Any
    number: int
    """Calls of a lane are numbered in the order in which they ran."""
    asked: int
    """When it began, Unix milliseconds."""
    time: int
    """When it ended, Unix milliseconds."""
    mono: int
    """When it ended, monotonic milliseconds."""


class CallFailed(PilothouseError):
    """The device was asked, and the driver raised; the cause is its error."""

    def __init__(self, cause: BaseException, asked: int) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.asked = asked


class NoAnswer(PilothouseError):
    """The device was asked and has not answered in time; it may answer yet."""

    def __init__(self, what: str, asked: int) -> None:
        super().__init__(what)
        self.asked = asked


class NotAsked(PilothouseError):
    """The call never began and never will; the device was not asked."""


class LaneHung(NotAsked):
    """Another call has not come back."""


class LaneFull(NotAsked):
    """Too much is waiting already."""


class LaneStopping(NotAsked):
    """The agent is on its way out."""


class Late(NotAsked):
    """Its deadline had passed before its turn came."""


class LaneStopped(NotAsked):
    """Stop was pressed."""


class Cancelled(NotAsked):
    """Somebody took it back."""


class By(NamedTuple):
    """The command that a call belongs to."""

    id: str = ""
    name: str = ""
    """The property or action."""
    who: str = ""


OURS = By()
"""Of the agent's own doing."""


class Hang(NamedTuple):
    """The call that a lane hangs on."""

    label: str
    thing: str
    since: int
    """When the device was asked, Unix milliseconds."""


class Slot(NamedTuple):
    """One call as others see it."""

    thing: str
    label: str
    by: By
    since: int
    """Unix milliseconds: when the device was asked; of one that waits, since when it does."""


def _nothing() -> None:
    """Who is told that a lane works, when nobody looks after it."""


OnLate = Callable[[Done | CallFailed], None]


class _Call:
    """One call, from waiting to its end."""

    def __init__(self, run: Callable[[], Any], *, thing: str, label: str, allowed: float) -> None:
        self.run = run
        self.thing = thing
        self.label = label
        self.allowed = allowed
        self.came = 0
        """When it came to the lane, monotonic milliseconds."""
        self.since = 0
        """The same, Unix milliseconds."""
        self.turn = Turn()
        self.urgent = False
        self.by = OURS
        self.on_late: OnLate | None = None
        self.future: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self.asked = 0
        self.begun = 0

    def end(self, error: PilothouseError) -> None:
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # whoever waited may be gone


class Lane:
    """The lane of one resource; made and used on the event loop, runs calls on a daemon thread of its own."""

    def __init__(self, name: str, clock: Clock, *, limit: int = LIMIT, working: Callable[[], None] = _nothing) -> None:
        self.name = name
        self.hang: Hang | None = None
        self.on_free: list[Callable[[], None]] = []
        """Called when the lane is no longer hung."""
        self._clock = clock
        self._limit = limit
        self._stopping = False
        self._closed = False
        self._open: dict[_Call, None] = {}
        self._line: Line[_Call] = Line()
        self._loop = asyncio.get_running_loop()
        self._working = working
        # A daemon: a driver that never comes back must not keep the process from ending.
        self._thread = threading.Thread(target=self._serve, name=f"lane {name}", daemon=True)
        self._thread.start()

    async def call(
        self,
        run: Callable[[], Any],
        *,
        thing: str,
        label: str,
        allowed: float,
        deadline: int | None = None,
        on_late: OnLate | None = None,
        urgent: bool = False,
        by: By = OURS,
    ) -> Done:
        """Run `run` on the lane in its turn and give its result.

        `allowed` seconds it may run; at or after monotonic `deadline` it does not begin. Raises CallFailed, NoAnswer
        (then `on_late` hears the end, should it come), or a NotAsked. An `urgent` one is taken even while the lane is
        full, stopping or hung; then it waits in front for as long as that takes.
        """
        self._may_wait(urgent=urgent)
        call = _Call(run, thing=thing, label=label, allowed=allowed)
        call.came, call.since = self._clock.mono(), self._clock.now()
        call.turn.deadline = deadline
        call.urgent, call.by, call.on_late = urgent, by, on_late
        self._open[call] = None
        self._line.put(call, urgent=urgent)
        self._working()
        try:
            return await call.future
        except asyncio.CancelledError:
            self._take_back(call)
            raise

    # what is seen of it

    def running(self) -> Slot | None:
        """The call that runs now, also one that is overdue."""
        found = next((call for call in self._open if call.turn.stage is Stage.RUNNING), None)
        return self._slot(found, found.asked or self._clock.now()) if found else None

    def waiting(self) -> list[Slot]:
        """What waits, in the order of its turn."""
        found = [call for call in self._open if call.turn.stage is Stage.WAITING]
        found.sort(key=lambda call: not call.urgent)  # stable: each kind stays in its order
        return [self._slot(call, call.since) for call in found]

    def oldest(self) -> int:
        """Milliseconds since the oldest of its calls came; 0 = it has none."""
        first = next(iter(self._open), None)
        return self._clock.mono() - first.came if first else 0

    def _slot(self, call: _Call, since: int) -> Slot:
        return Slot(call.thing, call.label, call.by, since)

    # taking back

    def take_back(self, id: str, error: NotAsked) -> bool:
        """Take back the waiting call of command `id`, which ends with `error`; False when there is none."""
        found = [call for call in list(self._open) if call.by.id == id and self._drop(call, error)]
        return bool(found)

    def drop_waiting(self, error: NotAsked, keep: Callable[[By], bool] = lambda by: False) -> int:
        """Take back everything that waits and is not urgent; gives how much that was."""
        waiting = [call for call in self._open if not call.urgent and not keep(call.by)]
        return sum(self._drop(call, error) for call in waiting)

    def check(self, mono: int) -> bool:
        """Look for calls that take too long or are too late; whether there is anything to look at again."""
        for call in list(self._open):
            if call.turn.late(mono):
                self._drop(call, Late("its time to live passed while it waited for the device"))
            elif self._too_long(call, mono):
                self._hangs(call)
        if self.hang is None:
            return bool(self._open)
        return any(call.turn.deadline is not None for call in self._open if call.turn.stage is Stage.WAITING)

    def _too_long(self, call: _Call, mono: int) -> bool:
        running = call.turn.stage is Stage.RUNNING and call.begun > 0
        return running and self.hang is None and mono - call.begun >= call.allowed * 1000

    def stop_taking(self) -> None:
        """From now on only urgent calls are taken; what waits and is none is taken back."""
        self._stopping = True
        self.drop_waiting(LaneStopping("the agent is stopping"))

    def close(self) -> None:
        """End the thread after what it runs now; never waits for it."""
        self._stopping = self._closed = True
        for call in list(self._open):
            self._drop(call, LaneStopping("the agent has stopped"))
        self._line.close()

    async def ended(self) -> None:
        """Wait until the thread has ended; for tests, which leave none behind."""
        while self._thread.is_alive():
            await asyncio.sleep(0.001)

    def _may_wait(self, *, urgent: bool) -> None:
        if self._closed or (self._stopping and not urgent):
            raise LaneStopping("the agent is stopping")
        if urgent:
            return
        if self.hang:
            raise LaneHung(_waits_for(self.hang))
        if len(self._open) >= self._limit:
            raise LaneFull(f"{len(self._open)} calls wait for this device already")

    def _hangs(self, call: _Call) -> None:
        self.hang = Hang(call.label, call.thing, call.asked)
        log.warning("lane %s: %s has not come back within %g s", self.name, call.label, call.allowed)
        call.end(NoAnswer(f"the driver has not answered for {call.allowed:g} s ({call.label})", call.asked))
        self.drop_waiting(LaneHung(_waits_for(self.hang)))

    def _drop(self, call: _Call, error: PilothouseError) -> bool:
        taken = self._take_back(call)
        if taken:
            call.end(error)
        return taken

    def _take_back(self, call: _Call) -> bool:
        """Whether it had not begun; then it never will."""
        taken = call.turn.take_back()
        if taken:
            self._open.pop(call, None)
            self._line.remove(call)
        return taken

    def _ended(self, call: _Call, end: Done | CallFailed | None) -> None:
        """On the event loop: a call is over; None = it had not begun."""
        self._open.pop(call, None)
        if end is None:
            call.end(Late("its time to live passed before the device was asked"))
            return
        if not call.future.done():
            if isinstance(end, Done):
                call.future.set_result(end)
            else:
                call.end(end)
        elif call.on_late is not None:
            call.on_late(end)
        if self.hang is not None:
            self.hang = None
            self._working()
            for tell in self.on_free:
                tell()

    def _serve(self) -> None:
        number = 0
        while (call := self._line.take()) is not None:
            number += 1
            end: Done | CallFailed | None = None
            if call.turn.begin(self._clock.mono()):
                end = self._run(call, number)
            elif call.turn.stage is not Stage.LATE:
                continue  # taken back; whoever did that has told it
            try:
                self._loop.call_soon_threadsafe(self._ended, call, end)
            except RuntimeError:
                return  # the event loop is closed: the agent has ended

    def _run(self, call: _Call, number: int) -> Done | CallFailed:
        call.asked, call.begun = self._clock.now(), self._clock.mono()
        try:
            result = call.run()
            end: Done | CallFailed = Done(result, number, call.asked, self._clock.now(), self._clock.mono())
        except BaseException as error:  # noqa: BLE001 - edge: a driver is a stranger's and may even raise SystemExit
            end = CallFailed(error, call.asked)
        call.turn.over()
        return end


def _waits_for(hang: Hang) -> str:
    return f"the driver of {hang.thing} has not answered since {at_time(hang.since)} ({hang.label})"


class Watch:
    """Looks after all lanes, while they have anything to do."""

    def __init__(self, clock: Clock) -> None:
        self.looked: Callable[[], None] = _nothing
        """Called after every look at them; the last one comes when none of them works any more."""
        self._clock = clock
        self._work = asyncio.Event()
        self._lanes: dict[str, Lane] = {}

    def lane(self, name: str) -> Lane:
        """The lane of a resource; made at the first asking."""
        found = self._lanes.get(name)
        if found is None:
            found = self._lanes[name] = Lane(name, self._clock, working=self._work.set)
        return found

    def lanes(self) -> list[Lane]:
        """All lanes."""
        return list(self._lanes.values())

    async def run(self) -> None:
        """Check the lanes every 50 ms while any of them works."""
        while True:
            await self._work.wait()
            await self._clock.sleep(_LOOK_EVERY)
            mono = self._clock.mono()
            working = [lane.check(mono) for lane in self._lanes.values()]
            if not any(working):
                self._work.clear()
            self.looked()
