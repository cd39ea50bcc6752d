"""What a chart is told about its lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from pilothouse.hub.pages.rows import PropertyRow

LINES = 4
"""Lines that a thing's chart shows at first; more make it unreadable."""


class ChartSeries(Struct, frozen=True, kw_only=True):
    """One line of a chart."""

    series: str
    """`node/thing.property`."""
    title: str
    unit: str
    """UCUM code."""
    precision: int | None
    boolean: bool
    """Drawn as steps between 0 and 1."""
    writable: bool
    stale: int
    """Milliseconds after which the last reading may not be drawn on."""


def chart_series(rows: Sequence[PropertyRow]) -> list[ChartSeries]:
    """Lines for those rows that can be drawn."""
    return [
        ChartSeries(
            series=row.series,
            title=row.title,
            unit=row.unit,
            precision=row.precision,
            boolean=row.control == "switch",
            writable=row.writable,
            stale=row.stale_after,
        )
        for row in rows
        if row.chartable
    ]


def at_first(rows: Sequence[PropertyRow]) -> list[ChartSeries]:
    """What the chart of a thing shows before anybody chooses.

    Readings of at most two units; for a thing of switches, which has none, its switches; else whatever can be drawn.
    """
    drawable = [row for row in rows if row.chartable]
    readings = [row for row in drawable if row.control == "number" and not row.writable and row.unit]
    units = list(dict.fromkeys(row.unit for row in readings))[:2]
    chosen = [row for row in readings if row.unit in units]
    switches = [row for row in drawable if row.control == "switch"]
    return chart_series((chosen or switches or drawable)[:LINES])
