"""One hub put together and run: record, bus, live stream and web server, started and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
from collections.abc import AsyncIterator, Coroutine
from typing import Any, NamedTuple

from pilothouse.clock import Clock, parse_duration
from pilothouse.config.edge import parse_networks
from pilothouse.config.places import Places
from pilothouse.config.site import Config
from pilothouse.hub.app import make_app
from pilothouse.hub.commands import Commands
from pilothouse.hub.edge import Bounds, Crowd, Server, within_files
from pilothouse.hub.follow import Follower
from pilothouse.hub.listening import Listening
from pilothouse.hub.live import Live
from pilothouse.hub.obeying import Obeying
from pilothouse.hub.outside import open_outside
from pilothouse.hub.people_watch import PeopleWatch
from pilothouse.hub.posture import posture_of
from pilothouse.hub.site import Site
from pilothouse.hub.stats import Averages
from pilothouse.hub.stops import Stops
from pilothouse.hub.tls import Tls, open_tls
from pilothouse.record.history import History
from pilothouse.record.ledger import Ledger
from pilothouse.record.passwords import Passwords
from pilothouse.record.people import People

log = logging.getLogger(__name__)

_LAST_WORDS = 0.5
"""Seconds that commands on their way have to end when the hub stops."""


@contextlib.asynccontextmanager
async def open_site(
    config: Config, places: Places, clock: Clock, *, passwords: Passwords | None = None
) -> AsyncIterator[Site]:
    """A site with its record open; raises CannotStart. Without `passwords` their cost is measured here."""
    async with contextlib.AsyncExitStack() as stack:
        ledger = await Ledger.open(places.ledger, clock)
        stack.push_async_callback(ledger.close)
        history = await History.open_reader(places.history, clock)
        stack.push_async_callback(history.close)
        idle, life = parse_duration(config.hub.session_idle), parse_duration(config.hub.session_life)
        people = People(ledger.database, clock, idle=idle, life=life)
        passwords = passwords or await Passwords.measured()
        stack.push_async_callback(passwords.close)
        yield Site(
            config=config,
            places=places,
            clock=clock,
            history=history,
            ledger=ledger,
            people=people,
            passwords=passwords,
        )


_BOUNDS = Bounds()


class Serving(NamedTuple):
    """A hub that serves."""

    live: Live
    broken: asyncio.Event
    """Set when a part of it ended by a mistake of ours: then only a new start helps."""


@contextlib.asynccontextmanager
async def serving(site: Site, listening: Listening, bounds: Bounds = _BOUNDS) -> AsyncIterator[Serving]:
    """Serve while the block runs; raises CannotStart when that would be too unsafe, or cannot be done safely.

    When it returns everything has ended, and every end that is known stands in the ledger.
    """
    site.posture = posture_of(site.config.hub)
    tls = open_tls(site.posture, site.config.hub, site.places, site.clock, site.title)
    site.url = site.config.hub.public_url.rstrip("/") or listening.local
    live, averages = Live(site), Averages()
    commands, stops = Commands(site, live), Stops(site, live)
    follower, obeying = Follower(site, live, stops, averages), Obeying(site, stops)
    site.stands.told = live.stands_changed
    await follower.remember()
    await obeying.remember()
    outside = open_outside(site)
    app = make_app(site, live=live, commands=commands, stops=stops, averages=averages, outside=outside)
    server = _server(app, site, bounds, tls)
    web = asyncio.create_task(server.serve(sockets=[listening.socket]), name="web")
    broken = asyncio.Event()
    work = {"bus": follower.run(), "tick": follower.tick(), "live": live.run(), "stops": obeying.run()}
    work["people"] = PeopleWatch(site, live).run()
    if tls is not None:
        work["tls"] = tls.run()
    tasks = [_forever(part, name, broken) for name, part in work.items()]
    try:
        while not server.started and not web.done():
            await asyncio.sleep(0.005)
        yield Serving(live, broken)
    finally:
        server.should_exit = True
        live.close()
        await commands.close(_LAST_WORDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if site.bus is not None:
            # Ends what still waits for an answer: unknown, and whoever asked is told so.
            await site.bus.close()
        await commands.settle()
        await stops.close()
        await web


def _server(app: Any, site: Site, bounds: Bounds, tls: Tls | None) -> Server:
    bounds = within_files(bounds, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    # Plain behind a proxy that does TLS: whoever came past the proxy would come without.
    crowd = Crowd(bounds, parse_networks(site.config.hub.behind_proxy), only_through=site.posture.kind == "proxy")
    return Server(app, bounds, crowd, lambda: None if tls is None else tls.context)


def _forever(work: Coroutine[Any, Any, None], name: str, broken: asyncio.Event) -> asyncio.Task[None]:
    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("%s ended by a mistake of the hub", name, exc_info=task.exception())
            broken.set()

    task = asyncio.create_task(work, name=name)
    task.add_done_callback(ended)
    return task
