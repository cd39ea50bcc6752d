"""The one object that every page and every API handler is given: what this hub knows and can do."""

from __future__ import annotations

import json
import socket
from copy import copy
from typing import TYPE_CHECKING, Any

from pilothouse.hub.audit import Audit
from pilothouse.hub.directory import Directory
from pilothouse.hub.holding import Holding
from pilothouse.hub.posture import PLAIN
from pilothouse.hub.proving import Proving
from pilothouse.hub.seen import EVERYTHING, Seeing
from pilothouse.hub.stands import Stands
from pilothouse.model import Address, slug
from pilothouse.rights import Deed, Place, Rights, may

if TYPE_CHECKING:
    from litestar import Request

    from pilothouse.bus import Bus
    from pilothouse.clock import Clock
    from pilothouse.config.places import Places
    from pilothouse.config.site import Config
    from pilothouse.hub.access import Visitor
    from pilothouse.hub.commands import Commands
    from pilothouse.hub.stats import Averages
    from pilothouse.hub.stops import Stops
    from pilothouse.record.history import History
    from pilothouse.record.ledger import Ledger
    from pilothouse.record.passwords import Passwords
    from pilothouse.record.people import People


class Site:
    """Parts of one hub. Handlers get what their visitor may see of it by `site_of(request)`; who asks is
    `who_of(request)`.

    `bus` is None until the first link; `link_up` says whether there is a link right now. While there is none the
    directory shows what was last known, and its nodes turn "away". `url` is how browsers reach the hub, without a
    slash at the end. `revision` grows with every change of the directory: what is encoded from it may be kept for
    as long as the number stands.
    """

    def __init__(
        self,
        *,
        config: Config,
        places: Places,
        clock: Clock,
        history: History,
        ledger: Ledger,
        people: People,
        passwords: Passwords,
    ) -> None:
        self.config = config
        self.places = places
        self.clock = clock
        self.history = history
        self.ledger = ledger
        self.people = people
        self.passwords = passwords
        """Hashes and checks them, off the loop."""
        self.audit = Audit(ledger, clock)
        """What the ledger says about people."""
        self.proving = Proving(people, passwords, self.audit, clock)
        """Whether a name and a password are somebody's, as often as it may be tried."""
        self.posture = PLAIN
        """How safe the way to this hub is."""
        self.directory = Directory()
        self.bus: Bus | None = None
        self.link_up = False
        self.url = ""
        self.revision = 0
        self.started = clock.now()
        """When this hub started, Unix milliseconds."""
        self.node = config.node.name or slug(socket.gethostname()) or "node"
        """Name of the node that this hub runs on."""
        self.holding = Holding()
        """Stops that hold."""
        self.stands = Stands(self)
        """Who holds what belongs together."""
        self.seeing = Seeing(self)
        """What is seen of all this with which rights."""
        self._sight = EVERYTHING
        self._up: tuple[int, dict[str, Any]] = (-1, {})

    def place(self, address: Address) -> Place:
        """A thing with the stands that it belongs to, for asking about rights."""
        return Place(address, frozenset(self.stands.names_of(address)))

    def seen_by(self, rights: Rights) -> Site:
        """What somebody may see: the rest is not there for them. Good for one request; for looking, not for doing."""
        if may(rights, Deed.AUDIT):
            return self
        seen = copy(self)
        seen._sight, seen.directory, seen.stands, seen.history, seen.ledger = self.seeing.by(rights)
        return seen

    @property
    def title(self) -> str:
        """What pages show as their heading."""
        return self.config.site.title

    def up_status(self) -> dict[str, Any]:
        """What `pilothouse up` last said of its processes, {"time", "pid", "processes": {name: {…}}}; {} without it,
        and for guests.
        """
        if self._sight.hub != "all":
            return {}
        path = self.places.up_status
        try:
            stamp = path.stat().st_mtime_ns
            if stamp != self._up[0]:
                status = json.loads(path.read_bytes())
                self._up = (stamp, status if isinstance(status, dict) else {})
        except (OSError, ValueError):
            # Started by hand or by systemd, or just being replaced: nothing to say is a full answer.
            self._up = (-1, {})
        return self._up[1]

    def hub_status(self) -> dict[str, Any]:
        """What viewers are told of the hub itself, and of the stops that hold (each as a Latch of bus.messages).

        {"link": bool, "processes": {name: {"state", "restarts", …}}, "stops": (latch, …)}
        """
        processes = self.up_status().get("processes", {})
        status = {"link": self.link_up, "processes": processes, "stops": self.holding.latches}
        return self._sight.hub_status(status)


def site_of(request: Request[Any, Any, Any]) -> Site:
    """The hub's parts as far as the visitor of this request may see them: what is hidden from them is not there."""
    return real_site_of(request).seen_by(visitor_of(request).rights)


def real_site_of(request: Request[Any, Any, Any]) -> Site:
    """The hub's parts, all of them: for what is done once a right was asked for, and for letting people in."""
    site: Site = request.app.state.site
    return site


def rights_of(request: Request[Any, Any, Any]) -> Rights:
    """What the visitor of this request may."""
    return visitor_of(request).rights


def address_of(request: Request[Any, Any, Any]) -> str:
    """Where this request came from, through trusted proxies; what the ledger says."""
    address: str = request.scope["state"]["address"]
    return address


def commands_of(request: Request[Any, Any, Any]) -> Commands:
    """The way down."""
    commands: Commands = request.app.state.commands
    return commands


def stops_of(request: Request[Any, Any, Any]) -> Stops:
    """Pressing stop, and lifting it."""
    stops: Stops = request.app.state.stops
    return stops


def averages_of(request: Request[Any, Any, Any]) -> Averages:
    """CPU of the hub's own node over the last minute."""
    averages: Averages = request.app.state.averages
    return averages


def visitor_of(request: Request[Any, Any, Any]) -> Visitor:
    """Whom this request was let in for, and through what."""
    visitor: Visitor = request.scope["state"]["visitor"]
    return visitor


def who_of(request: Request[Any, Any, Any]) -> str:
    """Name of the person or program that this request was let in for."""
    return visitor_of(request).who
