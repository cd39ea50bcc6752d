"""One command as pages show it, and how its end is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pilothouse.errors import NotThere
from pilothouse.hub.directory import Directory
from pilothouse.hub.pages.values import shown, shown_of
from pilothouse.model import Address, Value, title_of

if TYPE_CHECKING:
    from pilothouse.record.rows import Line

END_WORDS: dict[str, str] = {
    "": "under way",
    "confirmed": "confirmed",
    "refused": "refused",
    "failed": "failed",
    "expired": "expired",
    "unknown": "unknown",
}
"""Every end of a command and the word on the page; "" is a command that has not ended."""

AUTOMATIC: dict[str, str] = {
    "max-on": "on for too long",
    "interlock": "interlock",
    "exclusive": "exclusion",
    "link": "link to the bus lost",
    "lease": "lease over",
    "stop": "stop",
    "start": "agent started",
    "end": "agent left",
}
"""Rules by which a node or the hub acts by itself, and the word on the page."""
_BY_ITSELF = ("guard", "hub")
"""Who stands in the ledger for what no person or program asked for."""

SITE_ACTS: dict[str, str] = {
    "stop": "Stop",
    "safe-end": "Stop at the end",
    "lift": "Stop lifted",
    "lease.take": "Stand taken",
    "lease.give": "Stand given",
    "lease.release": "Stand given back",
    "lease.extend": "Lease extended",
    "lease.expired": "Lease ran out",
    "login": "Logged in",
    "login.failed": "Log-in failed",
    "login.locked": "Log-in slowed down",
    "logout": "Logged out",
    "user.add": "Person added",
    "user.changed": "Person described anew",
    "user.rights": "Rights changed",
    "user.disable": "Person disabled",
    "user.enable": "Person let in again",
    "user.remove": "Person removed",
    "password.set": "Password set",
    "password.reset": "Password reset",
    "link.made": "Log-in link made",
    "token.made": "Token made",
    "token.ended": "Token ended",
    "session.ended": "Session ended",
    "guest.made": "Guest link made",
    "guest.ended": "Guest link ended",
    "config.changed": "Configuration changed",
}
"""Acts on the site, log-ins and changes of people, and the words on the page."""
ACTS = ("site", "people")
"""Kinds of lines that are no command to a thing."""


class CommandRow(Struct, frozen=True, kw_only=True):
    """What pages show of one line of the ledger."""

    id: str
    made: int
    """When it was asked for, Unix milliseconds by the hub's clock."""
    who: str
    origin: str
    """Through what it came: page, api, cli …"""
    reason: str
    """Why, as the person wrote it."""
    node: str
    """"" for an act on the site or about people."""
    thing: str
    thing_title: str
    href: str
    """Page of the thing, of the stand, of stop, or of people."""
    what: str
    """The property, action or act in words."""
    target: str
    """What was asked for, "" for an action without input."""
    is_action: bool
    about_people: bool
    """Whether it is a log-in or a change of people; `thing` is then the name of the person, token or link."""
    address: str
    """From where whoever did that came; "" = not known."""
    end: str
    """confirmed, refused, failed, expired, unknown, or "" while it is under way."""
    word: str
    detail: str
    """What happened, in one sentence; "" when confirmed."""
    remedy: str
    took_ms: float
    """From the agent's accepting it to its end; 0 when it never got there."""
    later: str
    """What came to light after an unknown end."""
    automatic: str
    """By which rule it was done with nobody asking, in words; "" = somebody asked for it."""

    @property
    def quiet(self) -> bool:
        """Whether nothing about it needs a person."""
        return self.end in ("confirmed", "")


def command_row(line: Line, directory: Directory) -> CommandRow:
    """A line of the ledger for people, with titles and units where the thing is known."""
    title, what, target = _titles(line, directory)
    later = "; ".join(f"later: {truth.end}{f' ({truth.detail})' if truth.detail else ''}" for truth in line.later)
    return CommandRow(
        id=line.id,
        made=line.made,
        who=line.who,
        origin=line.origin,
        reason=line.reason,
        node=line.node,
        thing=line.thing,
        thing_title=title,
        href=_href(line),
        what=what,
        target=target,
        is_action=line.kind == "action",
        about_people=line.kind == "people",
        address=_text_in(line.input, "from") if line.kind == "people" else "",
        end=line.end,
        word=END_WORDS.get(line.end, line.end),
        detail=line.detail,
        remedy=line.remedy,
        took_ms=line.took_ms or 0.0,
        later=later,
        automatic=AUTOMATIC.get(line.origin, line.origin) if line.who in _BY_ITSELF else "",
    )


def _href(line: Line) -> str:
    if line.kind == "people":
        return "/people"
    if line.kind != "site":
        return f"/things/{line.node}/{line.thing}"
    return f"/stands/{line.thing}" if line.thing else "/stop"


def _titles(line: Line, directory: Directory) -> tuple[str, str, str]:
    if line.kind in ACTS:
        to = _text_in(line.input, "to") if line.kind == "site" else ""
        return line.thing, SITE_ACTS.get(line.name, line.name), to
    try:
        description = directory.description(Address(line.node, line.thing))
    except NotThere:
        return line.thing, title_of(line.name), _target(line.input)
    title = description.title or line.thing
    if line.kind == "action":
        action = description.actions.get(line.name)
        return title, (action and action.title) or title_of(line.name), _target(line.input)
    described = description.properties.get(line.name)
    if described is None:
        return title, title_of(line.name), _target(line.input)
    text, unit = shown_of(line.input, described)
    return title, described.title or title_of(line.name), f"{text} {unit}".strip()


def _text_in(value: Value, name: str) -> str:
    text = value.get(name) if isinstance(value, dict) else None
    return text if isinstance(text, str) else ""


def _target(value: Value) -> str:
    if value is None or value == {}:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(each, writable=True).text}" for name, each in value.items())
    return shown(value, writable=True).text
