"""Where readers find the newest readings before they are in the record: a small file in memory.

The keeper makes it and says where it is (history.db, table meta); it holds nothing that the bus does not hold too. A
folder that lives in memory is asked for first; without one the file lies beside the record.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import sqlite3
import stat
from pathlib import Path

from pilothouse.errors import CannotStart
from pilothouse.record.database import Database

log = logging.getLogger(__name__)

_OURS = "pilothouse-"


async def open_place(history: Path) -> Database | None:
    """An empty file for the record at `history`; None when none can be made, and then readers see readings later."""
    for folder in _folders(history):
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            if not _private(folder):
                continue
            for left in folder.glob("recent-*.db*"):
                left.unlink()
            # A new name each time: a reader that still has the old one open sees by the name that it is over.
            return await Database.open(folder / f"recent-{secrets.token_hex(4)}.db", "recent", sync="OFF")
        except (OSError, CannotStart) as error:
            log.debug("no place for recent readings in %s: %s", folder, error)
    log.warning("no place for recent readings: they can be seen when they are written into the record")
    return None


async def close_place(place: Database) -> None:
    """Close and remove it."""
    await place.close()
    for end in ("", "-wal", "-shm"):
        place.path.with_name(place.path.name + end).unlink(missing_ok=True)
    folder = place.path.parent
    if folder.name.startswith(_OURS):
        try:
            folder.rmdir()
        except OSError as error:
            log.debug("%s stays: %s", folder, error)


def attach(connection: sqlite3.Connection) -> None:
    """Make the table `recent` visible to a reader of history.db, if it is there. Call it outside of transactions."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'recent'").fetchone()
    wanted = str(row[0]) if row is not None else ""
    if wanted and not os.path.exists(wanted):
        wanted = ""
    attached = {str(name): str(file) for _, name, file in connection.execute("PRAGMA database_list")}.get("shown", "")
    if attached == os.path.realpath(wanted or "/"):
        return
    if attached:
        connection.execute("DETACH shown")
    if wanted:
        try:
            connection.execute("ATTACH ? AS shown", (wanted,))
        except sqlite3.OperationalError as error:
            log.debug("recent readings in %s cannot be read: %s", wanted, error)


def look(connection: sqlite3.Connection) -> bool:
    """Begin to read the recent readings; False when there are none to read.

    Must come before the first look at the record itself: rows go into the record first and out of here after that, so
    in this order a reader may see some twice and never misses any.
    """
    try:
        connection.execute("SELECT 1 FROM shown.recent LIMIT 1").fetchone()
    except sqlite3.OperationalError:
        return False
    return True


def _folders(history: Path) -> list[Path]:
    name = f"{_OURS}{os.getuid()}-{hashlib.sha256(str(history.resolve()).encode()).hexdigest()[:12]}"
    memory = [Path(base) / name for base in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm") if base]  # noqa: S108
    return [*memory, history.parent]


def _private(folder: Path) -> bool:
    """Whether a folder is ours alone: in a place that others can write to, its name might have been taken."""
    about = folder.lstat()
    return stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid() and not stat.S_IMODE(about.st_mode) & 0o022
