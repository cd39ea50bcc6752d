"""Who writes: one keeper leads, others stand by and take over when it is gone.

On one machine a lock on a file decides; the system gives it back the moment its holder dies, however it dies. Where
the bus is shared by machines, a lease on the bus decides as well.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pilothouse.bus import Bus, Lease
from pilothouse.clock import Clock
from pilothouse.errors import CannotStart

log = logging.getLogger(__name__)

_LOOK = 0.2
"""Seconds between two tries to get the lock."""
_LEASE = 5.0
"""Seconds after which another machine may take over from one that is silent."""


@asynccontextmanager
async def lock(path: Path, clock: Clock) -> AsyncIterator[None]:
    """Hold the lock on `path`; waits while another process has it, and says so once.

    Raises CannotStart when the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotStart(
            f"The lock {path} cannot be made",
            why=error.strerror or str(error),
            remedy=f"Look at the rights and the room of the folder: ls -ld {path.parent}; df -h {path.parent}",
        ) from None
    try:
        await _wait(descriptor, path, clock)
        yield
    finally:
        os.close(descriptor)


async def _wait(descriptor: int, path: Path, clock: Clock) -> None:
    said = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if not said:
                said = True
                holder = os.pread(descriptor, 64, 0).decode(errors="replace").strip()
                log.info("standing by: process %s writes the record (%s)", holder or "?", path)
        await clock.sleep(_LOOK)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        # Who holds it is only told to people; a full disk must not keep the keeper from waiting for room.
        log.debug("cannot note who holds %s: %s", path, error)


@asynccontextmanager
async def lease(bus: Bus, site: str) -> AsyncIterator[asyncio.Event]:
    """Hold the site's lease for keepers; gives the event that is set when it is lost."""
    held = Lease(bus, site, "keeper", f"{socket.gethostname()}:{os.getpid()}", _LEASE)
    async with held:
        yield held.lost
