"""How values and times look on pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.hub import times
from pilothouse.hub.pages.values import duration, limits, shown
from pilothouse.hub.pages.wishes import agree, told
from pilothouse.model import PropertyDescription, PropertyState
from pilothouse.model.units import symbol

TABLE: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "fixtures" / "shown.json").read_text(encoding="utf-8")
)

WISHES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "fixtures" / "wishes.json").read_text(encoding="utf-8")
)
"""Wish, what the device took, what it shows; the browser is held to it as well."""

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: str(row["value"])[:30])
def test_the_table(row: dict[str, Any]) -> None:
    """The table that the browser's formatter is held to as well."""
    found = shown(
        row["value"], unit=row.get("unit", ""), precision=row.get("precision"), writable=row.get("writable", False)
    )
    assert list(found) == row["shown"]


@pytest.mark.parametrize("row", WISHES, ids=lambda row: str(row["name"]))
def test_what_is_told_of_a_wish(row: dict[str, Any]) -> None:
    """One line: calm when all agree, plain words when they do not."""
    description = PropertyDescription(
        name="a",
        schema={},
        writable=True,
        unit=row["unit"],
        precision=row["precision"],
        dead_band=row["dead_band"],
        settle=row["settle"],
    )
    assert list(told(PropertyState(**row["state"]), description, row["fresh"], 1_000_000)) == row["told"]


times_of = st.integers(0, 2_000_000)


@given(
    values, values, values, times_of, times_of, times_of, times_of, st.sampled_from(["live", "stale", "bad", "none"])
)
def test_confirmed_is_said_only_when_the_device_shows_it(
    wish: Any, accepted: Any, value: Any, wished: int, taken: int, read: int, differs: int, fresh: str
) -> None:
    """Whatever the agent says, the line never claims more than a reading after the write shows."""
    state = PropertyState(
        value=value,
        time=read,
        wish=wish,
        wish_time=wished,
        accepted=accepted,
        accepted_time=taken,
        differs_since=differs,
    )
    text, look = told(state, PropertyDescription(name="a", schema={}, writable=True), fresh, 1_000_000)
    assert (look == "calm") == text.startswith(("confirmed", "read", "never read"))
    if text.startswith("confirmed"):
        assert fresh not in ("bad", "none")
        assert wished <= taken <= read
        assert not differs
        assert agree(value, accepted, 0.0)


@given(values)
def test_a_value_agrees_with_itself(value: Any) -> None:
    """And true never with 1."""
    assert agree(value, value, 0.0)
    assert not agree(True, 1, 10.0)


@given(values, st.sampled_from(["", "Cel", "By", "s", "V", "%"]), st.none() | st.integers(-3, 20))
def test_anything_is_shown(value: Any, unit: str, precision: int | None) -> None:
    """No value that a device may say breaks a page or fills it."""
    text, mark = shown(value, unit=unit, precision=precision)
    assert text
    assert len(text) < 500
    assert isinstance(mark, str)


def test_a_long_text_is_cut_and_its_length_said() -> None:
    """10 kB of text do not fill a page."""
    text = shown("x" * 10_000).text
    assert len(text) < 300
    assert text.endswith("(10000 characters)")


def test_limits_in_words() -> None:
    """Both, one, or none."""
    both = PropertyDescription(name="a", schema={"type": "number"}, minimum=5, maximum=90.5, unit="Cel")
    assert limits(both) == "5 … 90.5 °C"
    assert limits(PropertyDescription(name="a", schema={}, minimum=0)) == "at least 0"
    assert limits(PropertyDescription(name="a", schema={}, maximum=-3, unit="V")) == "at most −3 V"
    assert limits(PropertyDescription(name="a", schema={})) == ""


def test_unknown_units_stand_as_they_are() -> None:
    """A unit that nobody foresaw is shown, not hidden."""
    assert symbol("furlong") == "furlong"
    assert symbol("") == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.96, "10.0 s"), (59.9, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (90_000, "1 d 1 h")],
)
def test_durations(seconds: float, words: str) -> None:
    """The two largest units."""
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (0, "never"),
        (1_000_000, "now"),
        (999_000, "now"),
        (990_000, "10 s ago"),
        (1_000_000 - 65_000, "1 min ago"),
        (1_000_000 + 5_000, "in 5 s"),
    ],
)
def test_ages(then: int, words: str) -> None:
    """Relative where people glance."""
    assert times.ago(then, 1_000_000) == words


def test_ages_of_hours_and_days() -> None:
    """Whole units, rounded down."""
    day = 86_400_000
    assert times.ago(day, 3 * day) == "2 d ago"
    assert times.ago(day, day + 7_200_000) == "2 h ago"
    assert times.lasting(day, day + 90_000) == "1 min"
    assert times.lasting(0, day) == ""


def test_exact_times() -> None:
    """What stands in the title and in `datetime`; a clock in the far future breaks nothing."""
    assert times.exact(1_700_000_000_123) == "2023-11-14 22:13:20 UTC"
    assert times.iso(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
    assert times.exact(0) == times.iso(0) == ""
    assert times.exact(10**18).startswith("9999")
