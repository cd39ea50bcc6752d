"""Searching the ledger: a page of the newest lines that fit, whatever is asked for, without walking over all of it.

One of the filters leads, read off its index; the others are looked at line by line, and at most WINDOW lines of what
the leading one gives are looked at for a page. A page that ended there is not the last: its `next` goes on.
"""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from pilothouse.errors import NotThere
from pilothouse.record.rows import Wanted

WINDOW = 50_000
"""Lines that are looked at for one page at most."""
_SETTLED = ("", "confirmed")
"""Ends that the index of ends leaves out, for nearly every command has them."""


class _Test(NamedTuple):
    """A condition and its arguments."""

    sql: str
    arguments: tuple[Any, ...] = ()


class _Filter(NamedTuple):
    """One thing that is asked for: as the condition that leads, when it can, and as one that is looked at."""

    lead: _Test | None
    look: _Test


class _Place(NamedTuple):
    """A line's place in the order of lines."""

    n: int
    made: int


class Found(NamedTuple):
    """Numbers of the lines of a page, newest first, and what `before` of the next page is ("" = there is none)."""

    numbers: list[int]
    next: str


def search(connection: sqlite3.Connection, wanted: Wanted, before: str, limit: int) -> Found:
    """A page of at most `limit` lines; raises NotThere when there is no line `before`."""
    lead, looks = _plan(connection, wanted)
    timed = wanted.since is not None or wanted.until is not None
    if before:
        lead.append(_bound(_place_of(connection, before), "<", timed=timed))
    end = _end_of_window(connection, lead, timed=timed) if looks else None
    if end is not None:
        lead.append(_bound(end, ">=", timed=timed))
    numbers = [place.n for place in _ask(connection, [*lead, *looks], limit + 1, timed=timed)]
    if len(numbers) > limit:
        return Found(numbers[:limit], _id_of(connection, numbers[limit - 1]))
    return Found(numbers, _id_of(connection, end.n) if end is not None else "")


def _plan(connection: sqlite3.Connection, wanted: Wanted) -> tuple[list[_Test], list[_Test]]:
    """What leads, and what is looked at line by line."""
    filters = _filters(wanted)
    if wanted.since is not None or wanted.until is not None:
        # The order is that of time then, and only its own index can lead.
        lead = [_Test("made >= ?", (wanted.since or 0,))]
        if wanted.until is not None:
            lead.append(_Test("made < ?", (wanted.until,)))
        return lead, [each.look for each in filters]
    leaders = [each for each in filters if each.lead is not None]
    if not leaders:
        return [], [each.look for each in filters]
    first = leaders[0] if len(leaders) == 1 else min(leaders, key=lambda each: _count(connection, each.lead))
    assert first.lead is not None
    return [first.lead], [each.look for each in filters if each is not first]


def _filters(wanted: Wanted) -> list[_Filter]:
    found = []
    if wanted.node is not None and wanted.thing is not None:
        both = (wanted.node, wanted.thing)
        found.append(_Filter(_Test("node = ? AND thing = ?", both), _both(_looks("node", both[0]), "thing", both[1])))
    else:
        found += [_plain(name, value) for name in ("node", "thing") if (value := getattr(wanted, name)) is not None]
    found += [_plain(name, value) for name in ("who", "origin") if (value := getattr(wanted, name)) is not None]
    if wanted.end is not None:
        found.append(_Filter(_lead_of_end(wanted.end), _looks("ended_as", wanted.end)))
    if wanted.kind is not None:
        # Acts on the site have no node, and nothing else has none.
        lead = _Test("node = '' AND kind = 'site'") if wanted.kind == "site" else None
        found.append(_Filter(lead, _looks("kind", wanted.kind)))
    if wanted.name is not None:
        found.append(_Filter(None, _looks("name", wanted.name)))
    if wanted.text:
        found.append(_Filter(None, _text(wanted.text)))
    return found


def _plain(column: str, value: str) -> _Filter:
    return _Filter(_Test(f"{column} = ?", (value,)), _looks(column, value))


def _both(test: _Test, column: str, value: str) -> _Test:
    other = _looks(column, value)
    return _Test(f"{test.sql} AND {other.sql}", (*test.arguments, *other.arguments))


def _looks(column: str, value: str) -> _Test:
    """The same without the column's index, which would lead to more than the one that was chosen."""
    return _Test(f"coalesce({column}, '') = ?", (value,))


def _lead_of_end(end: str) -> _Test | None:
    """In the very words of the partial index, which a parameter would hide."""
    if end == "":
        return _Test("ended_as = ''")
    return None if end in _SETTLED else _Test("ended_as = ? AND ended_as NOT IN ('', 'confirmed')", (end,))


def _text(text: str) -> _Test:
    plain = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    columns = ("reason", "detail", "remedy")
    any_of = " OR ".join(f"lower({column}) LIKE ? ESCAPE '\\'" for column in columns)
    return _Test(f"({any_of})", (f"%{plain}%",) * len(columns))


def _bound(place: _Place, sign: str, *, timed: bool) -> _Test:
    if timed:
        return _Test(f"(made, n) {sign} (?, ?)", (place.made, place.n))
    return _Test(f"n {sign} ?", (place.n,))


def _end_of_window(connection: sqlite3.Connection, tests: list[_Test], *, timed: bool) -> _Place | None:
    """The last line that is looked at for this page; None when there are not so many."""
    found = _ask(connection, tests, 1, timed=timed, skip=WINDOW - 1)
    return found[0] if found else None


def _ask(connection: sqlite3.Connection, tests: list[_Test], limit: int, *, timed: bool, skip: int = 0) -> list[_Place]:
    where = f" WHERE {' AND '.join(test.sql for test in tests)}" if tests else ""
    # Only what stands in the index that leads, so that skipping reads no lines.
    columns, order = ("n, made", "made DESC, n DESC") if timed else ("n, 0", "n DESC")
    sql = f"SELECT {columns} FROM command{where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
    arguments = [argument for test in tests for argument in test.arguments]
    return [_Place(*row) for row in connection.execute(sql, [*arguments, limit, skip])]


def _count(connection: sqlite3.Connection, test: _Test | None) -> int:
    """How many lines it leaves, at most one more than WINDOW."""
    assert test is not None
    sql = f"SELECT count(*) FROM (SELECT 1 FROM command WHERE {test.sql} LIMIT ?)"  # noqa: S608
    return int(connection.execute(sql, (*test.arguments, WINDOW + 1)).fetchone()[0])


def _place_of(connection: sqlite3.Connection, id: str) -> _Place:
    row = connection.execute("SELECT n, made FROM command WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise NotThere(f"The ledger has no command {id[:64]!r}", remedy="Begin with the newest page")
    return _Place(*row)


def _id_of(connection: sqlite3.Connection, n: int) -> str:
    return str(connection.execute("SELECT id FROM command WHERE n = ?", (n,)).fetchone()[0])
