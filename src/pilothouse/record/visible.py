"""What somebody sees of a table whose lines are each of a thing, when they may not see all things.

May they see it is asked once for each thing that has lines, not for each line; the rest is the database's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Literal

Sees = Callable[[str, str], bool]
"""Whether lines of (node, thing) may be seen. A line without a node is of the stand `thing`, or of the site ("")."""
Pair = tuple[str, str]


def visible_pairs(connection: sqlite3.Connection, table: Literal["command", "event"], sees: Sees) -> list[Pair]:
    """Of all (node, thing) that have lines in a table, those that may be seen.

    The index on them is hopped along from each to the next, so that it costs nothing how many lines there are.
    """
    found: list[Pair] = []
    select = f"SELECT node, thing FROM {table}"  # noqa: S608
    row = connection.execute(f"{select} ORDER BY node, thing LIMIT 1").fetchone()
    while row is not None:
        if sees(*row):
            found.append(row)
        node = row[0]
        # Not (node, thing) > (?, ?), for that passes all lines of the thing.
        row = connection.execute(f"{select} WHERE node = ? AND thing > ? ORDER BY thing LIMIT 1", row).fetchone()
        if row is None:
            row = connection.execute(f"{select} WHERE node > ? ORDER BY node, thing LIMIT 1", (node,)).fetchone()
    return found
