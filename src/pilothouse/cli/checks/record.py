"""The record: whole, and written by a keeper."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

from pilothouse.cli.checks.finding import Finding, Patient, alive, look, skipped, status_in, well, wrong

LONGEST = 5.0
"""Seconds that the look into one file may take; on a large one only its beginning is seen."""
_SOME = 100
_AGAIN = "pilothouse keeper"
_WAITS = {"waiting for disk": "Make room: df -h", "waiting for bus": "pilothouse bus"}


def ledger(patient: Patient) -> Finding:
    """Whether the ledger's file is whole."""
    return _whole("ledger", patient.places.ledger)


def history(patient: Patient) -> Finding:
    """Whether the history's file is whole."""
    return _whole("history", patient.places.history)


def keeper(patient: Patient) -> Finding:
    """Whether a keeper holds the record."""
    path = patient.places.keeper_lock
    if not patient.running:
        return skipped("keeper", "Pilothouse is not running")
    status = status_in(patient.places.keeper_status)
    state, note = (str(status.get("state", "")), str(status.get("note", ""))) if alive(status) else ("", "")
    if state.startswith("waiting"):
        return wrong("keeper", f"It is {state}: {note}" if note else f"It is {state}", _WAITS.get(state, _AGAIN))
    held = _held(path)
    if held is None:
        return skipped("keeper", "This system does not tell who holds a lock")
    if not held:
        return wrong("keeper", "No keeper writes the record; the bus holds readings for a day at most", _AGAIN)
    behind = sum(number for number in status.get("lag", {}).values() if isinstance(number, int))
    return well("keeper", f"writes the record, {behind} messages behind" if behind > _SOME else "writes the record")


def _whole(name: str, path: Path, longest: float = LONGEST) -> Finding:
    if not path.exists():
        return skipped(name, f"There is no {path} yet")
    until = time.monotonic() + longest
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=longest)
        try:
            connection.set_progress_handler(lambda: int(time.monotonic() > until), 10_000)
            said = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return well(name, f"nothing wrong in what could be seen of {path} within {longest:.0f} s")
        return look(name, f"{path} cannot be looked into: {error}", f"ls -l {path.parent}")
    except sqlite3.DatabaseError as error:
        return _damaged(name, path, str(error))
    return well(name, f"{path} is whole") if said == ["ok"] else _damaged(name, path, said[0])


def _damaged(name: str, path: Path, why: str) -> Finding:
    aside = path.parent / "damaged"
    return wrong(
        name,
        f"{path} is damaged: {why}",
        f"Stop Pilothouse, then keep it aside and start with a new one: mkdir -p {aside} && mv {path}* {aside}",
    )


def _held(path: Path) -> bool | None:
    """Whether some process holds the lock; looking at the kernel's list takes it from nobody, as trying would."""
    try:
        inode = path.stat().st_ino
        locks = Path("/proc/locks").read_text("ascii")
    except FileNotFoundError:
        return False if Path("/proc/locks").exists() else None
    except OSError:
        return None
    return any(line.split()[5].rpartition(":")[2] == str(inode) for line in locks.splitlines() if "->" not in line)
