"""The whole of Pilothouse as a person starts it: `pilothouse up` in a folder of its own, on a free port."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

QUIET_CONFIG = """
[node]
name = "pi"
[things.relays]
driver = "sim.relays"
trace_file = "{trace}"
[things.sensor]
driver = "sim.sensor"
"""


def wait_for(ask: Callable[[], T], what: str, *, seconds: float = 20.0) -> T:
    """Ask until the answer is true; fails with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}; last answer: {answer!r}")
        time.sleep(0.02)


class Stack:
    """A running `pilothouse up`; `with Stack(folder) as stack:` ends it and checks that nothing is left."""

    def __init__(self, folder: Path, *, config: str | None = None, args: tuple[str, ...] = (), port: int = 0) -> None:
        self.data = folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self.trace = folder / "trace.jsonl"
        self.log = folder / "up.log"
        self.args = args
        self.port = port
        """0 = any free one, another one after each fall of the hub."""
        if config is not None:
            (self.data / "pilothouse.toml").write_text(config.format(trace=self.trace))
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Stack:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "pilothouse.cli",
                    "up",
                    "--data",
                    str(self.data),
                    "--port",
                    str(self.port),
                    *self.args,
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_for(self._answers, "the hub's health", seconds=30)
        except AssertionError as error:
            self.__exit__()
            raise AssertionError(f"{error}; log:\n{self.text()}") from None
        return self

    def __exit__(self, *_: object) -> None:
        pids = [child["pid"] for child in self.children().values() if child["pid"]]
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(15)
        for pid in pids:
            wait_for(lambda pid=pid: not alive(pid), f"process {pid} to end")

    def text(self) -> str:
        """What it printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"up ended with {self.process.returncode}:\n{self.text()}")
        try:
            return self.call("GET", "/healthz")[0] == 200 and (self.data / "token").exists()
        except (OSError, AssertionError, json.JSONDecodeError):
            return False

    @property
    def url(self) -> str:
        """Where the hub is, without a slash at the end."""
        return str(json.loads((self.data / "run" / "hub.json").read_text())["url"]).rstrip("/")

    @property
    def login(self) -> str:
        """The one-time log-in link that it printed."""
        found: re.Match[str] = wait_for(lambda: re.search(r"http\S+/login\?token=\S+", self.text()), "the log-in link")
        return found.group(0)

    def children(self) -> dict[str, Any]:
        """The processes as `up` says they are."""
        path = self.data / "run" / "up.json"
        found: dict[str, Any] = json.loads(path.read_text())["processes"] if path.exists() else {}
        return found

    def pid(self, name: str) -> int:
        """The number of a running child; waits for it."""
        return int(wait_for(lambda: self.children().get(name, {}).get("pid"), f"{name} to run"))

    def kill(self, name: str) -> int:
        """kill -9 a child; gives its number."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """One REST call with the machine's token; (status, decoded answer)."""
        request = urllib.request.Request(self.url + path, method=method)
        token = self.data / "token"
        if token.exists():
            request.add_header("Authorization", f"Bearer {token.read_text().strip()}")
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, data, timeout=20) as answer:
                content, status = answer.read(), answer.status
        except urllib.error.HTTPError as error:
            content, status = error.read(), error.code
            error.close()
        return status, json.loads(content) if content[:1] in (b"{", b"[") else content.decode(errors="replace")

    def put(self, series: str, value: Any, reason: str = "test") -> tuple[int, Any]:
        """Write a property, `node/thing.property`."""
        address, _, name = series.partition(".")
        return self.call("PUT", f"/api/things/{address}/properties/{name}", {"value": value, "reason": reason})

    def traced(self) -> list[dict[str, Any]]:
        """What the simulated devices really did."""
        if not self.trace.exists():
            return []
        return [json.loads(line) for line in self.trace.read_text().splitlines()]


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
