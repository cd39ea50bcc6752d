"""A gathered lot of rows into their tables, quickly and in an order that leaves the gap marks right."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any

from pilothouse.record.intake import Pending
from pilothouse.record.positions import write_position

_CHUNK = 500
"""Rows a statement. One step a statement: a step gives Python's lock away, and to get it back may take 5 ms."""
_MARKS = ",".join(["(?,?,?,?)"] * _CHUNK)
_CONFLICT = (
    " ON CONFLICT (series, time) DO UPDATE SET value = excluded.value, quality = excluded.quality"
    " WHERE {table}.quality = 3"
)


def write_pending(connection: sqlite3.Connection, batch: Pending, tracks: dict[str, str], stamp: int) -> None:
    """Write all of `batch`; `tracks` are its nodes' tracks as JSON, `stamp` the time of writing."""
    connection.executemany(
        "INSERT INTO series (id, node, thing, property, kind, unit, hold) VALUES (?,?,?,?,?,?,?) ON CONFLICT (id)"
        " DO UPDATE SET kind = excluded.kind, unit = excluded.unit, hold = excluded.hold",
        list(batch.series.values()),
    )
    connection.executemany("DELETE FROM reading WHERE series = ? AND time = ? AND quality = 3", sorted(batch.unmarks))
    insert_rows(connection, "reading", sorted(batch.rows.items()))
    connection.executemany(
        "INSERT INTO dirty (tier, node, time, stamp) VALUES (0, ?, ?, ?) ON CONFLICT (tier, node, time)"
        " DO UPDATE SET stamp = excluded.stamp",
        [(node, minute, stamp) for node, minute in sorted(batch.dirty)],
    )
    connection.executemany(
        "INSERT INTO track (node, state) VALUES (?, ?) ON CONFLICT (node) DO UPDATE SET state = excluded.state",
        list(tracks.items()),
    )
    _write_directory(connection, batch)
    connection.executemany(
        "INSERT INTO event (time, id, node, thing, name, data) VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        [(*key, *rest) for key, rest in batch.events.items()],
    )
    for stream, position in batch.positions.items():
        write_position(connection, stream, position)


def _write_directory(connection: sqlite3.Connection, batch: Pending) -> None:
    connection.executemany(
        "INSERT INTO node (node, epoch, version, state, last_seen) VALUES (?,?,?,?,?) ON CONFLICT (node) DO UPDATE SET"
        " epoch = excluded.epoch, version = excluded.version, state = excluded.state, last_seen = excluded.last_seen",
        [(node, *row) for node, row in batch.nodes.items()],
    )
    connection.executemany("DELETE FROM thing WHERE node = ? AND thing = ?", list(batch.gone))
    connection.executemany(
        "INSERT INTO thing (node, thing, epoch, described, time) VALUES (?,?,?,?,?) ON CONFLICT (node, thing) DO UPDATE"
        " SET epoch = excluded.epoch, described = excluded.described, time = excluded.time",
        [(*key, *row) for key, row in batch.things.items()],
    )


def insert_rows(
    connection: sqlite3.Connection, table: str, rows: Sequence[tuple[tuple[int, int], tuple[Any, int]]]
) -> None:
    """Insert readings; a real one replaces a gap mark at its time, and nothing replaces a real one."""
    conflict = _CONFLICT.format(table=table)
    insert = f"INSERT INTO {table} (series, time, value, quality) VALUES "  # noqa: S608
    whole = len(rows) - len(rows) % _CHUNK
    sql = insert + _MARKS + conflict
    for start in range(0, whole, _CHUNK):
        connection.execute(sql, _flat(rows[start : start + _CHUNK]))
    if whole < len(rows):
        # One statement of the rest's own length would be parsed anew each time; of 20 rows each it is not.
        small = insert + ",".join(["(?,?,?,?)"] * 20) + conflict
        rest = rows[whole:]
        part = len(rest) - len(rest) % 20
        for start in range(0, part, 20):
            connection.execute(small, _flat(rest[start : start + 20]))
        connection.executemany(insert + "(?,?,?,?)" + conflict, [(*key, *cell) for key, cell in rest[part:]])


def _flat(rows: Sequence[tuple[tuple[int, int], tuple[Any, int]]]) -> list[Any]:
    return list(chain.from_iterable(chain.from_iterable(rows)))
