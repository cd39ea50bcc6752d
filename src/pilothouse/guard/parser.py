"""From the text of a condition to what it means, and back. A parser of our own: nothing in it is ever run as code.

    requires valves.pump == true and (tank/probe.level > 20 or not valve_b)

In words: `or` binds weakest, then `and`, then `not`, then comparisons, which may stand in a row (`5 < x <= 10`). An
operand is true, false, a number, a text in quotes, or a reading: `property`, `thing.property`, `node/thing.property`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple, NoReturn, cast

from pilothouse.errors import nearest
from pilothouse.guard.expression import (
    BadExpression,
    Compare,
    Condition,
    Constant,
    Every,
    Expression,
    Not,
    Operand,
    Operator,
    Read,
    Ref,
    Some,
    references,
)
from pilothouse.model import is_name

LONGEST = 1000
"""Characters that a condition may have."""
DEEPEST = 20
"""Levels of parentheses and `not` that it may have."""
MOST_REFS = 32
"""Readings that it may ask for."""

_NAME = r"[a-z][a-z0-9_-]*"
_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.]))
    |(?P<text>"[^"\n]*"|'[^'\n]*')
    |(?P<sign>==|!=|<=|>=|<(?![>=])|>(?!=))
    |(?P<name>(?:{_NAME}/)?(?:{_NAME}\.)?{_NAME}(?![A-Za-z0-9_./-]))
    |(?P<paren>[()])
    )""",
    re.VERBOSE | re.ASCII,
)
_WRONG = re.compile(r"[A-Za-z0-9_./-]+|[=<>!&|]+|.", re.DOTALL)
_KEYWORDS = ("and", "or", "not", "true", "false", "requires")
_MEANT = {
    "=": "==", "===": "==", "=>": ">=", "=<": "<=", "<>": "!=", "!": "not", "&&": "and", "&": "and", "||": "or",
    "|": "or", "is": "==", "on": "true", "off": "false", "True": "true", "False": "false",
}  # fmt: skip
"""What people write, coming from other languages."""


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


def parse(text: str) -> Expression:
    """The condition that `text` states, with or without the word "requires" in front; raises BadExpression."""
    if len(text) > LONGEST:
        raise BadExpression(f"a condition has at most {LONGEST} characters, and this one has {len(text)}")
    root = _Parser(_tokens(text)).whole()
    refs = tuple(dict.fromkeys(references(root)))
    if len(refs) > MOST_REFS:
        raise BadExpression(f"a condition asks for at most {MOST_REFS} readings, and this one for {len(refs)}")
    return Expression(written(root), root, refs)


def written(condition: Condition) -> str:
    """A condition as text, with no more parentheses than it needs."""
    match condition:
        case Constant(value):
            return _constant(value)
        case Read(ref):
            return str(ref)
        case Compare(first, links):
            return " ".join([written(first), *(f"{sign} {written(right)}" for sign, right in links)])
        case Not(part):
            return f"not {_within(part, Every, Some)}"
        case Every(parts):
            return " and ".join(_within(part, Every, Some) for part in parts)
        case Some(parts):
            return " or ".join(_within(part, Some) for part in parts)


def _within(part: Condition, *weaker: type[Every | Some]) -> str:
    return f"({written(part)})" if isinstance(part, weaker) else written(part)


def _constant(value: bool | int | float | str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'" if '"' in value else f'"{value}"'
    return repr(value)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            _no_token(text, at)
        kind = found.lastgroup or ""
        token = _Token(kind, found[kind], found.start(kind) + 1)
        if kind == "name" and token.text in _KEYWORDS:
            token = token._replace(kind="word")
        tokens.append(token)
        at = found.end()
    return [*tokens, _Token("end", "", len(text.rstrip()) + 1)]


def _no_token(text: str, at: int) -> NoReturn:
    """Say what is wrong with the text that begins at `at`."""
    at += len(text[at:]) - len(text[at:].lstrip())
    wrong = _WRONG.match(text, at)
    assert wrong is not None
    part, column = wrong[0], at + 1
    if part in ('"', "'"):
        raise BadExpression(f"column {column}: the text has no closing {part}")
    if part == "%" or re.fullmatch(r"[+-]?[0-9.]+[A-Za-z]+", part):
        raise BadExpression(f"column {column}: numbers are written without a unit")
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*", part):
        why = "a reading is written property, thing.property or node/thing.property, in small letters"
        raise BadExpression(f"column {column}: {part!r} is no reading", why=why, nearest=_meant(part))
    raise BadExpression(f"column {column}: {part!r} has no meaning in a condition", nearest=_meant(part))


def _meant(part: str) -> str:
    lower = part.lower()
    fit = re.fullmatch(rf"(?:{_NAME}/)?(?:{_NAME}\.)?{_NAME}", lower)
    return _MEANT.get(part) or _MEANT.get(lower) or (lower if fit and lower != part else "")


class _Parser:
    """Recursive descent over tokens."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Condition:
        if self._is("requires"):
            self._take()
        condition = self._or()
        token = self._now
        if token.kind == "end":
            return condition
        if token.text == ")":
            raise BadExpression(f"column {token.column}: this ')' closes nothing")
        what = f"column {token.column}: after a condition comes 'and' or 'or', not {token.text!r}"
        raise BadExpression(what, nearest=_MEANT.get(token.text) or nearest(token.text, ("and", "or")))

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._now
        self._at += token.kind != "end"
        return token

    def _is(self, *words: str) -> bool:
        return self._now.kind in ("word", "paren") and self._now.text in words

    def _or(self) -> Condition:
        parts = [self._and()]
        while self._is("or"):
            self._take()
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Some(_flat(parts, Some))

    def _and(self) -> Condition:
        parts = [self._not()]
        while self._is("and"):
            self._take()
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else Every(_flat(parts, Every))

    def _not(self) -> Condition:
        if not self._is("not", "("):
            return self._comparison()
        opening = self._take()
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadExpression(f"column {opening.column}: more than {DEEPEST} levels of '(' and 'not'")
        if opening.text == "not":
            inner: Condition = Not(self._not())
        else:
            inner = self._or()
            self._close(opening)
        self._depth -= 1
        return inner

    def _close(self, opening: _Token) -> None:
        token = self._now
        if not self._is(")"):
            found = f"{token.text!r}" if token.text else "the end"
            what = f"column {token.column}: the '(' of column {opening.column} is not closed, but here comes {found}"
            raise BadExpression(what, nearest=")")
        self._take()
        if self._now.kind == "sign":
            why = "a comparison takes readings, numbers and texts"
            raise BadExpression(f"column {self._now.column}: what stands in parentheses cannot be compared", why=why)

    def _comparison(self) -> Condition:
        start = self._now
        first = self._operand()
        links: list[tuple[Operator, Operand]] = []
        while self._now.kind == "sign":
            sign = cast(Operator, self._take().text)
            links.append((sign, self._operand()))
        if links:
            return Compare(first, tuple(links))
        if isinstance(first, Constant) and not isinstance(first.value, bool):
            raise BadExpression(f"column {start.column}: {start.text} alone is neither true nor false")
        return first

    def _operand(self) -> Operand:
        token = self._take()
        match token.kind:
            case "number":
                return Constant(_number(token))
            case "text":
                return Constant(token.text[1:-1])
            case "name":
                return Read(_ref(token))
        if token.text in ("true", "false"):
            return Constant(token.text == "true")
        found = f"not {token.text!r}" if token.text else "but here is the end"
        raise BadExpression(f"column {token.column}: here comes a reading, a number, a text, true or false, {found}")


def _flat(parts: Sequence[Condition], kind: type[Every | Some]) -> tuple[Condition, ...]:
    """Parts without parentheses that change nothing: `(a and b) and c` is `a and b and c`."""
    return tuple(one for part in parts for one in (part.parts if isinstance(part, kind) else (part,)))


def _number(token: _Token) -> int | float:
    if re.fullmatch(r"[+-]?[0-9]+", token.text):
        return int(token.text)
    number = float(token.text)
    if not math.isfinite(number):
        raise BadExpression(f"column {token.column}: {token.text} is too large a number")
    return number


def _ref(token: _Token) -> Ref:
    node, slash, rest = token.text.rpartition("/")
    thing, dot, name = rest.rpartition(".")
    if slash and not dot:
        raise BadExpression(
            f"column {token.column}: {token.text!r} names no property", nearest=f"{token.text}.property"
        )
    for kind, part in (("node", node), ("thing", thing), ("property", name)):
        if part and not is_name(part):
            raise BadExpression(f"column {token.column}: {part[:20]!r}… is too long for the name of a {kind}")
    return Ref(node, thing, name)
