"""The ledger: every command, with filters; the newest first."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Request, get
from litestar.response import Response
from msgspec import Struct

from pilothouse.hub.pages.commands import END_WORDS, CommandRow, command_row
from pilothouse.hub.pages.render import page
from pilothouse.hub.site import Site, site_of

PAGE = 50
"""Lines of one page."""
_LONGEST = 200
OPEN = "open"
"""How the filter says "has not ended yet"."""


class Filters(Struct, frozen=True, kw_only=True):
    """What the list is narrowed to; "" = everything."""

    node: str = ""
    thing: str = ""
    end: str = ""
    who: str = ""

    @property
    def any(self) -> bool:
        """Whether it is narrowed at all."""
        return bool(self.node or self.thing or self.end or self.who)

    def query(self, **more: str) -> str:
        """As a query string, without what is empty."""
        given = {"node": self.node, "thing": self.thing, "end": self.end, "who": self.who} | more
        return urlencode({name: text for name, text in given.items() if text})


class LedgerPage(Struct, frozen=True, kw_only=True):
    """What the page of the ledger shows."""

    now: int
    filters: Filters
    nodes: list[str]
    """Nodes to choose from."""
    things: list[str]
    """Names of things to choose from."""
    ends: list[tuple[str, str]]
    """Ends to choose from: (value, word)."""
    commands: list[CommandRow]
    first: bool
    """Whether this is the newest page, which goes on by itself."""
    older: str
    """Query of the next older page, "" when there is none."""
    newest: str
    """Query of the newest page under these filters."""


async def build(site: Site, filters: Filters, before: str = "") -> LedgerPage:
    """One page of the ledger."""
    end = None if not filters.end else "" if filters.end == OPEN else filters.end
    lines = await site.ledger.lines(
        node=filters.node or None,
        thing=filters.thing or None,
        end=end,
        who=filters.who or None,
        before=before or None,
        limit=PAGE + 1,
    )
    more = len(lines) > PAGE
    lines = lines[:PAGE]
    directory = site.directory
    return LedgerPage(
        now=site.clock.now(),
        filters=filters,
        nodes=[each.node for each in directory.nodes()],
        things=sorted({each.thing for each in directory.things()}),
        ends=[(end or OPEN, word) for end, word in END_WORDS.items()],
        commands=[command_row(line, directory) for line in lines],
        first=not before,
        older=filters.query(before=lines[-1].id) if more else "",
        newest=filters.query(),
    )


@get("/ledger", include_in_schema=False)
async def ledger_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page."""
    given = {name: request.query_params.get(name, "")[:_LONGEST] for name in ("node", "thing", "end", "who", "before")}
    before = given.pop("before")
    shown = await build(site_of(request), Filters(**given), before)
    return page(request, "ledger.html", shown, title="Ledger", here="ledger")
