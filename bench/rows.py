"""Counts what the record holds, from outside and read-only: a bench trusts no counter of the program under test.

The keeper gathers readings and writes them into the record in few large transactions; until then readers find them in
a small database in memory, which the record names (table meta). What can be read by SQL counts while the clock runs;
what is in the record itself counts at the end, when all processes have stopped.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bench.stack import Stack

_OF_NODE = "series IN (SELECT id FROM series WHERE node = ?) AND quality != 3"


def readable(stack: Stack, node: str) -> int:
    """Readings of `node` that SQL finds now, in the record or before it; gap marks apart."""
    with _opened(stack) as link:
        if link is None:
            return 0
        query = f"SELECT count(*) FROM reading WHERE {_OF_NODE}"
        arguments: tuple[str, ...] = (node,)
        if _has_recent(link):
            both = "SELECT series, time FROM {} WHERE " + _OF_NODE
            query = f"SELECT count(*) FROM ({both.format('shown.recent')} UNION {both.format('reading')})"
            arguments = (node, node)
        [(count,)] = link.execute(query, arguments)
        return int(count)


def has_last(stack: Stack, node: str, time: int) -> bool:
    """Whether every series of `node` has its reading of this time; cheap, so it may be asked often."""
    with _opened(stack) as link:
        if link is None:
            return False
        tables = ["shown.recent", "reading"] if _has_recent(link) else ["reading"]
        ids = [row[0] for row in link.execute("SELECT id FROM series WHERE node = ?", (node,))]
        found: set[int] = set()
        for table in tables:
            for one in ids:
                if link.execute(f"SELECT 1 FROM {table} WHERE series = ? AND time = ?", (one, time)).fetchone():
                    found.add(one)
        return bool(ids) and len(found) == len(ids)


def recorded(stack: Stack) -> int:
    """Readings of all nodes in the record itself."""
    with _opened(stack) as link:
        if link is None:
            return 0
        [(count,)] = link.execute("SELECT count(*) FROM reading WHERE quality != 3")
        return int(count)


def minutes(stack: Stack) -> int:
    """Rolled-up minutes of all series."""
    with _opened(stack) as link:
        return int(link.execute("SELECT count(*) FROM minute").fetchone()[0]) if link is not None else 0


@contextlib.contextmanager
def _opened(stack: Stack) -> Iterator[sqlite3.Connection | None]:
    """The record, with what readers find before it under the name "shown"; None while there is no record."""
    path = stack.data / "record" / "history.db"
    if not path.exists():
        yield None
        return
    link = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
    try:
        with contextlib.suppress(sqlite3.OperationalError):
            row = link.execute("SELECT value FROM meta WHERE key = 'recent'").fetchone()
            if row and row[0] and Path(row[0]).exists():
                link.execute("ATTACH ? AS shown", (f"file:{row[0]}?mode=ro",))
        yield link
    finally:
        link.close()


def _has_recent(link: sqlite3.Connection) -> bool:
    try:
        link.execute("SELECT 1 FROM shown.recent LIMIT 1").fetchone()
    except sqlite3.OperationalError:
        return False
    return True
