"""The ledger: every command and every act on the site, with filters; the newest first."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from litestar import Request, get
from litestar.response import Response
from msgspec import Struct
from msgspec.structs import asdict, replace

from pilothouse.hub.allowed import allowed_of
from pilothouse.hub.needs import needs
from pilothouse.hub.pages.commands import AUTOMATIC, END_WORDS, CommandRow, command_row
from pilothouse.hub.pages.render import page
from pilothouse.hub.site import Site, site_of
from pilothouse.record.rows import Wanted
from pilothouse.rights import Deed

PAGE = 50
"""Lines of one page."""
_LONGEST = 200
_TRAIL = 20
"""Newer pages that a page knows the way back to; beyond them it leads to the newest."""
OPEN = "open"
"""How the filter says "has not ended yet"."""

KINDS = {"property": "writes", "action": "actions", "site": "stops and leases"}
"""Kinds of lines that everybody may see, and their words."""
AUDIT = {"people": "log-ins and people"}
"""Kinds that only auditors may see."""
ORIGINS = {"page": "page", "api": "API", "cli": "command line"} | {
    origin: f"by itself: {word}" for origin, word in AUTOMATIC.items()
}
"""Through what commands come, and the words."""


class Filters(Struct, frozen=True, kw_only=True):
    """What the list is narrowed to; "" = everything."""

    who: str = ""
    node: str = ""
    thing: str = ""
    """Name of a thing or of a stand."""
    end: str = ""
    origin: str = ""
    """Through what it came, or which rule did it."""
    kind: str = ""
    """property, action, site or people."""
    since: str = ""
    """First day, as 2026-11-21."""
    until: str = ""
    """Last day."""
    q: str = ""
    """Words in reason, detail or remedy."""
    tz: str = ""
    """Time zone in which the days are meant; "" = UTC."""

    @property
    def any(self) -> bool:
        """Whether it is narrowed at all."""
        return any(text for name, text in asdict(self).items() if name != "tz")

    def query(self, **more: str) -> str:
        """As a query string, without what is empty; a zone without days means nothing."""
        given = asdict(self) | more
        if not (given["since"] or given["until"]):
            given["tz"] = ""
        return urlencode({name: text for name, text in given.items() if text})


class Chip(NamedTuple):
    """One active filter."""

    text: str
    href: str
    """The page without it."""


class Choice(NamedTuple):
    """One value of a filter."""

    value: str
    """What is sent."""
    word: str
    """What is read."""


class LedgerPage(Struct, frozen=True, kw_only=True):
    """What the page of the ledger shows."""

    now: int
    filters: Filters
    """What it is narrowed to."""
    chips: list[Chip]
    """The active filters in words."""
    wrong: list[str]
    """What is wrong with a filter, in sentences; that filter is left out."""
    people: list[str]
    """Names to offer: who is in the lines that are shown."""
    nodes: list[str]
    """Nodes to choose from."""
    things: list[str]
    """Names of things and stands to choose from."""
    ends: list[Choice]
    """Ends to choose from."""
    origins: list[Choice]
    """Origins to choose from."""
    kinds: list[Choice]
    """Kinds to choose from."""
    audit: bool
    """Whether log-ins and changes of people are among the lines."""
    commands: list[CommandRow]
    first: bool
    """Whether this is the newest page, which goes on by itself."""
    older: str
    """Query of the next older page, "" when there is none."""
    newer: str
    """Query of the next newer page; "" may be the newest."""
    newest: str
    """Query of the newest page under these filters."""


async def build(
    site: Site, filters: Filters, before: str = "", trail: tuple[str, ...] = (), *, audit: bool = False
) -> LedgerPage:
    """One page of the ledger. `trail` is what `before` was on the newer pages, the newest first; `audit` says whether
    whoever looks may see who logged in.
    """
    filters, wrong = checked(filters)
    wanted = wanted_of(filters)
    found = await site.ledger.page(wanted, before=before, limit=PAGE)
    directory = site.directory
    commands = [command_row(line, directory) for line in found.lines]
    stands = [view.stand for view in site.stands.views()]
    behind = ",".join((*trail, before)[-_TRAIL:]) if before else ""
    back = {"before": trail[-1], "trail": ",".join(trail[:-1])} if trail else {}
    return LedgerPage(
        now=site.clock.now(),
        filters=filters,
        chips=chips_of(filters),
        wrong=wrong,
        people=sorted({row.who for row in commands} - {""}),
        nodes=[each.node for each in directory.nodes()],
        things=sorted({each.thing for each in directory.things()} | set(stands)),
        ends=[Choice(end or OPEN, word) for end, word in END_WORDS.items()],
        origins=[Choice(*each) for each in ORIGINS.items()],
        kinds=[Choice(*each) for each in (KINDS | (AUDIT if audit else {})).items()],
        audit=audit,
        commands=commands,
        first=not before,
        older=filters.query(before=found.next, trail=behind) if found.next else "",
        newer=filters.query(**back),
        newest=filters.query(),
    )


def checked(filters: Filters) -> tuple[Filters, list[str]]:
    """The filters without those that mean nothing, and what is wrong with these, in sentences."""
    zone, wrong = _zone(filters.tz), []
    for name, days in (("since", 0), ("until", 1)):
        text = getattr(filters, name)
        if text and _day(text, zone, days) is None:
            wrong.append(f"“{text}” is no day; write it as 2026-11-21.")
            filters = replace(filters, **{name: ""})
    return filters, wrong


def wanted_of(filters: Filters) -> Wanted:
    """What the record is asked for."""
    zone = _zone(filters.tz)
    end = None if not filters.end else "" if filters.end == OPEN else filters.end
    return Wanted(
        node=filters.node or None,
        thing=filters.thing or None,
        end=end,
        who=filters.who or None,
        origin=filters.origin or None,
        kind=filters.kind or None,
        since=_day(filters.since, zone),
        until=_day(filters.until, zone, days=1),
        text=filters.q or None,
    )


def chips_of(filters: Filters) -> list[Chip]:
    """Each active filter in words."""
    words = {
        "who": f"by {filters.who}",
        "node": f"node {filters.node}",
        "thing": filters.thing,
        "end": END_WORDS.get(filters.end.replace(OPEN, ""), filters.end),
        "origin": ORIGINS.get(filters.origin, filters.origin),
        "kind": (KINDS | AUDIT).get(filters.kind, filters.kind),
        "since": f"from {filters.since}",
        "until": f"to {filters.until}",
        "q": f"“{filters.q}”",
    }
    return [
        Chip(word, f"/ledger?{filters.query(**{name: ''})}") for name, word in words.items() if getattr(filters, name)
    ]


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # Not every machine has the table of zones, and anybody may send anything: UTC is what the page says then.
        return UTC


def _day(text: str, zone: tzinfo, days: int = 0) -> int | None:
    """The beginning of a day (some `days` later), Unix milliseconds; None when it is none."""
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
        return int(datetime.combine(day, time(), zone).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


@get("/ledger", include_in_schema=False, opt=needs(Deed.SEE, "seen"))
async def ledger_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page."""
    asked = request.query_params
    given = {name: asked.get(name, "").strip()[:_LONGEST] for name in Filters.__struct_fields__}
    trail = tuple(each[:_LONGEST] for each in asked.get("trail", "").split(",") if each)[-_TRAIL:]
    before, audit = asked.get("before", "")[:_LONGEST], allowed_of(request).of_site(Deed.AUDIT)
    shown = await build(site_of(request), Filters(**given), before, trail, audit=audit)
    return page(request, "ledger.html", shown, title="Ledger", here="ledger")
