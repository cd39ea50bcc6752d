"""`?explain`: asking also whether it may be done now, and what stands against it."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from litestar.params import QueryParameter

from pilothouse.hub.problems import WebError

_YES, _NO = frozenset({"", "1", "true", "yes"}), frozenset({"0", "false", "no"})

Explain: TypeAlias = Annotated[
    str | None,
    QueryParameter(description="Say also whether whoever asks may do it now, and why not: ?explain or ?explain=true."),
]


def wants(explain: str | None) -> bool:
    """Whether the query asks for it; raises WebError (400)."""
    if explain is None:
        return False
    text = explain.lower()
    if text not in _YES | _NO:
        raise WebError(
            400, "bad-query", f"explain = {explain[:40]!r} is neither true nor false", remedy="Write ?explain"
        )
    return text in _YES
