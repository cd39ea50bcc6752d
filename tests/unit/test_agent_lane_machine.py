"""A lane under everything at once: whatever comes in whatever order, every call ends exactly once and in its turn."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from pilothouse.agent.lane import (
    By,
    CallFailed,
    Cancelled,
    Done,
    Lane,
    LaneFull,
    LaneHung,
    LaneStopped,
    LaneStopping,
    Late,
    NoAnswer,
    NotAsked,
)
from pilothouse.testing import FakeClock
from support.odd import soon

LIMIT = 6
ALLOWED = 2.0


class Asked:
    """One call that was asked of the lane, and what the test knows of it."""

    def __init__(self, number: int, *, urgent: bool, deadline: int | None) -> None:
        self.id = f"call-{number:04}"
        self.urgent = urgent
        self.deadline = deadline
        self.begun = threading.Event()
        self.free = threading.Event()
        self.fails = False
        self.ends: list[Any] = []
        self.late: list[Any] = []
        self.task: asyncio.Task[None] | None = None


class LaneMachine(RuleBasedStateMachine):
    """Calls that run until the test frees them, on a lane with a clock that the test moves."""

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = FakeClock()
        self.lane = self.runner.run(self._make())
        self.asked: list[Asked] = []
        self.order: list[Asked] = []
        """Those that began, as they did."""
        self.expected: list[Asked] = []
        """Those that wait, in the order of their turn."""
        self.current: Asked | None = None
        self.stopping = False

    async def _make(self) -> Lane:
        return Lane("x", self.clock, limit=LIMIT)

    def teardown(self) -> None:
        """Let all go, and see that every call came to its end."""
        for call in self.asked:
            call.free.set()
        self.runner.run(self._come_to_rest())
        for call in self.asked:
            assert len(call.ends) == 1, f"{call.id} ended {len(call.ends)} times"
            assert (call in self.order) == (not isinstance(call.ends[0], NotAsked)), "asked, or told that it was not"
            assert len(call.late) == isinstance(call.ends[0], NoAnswer), "what was given up is told late, once"
        self.runner.close()

    async def _come_to_rest(self) -> None:
        await soon(lambda: not self.lane._open, "an empty lane")
        self.lane.close()
        await self.lane.ended()
        await asyncio.gather(*(call.task for call in self.asked if call.task))

    # what may happen

    @rule(target=calls, urgent=st.booleans(), lives=st.none() | st.integers(0, 3000), fails=st.booleans())
    def ask(self, urgent: bool, lives: int | None, fails: bool) -> Asked:
        """Somebody calls."""
        deadline = None if lives is None else self.clock.mono() + lives
        call = Asked(len(self.asked), urgent=urgent, deadline=deadline)
        call.fails = fails
        full = len(self.lane._open) >= LIMIT
        hung = self.lane.hang is not None
        self.asked.append(call)
        self.runner.run(self._ask(call))
        refused: type[NotAsked] | None = None
        if not urgent:
            refused = LaneStopping if self.stopping else LaneHung if hung else LaneFull if full else None
        if refused is not None:
            assert isinstance(call.ends[0], refused)
            return call
        self.expected.append(call)
        self.expected.sort(key=lambda call: not call.urgent)
        self._next()
        return call

    @rule()
    def come_back(self) -> None:
        """The driver comes back from what runs."""
        if self.current is None:
            return
        call, self.current = self.current, None
        was_hung = self.lane.hang is not None
        call.free.set()
        self.runner.run(self._until(lambda: call.ends and (not was_hung or call.late)))
        assert not was_hung or self.lane.hang is None, "it is free again"
        self._next()

    @rule(seconds=st.sampled_from([0.1, 0.5, 2.5]))
    def time_passes(self, seconds: float) -> None:
        """And the watch looks."""
        self.clock.tick(seconds)
        hung_before = self.lane.hang is not None
        self.runner.run(self._look())
        mono = self.clock.mono()
        late = [call for call in self.expected if call.deadline is not None and mono >= call.deadline]
        hangs = self.current is not None and not hung_before and self.lane.hang is not None
        for call in list(self.expected):
            if call in late or (hangs and not call.urgent):
                assert isinstance(call.ends[0], Late | LaneHung)
                self.expected.remove(call)
        if hangs:
            assert self.current is not None and isinstance(self.current.ends[0], NoAnswer)

    @rule(call=calls)
    def cancel(self, call: Asked) -> None:
        """Somebody takes a call back: that works while it waits, and never else."""
        waits = call in self.expected
        done = self.lane.take_back(call.id, Cancelled("ada took it back"))
        self.runner.run(self._turns())
        assert done == waits
        if done:
            assert isinstance(call.ends[0], Cancelled)
            self.expected.remove(call)

    @rule()
    def drop(self) -> None:
        """Stop is pressed."""
        self.lane.drop_waiting(LaneStopped("ada pressed stop"))
        self._dropped(LaneStopped)

    @rule()
    def stop_taking(self) -> None:
        """The agent ends."""
        self.stopping = True
        self.lane.stop_taking()
        self._dropped(LaneStopping)

    @invariant()
    def what_is_seen_is_so(self) -> None:
        """The view tells the call that runs, and what waits in the order of its turn."""
        running = self.lane.running()
        assert (running.by.id if running else None) == (self.current.id if self.current else None)
        assert [slot.by.id for slot in self.lane.waiting()] == [call.id for call in self.expected]
        assert len(self.lane._line) == len(self.expected), "nothing dead waits in the line"

    # how it is watched

    def _dropped(self, kind: type[NotAsked]) -> None:
        self.runner.run(self._turns())
        for call in [call for call in self.expected if not call.urgent]:
            assert isinstance(call.ends[0], kind)
            self.expected.remove(call)

    def _next(self) -> None:
        """When nothing runs, the first in line begins, unless it is too late for it."""
        while self.current is None and self.expected:
            call = self.expected.pop(0)
            if call.deadline is not None and self.clock.mono() >= call.deadline:
                self.runner.run(self._until(lambda call=call: call.ends))
                assert isinstance(call.ends[0], Late)
                continue
            self.runner.run(self._until(call.begun.is_set))
            assert self.order[-1] is call, "in its turn"
            self.current = call

    async def _ask(self, call: Asked) -> None:
        call.task = asyncio.create_task(self._call(call))
        await self._turns()

    async def _call(self, call: Asked) -> None:
        def run() -> str:
            self.order.append(call)
            call.begun.set()
            assert call.free.wait(20)
            if call.fails:
                raise OSError(call.id)
            return call.id

        try:
            done: Any = await self.lane.call(
                run,
                thing="x",
                label=call.id,
                allowed=ALLOWED,
                deadline=call.deadline,
                on_late=call.late.append,
                urgent=call.urgent,
                by=By(call.id),
            )
            assert isinstance(done, Done) and done.result == call.id
        except (CallFailed, NoAnswer, NotAsked) as error:
            done = error
        call.ends.append(done)

    async def _look(self) -> None:
        if self.current is not None:
            await soon(lambda: next(call.begun for call in self.lane._open if call.by.id == self.current.id))  # type: ignore[union-attr]
        self.lane.check(self.clock.mono())
        await self._turns()

    async def _until(self, ask: Any) -> None:
        await soon(ask)
        await self._turns()

    async def _turns(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


TestLaneMachine = LaneMachine.TestCase
TestLaneMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
