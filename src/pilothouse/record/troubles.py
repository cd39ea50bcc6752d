"""What SQLite's errors mean for us."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pilothouse.errors import RecordError


class NoRoom(RecordError):
    """The record cannot be written right now: disk full, quota, a failing card. Trying again later may help."""


class Broken(RecordError):
    """The file is damaged; trying again does not help."""


def code_of(error: sqlite3.Error) -> str:
    """SQLite's name of the error, such as "SQLITE_FULL"; "" when Python raised it by itself."""
    return str(getattr(error, "sqlite_errorname", "") or "")


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process was writing just then."""
    return code_of(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def is_broken(error: sqlite3.Error) -> bool:
    """Whether the file is damaged or no database at all."""
    return code_of(error).startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def translate(error: sqlite3.Error, path: Path) -> RecordError:
    """The error in our words."""
    code = code_of(error)
    if code == "SQLITE_FULL" or code.startswith(("SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")):
        return NoRoom(f"The record {path} cannot be written", why=str(error), remedy=f"Make room: df -h {path.parent}")
    if is_broken(error):
        return Broken(f"The record {path} is damaged", why=str(error), remedy="Stop Pilothouse and start it again")
    if is_busy(error):
        return RecordError(f"The record {path} is busy", why="another process has been writing to it for too long")
    return RecordError(f"The record {path} gave an error", why=f"{error} {code}".strip())
