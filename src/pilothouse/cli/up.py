"""`pilothouse up`: bus, keeper, hub and agent on this machine, each started again when it falls.

The processes know nothing of one another's lives: each waits for the bus by itself, so the order of starting does not
matter. The order of stopping does: the agent first, so that outputs are safe and its last words are still recorded.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pilothouse.cli.restarts import CANNOT, TAKEN_OVER, Falls
from pilothouse.cli.signs import FROZEN, LOOK_EVERY, Signs, signs
from pilothouse.clock import SystemClock
from pilothouse.config.launch import make_folder
from pilothouse.config.load import load
from pilothouse.config.places import Places, default_data
from pilothouse.errors import CannotStart, PilothouseError
from pilothouse.process import log_to_stderr, stop_signals, write_atomically

log = logging.getLogger("pilothouse.up")

_ORDER_OF_STOPPING = ({"agent": 2.2}, {"hub": 1.2, "keeper": 1.2}, {"bus": 1.0})
"""Processes and the seconds that each may take before it is killed; those of one group stop side by side."""


class Child:
    """One process of ours and its ups and downs."""

    def __init__(self, name: str, command: list[str], at_first: tuple[str, ...] = ()) -> None:
        self.name = name
        self.command = command
        self.at_first = at_first
        """Options of the first start only: a hub that fell must not print a log-in link into some log each time."""
        self.falls = Falls()
        self.process: asyncio.subprocess.Process | None = None
        self.state = "waiting"
        self.since = 0
        self.note = ""
        self.signs: Signs | None = None
        """Where its sign of life comes in, if it gives any."""
        self.frozen = False
        """Whether it was killed because it was frozen."""

    async def start(self, now: int) -> asyncio.subprocess.Process:
        """Start it, in a session of its own: Ctrl-C in the terminal must reach `up` only, which stops in order."""
        options = self.at_first if self.process is None else ()
        command = [*self.command, *options, "--parent", str(os.getpid())]
        environment = dict(os.environ)
        if self.signs is not None:
            self.signs.anew()
            environment |= self.signs.environment
        self.frozen = False
        self.process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, start_new_session=True, env=environment
        )
        self.state, self.since = "running", now
        return self.process

    def kill_if_frozen(self, mono: int) -> None:
        """A frozen agent holds its outputs as they are; killed, it is followed by one that makes them safe."""
        running = self.state == "running" and self.process is not None and self.process.returncode is None
        if self.signs is None or not self.signs.frozen(mono) or not running or self.frozen:
            return
        assert self.process is not None
        self.frozen = True
        log.error("%s is frozen: it has given no sign of life for %g s; it is killed", self.name, FROZEN)
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    def view(self) -> dict[str, Any]:
        """What pages and `doctor` show of it."""
        pid = self.process.pid if self.process and self.state == "running" else 0
        return {
            "pid": pid,
            "since": self.since,
            "restarts": self.falls.total,
            "state": self.state,
            "note": self.note,
        }


class Supervisor:
    """Keeps the children running until told to stop."""

    def __init__(self, places: Places, children: list[Child]) -> None:
        self.places = places
        self.children = children
        self.clock = SystemClock()
        self.stop = asyncio.Event()
        self.stopping = False
        self.exit_code = 0

    async def run(self) -> int:
        """Start all, keep them, stop them in order; gives the exit code."""
        with stop_signals() as asked, signs(self.places.up_status.parent) as heard:
            for child in self.children:
                child.signs = heard if child.name == "agent" else None
            keepers = [asyncio.create_task(self._keep(child)) for child in self.children]
            keepers.append(asyncio.create_task(self._look_for_frozen()))
            waits = [asyncio.create_task(asked.wait()), asyncio.create_task(self.stop.wait())]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            await self._stop_all()
            for task in (*keepers, *waits):
                task.cancel()
            await asyncio.gather(*keepers, *waits, return_exceptions=True)
        self._write_status()
        return self.exit_code

    async def _keep(self, child: Child) -> None:
        steady = False
        while True:
            started = self.clock.mono()
            process = await child.start(self.clock.now())
            self._write_status()
            code = await process.wait()
            if self.stopping:
                child.state, child.note = "stopped", ""
                return
            ran = (self.clock.mono() - started) / 1000
            steady = steady or ran > 5
            if code == CANNOT and not steady:
                self.exit_code = CANNOT
                self.stop.set()
                return
            if child.name == "agent" and code == TAKEN_OVER:
                child.state, child.note = "stopped", "another agent of this node name has taken over"
                self._write_status()
                log.warning("the agent stopped for good: %s", child.note)
                return
            wait = child.falls.fell(ran)
            child.state, child.since = "waiting", self.clock.now()
            child.note = _how(code, ran, frozen=child.frozen)
            log.warning("%s %s; starting it again in %.1f s", child.name, child.note, wait)
            self._write_status()
            await self.clock.sleep(wait)

    async def _look_for_frozen(self) -> None:
        while True:
            await self.clock.sleep(LOOK_EVERY)
            for child in self.children:
                child.kill_if_frozen(self.clock.mono())

    async def _stop_all(self) -> None:
        self.stopping = True
        by_name = {child.name: child for child in self.children}
        for group in _ORDER_OF_STOPPING:
            await asyncio.gather(*(_end(by_name[name], wait) for name, wait in group.items() if name in by_name))

    def _write_status(self) -> None:
        status = {
            "time": self.clock.now(),
            "pid": os.getpid(),
            "processes": {child.name: child.view() for child in self.children},
        }
        try:
            write_atomically(self.places.up_status, msgspec.json.encode(status), sync=False)
        except OSError as error:
            log.warning("the status of processes could not be written: %s", error.strerror)


def _how(code: int, ran: float, *, frozen: bool) -> str:
    """How a process came to its end."""
    if frozen:
        return f"was frozen for {FROZEN:g} s"
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    return f"{how} after {ran:.1f} s"


async def _end(child: Child, patience: float) -> None:
    process = child.process
    if process is None or process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), patience)
    except TimeoutError:
        log.warning("%s did not stop within %.1f s and was killed", child.name, patience)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@contextlib.contextmanager
def _only_one(places: Places) -> Iterator[None]:
    """Hold the data folder's lock; raises CannotStart when another `up` has it."""
    path = places.up_status.with_name("up.lock")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CannotStart(
                f"Pilothouse runs on {places.data} already (process {file.read().strip() or 'unknown'})",
                remedy="Open its page (a new log-in link: pilothouse link), or give another folder with --data DIR",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _children(
    places: Places, config: Path | None, hub_options: list[str], *, embedded: bool, verbose: bool
) -> list[Child]:
    common = ["--data", str(places.data)]
    if config is not None:
        common += ["--config", str(config)]
    if verbose:
        common.append("--verbose")

    def child(name: str, *more: str, at_first: tuple[str, ...] = ()) -> Child:
        return Child(name, [sys.executable, "-m", f"pilothouse.{name}", *common, *more], at_first)

    bus = [child("bus")] if embedded else []
    return [*bus, child("hub", *hub_options, at_first=("--link",)), child("agent"), child("keeper")]


def up(
    *,
    data: Path | None = None,
    config: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    behind_proxy: Sequence[str] = (),
    insecure: bool = False,
    verbose: bool = False,
) -> int:
    """Run everything on this machine until Ctrl-C; gives the exit code."""
    log_to_stderr("up", verbose=verbose)
    places = Places((data or default_data()).expanduser().absolute())
    try:
        make_folder(places.data)
        loaded, origin = load(places.data, config)
        address = host or loaded.hub.host
        number = loaded.hub.port if port is None else port
        # Any free port, but the same one after a fall: open pages come back to it.
        options = ["--host", address, "--port", str(number or _free_port(address))]
        options += [word for proxy in behind_proxy for word in ("--behind-proxy", proxy)]
        options += ["--insecure"] if insecure else []
        with _only_one(places):
            log.info("data in %s, configuration from %s", places.data, origin)
            children = _children(places, config, options, embedded=not loaded.bus.url, verbose=verbose)
            return asyncio.run(_supervise(places, children))
    except PilothouseError as error:
        print(f"pilothouse up: {error}", file=sys.stderr)
        return CANNOT


def _free_port(host: str) -> int:
    """A port of `host` that nobody has now; raises CannotStart when there is no such address."""
    try:
        with socket.create_server((host, 0)) as server:
            return int(server.getsockname()[1])
    except OSError as error:
        raise CannotStart(
            f"Nothing can listen on {host!r}", why=str(error.strerror or error), remedy="Give another one with --host"
        ) from None


async def _supervise(places: Places, children: list[Child]) -> int:
    return await Supervisor(places, children).run()
