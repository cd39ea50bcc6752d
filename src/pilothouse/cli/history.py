"""`pilothouse history`: what was."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from typing import Annotated

from cyclopts import Parameter

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access, Flag
from pilothouse.client import SeriesData
from pilothouse.model.units import symbol


def history_(
    series: str,
    /,
    *more: str,
    start: Annotated[str, Parameter(name="--from", allow_leading_hyphen=True)] = "-1h",
    end: Annotated[str, Parameter(name="--to", allow_leading_hyphen=True)] = "now",
    points: int = 60,
    as_csv: Annotated[Flag, Parameter(name="--csv")] = False,
    access: Access = HERE,
) -> None:
    """Print the history of series: smallest, largest and mean of each bucket.

    A time without readings is said as a gap, never drawn over.

    For example:
        pilothouse history greenhouse/air.temperature --from -1d --points 24
        pilothouse history bench/bath.temperature --from 2026-11-20T08:00:00Z --csv

    Parameters
    ----------
    series:
        node/thing.property
    more:
        more of them
    start:
        from when: -1h, -30d, RFC 3339 or Unix milliseconds
    end:
        up to when, written as --from
    points:
        how many points of each series at most, about
    as_csv:
        print CSV: series, time, minimum, maximum, mean
    """
    with access.connect() as hub:
        found = hub.history((series, *more), start, end, points=points)
    if access.json:
        print(show.as_json(found))
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("series", "time_ms", "minimum", "maximum", "mean"))
        writer.writerows(row for data in found for row in _cells(data))
    else:
        print("\n\n".join(_text(data) for data in found))


def _cells(data: SeriesData) -> Iterator[tuple[object, ...]]:
    for time, low, high, mean in data.points:
        yield (data.series, time, low, high, mean)
    for time, value in data.values:
        text = None if value is None else show.value_of(value)
        yield (data.series, time, text, text, text)


def _text(data: SeriesData) -> str:
    unit = symbol(data.unit)
    each = f"a point stands for {show.length(data.bucket / 1000)}" if data.bucket else "every reading"
    head = f"{data.series}{f' in {unit}' if unit else ''}, {each}"
    if data.points:
        rows = [_row(time, low, high, mean) for time, low, high, mean in data.points]
        return f"{head}\n{show.table(rows, ('TIME', 'MINIMUM', 'MAXIMUM', 'MEAN'))}"
    if data.values:
        pairs = [(show.moment(time), "gap" if value is None else show.value_of(value)) for time, value in data.values]
        return f"{head}\n{show.table(pairs, ('TIME', 'VALUE'))}"
    return f"{head}\nnothing in this time"


def _row(time: int, low: float | None, high: float | None, mean: float | None) -> tuple[str, ...]:
    if low is None and high is None and mean is None:
        return (show.moment(time), "gap", "", "")
    return (show.moment(time), *(show.NOTHING if one is None else f"{one:.6g}" for one in (low, high, mean)))
