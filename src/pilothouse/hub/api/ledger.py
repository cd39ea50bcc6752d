"""`GET /api/ledger`, `GET /api/ledger/{id}`"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from pilothouse.bus.messages import End
from pilothouse.errors import NotThere, nearest
from pilothouse.hub.encoded import encoded
from pilothouse.hub.openapi import answers
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import site_of
from pilothouse.record.rows import Line

OPEN = "open"
"""What the query calls commands without an end."""


class Lines(Struct, kw_only=True):
    """Commands, newest first."""

    time: int
    """The hub's clock."""
    lines: list[Line]


@get("/api/ledger", summary="The ledger", tags=["Record"], responses=answers(Lines, "Commands, newest first", 400, 503))
async def get_ledger(
    request: Request[Any, Any, Any],
    node: Annotated[str | None, QueryParameter(description="Only to this node.")] = None,
    thing: Annotated[str | None, QueryParameter(description="Only to things of this name.")] = None,
    end: Annotated[
        str | None,
        QueryParameter(description='"confirmed", "refused", "failed", "expired", "unknown", or "open": not ended yet.'),
    ] = None,
    who: Annotated[str | None, QueryParameter(description="Only by this person or program.")] = None,
    before: Annotated[str | None, QueryParameter(description="Older than the command of this id.")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=1000, description="How many at most.")] = 100,
) -> Response[bytes]:
    """The ledger: every command with who, what, why, and its honest end."""
    site = site_of(request)
    wanted = parse_end(end)
    lines = await site.ledger.lines(node=node, thing=thing, end=wanted, who=who, before=before, limit=limit)
    return encoded(Lines(time=site.clock.now(), lines=lines))


@get("/api/ledger/{id:str}", summary="One command", tags=["Record"], responses=answers(Line, "The command", 404, 503))
async def get_line(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[bytes]:
    """One command by its id."""
    line = await site_of(request).ledger.line(id)
    if line is None:
        raise NotThere(f"The ledger has no command {id[:64]!r}")
    return encoded(line)


def parse_end(text: str | None) -> str | None:
    """What the ledger is asked for; raises WebError (400)."""
    if text is None:
        return None
    names = [*End, OPEN]
    if text not in names:
        raise WebError(
            400,
            "bad-query",
            f"end = {text[:40]!r} is no end of a command",
            why=f"it is one of {', '.join(names)}",
            nearest=nearest(text, names),
        )
    return "" if text == OPEN else text
