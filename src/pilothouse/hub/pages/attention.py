"""What needs a person, worst first. Pure: the overview shows it, and nothing else decides what is well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from pilothouse.hub.allowed import who_lifts
from pilothouse.hub.directory import Directory, NodeLife, NodeView, ThingView
from pilothouse.hub.pages.commands import CommandRow
from pilothouse.hub.pages.stand_cards import StandCard
from pilothouse.hub.pages.stop_rows import StopRow
from pilothouse.hub.pages.values import duration
from pilothouse.hub.times import lasting
from pilothouse.model import Address, Quality, title_of

FALLS = 3
"""A process that was started again this often since `up` began is said, also while it runs."""
RECENT = 15 * 60 * 1000
"""Milliseconds that a process which fell and runs again stays on the list."""
CLOCK_OFF = 2000
"""Milliseconds that a node's clock may be off before it is said; readings carry its time."""

Level = Literal["bad", "warn"]


class Concern(Struct, frozen=True, kw_only=True):
    """One thing that needs a person."""

    level: Level
    """"bad": something does not work; "warn": something should be looked at."""
    word: str
    """The kind of it in one or two words, shown beside the mark so that colour is never alone."""
    subject: str
    """What it is about: a node, a thing, a process."""
    text: str
    """What is wrong, in one sentence."""
    href: str = ""
    """Page where more is said, "" for none."""
    since: int = 0
    """Since when, Unix milliseconds; 0 = not known."""


def concerns(
    directory: Directory, *, link_up: bool, up: Mapping[str, Any], commands: Iterable[CommandRow], now: int
) -> list[Concern]:
    """Everything that needs a person, worst first, then by name. `up` is what `pilothouse up` says of its processes."""
    found: list[Concern] = []
    if not link_up:
        found.append(
            Concern(
                level="bad",
                word="no bus",
                subject="Hub",
                text="The hub has no link to the bus: this is what was known last, and nothing can be switched.",
            )
        )
    found += processes(up, now=now)
    for node in directory.nodes():
        found += _of_node(node, now=now)
        if node.life is NodeLife.HERE:
            for view in directory.things(node.node):
                found += _of_thing(view, directory)
    found += [_unknown(each) for each in commands if each.end == "unknown" and not each.later]
    return sorted(found, key=lambda each: each.level != "bad")


def of_stops(stops: Sequence[StopRow], *, lift: bool) -> list[Concern]:
    """Stops that hold: the banner says who and why, this says that the site is not well.

    `lift` says whether whoever looks may lift them.
    """
    found = []
    for stop in stops:
        text = "Outputs are held at their safe values until somebody lifts it."
        if not lift:
            text = f"Outputs are held at their safe values. {who_lifts()}"
        if stop.missing:
            text = f"Not yet obeyed by {', '.join(stop.missing)}. Use the emergency stop at the bench."
        found.append(Concern(level="bad", word="stopped", subject="Site", text=text, href="/stop", since=stop.time))
    return found


def of_asks(stands: Iterable[StandCard]) -> list[Concern]:
    """Who waits for a stand that whoever looks holds."""
    return [
        Concern(
            level="warn",
            word="asked for",
            subject=stand.title,
            text=f"By {ask.who}{f': “{ask.note}”' if ask.note else ''}",
            href=stand.href,
            since=ask.time,
        )
        for stand in stands
        if stand.mine
        for ask in stand.asks
    ]


def processes(up: Mapping[str, Any], *, now: int) -> list[Concern]:
    """Processes of this machine that keep falling or have stopped."""
    found = []
    for name, status in sorted(up.get("processes", {}).items()):
        state, restarts, note = status.get("state"), int(status.get("restarts") or 0), status.get("note") or ""
        since = int(status.get("since") or 0)
        tail = f": {note}" if note else ""
        if state == "waiting" and restarts:
            text = f"The {name} keeps falling, {restarts} times so far{tail}. It is started again."
            found.append(Concern(level="bad", word="fallen", subject=name, text=text, since=since))
        elif state == "stopped" and note:
            text = f"The {name} has stopped for good{tail}."
            found.append(Concern(level="bad", word="stopped", subject=name, text=text, since=since))
        elif state == "running" and restarts >= FALLS and now - since < RECENT:
            text = f"The {name} has fallen {restarts} times{tail}; it runs again."
            found.append(Concern(level="warn", word="restarted", subject=name, text=text, since=since))
    return found


def _of_node(node: NodeView, *, now: int) -> list[Concern]:
    href = f"/nodes/{node.node}"
    found = []
    if node.life is NodeLife.AWAY:
        heard = f"Nothing was heard from it for {lasting(node.last_seen, now)}" if node.last_seen else "Not heard yet"
        text = f"{heard}; its things cannot be switched."
        found.append(Concern(level="bad", word="away", subject=node.node, text=text, href=href, since=node.since))
    elif node.life is NodeLife.LEFT:
        text = "Its agent was stopped; its things cannot be switched."
        found.append(Concern(level="warn", word="left", subject=node.node, text=text, href=href, since=node.since))
    elif abs(node.clock_offset) > CLOCK_OFF:
        text = f"{clock_words(node.clock_offset)}; its readings carry that time."
        found.append(Concern(level="warn", word="clock", subject=node.node, text=text, href=href))
    found += [Concern(level="warn", word="note", subject=node.node, text=note, href=href) for note in node.notes]
    return found


def clock_words(offset: int) -> str:
    """ "Its clock is 5 min 3 s ahead of the hub's"."""
    side = "ahead of" if offset > 0 else "behind"
    return f"Its clock is {duration(abs(offset) / 1000)} {side} the hub's"


def _of_thing(view: ThingView, directory: Directory) -> list[Concern]:
    href = f"/things/{view.node}/{view.thing}"
    subject = view.title or view.thing
    if not view.health.ok:
        text = view.health.error or "It does not answer."
        since = view.health.since
        return [Concern(level="bad", word="does not answer", subject=subject, text=text, href=href, since=since)]
    described = directory.description(Address(view.node, view.thing)).properties
    names = [
        described[name].title or title_of(name)
        for name, state in view.properties.items()
        if state.quality is Quality.BAD and state.time and name in described
    ]
    if not names:
        return []
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return [Concern(level="bad", word="cannot be read", subject=subject, text=f"{listed} cannot be read.", href=href)]


def _unknown(command: CommandRow) -> Concern:
    text = f"Nobody can say whether “{command.what} {command.target}”".rstrip() + " was done; look at the device."
    href = f"/things/{command.node}/{command.thing}"
    return Concern(level="warn", word="unknown", subject=command.thing_title, text=text, href=href, since=command.made)
