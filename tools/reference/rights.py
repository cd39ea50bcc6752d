"""docs/reference/rights.md: roles, what each may do, and what every route takes."""

from __future__ import annotations

from litestar import Litestar

from pilothouse.hub.api import api_routes
from pilothouse.hub.needs import Needs
from pilothouse.hub.needs import table as routes
from pilothouse.hub.pages import page_routes
from pilothouse.rights import FORM, TABLE, Deed, Role
from tools.reference.source import member_docs
from tools.reference.tables import MADE, table

_ABOVE = f"""
Everybody who comes in has rights: {FORM}. They have nothing else, and nobody has any to begin with. A stand's
rights hold for the things that belong to it. What somebody may not see does not exist for them.

Pages, REST, live stream, files and the command line ask one pure function (`rights/rights.py`) over the first two of
these tables.
"""
_WHERE = {"place": "there", "anywhere": "anywhere at all", "site": "on the whole site"}
_PLACES = {
    "site": "",
    "thing": "the thing of the path",
    "stand": "the stand of the path",
    "seen": "anywhere; the answer holds only what may be seen",
    "asked": "the thing or stand that is meant",
}


def page() -> str:
    """The page."""
    roles, deeds = member_docs(Role), member_docs(Deed)
    parts = ["# Rights\n", MADE, _ABOVE, "## Roles\n", "Each may do all that the ones before it may.\n"]
    parts += [table(("role", "what it is for"), [(f"`{role}`", roles[role.name]) for role in Role]), ""]
    parts += ["## Deeds\n", table(("deed", "what it is", "takes", "guests", "tokens"), _deeds(deeds)), ""]
    parts += ["## Routes\n", "Every route, and what it takes. A hub with a route that is not here does not start.\n"]
    app = Litestar([*api_routes, *page_routes], openapi_config=None, logging_config=None)
    rows = [(f"`{method} {path}`", *_words(needed)) for method, path, needed in routes(app.routes)]
    parts += [table(("route", "deed", "where"), rows), ""]
    return "\n".join(parts)


def _deeds(docs: dict[str, str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for deed, rule in TABLE.items():
        least = f"`{rule.least}` {_WHERE[rule.where]}" if rule.least else "being logged in"
        rows.append((deed.value, docs[deed.name], least, _word(rule.guests), _word(rule.tokens)))
    return rows


def _word(yes: bool) -> str:
    return "yes" if yes else "no"


def _words(needed: Needs) -> tuple[str, str]:
    return (needed.deed.value, _PLACES[needed.where]) if needed.deed else ("open", "answers without a log-in")
