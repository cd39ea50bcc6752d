"""A real agent as a process of its own, in a data folder, and an ear on the bus for what it says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from pilothouse.bus import Bus, Subjects, streams
from pilothouse.bus.messages import Batch, Command, Described, Outcome, Outcomes, Presence, State, decode
from pilothouse.clock import SystemClock
from pilothouse.config.places import Places
from pilothouse.model import new_id

CONFIG = """
[node]
name = "pi"
host = false
[things.relays]
driver = "sim.relays"
trace_file = "{trace}"
[things.sensor]
driver = "sim.sensor"
"""


class AgentProcess:
    """`pilothouse agent` in a data folder."""

    def __init__(self, data: Path, *, config: str = CONFIG, trace: Path | None = None) -> None:
        self.places = Places(data)
        self.trace = trace or data / "trace.jsonl"
        data.mkdir(parents=True, exist_ok=True)
        self.places.config.write_text(config.format(trace=self.trace))
        self.log = data / "agent.stderr"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; does not wait for anything."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "pilothouse.agent", "--data", str(self.places.data)]
            self.process = subprocess.Popen(
                [*command, "--parent", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def signal(self, number: int) -> None:
        """Send a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    async def exited(self, *, seconds: float = 10.0) -> int:
        """Wait for its end; gives its exit code."""
        assert self.process is not None
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, f"the agent has not ended: {self.said()}"
            await asyncio.sleep(0.005)
        return self.process.returncode

    def end(self) -> None:
        """Make sure that it is gone."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(10)

    def said(self) -> str:
        """What it wrote on standard error."""
        return self.log.read_text() if self.log.exists() else ""

    def traced(self, thing: str = "relays") -> list[tuple[int, str, Any]]:
        """What the simulated devices really did: (monotonic ms, output, value)."""
        if not self.trace.exists():
            return []
        lines = [json.loads(line) for line in self.trace.read_text().splitlines()]
        return [(line["mono"], line["property"], line["value"]) for line in lines if line["thing"] == thing]


@contextlib.asynccontextmanager
async def running(
    data: Path, trace: Path, config: str, ear: Ear, until: Callable[..., Any], *, things: int = 2
) -> AsyncIterator[AgentProcess]:
    """An agent for the length of the block, from when it is here with so many things."""
    agent = AgentProcess(data, config=config, trace=trace)
    agent.start()
    try:
        await until(lambda: ear.is_here() and len(ear.described) == things, f"the agent: {agent.said()}")
        yield agent
    finally:
        agent.end()


class Ear:
    """Hears what a node says, and commands it; as a hub would, without a hub."""

    def __init__(self, bus: Bus, node: str = "pi", site: str = "home") -> None:
        self.bus = bus
        self.node = node
        self.subjects = Subjects(site)
        self.site = site
        self.presence: Presence | None = None
        self.states: dict[str, State] = {}
        self.described: dict[str, Described] = {}
        self.batches: list[Batch] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Ear:
        for subject, kind in (
            (self.subjects.presence(self.node), Presence),
            (self.subjects.state(self.node), State),
            (self.subjects.description(self.node), Described),
            (self.subjects.data(self.node), Batch),
        ):
            self._tasks.append(asyncio.create_task(self._hear(self.bus.listen(subject, kind))))
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _hear(self, feed: Any) -> None:
        async for _, message in feed:
            match message:
                case Presence():
                    if self.presence is None or message.epoch >= self.presence.epoch:
                        self.presence = message
                case State():
                    self.states[message.thing] = message
                case Described():
                    self.described[message.thing] = message
                case Batch():
                    self.batches.append(message)

    def is_here(self, epoch: int = 0) -> bool:
        """Whether the node has said that it is here, in a later epoch than `epoch`."""
        return self.presence is not None and self.presence.state == "here" and self.presence.epoch > epoch

    def value(self, thing: str, name: str) -> Any:
        """The latest value that a state told."""
        state = self.states.get(thing)
        return state.properties[name].value if state and name in state.properties else None

    def command(self, thing: str, name: str, value: Any, *, ttl: float = 5.0, **more: Any) -> Command:
        """A command as the hub would make it now."""
        assert self.presence is not None
        fields: dict[str, Any] = {
            "id": new_id(SystemClock().now()),
            "node": self.node,
            "epoch": self.presence.epoch,
            "thing": thing,
            "kind": "property",
            "name": name,
            "input": value,
            # one machine, so its monotonic clock is ours
            "deadline": SystemClock().mono() + round(ttl * 1000),
            "who": "ada",
            "origin": "test",
        }
        return Command(**(fields | more))

    async def send(self, command: Command, *, timeout: float = 10.0) -> Outcome:
        """Send it and have its outcome."""
        subject = self.subjects.command(command.node, command.thing, command.name)
        return await self.bus.request(subject, command, Outcome, timeout)

    async def set(self, thing: str, name: str, value: Any, *, timeout: float = 10.0, **more: Any) -> Outcome:
        """Write a property."""
        return await self.send(self.command(thing, name, value, **more), timeout=timeout)

    async def do(self, thing: str, name: str, value: Any = None, **more: Any) -> Outcome:
        """Call an action."""
        return await self.send(self.command(thing, name, value, kind="action", **more))

    async def ends(self, least: int = 0) -> list[Outcome]:
        """All outcomes in the ledger's stream, once there are at least so many."""
        async with asyncio.timeout(10):
            while True:
                found = [one for lot in await self.kept("ledger", Outcomes) for one in lot.outcomes]
                if len(found) >= least:
                    return found
                await asyncio.sleep(0.01)

    async def kept(self, stream: str, kind: Any) -> list[Any]:
        """Everything that a stream keeps, decoded."""
        found: list[Any] = []
        info = await self.bus.stream_info(streams(self.site)[stream])
        if not info.last or info.last < info.first:
            return found
        reading = self.bus.read(streams(self.site)[stream], after=0)
        async for several in reading:
            found.extend((stored.seq, decode(kind, stored.data)) for stored in several)
            if found and found[-1][0] >= info.last:
                break
        return [message for _, message in found]
