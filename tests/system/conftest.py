"""A real bus for every test that wants one: started as a person starts it, on a port and in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.bus import Bus, BusAddress, load_address
from pilothouse.bus.address import read_address
from pilothouse.clock import SystemClock
from pilothouse.config.places import Places
from pilothouse.config.site import BusConfig
from support.agents import Ear

SITE = "home"


class BusServer:
    """`pilothouse bus` in a data folder; may be stopped, killed, frozen and started again on the same port."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.places = Places(data)
        self.log = data / "bus.stderr"
        self.process: subprocess.Popen[bytes] | None = None
        self.frozen = False

    @property
    def address(self) -> BusAddress:
        """How to reach it."""
        address = read_address(self.places.bus_address)
        assert address is not None, self.said()
        return address

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.process is not None
        return self.process.pid

    def said(self) -> str:
        """What it wrote on standard error."""
        return self.log.read_text() if self.log.exists() else ""

    def launch(self, *options: str) -> subprocess.Popen[bytes]:
        """Start the process and do not wait for it to answer."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "pilothouse.bus", "--data", str(self.places.data)]
            self.process = subprocess.Popen(
                [*command, "--parent", str(os.getpid()), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.process

    def start(self, *options: str) -> None:
        """Start it and wait until it answers."""
        process = self.launch(*options)
        end = time.monotonic() + 15
        while not self._answers():
            assert process.poll() is None, f"the bus ended with {process.returncode}: {self.said()}"
            assert time.monotonic() < end, f"the bus does not answer: {self.said()}"
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=0.2) as probe:
                return probe.recv(4) == b"INFO"
        except (OSError, AssertionError):
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it in order and give its exit code."""
        process = self.process
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(number)
        if number == signal.SIGKILL:
            self.frozen = False  # it gets no moment more in which to answer
        self.thaw()
        self.process = None
        return process.wait(15)

    def kill(self) -> None:
        """kill -9."""
        self.stop(signal.SIGKILL)

    def restart(self, *, kill: bool = False) -> None:
        """Stop (or kill -9) and start again, same port, same folder."""
        if kill:
            self.kill()
        else:
            self.stop()
        self.start()

    def freeze(self) -> None:
        """Stand still: connections stay open and nothing is answered."""
        self.frozen = True
        os.kill(self.pid, signal.SIGSTOP)
        threads = Path(f"/proc/{self.pid}/task")
        end = time.monotonic() + 10
        # Each thread stops for itself; one that still runs could answer.
        while any(b") T" not in (thread / "stat").read_bytes() for thread in threads.iterdir()):
            assert time.monotonic() < end, "it does not stand still"
            time.sleep(0.001)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        if self.frozen:
            os.kill(self.pid, signal.SIGCONT)
            self.frozen = False


@pytest.fixture
def bus_server(tmp_path: Path) -> Iterator[BusServer]:
    """A running bus in a folder of this test."""
    server = BusServer(tmp_path / "data")
    server.start()
    yield server
    server.stop()


Connect = Callable[..., Awaitable[Bus]]


@pytest.fixture
async def connect(bus_server: BusServer) -> AsyncIterator[Connect]:
    """Makes connections to the bus of this test; each is closed at its end, and none may leave a task behind."""
    made: list[Bus] = []
    before = asyncio.all_tasks()

    async def connect_as(name: str = "test", *, wait: float = 10.0, **more: Any) -> Bus:
        clock = more.get("clock", SystemClock())
        address = more.get("address") or await load_address(bus_server.places, BusConfig(), clock, wait=wait)
        bus = await Bus.connect(address, name=name, clock=clock, wait=wait)
        made.append(bus)
        return bus

    yield connect_as
    bus_server.thaw()
    for bus in made:
        await bus.close()

    def left() -> set[Any]:
        return asyncio.all_tasks() - before - {asyncio.current_task()}

    end = time.monotonic() + 5
    while left():
        assert time.monotonic() < end, f"tasks are left: {left()}"
        await asyncio.sleep(0.005)


@pytest.fixture
async def bus(connect: Connect) -> Bus:
    """A connection, with the streams of site "home" made."""
    bus = await connect("test")
    await bus.ensure_streams(SITE)
    return bus


@pytest.fixture
async def ear(bus: Bus) -> AsyncIterator[Ear]:
    """What node "pi" says on the bus of this test."""
    async with Ear(bus) as ear:
        yield ear


async def until(ask: Callable[[], Any], what: str, *, seconds: float = 15.0) -> Any:
    """Wait until `ask` gives something true; fails with `what` after `seconds`. Tests get it as fixture `until`."""
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < end, f"waited {seconds} s for: {what}"
        await asyncio.sleep(0.005)


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., Awaitable[Any]]:
    """`await until(lambda: condition, "what is waited for", seconds=15)`."""
    return until
