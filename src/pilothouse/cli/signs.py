"""The agent's sign of life as `up` hears it: an agent that gave signs and gives none any more is frozen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

FROZEN = 5.0
"""Seconds without a sign after which an agent is killed: only a new one can make its outputs safe."""
LOOK_EVERY = 0.5
_LONGEST = 1.0
"""Seconds that count at most from one look to the next: when we stood still ourselves, as in a suspended laptop, the
agent had no chance either."""
_PATH = 100
"""Bytes that the path of a socket may have; the kernel takes some 107."""


class Silence:
    """How long a process has given no sign, in time in which we were running ourselves. Pure."""

    def __init__(self) -> None:
        self._seconds: float | None = None
        self._looked = 0

    def sign(self) -> None:
        """A sign came."""
        self._seconds = 0.0

    def anew(self) -> None:
        """Another process takes its place; it is waited for until its first sign."""
        self._seconds = None

    def look(self, mono: int) -> bool:
        """At monotonic `mono`: whether it is frozen."""
        passed, self._looked = min((mono - self._looked) / 1000, _LONGEST), mono
        if self._seconds is None:
            return False
        self._seconds += passed
        return self._seconds >= FROZEN


class Signs:
    """Where the agent's signs come in."""

    def __init__(self, inlet: socket.socket, path: str) -> None:
        self.silence = Silence()
        self.environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": str(round(FROZEN * 1e6))}
        """What the agent must be started with."""
        self._inlet = inlet

    def hear(self) -> None:
        """Take in what has come."""
        with contextlib.suppress(BlockingIOError):
            while self._inlet.recv(256):
                self.silence.sign()

    def frozen(self, mono: int) -> bool:
        """Whether the agent is frozen; to be asked every LOOK_EVERY seconds."""
        self.hear()
        return self.silence.look(mono)

    def anew(self) -> None:
        """The agent is started anew: what the one before said counts no more."""
        self.hear()
        self.silence.anew()


@contextlib.contextmanager
def signs(folder: Path) -> Iterator[Signs]:
    """An inlet in `folder`, or elsewhere when its path is too long for a socket; needs a running loop."""
    path, temporary = folder / "agent.sock", ""
    if len(os.fsencode(path)) > _PATH:
        temporary = tempfile.mkdtemp(prefix="pilothouse-")
        path = Path(temporary) / "agent.sock"
    path.unlink(missing_ok=True)
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as inlet:
        inlet.setblocking(False)
        inlet.bind(str(path))
        path.chmod(0o600)
        found = Signs(inlet, str(path))
        loop.add_reader(inlet, found.hear)
        try:
            yield found
        finally:
            loop.remove_reader(inlet)
            path.unlink(missing_ok=True)
            if temporary:
                shutil.rmtree(temporary, ignore_errors=True)
