"""How values, ages and tables look in a terminal."""

from __future__ import annotations

import pytest

from pilothouse.cli import show
from pilothouse.model import Quality, Value


@pytest.mark.parametrize(
    ("value", "unit", "precision", "text"),
    [
        (21.456, "Cel", 1, "21.5 °C"),
        (True, "", None, "true"),
        (None, "Cel", 1, "-"),
        (0.1 + 0.2, "V", None, "0.3 V"),
        ("on fire", "", None, "on fire"),
        ("", "", None, '""'),
        ("bad\x1b[2Jnews", "", None, '"bad\\u001b[2Jnews"'),
        ([1, 2.5], "", None, "[1, 2.5]"),
        ({"a": "ü"}, "", None, '{"a": "ü"}'),
        (5, "1", None, "5"),
        (1e300, "V", 2, "1e+300 V"),
    ],
)
def test_a_value_and_its_unit(value: Value, unit: str, precision: int | None, text: str) -> None:
    """Right decimals, symbols of units, and nothing that could move the cursor."""
    assert show.with_unit(value, unit, precision) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (-3, "0.0 s"), (9.94, "9.9 s"), (12, "12 s"), (61, "1 min"), (7300, "2 h"), (200_000, "2 d")],
)
def test_a_length_of_time(seconds: float, text: str) -> None:
    """One figure and its unit."""
    assert show.length(seconds) == text


def test_ages_and_moments() -> None:
    """Never is never; a time beyond the calendar is still a line."""
    assert show.age(0, 5) == "never"
    assert show.age(1000, 13_000) == "12 s ago"
    assert show.moment(0) == "-"
    assert show.moment(10**18) == str(10**18)
    assert len(show.moment(1_700_000_000_000)) == 19


def test_doubt_is_one_word() -> None:
    """Quality comes first, then age."""
    assert show.doubt(Quality.BAD) == "bad"
    assert show.doubt(Quality.GOOD, 1000, 27_000, 25) == "stale"
    assert show.doubt(Quality.GOOD, 1000, 25_000, 25) == ""


def test_a_table_is_aligned_and_of_one_line_a_row() -> None:
    """Columns align; a device's text cannot break the table."""
    text = show.table([("a", "b\nc", ""), ("long", "x" * 200, "z")], ("ONE", "TWO", ""))
    lines = text.splitlines()
    assert lines[0] == "ONE   TWO"
    assert lines[1] == "a     b�c"
    assert lines[2].startswith("long  xxx")
    assert "…" in lines[2]
    assert show.table([]) == ""
