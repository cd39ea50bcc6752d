"""What is deleted, and when: each tier has its time, and the work is cut into small transactions.

A wrong clock must not empty the record: the reference time moves on by a day at most from one run to the next, so a
clock that jumps into the year 2100 costs a day's worth, and one that jumps back costs nothing.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from msgspec import Struct

from pilothouse.record.meta import get_meta, set_meta

DAY = 86_400_000
_SOME = 10_000
"""Rows a transaction, so that writers wait for some tens of milliseconds only."""


class Keep(Struct, frozen=True, kw_only=True):
    """How long each tier is kept, milliseconds. Events are kept as long as minutes."""

    raw: int
    minutes: int
    hours: int


class Piece(NamedTuple):
    """Everything in `table` before `before` goes."""

    table: str
    before: int


def reference(now: int, last: int) -> int:
    """The time that the ages are counted from; `last` is what it was in the run before, 0 = there was none."""
    return now if last == 0 else min(now, last + DAY)


def pieces(keep: Keep, at: int) -> list[Piece]:
    """What goes when it is `at`."""
    return [
        Piece("reading", at - keep.raw),
        Piece("minute", at - keep.minutes),
        Piece("hour", at - keep.hours),
        Piece("event", at - keep.minutes),
    ]


def begin(connection: sqlite3.Connection, keep: Keep, now: int) -> int:
    """Note that a run begins, and from when on each tier is whole, before anything is deleted; gives its reference."""
    at = reference(now, int(get_meta(connection, "retained_at") or 0))
    set_meta(connection, "retained_at", str(at))
    for key, length in (("raw_from", keep.raw), ("minute_from", keep.minutes)):
        set_meta(connection, key, str(max(at - length, int(get_meta(connection, key) or 0))))
    return at


def holders(connection: sqlite3.Connection, piece: Piece) -> list[int]:
    """The series to go through; for events a single 0."""
    if piece.table == "event":
        return [0]
    return [row[0] for row in connection.execute("SELECT id FROM series ORDER BY id")]


def delete_some(connection: sqlite3.Connection, piece: Piece, series: int) -> int:
    """Delete the oldest that are too old, a limited number; gives how many, 0 = there are no more."""
    if piece.table == "event":
        where, arguments = "time < ?", [piece.before]
    else:
        where, arguments = "series = ? AND time < ?", [series, piece.before]
    row = connection.execute(
        f"SELECT max(time) FROM (SELECT time FROM {piece.table} WHERE {where} ORDER BY time LIMIT {_SOME})",  # noqa: S608
        arguments,
    ).fetchone()
    if row[0] is None:
        return 0
    return connection.execute(f"DELETE FROM {piece.table} WHERE {where} AND time <= ?", [*arguments, row[0]]).rowcount  # noqa: S608
