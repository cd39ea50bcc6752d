"""Pure arithmetic of the benches: percentiles, medians, ratios, verdicts, and the form in which a figure is printed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

Sense = Literal["at most", "at least", "exactly"]


class Figure(Struct, kw_only=True):
    """One measured figure beside its target and its reference."""

    claim: str
    """What is claimed, in the words of the table."""
    unit: str
    sense: Sense = "at most"
    target: float | None = None
    """None = measured for information, nothing was promised."""
    measured: float | None = None
    """Median of the rounds; None = could not be measured, `note` says why."""
    low: float | None = None
    """Smallest of the rounds."""
    high: float | None = None
    """Largest of the rounds."""
    rounds: int = 0
    reference: float | None = None
    """Median of the reference's rounds, measured in turn with ours."""
    reference_name: str = ""
    note: str = ""
    wrong: bool = False
    """True = a result was wrong (lost, double, incomplete), which no noise of a machine excuses."""

    @property
    def ratio(self) -> float | None:
        """How many times the reference it is; None without one."""
        if self.measured is None or not self.reference:
            return None
        return self.measured / self.reference

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None when there is none or nothing was measured."""
        if self.wrong:
            return False
        if self.target is None or self.measured is None:
            return None
        if self.sense == "at most":
            return self.measured <= self.target
        if self.sense == "at least":
            return self.measured >= self.target
        return self.measured == self.target


class Result(Struct, kw_only=True):
    """What one script found."""

    script: str
    figures: list[Figure]
    conditions: dict[str, str] = {}
    """What stood under it, see bench.conditions."""
    load_before: float = 0.0
    """Load average of the last minute when it began."""
    took: float = 0.0
    """Seconds that the script took."""
    failed: str = ""
    """Why nothing could be measured; "" when all went well."""


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` percent of `values` do not exceed (nearest rank); ValueError if empty."""
    if not values:
        raise ValueError("there is no percentile of nothing")
    if not 0 <= share <= 100:
        raise ValueError(f"{share} is no percentage")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle; ValueError if empty."""
    if not values:
        raise ValueError("there is no median of nothing")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least-squares slope of y over x, such as bytes over viewers; ValueError for fewer than two different x."""
    if len({x for x, _ in points}) < 2:
        raise ValueError("a slope needs two different places")
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return rise / sum((x - mean_x) ** 2 for x, _ in points)


def summed(
    claim: str,
    unit: str,
    ours: Sequence[float],
    *,
    sense: Sense = "at most",
    target: float | None = None,
    reference: tuple[str, Sequence[float]] = ("", ()),
    note: str = "",
) -> Figure:
    """A figure from the rounds of ours and, with its name, of the reference."""
    name, theirs = reference
    return Figure(
        claim=claim,
        unit=unit,
        sense=sense,
        target=target,
        measured=median(ours) if ours else None,
        low=min(ours, default=None),
        high=max(ours, default=None),
        rounds=len(ours),
        reference=median(theirs) if theirs else None,
        reference_name=name,
        note=note,
    )


def shown(value: float | None, unit: str = "") -> str:
    """A number as people read it, three digits that count, "–" for none."""
    if value is None:
        return "–"
    if value == 0:
        text = "0"
    elif abs(value) >= 100:
        text = f"{value:,.0f}"
    else:
        digits = max(0, 2 - math.floor(math.log10(abs(value))))
        text = f"{value:.{digits}f}"
    return f"{text} {unit}".rstrip() if unit else text


def target_shown(figure: Figure) -> str:
    """The target as the table writes it: "≤ 2 ms"."""
    if figure.target is None:
        return "–"
    sign = {"at most": "≤", "at least": "≥", "exactly": "="}[figure.sense]
    return f"{sign} {figure.target:,g} {figure.unit}".rstrip()


def verdict(figure: Figure) -> str:
    """The last column: "yes", "no", "WRONG", or "–" where nothing was promised or measured."""
    if figure.wrong:
        return "WRONG"
    met = figure.met
    if met is None:
        return "not measured" if figure.target is not None else "–"
    return "yes" if met else "no"


def differences(sent: Sequence[str], done: Sequence[str]) -> tuple[int, int]:
    """(lost, double): how many of `sent` are not in `done`, and how often something was done more than once."""
    counts: dict[str, int] = {}
    for one in done:
        counts[one] = counts.get(one, 0) + 1
    lost = sum(1 for one in sent if one not in counts)
    double = sum(count - 1 for count in counts.values())
    return lost, double
