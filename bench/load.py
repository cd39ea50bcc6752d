"""Load generators: bounded in count and time, each in a process of its own, told what to do in lines of JSON.

They share the cores of the machine with what they load, as everything in these figures does. Run as
`python -m bench.load` by `Generator`, never by hand.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

import msgspec

from bench.stack import CannotMeasure, end, start
from bench.wire import Answer, Caller, Viewer, connect, request_bytes

LIMIT = 180.0
"""Seconds after which one order is given up."""


class Requests(msgspec.Struct, kw_only=True, tag="requests"):
    """Ask `count` times in all over `connections` connections, each one after the other."""

    host: str
    port: int
    headers: dict[str, str] = {}
    method: str = "GET"
    paths: list[str]
    """Connection i asks paths[i % len(paths)]."""
    connections: int = 1
    count: int
    first: int = -1
    """When not negative, the body is {"value": n, "reason": "bench"} with n = first, first + 1, … over all."""
    keep: bool = False
    """Whether the answers' id, end and value come back too."""


class Answers(msgspec.Struct, kw_only=True):
    """What came of `Requests`."""

    latencies: list[float]
    """Milliseconds, of answers below 300 only."""
    elapsed: float
    """Seconds from the first request to the last answer."""
    statuses: dict[str, int]
    kept: list[tuple[str, str, int]] = []
    """(id, end, value) of every answer; id "" when the answer gave none."""


class Watch(msgspec.Struct, kw_only=True, tag="watch"):
    """Connect viewers until there are `viewers` of them, each with its first frame."""

    host: str
    port: int
    path: str
    headers: dict[str, str] = {}
    viewers: int


class Window(msgspec.Struct, kw_only=True, tag="window"):
    """Collect what the viewers see for `seconds`."""

    seconds: float


class Seen(msgspec.Struct, kw_only=True):
    """What the viewers saw in one window."""

    latencies: list[float]
    """Milliseconds from the reading at the device to the frame at a viewer, per frame and viewer, by the oldest new
    reading of the frame."""
    frames: int
    readings: int
    """Readings in those frames, over all viewers."""
    bytes: int
    lost: int = 0
    """Viewers whose connection ended."""


class Leave(msgspec.Struct, kw_only=True, tag="leave"):
    """All viewers hang up."""


Order = Requests | Watch | Window | Leave


class Generator:
    """A load generator in its own process; use it in a `with` block."""

    def __enter__(self) -> Self:
        self._process: subprocess.Popen[bytes] = start(["bench.load"], pipes=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        end(self._process)

    def requests(self, order: Requests) -> Answers:
        """Do them; raises CannotMeasure when the server does not answer."""
        return msgspec.json.decode(self._ask(order), type=Answers)

    def watch(self, order: Watch) -> int:
        """Connect; gives the number of viewers that have seen a frame."""
        return int(json.loads(self._ask(order)))

    def window(self, seconds: float) -> Seen:
        """Collect."""
        return msgspec.json.decode(self._ask(Window(seconds=seconds)), type=Seen)

    def leave(self) -> None:
        """Hang up."""
        self._ask(Leave())

    def _ask(self, order: Order) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise CannotMeasure("the load generator ended; its last words are above")
        if line.startswith(b'{"error"'):
            raise CannotMeasure(json.loads(line)["error"])
        return line


class _Worker:
    """The other side: does orders in the generator's process."""

    def __init__(self) -> None:
        self.viewers: list[Viewer] = []
        self.greeted: set[int] = set()
        self.stamps: dict[bytes, list[float]] = {}
        self.seen_stamps: set[float] = set()
        self.latencies: list[float] = []
        self.frames = 0
        self.readings = 0
        self.collecting = False

    async def do(self, order: Order) -> Any:
        if isinstance(order, Requests):
            return await _requests(order)
        if isinstance(order, Watch):
            return await self._watch(order)
        if isinstance(order, Window):
            return await self._window(order.seconds)
        for viewer in self.viewers:
            viewer.close()
        self.viewers.clear()
        self.greeted.clear()
        return 0

    async def _watch(self, order: Watch) -> int:
        request = request_bytes("GET", order.path, f"{order.host}:{order.port}", order.headers)
        while len(self.viewers) < order.viewers:
            number = len(self.viewers)
            viewer: Viewer = await connect(order.host, order.port, partial(Viewer, self._frame_of(number)))
            assert viewer.transport is not None
            viewer.transport.write(request)
            self.viewers.append(viewer)
            # Not all at once: a hub is asked to hold viewers here, not to survive a stampede.
            if number % 50 == 49:
                await self._greeted(number + 1)
        await self._greeted(order.viewers)
        return len(self.greeted)

    async def _greeted(self, count: int) -> None:
        deadline = time.monotonic() + 30
        while len(self.greeted) < count and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        if len(self.greeted) < count:
            statuses = {viewer.status for viewer in self.viewers}
            raise CannotMeasure(f"only {len(self.greeted)} of {count} viewers got a first frame, statuses {statuses}")

    def _frame_of(self, number: int) -> Callable[[bytes, float], None]:
        def frame(data: bytes, now: float) -> None:
            self.greeted.add(number)
            stamps = self.stamps.get(data)
            if stamps is None:
                stamps = self.stamps[data] = self._fresh(data)
                if len(self.stamps) > 512:
                    self.stamps.pop(next(iter(self.stamps)))
            if self.collecting and stamps:
                self.frames += 1
                self.readings += len(stamps)
                self.latencies.append(1000 * (now - stamps[0]))

        return frame

    def _fresh(self, data: bytes) -> list[float]:
        """Times of readings in a frame that no frame had before, oldest first."""
        found = sorted(stamp for stamp in stamps_in(data) if stamp not in self.seen_stamps)
        self.seen_stamps.update(found)
        if len(self.seen_stamps) > 100_000:
            self.seen_stamps = set(sorted(self.seen_stamps)[-50_000:])
        return found

    async def _window(self, seconds: float) -> Seen:
        before = sum(viewer.received for viewer in self.viewers)
        self.latencies, self.frames, self.readings, self.collecting = [], 0, 0, True
        await asyncio.sleep(seconds)
        self.collecting = False
        return Seen(
            latencies=self.latencies,
            frames=self.frames,
            readings=self.readings,
            bytes=sum(viewer.received for viewer in self.viewers) - before,
            lost=sum(viewer.lost.done() for viewer in self.viewers),
        )


def stamps_in(frame: bytes) -> list[float]:
    """The times that readings named "at" carry in a frame of a live stream, ours or the reference's."""
    found: list[float] = []
    for line in frame.split(b"\n"):
        if not line.startswith(b"data:"):
            continue
        data = msgspec.json.decode(line[5:])
        if not isinstance(data, dict):
            continue
        found += [row[4] for row in data.get("values", ()) if row[2] == "at" and row[4]]
        for thing in data.get("things", ()):
            state = thing["properties"].get("at")
            if state and state.get("value"):
                found.append(state["value"])
    return found


async def _requests(order: Requests) -> Answers:
    callers: list[Caller] = [await connect(order.host, order.port, Caller) for _ in range(order.connections)]
    numbers = iter(range(order.count))
    latencies: list[float] = []
    statuses: dict[str, int] = {}
    kept: list[tuple[str, str, int]] = []
    host = f"{order.host}:{order.port}"
    fixed = [request_bytes(order.method, path, host, order.headers) for path in order.paths]

    async def one(index: int) -> None:
        path = order.paths[index % len(order.paths)]
        request = fixed[index % len(fixed)]
        for number in numbers:
            value = order.first + number
            if order.first >= 0:
                body = b'{"value":%d,"reason":"bench"}' % value
                request = request_bytes(order.method, path, host, order.headers, body)
            answer: Answer = await callers[index].ask(request)
            statuses[str(answer.status)] = statuses.get(str(answer.status), 0) + 1
            if answer.status < 300:
                latencies.append(1000 * answer.seconds)
            if order.keep:
                kept.append(_kept(answer.body, value))

    began = time.perf_counter()
    try:
        async with asyncio.timeout(LIMIT), asyncio.TaskGroup() as group:
            for index in range(order.connections):
                group.create_task(one(index))
        elapsed = time.perf_counter() - began
    finally:
        for caller in callers:
            caller.close()
    return Answers(latencies=latencies, elapsed=elapsed, statuses=statuses, kept=kept)


class _Ended(msgspec.Struct):
    id: str = ""
    end: str = ""


def _kept(body: bytes, value: int) -> tuple[str, str, int]:
    try:
        ended = msgspec.json.decode(body, type=_Ended)
    except msgspec.DecodeError:
        return "", "", value
    return ended.id, ended.end, value


async def _serve() -> None:
    """Do orders from standard input until it ends."""
    worker = _Worker()
    decoder = msgspec.json.Decoder(Order)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        try:
            answer: Any = await worker.do(decoder.decode(line))
        except (OSError, TimeoutError, CannotMeasure, ExceptionGroup) as error:
            # The edge of this process: the bench that gave the order says what became of it.
            inner = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            answer = {"error": f"{type(inner).__name__}: {inner}"}
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve())
