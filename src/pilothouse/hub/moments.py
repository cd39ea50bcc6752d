"""Moments as people write them in a question: "now", "-1h", Unix milliseconds, RFC 3339. Pure."""

from __future__ import annotations

import re
from datetime import datetime

from pilothouse.clock import parse_duration
from pilothouse.hub.problems import WebError

_LATEST = 253_402_300_800_000
"""The year 10000, in Unix milliseconds."""
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def parse_moment(text: str, *, now: int, name: str) -> int:
    """Unix milliseconds; `now` is the hub's clock, `name` what the parameter is called. Raises WebError (400)."""
    stripped = text.strip()
    moment = _parse(stripped, now)
    if moment is None or not 0 <= moment < _LATEST:
        raise WebError(
            400,
            "bad-query",
            f"{name} = {stripped[:40]!r} is no moment",
            remedy='Write "now", "-1h", Unix milliseconds, or 2026-11-21T08:00:00Z (in an address, + is written %2B)',
        )
    return moment


def _parse(text: str, now: int) -> int | None:
    if text == "now":
        return now
    if re.fullmatch(r"[0-9]{1,15}", text):
        return int(text)
    try:
        if text.startswith("-"):
            return now - int(parse_duration(text[1:]) * 1000)
        if _RFC3339.fullmatch(text):
            return int(datetime.fromisoformat(text.upper()).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return None
