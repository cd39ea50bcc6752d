"""How values, ages and tables look in a terminal. Pure; figures can be read back by other programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from pilothouse.model import Quality, Value
from pilothouse.model.units import symbol

NOTHING = "-"


def value_of(value: Value, precision: int | None = None) -> str:
    """A value as text: `true`, `21.50`, `text`, JSON for lists and objects, `-` for none."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value if value.isprintable() and value else json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return f"{value:.{precision}f}" if precision is not None and abs(value) < 1e15 else f"{value:.10g}"
    return json.dumps(value, ensure_ascii=False)


def with_unit(value: Value, unit: str = "", precision: int | None = None) -> str:
    """A value with its unit."""
    written = symbol(unit)
    text = value_of(value, precision)
    return f"{text} {written}" if written and value is not None else text


def length(seconds: float) -> str:
    """A length of time in its largest unit: "0.4 s", "12 s", "5 min", "3 h", "2 d"."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {name}"
    return f"{int(seconds)} s"


def age(then: int, now: int) -> str:
    """How long ago, "never" for 0; both in Unix milliseconds."""
    return f"{length((now - then) / 1000)} ago" if then else "never"


def moment(milliseconds: int) -> str:
    """A time on this machine's clock and in its time zone: "2026-11-21 08:15:02"; "-" for 0."""
    if not milliseconds:
        return NOTHING
    try:
        return f"{datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)


def doubt(quality: Quality, since: int = 0, now: int = 0, stale_after: float = 0.0) -> str:
    """What is doubtful about a value, in a word: "", "bad", "uncertain", "stale"."""
    if quality is not Quality.GOOD:
        return str(quality)
    if stale_after and since and now - since > stale_after * 1000:
        return "stale"
    return ""


def as_json(answer: Any) -> str:
    """Anything that the client gives, as one line of JSON."""
    return msgspec.json.encode(answer).decode()


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """Rows as aligned columns, two blanks between; no blanks at the ends of lines."""
    listed = [tuple(_one_line(cell) for cell in row) for row in ((head,) if head else ())]
    listed += [tuple(_one_line(cell) for cell in row) for row in rows]
    if not listed:
        return ""
    widths = [max(len(row[column]) for row in listed) for column in range(len(listed[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in listed
    )


def _one_line(text: str, limit: int = 100) -> str:
    """Nothing that comes from a device may move the cursor or fill the screen."""
    safe = "".join(char if char.isprintable() else "�" for char in text)
    return safe if len(safe) <= limit else f"{safe[: limit - 1]}…"
