"""A whole stack in a temporary folder on free ports, for the length of a `with` block.

Ends only processes that it started, by their ids. The programs under test run as anybody would start them; the bench
talks to them from outside only.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from bench.meter import Alive, children, is_alive
from bench.places import ROOT

T = TypeVar("T")
PROCESSES = ("bus", "hub", "agent", "keeper")
_LIBC = ctypes.CDLL(None)
START_LIMIT = 40.0
"""Seconds that a start may take before the bench gives up."""


class CannotMeasure(Exception):
    """The stack or a reference did not start or answer; says what and shows the end of its log."""


class Stack:
    """A running stack; made by `running`."""

    def __init__(self, data: Path, log: Path) -> None:
        self.data = data
        self.log = log
        self.started = time.monotonic()
        """When the first process was started, CLOCK_MONOTONIC."""
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the hub listens."""
        return str(_read(self.data / "run" / "hub.json")["url"]).rstrip("/")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the hub."""
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    @property
    def token(self) -> str:
        """API token."""
        return (self.data / "token").read_text(encoding="utf-8").strip()

    @property
    def headers(self) -> dict[str, str]:
        """What lets a request in."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def bus(self) -> dict[str, Any]:
        """Address of the bus: {"url", "user", "password", …}."""
        return _read(self.data / "bus" / "address.json")

    def pids(self) -> dict[str, int]:
        """Process ids by name, without the supervisor."""
        status = _read(self.data / "run" / "up.json")
        return {name: int(one["pid"]) for name, one in status["processes"].items() if one.get("pid")}

    def get(self, path: str) -> Any:
        """JSON answer of a GET; raises CannotMeasure for anything but 200."""
        return json.loads(self.fetch(path))

    def fetch(self, path: str) -> bytes:
        """Body of a GET; raises CannotMeasure for anything but 200."""
        host, port = self.address
        connection = http.client.HTTPConnection(host, port, timeout=20)
        try:
            connection.request("GET", path, headers=self.headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise CannotMeasure(f"GET {path} answered {answer.status}: {body[:300].decode(errors='replace')}")
        return body

    def stop(self) -> None:
        """Stop all processes in order, as Ctrl-C does; the data stay until the `with` block ends."""
        if self.process is not None:
            below = children(self.process.pid)
            end(self.process, 8.0)
            _end_left(below)

    def until(self, what: str, ask: Callable[[], T | None], limit: float = START_LIMIT) -> T:
        """Ask again and again until there is an answer that is true; raises CannotMeasure after `limit` seconds."""
        deadline = time.monotonic() + limit
        last: Exception | None = None
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                raise CannotMeasure(f"the stack ended before {what} came\n{self.log_end()}")
            try:
                answer = ask()
            except (OSError, ValueError, KeyError, http.client.HTTPException, CannotMeasure) as error:
                last, answer = error, None
            if answer:
                return answer
            time.sleep(0.02)
        raise CannotMeasure(f"{what} did not come within {limit:g} s ({last!r})\n{self.log_end()}")

    def log_end(self) -> str:
        """The last lines that the processes said."""
        try:
            return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
        except OSError:
            return ""

    def things_seen(self, count: int) -> Callable[[], bool]:
        """A question for `until`: whether the hub shows at least `count` things that all have readings."""

        def ask() -> bool:
            things = self.get("/api/things")["things"]
            return len(things) >= count and all(
                any(state.get("time", 0) for state in thing["properties"].values()) for thing in things
            )

        return ask


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder on a real disk (writes to one in memory would cost nothing), deleted afterwards."""
    named = tempfile.mkdtemp(prefix="pilothouse-bench-", dir=os.environ.get("PILOTHOUSE_BENCH_DIR"))
    try:
        yield Path(named)
    finally:
        shutil.rmtree(named, ignore_errors=True)


@contextlib.contextmanager
def running(config: str | None, *, things: int = 0, wait: bool = True) -> Iterator[Stack]:
    """The stack with `config` (TOML; None = the built-in default), ready when `things` things have readings."""
    with folder() as data, (data.parent / f"{data.name}.log").open("wb") as log:
        stack = Stack(data, Path(log.name))
        if config is not None:
            (data / "pilothouse.toml").write_text(config, encoding="utf-8")
        command = ["pilothouse.cli", "up", "--data", str(data), "--port", "0"]
        stack.started = time.monotonic()
        stack.process = start(command, log=log.fileno())
        try:
            if wait:
                stack.until("the hub", lambda: stack.get("/api/nodes"))
                stack.until("the things", stack.things_seen(things))
            yield stack
        finally:
            stack.stop()
            stack.log.unlink(missing_ok=True)


def start(
    module_and_arguments: Sequence[str], *, log: int | None = None, pipes: bool = False
) -> subprocess.Popen[bytes]:
    """Start `python -m MODULE ARGUMENTS` in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", *module_and_arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
        stdout=subprocess.PIPE if pipes else (log if log is not None else subprocess.DEVNULL),
        stderr=log if log is not None else None,
        start_new_session=True,
        preexec_fn=_end_with_parent,
    )


def _end_with_parent() -> None:
    """In the child: ask the kernel for SIGTERM when the bench dies, so that a killed bench leaves nothing running."""
    if sys.platform == "linux":
        _LIBC.prctl(1, signal.SIGTERM, 0, 0, 0)


def end(process: subprocess.Popen[bytes], patience: float = 3.0) -> None:
    """Ask a process that we started to end, and make it end."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _end_left(processes: Sequence[Alive]) -> None:
    """Children of our supervisor die with it; make sure of it, for a bench must leave nothing behind."""
    deadline = time.monotonic() + 3
    left = [one for one in processes if is_alive(one)]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [one for one in left if is_alive(one)]
    for one in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGKILL)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found
