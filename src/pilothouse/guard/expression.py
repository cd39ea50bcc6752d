"""Conditions over readings: what they are, and whether they hold. Pure.

A condition has three values: it holds, it does not, or nobody can say because a reading that matters is not known
(Kleene's logic). The text of one is read by `guard.parser`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from pilothouse.errors import PilothouseError
from pilothouse.guard.words import said
from pilothouse.model import Value

Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]

_EQUAL: Mapping[str, Callable[[object, object], bool]] = {"==": operator.eq, "!=": operator.ne}
_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class BadExpression(PilothouseError):
    """A text that is no condition; says at which column, and what was probably meant."""


class Ref(NamedTuple):
    """A reading that a condition asks for; an empty node or thing is the one that the condition stands at."""

    node: str
    thing: str
    property: str

    def __str__(self) -> str:
        node = f"{self.node}/" if self.node else ""
        thing = f"{self.thing}." if self.thing else ""
        return f"{node}{thing}{self.property}"


class Known(NamedTuple):
    """A reading that is fresh and good."""

    value: Value
    unit: str = ""
    until: int = 0
    """The monotonic clock's milliseconds at which it will be stale without a new one; 0 = not known."""
    how: str = "is"
    """The verb: "is being set to" for a value that is on its way to the device."""


Lookup: TypeAlias = Callable[[Ref], Known | str]
"""Gives a reading, or why it is not known, as it goes after "x is not known: "."""


class Verdict(NamedTuple):
    """What became of a condition."""

    holds: bool | None
    """None = nobody can say."""
    broken: tuple[str, ...] = ()
    """The readings that keep it from holding, such as "valves.tank_level is 12.5 %"; () when it holds."""


class Constant(Struct, frozen=True):
    """A value that stands in the text."""

    value: bool | int | float | str


class Read(Struct, frozen=True):
    """A reading that is asked for."""

    ref: Ref


Operand: TypeAlias = Constant | Read


class Compare(Struct, frozen=True):
    """Comparisons in a row: `5 < x <= 10` has two links."""

    first: Operand
    links: tuple[tuple[Operator, Operand], ...]

    def pairs(self) -> Iterator[tuple[Operand, Operator, Operand]]:
        """Each link with what stands on its left."""
        left = self.first
        for sign, right in self.links:
            yield left, sign, right
            left = right


class Not(Struct, frozen=True):
    """The contrary."""

    part: Condition


class Every(Struct, frozen=True):
    """`and`: all of them."""

    parts: tuple[Condition, ...]


class Some(Struct, frozen=True):
    """`or`: at least one of them."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = "Constant | Read | Compare | Not | Every | Some"


class Expression(Struct, frozen=True):
    """A condition with its text."""

    text: str
    """As people read it: as written, with even spaces and no more parentheses than it needs."""
    root: Condition
    refs: tuple[Ref, ...]
    """What it asks for, each once, in order."""
    at: tuple[str, str] = ("", "")
    """The node and the thing that it stands at, once its references are resolved; only for its sentences."""

    def resolved(self, node: str, thing: str) -> Expression:
        """The same, with the node and the thing of every reference filled in."""

        def filled(ref: Ref) -> Ref:
            return Ref(ref.node or node, ref.thing or thing, ref.property)

        refs = tuple(dict.fromkeys(filled(ref) for ref in self.refs))
        return Expression(self.text, _mapped(self.root, filled), refs, (node, thing))

    def name(self, ref: Ref) -> str:
        """A reference as its sentences name it: without the node where it is the condition's own."""
        return str(ref._replace(node="") if ref.node == self.at[0] else ref)


def references(condition: Condition) -> Iterator[Ref]:
    """Every reference, from left to right."""
    match condition:
        case Read(ref):
            yield ref
        case Compare():
            for operand in (condition.first, *(right for _, right in condition.links)):
                yield from references(operand)
        case Not(part):
            yield from references(part)
        case Every(parts) | Some(parts):
            for one in parts:
                yield from references(one)


def _mapped(condition: Condition, change: Callable[[Ref], Ref]) -> Condition:
    def operand(one: Operand) -> Operand:
        return Read(change(one.ref)) if isinstance(one, Read) else one

    match condition:
        case Constant() | Read():
            return operand(condition)
        case Compare(first, links):
            return Compare(operand(first), tuple((sign, operand(right)) for sign, right in links))
        case Not(part):
            return Not(_mapped(part, change))
        case Every(parts):
            return Every(tuple(_mapped(part, change) for part in parts))
        case Some(parts):
            return Some(tuple(_mapped(part, change) for part in parts))


class _Found(NamedTuple):
    """The value of a part of a condition, and the sentences of the readings that made it so."""

    holds: bool | None
    blame: tuple[str, ...] = ()


def evaluate(expression: Expression, lookup: Lookup) -> Verdict:
    """Whether a condition holds now."""
    if truth(expression.root, lookup):
        return _HOLDS  # looked at for every command and reading: sentences are made for what is wrong only
    found = _Evaluation(expression, lookup).of(expression.root)
    broken = tuple(dict.fromkeys(found.blame)) or ("it can never hold",)
    return Verdict(found.holds, () if found.holds else broken)


def truth(condition: Condition, lookup: Lookup) -> bool | None:
    """Whether a condition holds, without a word why; None = nobody can say."""
    if isinstance(condition, Compare):
        return _all(_stands(lookup, left, sign, right) for left, sign, right in condition.pairs())
    if isinstance(condition, Every):
        return _all(truth(part, lookup) for part in condition.parts)
    if isinstance(condition, Some):
        contrary = _all(_contrary(truth(part, lookup)) for part in condition.parts)
        return _contrary(contrary)
    if isinstance(condition, Not):
        return _contrary(truth(condition.part, lookup))
    value = _value(condition, lookup)
    return value if isinstance(value, bool) else None


def _all(parts: Iterable[bool | None]) -> bool | None:
    """Kleene's "and"."""
    holds: bool | None = True
    for part in parts:
        if part is False:
            return False
        if part is None:
            holds = None
    return holds


def _contrary(holds: bool | None) -> bool | None:
    return None if holds is None else not holds


def _stands(lookup: Lookup, left: Operand, sign: Operator, right: Operand) -> bool | None:
    return compare(_value(left, lookup), sign, _value(right, lookup))


def _value(operand: Operand, lookup: Lookup) -> Value:
    """The value of an operand; None = not known, and nothing can be compared with it."""
    if isinstance(operand, Constant):
        return operand.value
    known = lookup(operand.ref)
    return None if isinstance(known, str) else known.value


_HOLDS = Verdict(True)


class _Evaluation:
    """One look at a condition."""

    def __init__(self, expression: Expression, lookup: Lookup) -> None:
        self._name = expression.name
        self._lookup = lookup

    def of(self, condition: Condition) -> _Found:
        match condition:
            case Constant(value):
                return _Found(value if isinstance(value, bool) else None)
            case Read(ref):
                return self._bare(ref)
            case Compare():
                return _all_of([self._link(*pair) for pair in condition.pairs()])
            case Not(part):
                found = self.of(part)
                return found._replace(holds=None if found.holds is None else not found.holds)
            case Every(parts):
                return _all_of([self.of(part) for part in parts])
            case Some(parts):
                return _any_of([self.of(part) for part in parts])

    def _bare(self, ref: Ref) -> _Found:
        known = self._lookup(ref)
        if isinstance(known, str):
            return _Found(None, (self._unknown(ref, known),))
        if isinstance(known.value, bool):
            return _Found(known.value, (self._reads(ref, known),))
        return _Found(None, (f"{self._reads(ref, known)}, which is neither true nor false",))

    def _link(self, left: Operand, sign: Operator, right: Operand) -> _Found:
        values: list[Value] = []
        blame: list[str] = []
        unknown: list[str] = []
        for operand in (left, right):
            if isinstance(operand, Constant):
                values.append(operand.value)
                continue
            known = self._lookup(operand.ref)
            if isinstance(known, str):
                unknown.append(self._unknown(operand.ref, known))
            else:
                values.append(known.value)
                blame.append(self._reads(operand.ref, known))
        if unknown:
            return _Found(None, tuple(unknown))
        holds = compare(values[0], sign, values[1])
        if holds is None:
            tail = f"{said(values[0])} and {said(values[1])} cannot be compared with {sign}"
            return _Found(None, (*blame, tail))
        return _Found(holds, tuple(blame))

    def _reads(self, ref: Ref, known: Known) -> str:
        return f"{self._name(ref)} {known.how} {said(known.value, known.unit)}"

    def _unknown(self, ref: Ref, why: str) -> str:
        return f"{self._name(ref)} is not known: {why}"


def compare(left: Value, sign: Operator, right: Value) -> bool | None:
    """Whether two values stand so to each other; None when they are of kinds that cannot be compared so."""
    if _is_number(left) and _is_number(right):
        assert isinstance(left, int | float) and isinstance(right, int | float)
        return _EQUAL[sign](left, right) if sign in _EQUAL else _ORDER[sign](left, right)
    alike = (isinstance(left, bool) and isinstance(right, bool)) or (isinstance(left, str) and isinstance(right, str))
    return _EQUAL[sign](left, right) if alike and sign in _EQUAL else None


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _all_of(parts: list[_Found]) -> _Found:
    worst = False if any(part.holds is False for part in parts) else None
    return _decided(parts, worst, otherwise=True)


def _any_of(parts: list[_Found]) -> _Found:
    best = True if any(part.holds for part in parts) else None
    return _decided(parts, best, otherwise=False)


def _decided(parts: list[_Found], first: bool | None, *, otherwise: bool) -> _Found:
    """`first` where a part is so, with the blame of those parts alone; else what all of them are."""
    deciding = [part for part in parts if part.holds is first]
    holds = first if deciding else otherwise
    return _Found(holds, tuple(line for part in deciding or parts for line in part.blame))
