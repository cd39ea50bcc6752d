"""One hub put together and run: record, bus, live stream and web server, started and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, NamedTuple

import uvicorn

from pilothouse.clock import Clock
from pilothouse.config.places import Places
from pilothouse.config.site import Config
from pilothouse.hub.app import make_app
from pilothouse.hub.commands import Commands
from pilothouse.hub.follow import Follower
from pilothouse.hub.listening import Listening
from pilothouse.hub.live import Live
from pilothouse.hub.obeying import Obeying
from pilothouse.hub.site import Site
from pilothouse.hub.stats import Averages
from pilothouse.hub.stops import Stops
from pilothouse.record.history import History
from pilothouse.record.ledger import Ledger
from pilothouse.record.people import People

log = logging.getLogger(__name__)

_LAST_WORDS = 0.5
"""Seconds that commands on their way have to end when the hub stops."""


class _Server(uvicorn.Server):
    """uvicorn inside a process of ours, which takes the signals itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def open_site(config: Config, places: Places, clock: Clock) -> AsyncIterator[Site]:
    """A site with its record open; raises CannotStart."""
    async with contextlib.AsyncExitStack() as stack:
        ledger = await Ledger.open(places.ledger, clock)
        stack.push_async_callback(ledger.close)
        history = await History.open_reader(places.history, clock)
        stack.push_async_callback(history.close)
        people = People(ledger.database, clock)
        yield Site(config=config, places=places, clock=clock, history=history, ledger=ledger, people=people)


class Serving(NamedTuple):
    """A hub that serves."""

    live: Live
    broken: asyncio.Event
    """Set when a part of it ended by a mistake of ours: then only a new start helps."""


@contextlib.asynccontextmanager
async def serving(site: Site, listening: Listening) -> AsyncIterator[Serving]:
    """Serve while the block runs.

    When it returns everything has ended, and every end that is known stands in the ledger.
    """
    site.url = site.config.hub.public_url.rstrip("/") or listening.local
    live, averages = Live(site), Averages()
    commands, stops = Commands(site, live), Stops(site, live)
    follower, obeying = Follower(site, live, stops, averages), Obeying(site, stops)
    site.stands.told = live.stands_changed
    await follower.remember()
    await obeying.remember()
    app = make_app(site, live=live, commands=commands, stops=stops, averages=averages)
    server = _Server(_settings(app))
    web = asyncio.create_task(server.serve(sockets=[listening.socket]), name="web")
    broken = asyncio.Event()
    work = {"bus": follower.run(), "tick": follower.tick(), "live": live.run(), "stops": obeying.run()}
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


def _settings(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,  # a viewer that reads nothing would hold the hub up for longer
    )


def _forever(work: Coroutine[Any, Any, None], name: str, broken: asyncio.Event) -> asyncio.Task[None]:
    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("%s ended by a mistake of the hub", name, exc_info=task.exception())
            broken.set()

    task = asyncio.create_task(work, name=name)
    task.add_done_callback(ended)
    return task
