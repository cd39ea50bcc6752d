"""Conditions: their text, their three values, and what a look at them finds wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.guard import BadExpression, Known, Ref, evaluate, parse
from pilothouse.guard.check import check
from pilothouse.guard.expression import Compare, Condition, Constant, Every, Expression, Not, Read, Some, compare, truth
from pilothouse.guard.parser import DEEPEST, LONGEST, MOST_REFS, written

NAMES = st.sampled_from(["a", "pump", "tank_2", "water-level", "orange", "nothing", "android", "x--", "true_1", "e5"])
REFS = st.one_of(
    st.builds(Ref, st.just(""), st.just(""), NAMES),
    st.builds(Ref, st.just(""), NAMES, NAMES),
    st.builds(Ref, NAMES, NAMES, NAMES),
)
TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\n"), max_size=6).filter(
    lambda text: not ("'" in text and '"' in text)
)
NUMBERS = st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)
READS = st.builds(Read, REFS)
OPERANDS = READS | st.builds(Constant, NUMBERS | TEXTS | st.booleans())
SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
COMPARES = st.builds(Compare, OPERANDS, st.lists(st.tuples(SIGNS, OPERANDS), min_size=1, max_size=3).map(tuple))


def _deeper(part: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    def many(kind: type[Every | Some]) -> st.SearchStrategy[Condition]:
        return st.lists(part, min_size=2, max_size=3).map(
            lambda parts: kind(
                tuple(one for p in parts for one in (p.parts if isinstance(p, kind) else (p,))),
            )
        )

    return st.one_of(st.builds(Not, part), many(Every), many(Some))


CONDITIONS = st.recursive(READS | COMPARES | st.builds(Constant, st.booleans()), _deeper, max_leaves=6)


@settings(max_examples=60)
@given(CONDITIONS)
def test_what_is_written_is_read_back(condition: Condition) -> None:
    """With and without the word in front."""
    text = written(condition)
    if len(text) <= LONGEST:
        assert parse(text).root == condition
        assert parse(f"  requires {text}\n").text == text


@given(st.text(max_size=60) | st.text("()<>=!.\"'/ -_0123456789aentrouspqi", max_size=60))
def test_any_text_is_a_condition_or_refused_in_words(text: str) -> None:
    """Nothing else comes out of the parser, and what was read can be written and read again."""
    try:
        found = parse(text)
    except BadExpression:
        return
    assert parse(found.text).root == found.root


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("valves.pump = true", "column 13: '=' has no meaning in a condition. Did you mean '=='?"),
        ("requires a && b", "column 12: '&&' has no meaning in a condition. Did you mean 'and'?"),
        ("Tank.level > 5", "Did you mean 'tank.level'?"),
        ("a == True", "Did you mean 'true'?"),
        ("level > 20 %", "column 12: numbers are written without a unit"),
        ("level > 20kPa", "column 9: numbers are written without a unit"),
        ("(a or b", "column 8: the '(' of column 1 is not closed, but here comes the end. Did you mean ')'?"),
        ("(a b)", "column 4: the '(' of column 1 is not closed, but here comes 'b'"),
        ("a ) b", "column 3: this ')' closes nothing"),
        ("a b", "column 3: after a condition comes 'and' or 'or', not 'b'"),
        ("a adn b", "Did you mean 'and'?"),
        ("a is true", "Did you mean '=='?"),
        ("(a) == b", "what stands in parentheses cannot be compared"),
        ("a == (b)", "column 6: here comes a reading, a number, a text, true or false, not '('"),
        ("garden/pump", "column 1: 'garden/pump' names no property. Did you mean 'garden/pump.property'?"),
        ("mode == 'auto", "column 9: the text has no closing '"),
        ("5", "column 1: 5 alone is neither true nor false"),
        ("a and 'x'", "column 7: 'x' alone is neither true nor false"),
        ("a > 1e999", "column 5: 1e999 is too large a number"),
        ("", "column 1: here comes a reading, a number, a text, true or false, but here is the end"),
        ("requires", "column 9: here comes"),
        ("a == é", "column 6: 'é' has no meaning in a condition"),
        ("x" * 70, "is too long for the name of a property"),
        ("not " * (DEEPEST + 1) + "a", f"more than {DEEPEST} levels"),
        ("(" * (DEEPEST + 1) + "a", f"more than {DEEPEST} levels"),
        ("a" * (LONGEST + 1), f"at most {LONGEST} characters"),
        (" or ".join(f"a{n}" for n in range(MOST_REFS + 1)), f"at most {MOST_REFS} readings"),
    ],
)
def test_a_bad_condition_says_where_and_what_was_meant(text: str, words: str) -> None:
    """By column, in one sentence."""
    with pytest.raises(BadExpression) as caught:
        parse(text)
    assert words in str(caught.value)


def test_names_with_minus_and_underline() -> None:
    """There is no arithmetic, so a minus belongs to the name."""
    found = parse("requires north-bay/tank_2.water-level >= -2.5 and pump")
    assert found.refs == (Ref("north-bay", "tank_2", "water-level"), Ref("", "", "pump"))
    assert str(found.refs[0]) == "north-bay/tank_2.water-level"


def test_or_binds_weaker_than_and_and_that_than_not() -> None:
    """As everywhere; parentheses that change nothing are not kept."""
    assert parse("a or b and not c == 1").text == "a or b and not c == 1"
    assert parse("((a) or (b and (not (c))))").text == "a or b and not c"
    assert parse("(a or b) and c").text == "(a or b) and c"


def _found(text: str, **values: Any) -> tuple[bool | None, tuple[str, ...]]:
    def lookup(ref: Ref) -> Known | str:
        value = values.get(ref.property, "it was never read")
        return value if isinstance(value, str) else value if isinstance(value, Known) else Known(value)

    return evaluate(parse(text).resolved("pi", "tank"), lookup)


@pytest.mark.parametrize(
    ("text", "holds", "broken"),
    [
        ("on", True, ()),
        ("not on", False, ("tank.on is true",)),
        ("level > 20 and on", False, ("tank.level is 12.5 %",)),
        ("level > 20 or off", False, ("tank.level is 12.5 %", "tank.off is false")),
        ("5 < level <= 12.5", True, ()),
        ("5 < level < 12.5", False, ("tank.level is 12.5 %",)),
        ("level < 5 < 7", False, ("tank.level is 12.5 %",)),
        ("mode == 'auto'", True, ()),
        ("mode != 'auto'", False, ("tank.mode is 'auto'",)),
        ("gone", None, ("tank.gone is not known: it was never read",)),
        ("gone > 5 and on", None, ("tank.gone is not known: it was never read",)),
        ("gone or on", True, ()),
        ("gone and off", False, ("tank.off is false",)),
        ("not gone", None, ("tank.gone is not known: it was never read",)),
        ("garden/tank.gone", None, ("garden/tank.gone is not known: it was never read",)),
        ("level", None, ("tank.level is 12.5 %, which is neither true nor false",)),
        ("on > 0", None, ("tank.on is true", "true and 0 cannot be compared with >")),
        ("on == 1", None, ("tank.on is true", "true and 1 cannot be compared with ==")),
        ("mode < 'b'", None, ("tank.mode is 'auto'", "'auto' and 'b' cannot be compared with <")),
        ("false", False, ("it can never hold",)),
        ("true", True, ()),
    ],
)
def test_a_condition_holds_or_names_what_keeps_it(text: str, holds: bool | None, broken: tuple[str, ...]) -> None:
    """With values and units; only the readings that decide are named."""
    values = {"on": True, "off": False, "level": Known(12.5, "%"), "mode": Known("auto")}
    assert _found(text, **values) == (holds, broken)


def test_a_reading_may_be_a_text_that_looks_like_a_number() -> None:
    """It is compared as the text that it is."""
    assert _found("mode == 5", mode=Known("5"))[0] is None


THREE = st.sampled_from([True, False, None])


def _three(text: str, **values: bool | None) -> bool | None:
    known = {name: value for name, value in values.items() if value is not None}
    return _found(text, **known)[0]


@given(THREE, THREE, THREE)
def test_the_laws_of_three_values(a: bool | None, b: bool | None, c: bool | None) -> None:
    """Kleene's: order, De Morgan, distribution, double negation; what is known decides alone where it can."""
    for one, other in (
        ("a and b", "b and a"),
        ("a or b", "b or a"),
        ("not (a and b)", "not a or not b"),
        ("not (a or b)", "not a and not b"),
        ("a and (b or c)", "a and b or a and c"),
        ("a or b and c", "(a or b) and (a or c)"),
        ("not not a", "a"),
        ("a and a", "a"),
        ("a == true", "a"),
        ("a != true", "not a"),
    ):
        assert _three(one, a=a, b=b, c=c) is _three(other, a=a, b=b, c=c), (one, other)
    order = {False: 0, None: 1, True: 2}
    assert order[_three("a and b", a=a, b=b)] == min(order[a], order[b])
    assert order[_three("a or b", a=a, b=b)] == max(order[a], order[b])


@settings(max_examples=60)
@given(CONDITIONS, st.lists(st.booleans() | NUMBERS | TEXTS | st.none(), min_size=1, max_size=4))
def test_any_condition_over_any_readings_has_a_value(condition: Condition, values: list[Any]) -> None:
    """And one that does not hold names something."""
    text = written(condition)

    def lookup(ref: Ref) -> Known | str:
        value = values[len(ref.property) % len(values)]
        return "no" if value is None else Known(value)

    found = evaluate(parse(text if len(text) <= LONGEST else "a"), lookup)
    assert bool(found.holds) is not bool(found.broken)
    # The quick look and the one that makes sentences are of one mind; the contrary makes them also where it holds.
    assert truth(condition, lookup) is evaluate_root(condition, lookup)
    contrary = evaluate_root(Not(condition), lookup)
    assert truth(condition, lookup) is (None if contrary is None else not contrary)


def evaluate_root(condition: Condition, lookup: Callable[[Ref], Known | str]) -> bool | None:
    """By way of the sentences."""
    return evaluate(Expression("x", condition, ()), lookup).holds


@given(st.booleans() | NUMBERS | TEXTS | st.none() | st.lists(st.booleans()), SIGNS, st.booleans() | NUMBERS | TEXTS)
def test_true_is_not_one(left: Any, sign: Any, right: Any) -> None:
    """Values of different kinds are neither equal nor different."""
    kinds = [
        bool if isinstance(one, bool) else float if isinstance(one, int | float) else type(one) for one in (left, right)
    ]
    if kinds[0] is not kinds[1] or kinds[0] is list or left is None:
        assert compare(left, sign, right) is None


SCHEMAS: dict[str, Any] = {
    "on": {"type": "boolean"},
    "level": {"type": "number", "minimum": 0},
    "count": {"type": "integer"},
    "mode": {"enum": ["off", "auto"]},
    "label": {"type": "string"},
    "cores": {"type": "array"},
    "maybe": {"anyOf": [{"type": "number"}, {"type": "null"}]},
}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("on and level > count and mode == 'auto' and label != mode and not on == false and maybe > 1", []),
        ("far/away.thing == 5 and far/away.thing", []),
        ("level", ["level is a number, so it is neither true nor false; compare it: level == …"]),
        ("not mode", ["mode is text, so it is neither true nor false"]),
        ("on == 1", ["on == 1: on is true or false, and 1 is a number"]),
        ("label > 5", ["label > 5: label is text, and 5 is a number"]),
        ("label > 'x'", ["only numbers can be compared with >; use == or !="]),
        ("on < true", ["only numbers can be compared with <"]),
        ("mode == 'atuo'", ["mode is never 'atuo', but one of 'off', 'auto' (did you mean 'auto'?)"]),
        ("'on' == mode", ["mode is never 'on'"]),
        ("cores == 5", ["cores is a list or a table"]),
        ("levl > 5", ["no levl"]),
        ("levl > on or on > 5", ["no levl", "on > 5: on is true or false"]),
    ],
)
def test_a_condition_must_make_sense(text: str, words: list[str]) -> None:
    """Every mistake is a sentence; what is not known here is let pass."""

    def types(ref: Ref) -> Any:
        return None if ref.node else SCHEMAS.get(ref.property, f"no {ref.property}")

    found = check(parse(text), types)
    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found, strict=True))
