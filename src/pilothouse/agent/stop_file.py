"""The stops that hold, in a file: a stop outlives the agent, also one that was killed or lost its power."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import msgspec

from pilothouse.agent.epoch import sync_folder
from pilothouse.bus.messages import Latch
from pilothouse.clock import Clock
from pilothouse.guard.latch import Latches
from pilothouse.model import new_id
from pilothouse.process import write_atomically

log = logging.getLogger(__name__)


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the file."""

    v: int = 1
    stops: tuple[Latch, ...] = ()
    lifted: tuple[str, ...] = ()
    """Ids of stops that were lifted lately: their word may come once more."""


class StopFile:
    """One agent's; see the module's text."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._turn = asyncio.Lock()

    def load(self) -> Latches[Latch]:
        """What holds from before. A file that cannot be read may have held a stop, so it counts as one."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
            if kept.v > 1:
                raise ValueError(f"it is of version {kept.v}, and this Pilothouse knows versions up to 1")
            return Latches(kept.stops, kept.lifted)
        except FileNotFoundError:
            return Latches()
        except (OSError, ValueError) as error:
            return self._unreadable(error)

    async def keep(self, latches: Latches[Latch]) -> str:
        """Have on the disk what holds now; gives why that failed, "" = it is there. Never waits on the event loop."""
        async with self._turn:
            content = _encoded(latches)
            return await asyncio.to_thread(self._write, content)

    def _unreadable(self, error: OSError | ValueError) -> Latches[Latch]:
        why = getattr(error, "strerror", None) or str(error)
        text = f"the stops of this node could not be read from {self._path} ({why}), and one may have been pressed"
        log.error("%s; it is stopped until somebody lifts that", text)
        now = self._clock.now()
        latches = Latches([Latch(id=new_id(now), kind="hard", time=now, who="agent", origin="agent", reason=text)])
        try:
            self._path.replace(self._path.with_name(f"{self._path.name}.unreadable"))
        except OSError as still:
            log.error("%s could not be put aside: %s", self._path, still.strerror)
        self._write(_encoded(latches))
        return latches

    def _write(self, content: bytes) -> str:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._path, content)
            sync_folder(self._path.parent)
        except OSError as error:
            log.error("the stops of this node cannot be kept in %s: %s", self._path, error.strerror)
            return error.strerror or str(error)
        return ""


def _encoded(latches: Latches[Latch]) -> bytes:
    return msgspec.json.encode(_Kept(stops=latches.records, lifted=latches.lifted))
