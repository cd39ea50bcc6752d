"""`pilothouse link`: a link that lets one browser in, made on the machine of the record."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, NamedTuple

from cyclopts import Parameter

from pilothouse.cli import show
from pilothouse.cli.access import HERE_ONLY, Local
from pilothouse.cli.record_here import link_page, record_here, seconds_of
from pilothouse.config.places import Places
from pilothouse.errors import BadValue
from pilothouse.record import People
from pilothouse.record.people_rows import LinkKind
from pilothouse.rights import Role


def link(
    *,
    who: str | None = None,
    life: str = "24h",
    config: Annotated[Path | None, Parameter(show_default=False)] = None,
    local: Local = HERE_ONLY,
) -> None:
    """Print a new log-in link, which lets one browser in, once.

    Works on the machine of the hub only, for whoever may write its data folder.
    While nobody is an administrator, the link makes the first one.

    For example:
        pilothouse link
        pilothouse link --who ada
        pilothouse link --data /var/lib/pilothouse --life 10m

    Parameters
    ----------
    who:
        as whom the browser is let in; default: the administrator, when there is one only
    life:
        how long the link can be used: 10m, 24h, 7d
    config:
        configuration file; default: pilothouse.toml in the data folder
    """
    seconds = seconds_of(life)
    page = link_page(local.places, config)
    made = asyncio.run(_make(local.places, who, seconds))
    told = {"url": page + made.secret, "kind": made.kind, "who": made.who, "seconds": seconds}
    print(show.as_json(told) if local.json else told["url"])


class _Made(NamedTuple):
    kind: LinkKind
    who: str
    secret: str


async def _make(places: Places, named: str | None, seconds: float) -> _Made:
    async with record_here(places) as here:
        who = await _only_admin(here.people) if named is None else named
        kind: LinkKind = "first" if named is None and not who else "login"
        secret = await here.people.links.make(kind, who, seconds)
        what = "a log-in link" if kind == "login" else "a link for the first administrator"
        await here.note("link.made", who, f"{what}, good for {show.length(seconds)}")
        return _Made(kind, who, secret)


async def _only_admin(people: People) -> str:
    """The one that must be meant when nobody is named; "" = there is none yet. Raises BadValue when there are more."""
    admins = [one.name for one in await people.persons.all() if str(Role.ADMIN) in one.grants and one.can_come_in]
    if len(admins) > 1:
        raise BadValue(
            f"There are {len(admins)} administrators: {', '.join(admins[:10])}{', …' if len(admins) > 10 else ''}",
            why="a link is for one person",
            remedy=f"Say for whom: pilothouse link --who {admins[0]}",
        )
    return admins[0] if admins else ""
