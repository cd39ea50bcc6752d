"""How times look: relative where people glance, exact where they hover. Pure; times are Unix milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime

_FAR = 253_402_300_000_000
"""The year 10000, where Python's calendar ends."""


def ago(then: int, now: int) -> str:
    """ "now", "12 s ago", "5 min ago", "3 h ago", "2 d ago", or "never" for 0; "in 5 s" for what is to come."""
    if then <= 0:
        return "never"
    seconds = (now - then) / 1000
    if seconds < -1.5:
        return f"in {_length(-seconds)}"
    return "now" if seconds < 1.5 else f"{_length(seconds)} ago"


def lasting(then: int, now: int) -> str:
    """How long since `then`: "12 s", "5 min", "3 h"; "" for 0."""
    return _length(max(0.0, (now - then) / 1000)) if then > 0 else ""


def exact(then: int) -> str:
    """ "2026-11-21 00:45:12 UTC", "" for 0; the browser puts its own time zone in."""
    return f"{_moment(then):%Y-%m-%d %H:%M:%S} UTC" if then > 0 else ""


def minute(then: int) -> str:
    """ "2026-11-21 00:45 UTC", "" for 0."""
    return f"{_moment(then):%Y-%m-%d %H:%M} UTC" if then > 0 else ""


def precise(then: int) -> str:
    """ "2026-11-21 00:45:12.345 UTC", "" for 0: where the order of things within a second is the point."""
    return f"{_moment(then):%Y-%m-%d %H:%M:%S}.{then % 1000:03d} UTC" if then > 0 else ""


def iso(then: int) -> str:
    """For `<time datetime>`: RFC 3339 with milliseconds."""
    return f"{_moment(then):%Y-%m-%dT%H:%M:%S}.{then % 1000:03d}Z" if then > 0 else ""


def _moment(then: int) -> datetime:
    return datetime.fromtimestamp(min(then, _FAR - 1) / 1000, UTC)


def _length(seconds: float) -> str:
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {name}"
    return f"{int(seconds)} s"
