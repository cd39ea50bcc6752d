"""Up to where a stream of the bus has been read: a row that changes in the same transaction as what was read."""

from __future__ import annotations

import sqlite3

from pilothouse.record.rows import Position


def read_position(connection: sqlite3.Connection, stream: str) -> Position:
    """The stored position, or the very start."""
    row = connection.execute("SELECT created, seq, time FROM position WHERE stream = ?", (stream,)).fetchone()
    return Position() if row is None else Position(created=row[0], seq=row[1], time=row[2])


def write_position(connection: sqlite3.Connection, stream: str, position: Position) -> None:
    """Store a position."""
    connection.execute(
        "INSERT INTO position (stream, created, seq, time) VALUES (?, ?, ?, ?) ON CONFLICT (stream) DO UPDATE"
        " SET created = excluded.created, seq = excluded.seq, time = excluded.time",
        (stream, position.created, position.seq, position.time),
    )
