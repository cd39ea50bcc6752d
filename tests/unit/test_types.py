"""From Python types to JSON Schema and back: what passes, what is refused, and in which words."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.errors import BadValue
from pilothouse.model.types import check_limits, finite, is_numeric, limited, schema_of, short, to_plain, to_python

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


class Mode(enum.Enum):
    """A choice."""

    OFF = "off"
    HOLD = "hold"


class Inner(msgspec.Struct):
    """Used twice below."""

    x: int


class Outer(msgspec.Struct):
    """With a description beside a reference."""

    first: Annotated[Inner, msgspec.Meta(description="the first")]
    second: Inner
    many: dict[str, list[Inner]] = {}


@dataclass
class Point:
    """A dataclass as a value."""

    x: float
    y: float


class Loop(msgspec.Struct):
    """Contains itself."""

    next: Loop | None = None


KINDS: dict[Any, Any] = {
    bool: True,
    int: 3,
    float: 2.5,
    str: "text",
    list[int]: [1, 2],
    tuple[int, str]: [1, "a"],
    dict[str, float]: {"a": 1.0},
    Literal["a", "b"]: "b",
    Mode: "hold",
    int | None: None,
    Point: {"x": 1.0, "y": 2.0},
    Outer: {"first": {"x": 1}, "second": {"x": 2}},
}


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_schemas_are_whole_and_true(kind: Any) -> None:
    """No references left, a JSON Schema by the rules, and the value goes there and back."""
    schema = schema_of(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert "$ref" not in repr(schema)
    value = KINDS[kind]
    assert jsonschema.Draft202012Validator(schema).is_valid(value)
    back = to_plain(to_python(value, kind, label="it"))
    assert jsonschema.Draft202012Validator(schema).is_valid(back)
    assert {**value, **back} == back if isinstance(value, dict) else value == back


def test_words_beside_a_reference_stay() -> None:
    """Each use of a type keeps its own description."""
    members = schema_of(Outer)["properties"]
    assert members["first"]["description"] == "the first"
    assert "Used twice" not in members["first"]["description"]


@pytest.mark.parametrize("kind", [Loop, complex, object], ids=str)
def test_types_that_cannot_travel_are_refused(kind: Any) -> None:
    """As TypeError: it is the author's mistake."""
    with pytest.raises(TypeError):
        schema_of(kind)


@given(plain)
def test_plain_data_stays_as_it_is(value: Any) -> None:
    """Nothing is lost or changed on the way out of a driver."""
    assert to_plain(value) == value
    assert finite(value)


@given(st.sampled_from([math.nan, math.inf, -math.inf]), st.integers(0, 3))
def test_what_is_no_number_is_refused_at_any_depth(number: float, depth: int) -> None:
    """From a driver and from a person."""
    value: Any = number
    for _ in range(depth):
        value = {"in": [value]}
    assert not finite(value)
    with pytest.raises(BadValue, match="driver returned"):
        to_plain(value)
    with pytest.raises(BadValue, match="setpoint cannot take"):
        to_python(value, Any, label="setpoint")


@pytest.mark.parametrize(
    "value",
    [
        1 << 63,
        -(1 << 63) - 1,
        10**5000,
        "\ud800",
        {"a\udfff": 1},
        object(),
        1j,
        [object()],
        {1, 1 << 70},
        msgspec.UNSET,
    ],
    ids=lambda value: type(value).__name__,
)
def test_nonsense_of_drivers_is_refused_shortly(value: Any) -> None:
    """Whatever it is, the error is one sentence for one thing's page."""
    with pytest.raises(BadValue, match="driver returned") as caught:
        to_plain(value)
    assert len(str(caught.value)) < 400


def test_a_value_that_contains_itself_is_refused() -> None:
    """Instead of a stack that overflows in the agent."""
    value: list[Any] = []
    value.append(value)
    with pytest.raises(BadValue, match="no value"):
        to_plain(value)


def test_arrays_of_numpy_are_opened() -> None:
    """By their own method, so that nothing here needs NumPy."""

    class Array:
        def tolist(self) -> list[float]:
            return [1.0, 2.0]

    class Float64(float):
        def tolist(self) -> float:
            return float(self)

    assert to_plain(Array()) == [1.0, 2.0]
    assert to_plain({"a": Float64(1.5)}) == {"a": 1.5}


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (1, bool, "expected true or false"),
        ("on", bool, "expected true or false"),
        (True, int, "expected a whole number"),
        (1.5, int, "expected a whole number"),
        ("1", float, "expected a number"),
        (True, float, "expected a number"),
        (3, str, "expected text"),
        (None, int, "expected a whole number"),
        ([1, "a"], list[int], "at `value[1]`"),
        ({"x": "a", "y": 1}, Point, "at `x`"),
        ({"x": 1}, Point, "missing required field `y`"),
        (1 << 64, float, "64 bits"),
    ],
)
def test_wrong_types_are_refused_in_plain_words(value: Any, kind: Any, words: str) -> None:
    """Nothing is guessed: text is no number, 1 is not true."""
    with pytest.raises(BadValue) as caught:
        to_python(value, kind, label="level")
    assert words in caught.value.why
    assert caught.value.what.startswith("level cannot take")


@pytest.mark.parametrize("kind", [Mode, Literal["off", "hold"]])
def test_a_wrong_choice_names_the_choices_and_the_nearest(kind: Any) -> None:
    """Enums and literals alike."""
    with pytest.raises(BadValue) as caught:
        to_python("hald", kind, label="mode")
    assert caught.value.why == "it takes one of off, hold"
    assert caught.value.nearest == "hold"


def test_whole_numbers_pass_as_numbers() -> None:
    """JSON does not tell 3 from 3.0."""
    value = to_python(3, float, label="it")
    assert (value, type(value)) == (3.0, float)


def test_long_values_are_cut_in_errors() -> None:
    """10 kB of text do not end up in a log line."""
    with pytest.raises(BadValue) as caught:
        to_python("x" * 10_240, float, label="level")
    assert len(str(caught.value)) < 200
    assert "10242 characters" in str(caught.value)
    assert short(10**5000) == "a int too large to show"


@given(st.floats(allow_nan=False), st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_limits_hold_exactly(value: float, one: float, other: float) -> None:
    """Within passes, outside raises and names the limit that was crossed."""
    low, high = sorted((one, other))
    if low <= value <= high:
        check_limits(value, low, high, "V", label="voltage")
    else:
        with pytest.raises(BadValue) as caught:
            check_limits(value, low, high, "V", label="voltage")
        assert float(caught.value.nearest) == pytest.approx(low if value < low else high)


def test_limits_are_told_as_people_say_them() -> None:
    """With the unit, and only the side that there is."""
    with pytest.raises(BadValue, match=r"voltage cannot take 31 V\. it takes from 0 to 30 V\. Did you mean '30'\?"):
        check_limits(31, 0, 30, "V", label="voltage")
    with pytest.raises(BadValue, match="at most 30"):
        check_limits(30.000001, None, 30, "", label="voltage")
    with pytest.raises(BadValue, match="at least 5"):
        check_limits(4, 5, None, "", label="voltage")
    check_limits(True, 5, 6, "", label="switch")
    check_limits("text", 5, 6, "", label="text")


def test_only_numbers_have_limits() -> None:
    """Limits on anything else are the author's mistake."""
    assert limited({"type": "number"}, 1, None) == {"type": "number", "minimum": 1}
    assert limited({"type": "string"}, None, None) == {"type": "string"}
    with pytest.raises(TypeError):
        limited({"type": "string"}, 1, None)


def test_numbers_and_switches_can_be_drawn() -> None:
    """As a line; the rest cannot."""
    assert [is_numeric(schema_of(kind)) for kind in (int, float, bool, str, list[int])] == [True] * 3 + [False] * 2
