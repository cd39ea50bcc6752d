"""Starts the references and asks them, in turn with ours: A B A B, so that a noisy minute hits both."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from bench.stack import CannotMeasure, end, start

T = TypeVar("T")


class Served:
    """A reference server that runs."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.pid = process.pid


@contextlib.contextmanager
def serving(module: str, *arguments: str) -> Iterator[Served]:
    """A reference that says its port on its first line."""
    process = start([f"bench.references.{module}", *arguments], pipes=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if not line.isdigit():
            raise CannotMeasure(f"the reference {module} did not start")
        yield Served(process, int(line))
    finally:
        _ended(process)


@contextlib.contextmanager
def gunicorn(module: str, threads: int = 16) -> Iterator[Served]:
    """A WSGI reference under gunicorn: one worker process, for ours is one process too."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--worker-class", "gthread",
        "--threads", str(threads), "--keep-alive", "60", "--log-level", "warning",
        "--no-control-socket", f"bench.references.{module}:app",
    ]  # fmt: skip
    process = start(command)
    try:
        _answering(port)
        yield Served(process, port)
    finally:
        end(process)


class Echo:
    """The requests of `references.nats_echo`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def requests(self, count: int, at_once: int) -> tuple[list[float], float]:
        """(latencies in milliseconds, seconds in all)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"count": count, "at_once": at_once}).encode() + b"\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or b"null")
        if answer is None:
            raise CannotMeasure("the raw bus request ended")
        return answer["latencies"], answer["elapsed"]


@contextlib.contextmanager
def echo(address: dict[str, Any]) -> Iterator[Echo]:
    """Two processes on the stack's own bus, one that asks and one that answers."""
    with _on_bus("serve", address), _on_bus("ask", address) as asking:
        yield Echo(asking)


@contextlib.contextmanager
def _on_bus(part: str, address: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    process = start(["bench.references.nats_echo", part], pipes=True)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        wanted = {key: address[key] for key in ("url", "user", "password")}
        process.stdin.write(json.dumps(wanted).encode() + b"\n")
        process.stdin.flush()
        if process.stdout.readline().strip() != b"ready":
            raise CannotMeasure(f"the raw bus reference ({part}) did not start")
        yield process
    finally:
        _ended(process)


def sqlite(command: str, path: Path, *numbers: float) -> dict[str, Any]:
    """Run one command of `references.sqlite_rows` in a process of its own."""
    process = start(["bench.references.sqlite_rows", command, str(path), *(f"{n:g}" for n in numbers)], pipes=True)
    out, _ = process.communicate()
    if process.returncode:
        raise CannotMeasure(f"the SQLite reference {command} failed")
    answer: dict[str, Any] = json.loads(out)
    return answer


def in_turn(rounds: int, *sides: Callable[[], T]) -> list[list[T]]:
    """Call the sides A B A B …, one round to warm up and `rounds` that count; gives the rounds of each side."""
    found: list[list[T]] = [[] for _ in sides]
    for number in range(rounds + 1):
        for index, side in enumerate(sides):
            one = side()
            if number:
                found[index].append(one)
    return found


def _answering(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise CannotMeasure("gunicorn did not answer")


def _ended(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    end(process)
