"""`pilothouse ledger`: every command, and its honest end."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access
from pilothouse.client import LedgerLine


def ledger_(
    id: str | None = None,
    /,
    *,
    thing: str | None = None,
    node: str | None = None,
    end: Literal["confirmed", "refused", "failed", "expired", "unknown", "open"] | None = None,
    who: str | None = None,
    before: str | None = None,
    limit: Annotated[int, Parameter(name=("--limit", "-n"))] = 20,
    access: Access = HERE,
) -> None:
    """List commands, newest first: who, what, why, and how it ended.

    For example:
        pilothouse ledger
        pilothouse ledger 019a9c5e-7a34-7c7e-b7e5-2f1d1c3a9b10
        pilothouse ledger --thing greenhouse/fan --end unknown -n 100

    Parameters
    ----------
    id:
        only this command, with all that is known of it
    thing:
        only commands to this thing, written node/thing or thing
    node:
        only commands to things of this node
    end:
        only commands that ended so
    who:
        only commands of this person or program
    before:
        only commands older than the one with this id
    limit:
        how many at most
    """
    on, slash, name = (thing or "").partition("/")
    with access.connect() as hub:
        if id is not None:
            line = hub.command(id)
            print(show.as_json(line) if access.json else _whole(line))
            return
        lines = hub.ledger(
            node=on if slash else node or "",
            thing=name if slash else thing or "",
            end=end or "",
            who=who or "",
            before=before or "",
            limit=limit,
        )
    if access.json:
        print(show.as_json(lines))
    elif not lines:
        print("No command fits.")
    else:
        print(show.table([_row(line) for line in lines], ("WHEN", "WHO", "COMMAND", "END", "REASON, DETAIL", "ID")))


def _whole(line: LedgerLine) -> str:
    when, who, target, end, _, _ = _row(line)
    rows = [("command", target), ("id", line.id), ("who", who), ("why", line.reason), ("made", when), ("end", end)]
    rows += [("detail", line.detail), ("remedy", line.remedy)]
    rows += [("asked", show.moment(line.asked)), ("ended", show.moment(line.ended))]
    rows += [("value", show.value_of(line.value)), ("took", f"{line.took_ms:.1f} ms" if line.took_ms else "")]
    rows += [("later", f"{one.end} {show.moment(one.time)} {one.detail}") for one in line.later]
    return show.table([row for row in rows if row[1] not in ("", show.NOTHING)])


def _row(line: LedgerLine) -> tuple[str, ...]:
    target = f"{line.node}/{line.thing}.{line.name}"
    if line.kind == "property":
        target += f" = {show.value_of(line.input)}"
    elif line.input:
        target += f" {show.value_of(line.input)}"
    end = line.end or "open"
    if line.later:
        end += f", later {line.later[-1].end}"
    said = "; ".join(part for part in (line.reason, line.detail) if part)
    who = f"{line.who} ({line.origin})" if line.origin else line.who
    return (show.moment(line.made), who, target, end, said, line.id)
