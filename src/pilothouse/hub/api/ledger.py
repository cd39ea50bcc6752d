"""`GET /api/ledger`, `GET /api/ledger/{id}`"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from pilothouse.bus.messages import End
from pilothouse.errors import NotThere, nearest
from pilothouse.hub.encoded import encoded
from pilothouse.hub.moments import parse_moment
from pilothouse.hub.needs import needs
from pilothouse.hub.openapi import answers
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import site_of
from pilothouse.hub.story import Step, story
from pilothouse.record.rows import Line, Wanted
from pilothouse.rights import Deed

OPEN = "open"
"""What the query calls commands without an end."""


KINDS = ("property", "action", "site", "people")
"""What the query calls writes, calls, acts on the site as a whole, and log-ins and changes of people."""
_LONGEST = 200
_TIMES = ("since", "until")


class LedgerLines(Struct, kw_only=True):
    """Commands, newest first."""

    time: int
    """The hub's clock."""
    lines: list[Line]
    next: str
    """What `before` must be for the next older page; "" = there is nothing older. A page under several filters may
    hold fewer lines than were asked for, even none, and still have a next one."""


class WholeLine(Line, frozen=True, kw_only=True):
    """A command with its story."""

    story: list[Step]
    """What happened, step by step."""


@get(
    "/api/ledger",
    summary="The ledger",
    tags=["Record"],
    responses=answers(LedgerLines, "Commands, newest first", 400, 404, 503),
    opt=needs(Deed.SEE, "seen"),
)
async def get_ledger(  # noqa: PLR0913 - one argument for each parameter of the query
    request: Request[Any, Any, Any],
    node: Annotated[str | None, QueryParameter(description="Only to this node.")] = None,
    thing: Annotated[str | None, QueryParameter(description="Only to things of this name; acts on this stand.")] = None,
    name: Annotated[str | None, QueryParameter(description="Only to this property or action; this act.")] = None,
    end: Annotated[
        str | None,
        QueryParameter(description='"confirmed", "refused", "failed", "expired", "unknown", or "open": not ended yet.'),
    ] = None,
    who: Annotated[str | None, QueryParameter(description="Only by this person or program.")] = None,
    origin: Annotated[
        str | None, QueryParameter(description='Only through this: "page", "api"; of the agent\'s own: "max-on" …')
    ] = None,
    kind: Annotated[
        str | None,
        QueryParameter(
            description='"property", "action", "site": stops, lifts and leases, or "people": log-ins and changes of '
            "people, which only administrators see."
        ),
    ] = None,
    since: Annotated[str | None, QueryParameter(description="Asked for then or later; as `from` of history.")] = None,
    until: Annotated[str | None, QueryParameter(description="Asked for before then; as `to` of history.")] = None,
    q: Annotated[str | None, QueryParameter(description="Text that stands in reason, detail or remedy.")] = None,
    before: Annotated[str | None, QueryParameter(description="`next` of the page before.")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=1000, description="How many at most.")] = 100,
) -> Response[bytes]:
    """The ledger: every command with who, what, why, and its honest end; and stops, lifts and leases."""
    site = site_of(request)
    wanted = parse_wanted(request.query_params, now=site.clock.now())
    page = await site.ledger.page(wanted, before=before or "", limit=limit)
    return encoded(LedgerLines(time=site.clock.now(), lines=page.lines, next=page.next))


@get(
    "/api/ledger/{id:str}",
    summary="One command",
    tags=["Record"],
    responses=answers(WholeLine, "The command and its story", 404, 503),
    opt=needs(Deed.SEE, "seen"),
)
async def get_line(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[bytes]:
    """One command by its id, and its story: what happened, step by step."""
    line = await site_of(request).ledger.line(id)
    if line is None:
        raise NotThere(f"The ledger has no command {id[:64]!r}")
    fields = {name: getattr(line, name) for name in line.__struct_fields__}
    return encoded(WholeLine(**fields, story=story(line)))


def parse_wanted(query: Mapping[str, str], *, now: int) -> Wanted:
    """Which lines a query asks for; raises WebError (400). An empty filter is none."""
    given = {name: text[:_LONGEST] for name, text in query.items() if text}
    since, until = (parse_moment(given[name], now=now, name=name) if name in given else None for name in _TIMES)
    return Wanted(
        node=given.get("node"),
        thing=given.get("thing"),
        name=given.get("name"),
        end=parse_end(given.get("end")),
        who=given.get("who"),
        origin=given.get("origin"),
        kind=_one_of("kind", given.get("kind"), KINDS),
        since=since,
        until=until,
        text=given.get("q"),
    )


def parse_end(text: str | None) -> str | None:
    """What the ledger is asked for; raises WebError (400)."""
    found = _one_of("end", text, [*End, OPEN])
    return "" if found == OPEN else found


def _one_of(name: str, text: str | None, words: Sequence[str]) -> str | None:
    if text is not None and text not in words:
        raise WebError(
            400,
            "bad-query",
            f"{name} = {text[:40]!r} is nothing that the ledger knows",
            why=f"it is one of {', '.join(words)}",
            nearest=nearest(text, words),
        )
    return text
