"""What drivers return: values, and nonsense that is told as such."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.agent.sense import LARGEST, check_schema, plain_value, sense
from pilothouse.errors import BadValue
from pilothouse.model import PropertyDescription, Quality


def prop(**more: Any) -> PropertyDescription:
    """A property."""
    return PropertyDescription(name="x", **({"schema": {}} | more))


class Mode(Enum):
    """Choices."""

    LOW = "low"


@dataclass
class Pair:
    """Several values."""

    a: int
    b: str


class Number:
    """As numpy's are, without numpy."""

    def item(self) -> float:
        """Its value."""
        return 2.5


Number.__module__ = "numpy"


class Evil:
    """Raises over everything."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")


@pytest.mark.parametrize(
    ("raw", "kind", "value"),
    [
        (1, float, 1.0),
        (True, bool, True),
        (Mode.LOW, Mode, "low"),
        ("low", Mode, "low"),
        (Pair(1, "x"), Pair, {"a": 1, "b": "x"}),
        (Number(), float, 2.5),
        ((1, 2), list[int], [1, 2]),
        (None, float | None, None),
    ],
)
def test_good_values(raw: Any, kind: Any, value: Any) -> None:
    """Python's kinds of value become JSON's."""
    sensed = sense(raw, prop(), kind)
    assert (sensed.value, sensed.quality, sensed.error) == (value, Quality.GOOD, "")


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (math.nan, float),
        (math.inf, float),
        (True, float),
        ("1", float),
        (None, float),
        (1, bool),
        ("medium", Mode),
        ([1, math.nan], list[float]),
        ("x" * (LARGEST + 1), str),
        ({"a": "x" * LARGEST}, dict[str, str]),
        (2**64, int),
        (object(), str),
        (b"\xff", str),
        ("\ud800", str),
        (lambda: 1, int),
    ],
)
def test_nonsense_is_bad_and_named(raw: Any, kind: Any) -> None:
    """Quality bad, no value, and a sentence that names the property."""
    sensed = sense(raw, prop(), kind)
    assert (sensed.value, sensed.quality) == (None, Quality.BAD)
    assert sensed.error.startswith("x: ")
    assert len(sensed.error) < 400


def test_a_hostile_object_is_only_nonsense() -> None:
    """One that raises over everything, even over saying what it is."""
    assert sense(Evil(), prop(), str).quality is Quality.BAD
    assert sense([Evil()], prop()).quality is Quality.BAD


def test_too_large_says_how_large() -> None:
    """10,000 characters pass, 64 kB do not."""
    assert sense("y" * 10_000, prop(), str).quality is Quality.GOOD
    assert "value of 70002 bytes is too large" in sense("y" * 70_000, prop(), str).error


def test_out_of_its_range_is_uncertain() -> None:
    """The value is shown, with doubt."""
    assert sense(120.0, prop(maximum=100.0), float) == (120.0, Quality.UNCERTAIN, "")


def test_a_property_without_a_declared_type_is_checked_by_its_schema() -> None:
    """Type and choices."""
    assert sense(1, prop(schema={"type": "number"})).quality is Quality.GOOD
    assert sense("1", prop(schema={"type": "number"})).quality is Quality.BAD
    assert sense(True, prop(schema={"type": "integer"})).quality is Quality.BAD
    assert sense(1.5, prop(schema={"type": "integer"})).quality is Quality.BAD
    assert sense("b", prop(schema={"enum": ["a"]})).quality is Quality.BAD
    assert sense(None, prop(schema={"type": ["null", "string"]})).quality is Quality.GOOD
    with pytest.raises(BadValue, match="of type number"):
        check_schema("x", {"type": "number"}, label="v")


text = st.text(st.characters(codec="utf-8"))
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
json = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=20,
)


@given(json)
def test_json_stays_as_it_is(value: Any) -> None:
    """Plain data passes unchanged."""
    assert plain_value(value) == value
