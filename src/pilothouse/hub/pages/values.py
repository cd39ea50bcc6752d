"""How values look: symbol of the unit, decimals, SI prefixes, durations. Pure.

`static/js/format.js` does the same in the browser; both are tested against tests/fixtures/shown.json.
"""

from __future__ import annotations

import json
import math
from typing import NamedTuple

from pilothouse.model import PropertyDescription, Value
from pilothouse.model.units import symbol

NOTHING = "–"
"""Stands where there is no value."""

_PREFIXED = ("By", "By/s", "bit/s", "Hz")
"""Units whose values span many decades: always with an SI prefix."""
_PREFIXED_WHEN_FREE = ("V", "A", "W", "Ohm", "F", "Pa", "m", "g", "J")
"""Units that take a prefix when the description does not fix the decimals."""
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
_LONG_TEXT = 240
_LONG_LIST = 16
_DURATION_FROM = 120
_NARROW = "\u202f"


class Shown(NamedTuple):
    """A value as people read it."""

    text: str
    unit: str = ""


def shown(value: Value, *, unit: str = "", precision: int | None = None, writable: bool = False) -> Shown:
    """`value` in words and figures; never HTML. A read-only truth is yes or no, a switch is on or off."""
    if value is None:
        return Shown(NOTHING)
    if isinstance(value, bool):
        return Shown(("on" if value else "off") if writable else ("yes" if value else "no"))
    if isinstance(value, int | float):
        return _number(value, unit, precision)
    if isinstance(value, str):
        return Shown(_cut(value) if value else "“”", symbol(unit))
    if isinstance(value, list) and value and all(_is_number(item) for item in value):
        parts = [_number(item, "" if unit in _PREFIXED else unit, precision).text for item in value[:_LONG_LIST]]
        return Shown(" · ".join(parts) + (" …" if len(value) > _LONG_LIST else ""), symbol(unit))
    return Shown(_cut(json.dumps(value, ensure_ascii=False, separators=(", ", ": "))))


def shown_of(value: Value, description: PropertyDescription) -> Shown:
    """A value of the property that `description` describes."""
    return shown(value, unit=description.unit, precision=description.precision, writable=description.writable)


def limits(description: PropertyDescription) -> str:
    """ "5 … 90 °C", "at least 5 °C", or "" when there are none."""
    low, high = description.minimum, description.maximum
    if low is None and high is None:
        return ""
    unit = symbol(description.unit)
    tail = f" {unit}" if unit else ""
    if low is not None and high is not None:
        return f"{_plain(low)} … {_plain(high)}{tail}"
    return f"at least {_plain(low)}{tail}" if low is not None else f"at most {_plain(high or 0)}{tail}"


def duration(seconds: float) -> str:
    """A length of time in its two largest units: "1 d 10 h", "2 min 5 s", "0.4 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    parts = ((whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s"))
    first = next((index for index, (number, _) in enumerate(parts) if number), 3)
    return " ".join(f"{number} {name}" for number, name in parts[first : first + 2] if number)


def _number(value: float, unit: str, precision: int | None) -> Shown:
    if not math.isfinite(value):
        return Shown(NOTHING)
    if unit == "s" and value >= _DURATION_FROM:
        return Shown(duration(value))
    free = precision is None and unit in _PREFIXED_WHEN_FREE
    if unit in _PREFIXED or free:
        return _prefixed(value, unit)
    if precision is not None:
        return Shown(_minus(_grouped(f"{value:.{max(0, min(precision, 12))}f}")), symbol(unit))
    return Shown(_plain(value), symbol(unit))


def _prefixed(value: float, unit: str) -> Shown:
    size = abs(value)
    if size == 0:
        return Shown("0", symbol(unit))
    whole = unit in _PREFIXED
    usable = _PREFIXES[:5] if whole else _PREFIXES
    factor, prefix = next(((f, p) for f, p in usable if size >= f * 0.9995), usable[-1])
    scaled = value / factor
    decimals = max(0, 2 - math.floor(math.log10(max(abs(scaled), 1)) + 1e-9))
    if factor == 1 and whole:
        decimals = 0
    return Shown(_minus(f"{scaled:.{decimals}f}"), prefix + symbol(unit))


def _plain(value: float) -> str:
    """As many digits as are needed, at most five that count."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return _minus(_grouped(str(int(value))))
    size = abs(value)
    if size >= 1e6 or size < 1e-4:
        return _minus(f"{value:.3e}".replace("e+0", "e").replace("e-0", "e−").replace("e+", "e").replace("e-", "e−"))
    decimals = max(0, 4 - math.floor(math.log10(size)))
    text = f"{value:.{decimals}f}"
    return _minus(_grouped(text.rstrip("0").rstrip(".") if "." in text else text))


def _grouped(text: str) -> str:
    """Groups of three from five figures on, so that 1234 stays a plain number."""
    head, dot, tail = text.partition(".")
    sign, digits = ("-", head[1:]) if head.startswith("-") else ("", head)
    if len(digits) < 5:
        return text
    first = len(digits) % 3
    groups = ([digits[:first]] if first else []) + [digits[i : i + 3] for i in range(first, len(digits), 3)]
    return sign + _NARROW.join(groups) + dot + tail


def _minus(text: str) -> str:
    """A true minus sign; and no minus before nothing."""
    if text.startswith("-"):
        return f"−{text[1:]}" if text.strip("-0.") else text[1:]
    return text


def _cut(text: str) -> str:
    return text if len(text) <= _LONG_TEXT else f"{text[:_LONG_TEXT]}… ({len(text)} characters)"


def _is_number(item: Value) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool)
