"""Searching the ledger: a page of the newest lines that fit, whatever is asked for, without walking over all of it.

One of the filters leads, read off its index; the others are looked at line by line, and at most WINDOW lines of what
the leading one gives are looked at for a page. A page that ended there is not the last: its `next` goes on. Often the
first few lines fill the page, so that these are looked at first.
"""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from pilothouse.errors import NotThere
from pilothouse.record.rows import Wanted
from pilothouse.record.visible import Pair, Sees, visible_pairs

WINDOW = 50_000
"""Lines that are looked at for one page at most."""
FEW = 2_000
"""Lines that are looked at first."""
_PLACE = "~"
"""What the place of a line is written with that has no name for whoever asks; no id begins so."""
_DIGITS = 19
"""So many a place cannot have: it would be no number of the database's."""
_ACTS = ("site", "people")
"""Kinds of the lines that have no node; no other line has none."""
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


def search(
    connection: sqlite3.Connection, wanted: Wanted, before: str, limit: int, *, sees: Sees | None = None
) -> Found:
    """A page of at most `limit` lines, of those that may be seen; raises NotThere when there is no line `before`."""
    lead, looks = _plan(connection, wanted, sees)
    timed = wanted.since is not None or wanted.until is not None
    if before:
        lead.append(_bound(_place_of(connection, before, wanted, sees), "<", timed=timed))
    numbers: list[int] = []
    end: _Place | None = None
    for window in (min(FEW, WINDOW), WINDOW):
        end = _end_of_window(connection, lead, window, timed=timed) if looks else None
        within = [] if end is None else [_bound(end, ">=", timed=timed)]
        numbers = [place.n for place in _ask(connection, [*lead, *within, *looks], limit + 1, timed=timed)]
        if len(numbers) > limit:
            return Found(numbers[:limit], _id_of(connection, numbers[limit - 1]))
        if end is None:
            break
    if end is None:
        return Found(numbers, "")
    # Where somebody's page ends that may not see all, there may be a line that they may not know of.
    hidden = sees is not None or wanted.without
    return Found(numbers, f"{_PLACE}{end.n}" if hidden else _id_of(connection, end.n))


def _plan(connection: sqlite3.Connection, wanted: Wanted, sees: Sees | None) -> tuple[list[_Test], list[_Test]]:
    """What leads, and what is looked at line by line."""
    filters = _filters(wanted)
    if sees is not None:
        filters.append(_visible(connection, sees))
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
        # In the very words of the partial index.
        lead = _Test("node = '' AND kind = ?", (wanted.kind,)) if wanted.kind in _ACTS else None
        found.append(_Filter(lead, _looks("kind", wanted.kind)))
    if wanted.without:
        marks = ",".join("?" * len(wanted.without))
        found.append(_Filter(None, _Test(f"coalesce(kind, '') NOT IN ({marks})", wanted.without)))
    if wanted.name is not None:
        found.append(_Filter(None, _looks("name", wanted.name)))
    if wanted.text:
        found.append(_Filter(None, _text(wanted.text)))
    return found


def _visible(connection: sqlite3.Connection, sees: Sees) -> _Filter:
    """Leads where few lines may be seen; where many may, the newest are soon found among all."""
    pairs = visible_pairs(connection, "command", sees)
    if not pairs:
        return _Filter(_Test("1 = 0"), _Test("1 = 0"))
    values = f"VALUES {','.join(['(?,?)'] * len(pairs))}"
    arguments = tuple(name for pair in pairs for name in pair)
    # Joined in this order the index finds the lines of each; a plain IN would walk over all lines.
    lines = "SELECT c.n FROM seen CROSS JOIN command AS c ON c.node = a AND c.thing = b"
    lead = _Test(f"n IN (WITH seen (a, b) AS ({values}) {lines})", arguments)
    look = _Test(f"(coalesce(node, ''), coalesce(thing, '')) IN ({values})", arguments)
    return _Filter(lead if _are_few(connection, pairs) else None, look)


def _are_few(connection: sqlite3.Connection, pairs: list[Pair]) -> bool:
    """Whether they have no more lines than are looked at for a page."""
    left = WINDOW
    for pair in pairs:
        sql = "SELECT count(*) FROM (SELECT 1 FROM command WHERE node = ? AND thing = ? LIMIT ?)"
        left -= connection.execute(sql, (*pair, left + 1)).fetchone()[0]
        if left < 0:
            return False
    return True


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


def _end_of_window(connection: sqlite3.Connection, tests: list[_Test], window: int, *, timed: bool) -> _Place | None:
    """The last of so many lines; None when there are not so many."""
    found = _ask(connection, tests, 1, timed=timed, skip=window - 1)
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


def _place_of(connection: sqlite3.Connection, before: str, wanted: Wanted, sees: Sees | None) -> _Place:
    """The place of a line by its id, which must be one that may be seen, or by what a page gave as `next`."""
    sql = "SELECT n, made, node, thing, kind FROM command WHERE "
    number = before.removeprefix(_PLACE)
    if number != before and number.isdecimal() and number.isascii() and len(number) < _DIGITS:
        row = connection.execute(f"{sql} n = ?", (int(number),)).fetchone()
    else:
        row = connection.execute(f"{sql} id = ?", (before,)).fetchone()
        if row is not None and ((sees is not None and not sees(row[2], row[3])) or row[4] in wanted.without):
            row = None
    if row is None:
        raise NotThere(f"The ledger has no command {before[:64]!r}", remedy="Begin with the newest page")
    return _Place(row[0], row[1])


def _id_of(connection: sqlite3.Connection, n: int) -> str:
    return str(connection.execute("SELECT id FROM command WHERE n = ?", (n,)).fetchone()[0])
