"""The number of this run of the agent: grows for ever, so that everybody can tell an old word from a new one."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from pilothouse.errors import CannotStart
from pilothouse.process import write_atomically

log = logging.getLogger(__name__)

LARGEST = 2**53 - 1
"""Larger numbers are not exact in every reader of JSON; one in the file is a damaged file."""


def following(stored: int, now: int) -> int:
    """The epoch after `stored`, also after a reboot with a wrong clock; `now` in Unix milliseconds."""
    return max(stored + 1, now // 1000, 1)


def begin(path: Path, now: int) -> int:
    """Take the next epoch and have it on the disk before anything else is done.

    Raises CannotStart when it cannot be kept: a run whose number might come twice must not command hardware.
    """
    epoch = following(_stored(path), now)
    keep(path, epoch)
    return epoch


def keep(path: Path, epoch: int) -> None:
    """Have `epoch` on the disk; raises CannotStart."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, f"{epoch}\n".encode())
        sync_folder(path.parent)
    except OSError as error:
        raise CannotStart(
            f"The number of this run cannot be kept in {path}",
            why=error.strerror or str(error),
            remedy="Make room, or mend the rights of the data folder",
        ) from None


def _stored(path: Path) -> int:
    try:
        text = path.read_bytes()[:64]
        number = int(text)
    except FileNotFoundError:
        return 0
    except (OSError, ValueError):
        log.warning("%s is damaged; the number of this run is taken from the clock", path)
        return 0
    return number if 0 <= number < LARGEST else 0


def sync_folder(folder: Path) -> None:
    """Without it a power cut may bring back the old name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
