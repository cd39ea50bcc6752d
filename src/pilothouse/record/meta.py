"""Facts about the record itself."""

from __future__ import annotations

import sqlite3


def set_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Store a fact about the record itself."""
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def get_meta(connection: sqlite3.Connection, key: str) -> str:
    """A fact about the record itself, "" when it is not there."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return "" if row is None else str(row[0])
