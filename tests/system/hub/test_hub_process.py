"""The hub as a process: what it prints and writes, how it stops, and what it says when it cannot start."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def process(data: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A hub on any free port that ends with the block."""
    command = [sys.executable, "-m", "pilothouse.hub", "--data", str(data), "--port", "0", *options]
    started = subprocess.Popen(
        [*command, "--parent", str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


def get(url: str, **headers: str) -> tuple[int, str]:
    """Status and body of a GET."""
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, answer.read().decode()


def test_it_says_where_it_is_and_writes_it_down(tmp_path: Path) -> None:
    """One line with a link that works once; hub.json with the real port; a token that only the owner can read."""
    with process(tmp_path, "--link") as hub:
        assert hub.stdout is not None
        line = hub.stdout.readline()
        found = re.fullmatch(r"Pilothouse is at (http://127\.0\.0\.1:\d+)/login\?token=\S+\n", line)
        assert found, line
        status = json.loads((tmp_path / "run" / "hub.json").read_text())
        assert status == {"url": found.group(1), "pid": hub.pid, "posture": "loopback"}
        token = tmp_path / "token"
        assert token.stat().st_mode & 0o777 == 0o600
        assert get(f"{status['url']}/api/things", Authorization=f"Bearer {token.read_text().strip()}")[0] == 200
        assert json.loads(get(f"{status['url']}/healthz")[1])["bus"] is False


def test_without_a_terminal_the_link_is_not_printed(tmp_path: Path) -> None:
    """It would stand in the journal. The token of the last run stays."""
    tokens = []
    for _ in range(2):
        with process(tmp_path) as hub:
            assert hub.stdout is not None and "token=" not in hub.stdout.readline()
            tokens.append((tmp_path / "token").read_text())
            hub.send_signal(signal.SIGTERM)
            assert hub.wait(5) == 0
    assert tokens[0] == tokens[1]


def test_a_token_that_is_none_is_replaced(tmp_path: Path) -> None:
    """As after the record was put aside."""
    (tmp_path / "token").write_text("nonsense\n")
    with process(tmp_path) as hub:
        assert hub.stdout is not None and hub.stdout.readline()
        assert (tmp_path / "token").read_text() != "nonsense\n"
        assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_within_a_second(tmp_path: Path, number: signal.Signals) -> None:
    """With a stream open, and with exit code 0."""
    with process(tmp_path) as hub:
        assert hub.stdout is not None and hub.stdout.readline()
        url = json.loads((tmp_path / "run" / "hub.json").read_text())["url"]
        token = (tmp_path / "token").read_text().strip()
        request = urllib.request.Request(f"{url}/api/live", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as stream:
            assert stream.readline().startswith(b"id:")
            began = time.monotonic()
            hub.send_signal(number)
            assert hub.wait(5) == 0
            assert time.monotonic() - began < 1.2


def test_a_busy_port_is_one_clear_line(tmp_path: Path) -> None:
    """Exit code 2, with what to type."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with process(tmp_path, "--port", str(taken.getsockname()[1])) as hub:
            out, err = hub.communicate(timeout=15)
    assert hub.returncode == 2 and out == ""
    (line,) = [line for line in err.splitlines() if line.startswith("pilothouse hub:")]
    assert "another program has that port" in line and "--port" in line and "Traceback" not in err


def test_a_foreign_address_is_one_clear_line(tmp_path: Path) -> None:
    """An address that is not of this machine."""
    with process(tmp_path, "--host", "192.0.2.1") as hub:
        out, err = hub.communicate(timeout=15)
    assert hub.returncode == 2 and out == "" and "--host" in err and "Traceback" not in err
