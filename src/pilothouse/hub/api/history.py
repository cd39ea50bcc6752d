"""`GET /api/history`"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import QueryParameter
from msgspec import Struct, field

from pilothouse.errors import BadName, BadValue
from pilothouse.hub.encoded import encoded
from pilothouse.hub.moments import parse_moment
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import site_of
from pilothouse.model import Series
from pilothouse.record.rows import SeriesData
from pilothouse.rights import Deed

_MOST = 50


class Histories(Struct, kw_only=True):
    """What some series did."""

    start: int = field(name="from")
    """Beginning of the range that was asked for, Unix milliseconds."""
    end: int = field(name="to")
    series: list[SeriesData]


@get(
    "/api/history",
    summary="History",
    tags=["Record"],
    responses=answers(Histories, "Lowest, highest and mean of each bucket", 400, 503),
    opt=needs(Deed.SEE, "seen"),
)
async def get_history(
    request: Request[Any, Any, Any],
    series: Annotated[
        list[str], QueryParameter(description="node/thing.property; several by commas or by repeating it (at most 50).")
    ],
    start: Annotated[
        str, QueryParameter(name="from", description='Unix milliseconds, RFC 3339, relative ("-1h") or "now".')
    ] = "-1h",
    end: Annotated[str, QueryParameter(name="to", description="As `from`.")] = "now",
    points: Annotated[str, QueryParameter(description="Buckets at most.")] = "600",
) -> Response[bytes]:
    """History of some series, made small for a chart: minimum and maximum of each bucket, gaps as gaps."""
    site = site_of(request)
    now = site.clock.now()
    asked = parse_series(series)
    begin = parse_moment(start, now=now, name="from")
    until = parse_moment(end, now=now, name="to")
    try:
        found = await site.history.query(asked, begin, until, parse_points(points))
    except BadValue as error:
        raise WebError(400, "bad-query", error.what, why=error.why, remedy=error.remedy) from None
    return encoded(Histories(start=begin, end=until, series=found))


def parse_series(texts: list[str]) -> list[Series]:
    """Series from what stands in the query; raises WebError (400)."""
    names = list(dict.fromkeys(part.strip() for text in texts for part in text.split(",") if part.strip()))
    if not 1 <= len(names) <= _MOST:
        raise WebError(400, "bad-query", f"{len(names)} series cannot be given", why=f"it must be from 1 to {_MOST}")
    try:
        return [Series.parse(name) for name in names]
    except BadName as error:
        raise WebError(400, "bad-query", error.what, why=error.why, nearest=error.nearest) from None


def parse_points(text: str) -> int:
    """A whole number; raises WebError (400)."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise WebError(400, "bad-query", f"points = {text[:40]!r} is no whole number", remedy="Write points=600")
    return int(text)
