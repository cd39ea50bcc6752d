"""A real hub on a free port beside a real bus, with a client that is let in, and an agent that follows a script."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pilothouse.bus import Bus
from pilothouse.clock import SystemClock
from pilothouse.config.places import Places
from pilothouse.config.site import Config, NodeConfig
from pilothouse.hub.edge import Bounds
from pilothouse.hub.listening import listen
from pilothouse.hub.live import Live
from pilothouse.hub.serving import open_site, serving
from pilothouse.hub.site import Site
from pilothouse.record.passwords import LEAST, Passwords
from pilothouse.record.people_rows import Scope
from support.people import known, session_of, token_of
from support.scripted_agent import ScriptedAgent
from support.viewer import RawViewer

CONFIG = Config(node=NodeConfig(name="pi"))


class Hub:
    """A running hub of this very process."""

    def __init__(self, site: Site, live: Live, token: str, port: int = 0) -> None:
        self.site = site
        self.live = live
        self.token = token
        self.port = port
        """Where it listens, whatever browsers call it."""
        self.url = site.url
        self.client = httpx2.AsyncClient(
            base_url=site.url, headers={"Authorization": f"Bearer {token}"}, timeout=20, trust_env=False
        )
        self._clients: list[httpx2.AsyncClient] = []
        self.stranger = httpx2.AsyncClient(base_url=site.url, timeout=20, trust_env=False)

    async def set(self, series: str, value: object, key: str = "", **more: object) -> httpx2.Response:
        """Write a property, `node/thing.property`."""
        address, _, name = series.partition(".")
        headers = {"Idempotency-Key": key} if key else {}
        body = {"value": value, **more}
        return await self.client.put(f"/api/things/{address}/properties/{name}", json=body, headers=headers)

    async def person(self, who: str, rights: Sequence[str] = ("admin",)) -> httpx2.AsyncClient:
        """A client with the session of somebody with these rights; its unsafe calls come from a page of this hub."""
        secret = await session_of(self.site.people, who, rights)
        return self._made({"Cookie": f"ph_session={secret}", "Origin": self.url})

    async def program(
        self, who: str, rights: Sequence[str] = ("admin",), *, scope: Scope = "administer", only: str = ""
    ) -> httpx2.AsyncClient:
        """A client with a token of somebody with these rights."""
        token = await token_of(self.site.people, who, rights, scope=scope, only=only)
        return self._made({"Authorization": f"Bearer {token}"})

    async def knows(self, who: str, rights: Sequence[str] = ("admin",)) -> None:
        """There is somebody with these rights and the password of support.people."""
        await known(self.site.people, who, rights, password=True)

    def _made(self, headers: dict[str, str]) -> httpx2.AsyncClient:
        client = httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=20, trust_env=False)
        self._clients.append(client)
        return client

    async def viewer(self, query: str = "") -> RawViewer:
        """A viewer of the live stream, let in."""
        return await RawViewer.open(self.url, self.token, query)

    async def close(self) -> None:
        """Close the clients."""
        for client in (self.client, self.stranger, *self._clients):
            await client.aclose()


@contextlib.asynccontextmanager
async def a_hub(data: Path, config: Config = CONFIG, bounds: Bounds | None = None) -> AsyncIterator[Hub]:
    """A hub in `data`, until the block ends."""
    data.mkdir(parents=True, exist_ok=True)
    opened = open_site(config, Places(data), SystemClock(), passwords=Passwords(LEAST))
    listening = listen("127.0.0.1", 0)
    port = listening.socket.getsockname()[1]
    async with opened as site, serving(site, listening, bounds or Bounds()) as served:
        hub = Hub(site, served.live, await token_of(site.people, "ada"), port)
        try:
            yield hub
        finally:
            await hub.close()
            assert not served.broken.is_set()


@pytest.fixture
async def lonely_hub(tmp_path: Path) -> AsyncIterator[Hub]:
    """A hub without a bus."""
    before = asyncio.all_tasks()
    async with a_hub(tmp_path / "data") as hub:
        yield hub
    assert asyncio.all_tasks() <= before | {asyncio.current_task()}


@pytest.fixture
async def hub(bus_server, until) -> AsyncIterator[Hub]:
    """A hub with a link to the bus of this test."""
    before = asyncio.all_tasks()
    async with a_hub(bus_server.places.data) as hub:
        await until(lambda: hub.site.link_up, "the hub's link")
        yield hub
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, left


@contextlib.asynccontextmanager
async def an_agent(bus_server, node: str = "pi", **more: Any) -> AsyncIterator[ScriptedAgent]:
    """A scripted agent with a link of its own."""
    bus = await Bus.connect(bus_server.address, name=f"agent-{node}", clock=SystemClock())
    try:
        async with ScriptedAgent(bus, node, **more) as agent:
            yield agent
    finally:
        await bus.close()


@pytest.fixture
async def agent(bus_server, hub, until) -> AsyncIterator[ScriptedAgent]:
    """Node "pi" with one thing "bench", known to the hub."""
    async with an_agent(bus_server) as agent:
        await until(lambda: len(list(hub.site.directory)) == 1, "the thing is known")
        await until(lambda: hub.site.directory.node("pi").life == "here", "the node is here")
        yield agent


@pytest.fixture
def start_agent(bus_server):
    """`async with start_agent("pi2", things=("a", "b")) as agent`."""
    return partial(an_agent, bus_server)


@pytest.fixture
def start_hub() -> Callable[..., contextlib.AbstractAsyncContextManager[Hub]]:
    """`async with start_hub(folder) as hub`."""
    return a_hub
