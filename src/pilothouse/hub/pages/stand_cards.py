"""A stand at a glance: who holds it, who waits for it, how its things are. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from pilothouse.errors import BadName, NotThere
from pilothouse.hub.allowed import Allowed
from pilothouse.hub.directory import Directory, NodeLife
from pilothouse.hub.pages.values import duration
from pilothouse.hub.stand_view import StandView
from pilothouse.model import Address


class AskRow(Struct, frozen=True, kw_only=True):
    """Somebody who waits for a stand."""

    who: str
    time: int
    """When they asked, Unix milliseconds."""
    note: str
    """What for."""


class StandThing(Struct, frozen=True, kw_only=True):
    """A thing of a stand, as its card names it."""

    address: str
    """node/thing."""
    title: str
    href: str
    """Its page."""
    trouble: str
    """What keeps it from working, "" when nothing does."""


class StandCard(Struct, frozen=True, kw_only=True):
    """What pages show of a stand and its lease."""

    stand: str
    """Its name."""
    title: str
    doc: str
    href: str
    """Its page."""
    holder: str
    """"" = nobody holds it."""
    hold: bool
    """Whether whoever looks may hold it."""
    mine: bool
    """Whether whoever looks holds it."""
    since: int
    """Since when it is held, Unix milliseconds."""
    until: int
    """When the lease is over by itself; 0 while nobody holds it."""
    length: str
    """How long a lease lasts from the last use on, in words."""
    required: bool
    """Whether nobody may command it without holding it."""
    safe_on_expiry: bool
    """Whether its outputs go safe when a lease runs out."""
    asks: tuple[AskRow, ...]
    """Who waits for it, first come first."""
    asked: bool
    """Whether whoever looks is one of them."""
    before: str
    """How the last lease ended, in one sentence; "" while somebody holds it or when nobody ever did."""
    things: tuple[StandThing, ...]
    """What belongs to it."""

    @property
    def well(self) -> bool:
        """Whether nothing about it needs whoever looks."""
        return not (self.mine and self.asks) and not any(thing.trouble for thing in self.things)


def stand_cards(views: Iterable[StandView], directory: Directory, allowed: Allowed) -> list[StandCard]:
    """All stands: those that need whoever looks first, then those they hold, then by title."""
    made = [stand_card(view, directory, allowed) for view in views]
    return sorted(made, key=lambda each: (each.well, not each.mine, each.title.lower()))


def stand_card(view: StandView, directory: Directory, allowed: Allowed) -> StandCard:
    """The card of one stand as somebody sees it."""
    who = allowed.who
    return StandCard(
        stand=view.stand,
        title=view.title or view.stand,
        doc=view.doc,
        href=f"/stands/{view.stand}",
        holder=view.holder,
        hold=allowed.hold(view.stand),
        mine=view.holder != "" and view.holder == who,
        since=view.since,
        until=view.until,
        length=duration(view.length),
        required=view.required,
        safe_on_expiry=view.safe_on_expiry,
        asks=tuple(AskRow(who=each.who, time=each.time, note=each.note) for each in view.asks),
        asked=any(each.who == who for each in view.asks),
        before=_before(view),
        things=tuple(_thing(text, directory) for text in view.things),
    )


def addresses_of(view: StandView) -> list[Address]:
    """The things of a stand; names that are none are left out."""
    found = []
    for text in view.things:
        try:
            found.append(Address.parse(text))
        except BadName:
            continue
    return found


def _before(view: StandView) -> str:
    if view.holder or not view.last:
        return ""
    if view.ended == "expired":
        safe = " and its outputs went to their safe values" if view.safe_on_expiry else ""
        return f"The lease of {view.last} ran out{safe}."
    return f"{view.last} gave it back."


def _thing(text: str, directory: Directory) -> StandThing:
    node, _, name = text.partition("/")
    href, title, trouble = f"/things/{text}", name, ""
    try:
        view = directory.thing(Address(node, name))
        title = view.title or name
        life = directory.node(node).life
        if life is not NodeLife.HERE:
            trouble = f"node {node} {'is away' if life is NodeLife.AWAY else 'has left'}"
        elif not view.health.ok:
            trouble = view.health.error or "it does not answer"
    except NotThere:
        trouble = "not there"
    return StandThing(address=text, title=title, href=href, trouble=trouble)
