"""The story of one command: each step from being asked for to its end, and what came to light later."""

from __future__ import annotations

import json
from typing import Any

from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Response
from msgspec import Struct

from pilothouse.errors import NotThere
from pilothouse.hub.needs import needs
from pilothouse.hub.pages.commands import ACTS, CommandRow, command_row
from pilothouse.hub.pages.errors import not_there
from pilothouse.hub.pages.ledger import ORIGINS
from pilothouse.hub.pages.render import page, took
from pilothouse.hub.site import Site, site_of
from pilothouse.hub.story import Step, story
from pilothouse.model import Value
from pilothouse.rights import Deed

_KINDS = {"property": "write", "action": "action", "site": "act on the site", "people": "log-in or change of people"}


class StepRow(Struct, frozen=True, kw_only=True):
    """One step of the story."""

    at: int
    """When, Unix milliseconds."""
    what: str
    """What happened, in one sentence."""
    by: str
    """By whose clock: "hub" or "node"."""
    after: str
    """How long after the step before, "" for the first or when the clocks cannot say."""


class CommandPage(Struct, frozen=True, kw_only=True):
    """What the page of one command shows."""

    now: int
    row: CommandRow
    """The command as the ledger lists it."""
    steps: list[StepRow]
    """Its story, from the first to the last."""
    clocks: bool
    """Whether times are by the clocks of two machines, so that what lies between them is only about right."""
    kind: str
    """What kind of line it is, in words."""
    through: str
    """Through what it came, in words."""
    name: str
    input: str
    """What was asked for, as JSON; "" = nothing."""
    value: str
    """The readback or the answer, as JSON; "" = none."""
    ttl: float
    """Seconds within which the device had to be asked; 0 = does not apply."""
    epoch: int
    """Run of the agent that it was meant for; 0 = none."""


async def build(site: Site, id: str) -> CommandPage:
    """The page of a command; raises NotThere."""
    line = await site.ledger.line(id)
    if line is None:
        raise NotThere(
            f"The ledger has no command {id[:64]!r}", why="it was never given, or is older than what is kept"
        )
    told = story(line)
    return CommandPage(
        now=site.clock.now(),
        row=command_row(line, site.directory),
        steps=step_rows(told),
        clocks=len({step.by for step in told}) > 1,
        kind=_KINDS.get(line.kind, line.kind),
        through=ORIGINS.get(line.origin, line.origin),
        name=line.name,
        input="" if line.kind == "people" else _json(line.input),
        value=_json(line.value),
        ttl=line.ttl if line.kind not in ACTS else 0.0,
        epoch=line.epoch,
    )


def step_rows(steps: list[Step]) -> list[StepRow]:
    """The steps with the time between; between two clocks it is only "about", and never less than nothing."""
    rows, before = [], None
    for step in steps:
        after = ""
        if before is not None:
            between = step.at - before.at
            same = step.by == before.by
            after = took(between) if between > 0 else "within 1 ms" if same else ""
            after = after if same or not after else f"about {after}"
        rows.append(StepRow(at=step.at, what=step.what, by=step.by, after=after))
        before = step
    return rows


def _json(value: Value) -> str:
    return "" if value is None or value == {} else json.dumps(value, ensure_ascii=False)


@get("/ledger/{id:str}", include_in_schema=False, opt=needs(Deed.SEE, "seen"))
async def command_page(request: Request[Any, Any, Any], id: FromPath[str]) -> Response[bytes]:
    """The page."""
    try:
        shown = await build(site_of(request), id)
    except NotThere as error:
        return not_there(request, error)
    return page(request, "command.html", shown, title=shown.row.what, here="ledger")
