"""Words on the command line as values of a schema."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from pilothouse.cli.show import value_of
from pilothouse.cli.values import parse_input, parse_value
from pilothouse.errors import BadValue

BOOL, INT, NUMBER, TEXT = ({"type": kind} for kind in ("boolean", "integer", "number", "string"))


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("true", BOOL, True),
        ("ON", BOOL, True),
        ("yes", BOOL, True),
        ("0", BOOL, False),
        ("off", BOOL, False),
        ("5", INT, 5),
        ("-5", INT, -5),
        ("5.0", INT, 5),
        ("5", NUMBER, 5),
        ("-5.5e3", NUMBER, -5500.0),
        ("true", TEXT, "true"),
        ("", TEXT, ""),
        ("fast", {"enum": ["slow", "fast"]}, "fast"),
        ("2", {"enum": [1, 2]}, 2),
        ("[1, 2]", {"type": "array"}, [1, 2]),
        ('{"a": {"b": null}}', {"type": "object"}, {"a": {"b": None}}),
        ("null", {"anyOf": [{"type": "number"}, {"type": "null"}]}, None),
        ("5", {"anyOf": [{"type": "string"}, {"type": "integer"}]}, 5),
        ("five", {"anyOf": [{"type": "string"}, {"type": "integer"}]}, "five"),
        ("7", {"type": ["null", "integer"]}, 7),
        ("[1]", {}, [1]),
        ("plain", {}, "plain"),
        ("x", {"const": "x"}, "x"),
    ],
)
def test_the_schema_decides(text: str, schema: dict[str, Any], value: object) -> None:
    """Each type reads its own words, and the types are exact."""
    found = parse_value(text, schema, label="a/b.c")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "schema", "said"),
    [
        ("ture", BOOL, "Did you mean 'true'?"),
        ("5,5", NUMBER, "Did you mean '5.5'?"),
        ("five", INT, "a whole number"),
        ("5.4", INT, "Did you mean '5'?"),
        ("nan", NUMBER, "no NaN"),
        ("inf", NUMBER, "no NaN"),
        ("fats", {"enum": ["slow", "fast"]}, "Did you mean 'fast'?"),
        ("[1", {"type": "array"}, "JSON"),
        ("5", {"type": "array"}, "JSON"),
        ("[NaN]", {"type": "array"}, "NaN is no number"),
        ("[" * 100_000, {"type": "array"}, "JSON"),
        ("x", {"type": "null"}, "takes nothing"),
        ("x", {"anyOf": [{"type": "null"}, {"type": "number"}]}, "takes a number"),
        ("9" * 10_000, INT, "a/b.c"),
    ],
)
def test_what_does_not_fit_is_said(text: str, schema: dict[str, Any], said: str) -> None:
    """Never a guess: the property is named, and the nearest right word."""
    with pytest.raises(BadValue) as caught:
        parse_value(text, schema, label="a/b.c")
    assert "a/b.c" in caught.value.what
    assert said in str(caught.value)


FAIL = {
    "type": "object",
    "properties": {"kind": {"enum": ["hang", "drop"]}, "seconds": {"type": "number"}},
    "required": ["kind", "seconds"],
}


def test_input_as_pairs_and_as_json() -> None:
    """Both ways give the same."""
    assert parse_input(["kind=hang", "seconds=2"], FAIL, label="a/b.fail") == {"kind": "hang", "seconds": 2}
    assert parse_input(['{"kind": "hang", "seconds": 2}'], FAIL, label="a/b.fail") == {"kind": "hang", "seconds": 2}
    assert parse_input([], None, label="a/b.heal") is None
    assert parse_input(["text=a=b"], {"properties": {"text": TEXT}}, label="a/b.say") == {"text": "a=b"}


@pytest.mark.parametrize(
    ("words", "schema", "said"),
    [
        (["kind=hang"], FAIL, "needs seconds"),
        ([], FAIL, "needs kind and seconds"),
        (["kinds=hang"], FAIL, "Did you mean 'kind'?"),
        (["hang"], FAIL, "key=value"),
        (["7"], {"properties": {"speed": NUMBER}}, "Did you mean 'speed=7'?"),
        (["kind=hagn", "seconds=2"], FAIL, "Did you mean 'hang'?"),
        (["x=1"], None, "takes no input"),
        (["{"], FAIL, "JSON"),
    ],
)
def test_input_that_does_not_fit_is_said(words: list[str], schema: dict[str, Any] | None, said: str) -> None:
    """What is missing, what is not known, and the line to type."""
    with pytest.raises(BadValue) as caught:
        parse_input(words, schema, label="a/b.fail")
    assert said in str(caught.value)


@given(
    some.one_of(
        some.booleans(),
        some.integers(-(10**15), 10**15),
        some.floats(-1e300, 1e300, allow_subnormal=False),
    )
)
def test_what_is_printed_can_be_read_again(value: bool | int | float) -> None:
    """`set` takes what `get --raw` prints, to ten figures that count."""
    kind = "boolean" if isinstance(value, bool) else "number"
    assert parse_value(value_of(value), {"type": kind}, label="a/b.c") == pytest.approx(value, rel=1e-9)


@given(some.text())
def test_any_text_gives_a_value_or_a_sentence(text: str) -> None:
    """No input breaks the reader."""
    for schema in (BOOL, NUMBER, INT, {"type": "array"}, {"type": "object"}, {}, {"enum": ["a"]}):
        with suppress(BadValue):
            parse_value(text, schema, label="a/b.c")
