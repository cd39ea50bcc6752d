"""One agent a node: a new one asks the one before it to let go of the hardware, and waits until it has."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from pathlib import Path
from typing import NamedTuple

from pilothouse.agent import epoch as epochs
from pilothouse.agent.uplink import Link
from pilothouse.agent.words import at_time
from pilothouse.bus.messages import HandedOver, Handover
from pilothouse.bus.subjects import Subjects
from pilothouse.clock import Clock
from pilothouse.errors import BadMessage, CannotStart, NodeAway, TimedOut

log = logging.getLogger(__name__)

TAKEN_OVER = 3
"""Exit code of an agent that another one of its node name has replaced; nobody starts it again."""
PATIENCE = 3.0
"""Seconds that the agent before may take to let go."""


class Answer(Enum):
    """What became of asking."""

    NOBODY = auto()
    LET_GO = auto()
    SILENT = auto()
    """There is one, and it does not answer: it hangs or is frozen."""
    NEWER = auto()
    """There is one of a higher epoch; it stays, we go."""


class Asked(NamedTuple):
    """The answer, and who gave it."""

    answer: Answer
    epoch: int = 0
    host: str = ""


def this_process() -> str:
    """Machine and process, for the log of the other one."""
    return f"{socket.gethostname()}, process {os.getpid()}"


async def ask(bus: Link, subjects: Subjects, node: str, epoch: int) -> Asked:
    """Ask the agent before to let go; raises BusDown when there is no link to ask through."""
    message = Handover(node=node, epoch=epoch, host=this_process())
    try:
        reply = await bus.request(subjects.handover(node), message, HandedOver, timeout=PATIENCE)
    except NodeAway:
        return Asked(Answer.NOBODY)
    except TimedOut:
        return Asked(Answer.SILENT)
    except BadMessage:
        return Asked(Answer.SILENT)
    answer = Answer.NEWER if reply.epoch >= epoch else Answer.LET_GO
    return Asked(answer, reply.epoch, reply.host)


LetGo = Callable[[Handover], Awaitable[None]]


def answering(node: str, mine: Callable[[], int], let_go: LetGo) -> Callable[[str, Handover], Awaitable[HandedOver]]:
    """Handler of the handover subject: lets go for a newer agent, and only tells an older one that we are here."""

    async def answer(_subject: str, message: Handover) -> HandedOver:
        epoch = mine()
        if message.epoch > epoch:
            await let_go(message)
        return HandedOver(node=node, epoch=epoch, host=this_process())

    return answer


class DataLock:
    """Held by the one agent that works with a data folder, as long as its process lives."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def take(self) -> bool:
        """Whether we have it now; raises CannotStart when the folder cannot be written."""
        if self._file < 0:
            self._file = _opened(self._path)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Let the next one have it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    async def wait(self, clock: Clock, seconds: float | None = None, *, every: float = 0.02) -> bool:
        """Wait until we have it, at most so long; whether we do. Looks `every` so many seconds."""
        until = None if seconds is None else clock.mono() + round(seconds * 1000)
        while not self.take():
            if until is not None and clock.mono() >= until:
                return False
            await clock.sleep(every)
        return True


def begin_epoch(folder: Path, path: Path, now: int) -> int:
    """The next epoch; two agents that start in one data folder at once get different ones."""
    guard = _opened(folder / "epoch.lock")
    try:
        fcntl.flock(guard, fcntl.LOCK_EX)
        return epochs.begin(path, now)
    finally:
        os.close(guard)


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotStart(
            f"{path} cannot be written", why=error.strerror or str(error), remedy="Mend the rights of the data folder"
        ) from None


def note_of(asked: Asked, now: int) -> str:
    """What people are told about a handover at `now` (Unix milliseconds); "" when there was none."""
    if asked.answer is Answer.LET_GO:
        return f"took over from another agent of this name on {asked.host} at {at_time(now)}"
    if asked.answer is Answer.SILENT:
        return f"took over at {at_time(now)} from another agent of this name that did not answer; it may still run"
    return ""
