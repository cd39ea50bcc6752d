"""`pilothouse ledger`: every command, and its honest end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access
from pilothouse.client import Client, LedgerLine, LineList


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which commands are wanted."""

    thing: str | None = None
    """only commands to this thing, written node/thing or thing"""
    node: str | None = None
    """only commands to things of this node"""
    end: Literal["confirmed", "refused", "failed", "expired", "unknown", "open"] | None = None
    """only commands that ended so"""
    who: str | None = None
    """only commands of this person or program; guard = what agents switched by themselves"""
    origin: str | None = None
    """only commands that came through this (page, api, cli), or by this rule (interlock, max-on, link, stop …)"""
    kind: Literal["property", "action", "site", "people"] | None = None
    """only writes, only calls, only acts on the site (stops and leases), or only log-ins and changes of people"""
    about: str | None = None
    """only commands with these words in their reason or detail"""
    since: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None
    """only commands from then on: -1h, -30d, RFC 3339 or Unix milliseconds"""
    until: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None
    """only commands up to then"""
    before: str | None = None
    """only commands older than the one with this id"""
    limit: Annotated[int, Parameter(name=("--limit", "-n"))] = 20
    """how many at most"""

    def page_of(self, hub: Client) -> LineList:
        """The lines that fit."""
        on, slash, name = (self.thing or "").partition("/")
        words = {key: getattr(self, key) or "" for key in ("end", "who", "origin", "kind", "since", "until", "before")}
        return hub.ledger_page(
            node=on if slash else self.node or "",
            thing=name if slash else self.thing or "",
            q=self.about or "",
            limit=self.limit,
            **words,
        )


_ALL = Filters()


def ledger_(id: str | None = None, /, *, filters: Filters = _ALL, access: Access = HERE) -> None:
    """List commands, newest first: who, what, why, and how it ended.

    What the agents switched by themselves is there too, and so are stops and
    leases (kind site), and for administrators log-ins and changes of people
    (kind people).

    For example:
        pilothouse ledger
        pilothouse ledger 019a9c5e-7a34-7c7e-b7e5-2f1d1c3a9b10
        pilothouse ledger --thing greenhouse/fan --end unknown -n 100
        pilothouse ledger --origin interlock --since -1d
        pilothouse ledger --kind site --about hose

    Parameters
    ----------
    id:
        only this command, with its story
    """
    with access.connect() as hub:
        if id is not None:
            line = hub.command(id)
            print(show.as_json(line) if access.json else _whole(line))
            return
        page = filters.page_of(hub)
    if access.json:
        print(show.as_json(page.lines))
    elif not page.lines:
        print("No command fits.")
    else:
        head = ("WHEN", "WHO", "COMMAND", "END", "REASON, DETAIL", "ID")
        print(show.table([_row(line) for line in page.lines], head))
        if page.next:
            print(f"There are more: --before {page.next}")


def _whole(line: LedgerLine) -> str:
    when, who, target, end, _, _ = _row(line)
    rows = [("command", target), ("id", line.id), ("who", who), ("why", line.reason), ("made", when), ("end", end)]
    rows += [("detail", line.detail), ("remedy", line.remedy)]
    rows += [("asked", show.moment(line.asked)), ("ended", show.moment(line.ended))]
    rows += [("value", show.value_of(line.value)), ("took", f"{line.took_ms:.1f} ms" if line.took_ms else "")]
    rows += [("later", f"{one.end} {show.moment(one.time)} {one.detail}") for one in line.later]
    facts = show.table([row for row in rows if row[1] not in ("", show.NOTHING)])
    return "\n".join([facts, *_story(line)])


def _story(line: LedgerLine) -> list[str]:
    """What happened, step by step, with the milliseconds since the first."""
    if not line.story:
        return []
    first = line.story[0].at
    rows = [(f"  {show.moment(step.at)}", f"+{step.at - first} ms", step.what) for step in line.story]
    return ["", "story", show.table(rows)]


def _row(line: LedgerLine) -> tuple[str, ...]:
    target = f"{line.node}/{line.thing}.{line.name}" if line.node else f"{line.name} {line.thing}".strip()
    if line.kind == "property":
        target += f" = {show.value_of(line.input)}"
    elif line.input and line.kind == "action":
        target += f" {show.value_of(line.input)}"
    end = line.end or "open"
    if line.later:
        end += f", later {line.later[-1].end}"
    said = "; ".join(part for part in (line.reason, line.detail) if part)
    who = f"{line.who} ({line.origin})" if line.origin else line.who
    return (show.moment(line.made), who, target, end, said, line.id)
