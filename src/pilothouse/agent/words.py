"""Errors and times in words."""

from __future__ import annotations

from datetime import UTC, datetime


def in_words(error: BaseException) -> str:
    """A driver's error as one line of at most 300 characters."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - edge: an error of a stranger's class may not even be able to say itself
        text = ""
    name = type(error).__name__
    line = f"{name}: {text}" if text else name
    return line if len(line) <= 300 else f"{line[:299]}…"


def at_time(ms: int) -> str:
    """A wall time as the node's owner reads it: 14:03:07, local time."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone().strftime("%H:%M:%S")
