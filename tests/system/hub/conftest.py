"""A real hub on a free port beside a real bus, with a client that is let in, and an agent that follows a script."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pilothouse.bus import Bus
from pilothouse.clock import SystemClock
from pilothouse.config.places import Places
from pilothouse.config.site import Config, NodeConfig
from pilothouse.hub.listening import listen
from pilothouse.hub.live import Live
from pilothouse.hub.serving import open_site, serving
from pilothouse.hub.site import Site
from support.scripted_agent import ScriptedAgent
from support.viewer import RawViewer

CONFIG = Config(node=NodeConfig(name="pi"))


class Hub:
    """A running hub of this very process."""

    def __init__(self, site: Site, live: Live, token: str) -> None:
        self.site = site
        self.live = live
        self.token = token
        self.url = site.url
        self.client = httpx2.AsyncClient(
            base_url=site.url, headers={"Authorization": f"Bearer {token}"}, timeout=20, trust_env=False
        )
        self.stranger = httpx2.AsyncClient(base_url=site.url, timeout=20, trust_env=False)

    async def set(self, series: str, value: object, key: str = "", **more: object) -> httpx2.Response:
        """Write a property, `node/thing.property`."""
        address, _, name = series.partition(".")
        headers = {"Idempotency-Key": key} if key else {}
        body = {"value": value, **more}
        return await self.client.put(f"/api/things/{address}/properties/{name}", json=body, headers=headers)

    async def viewer(self, query: str = "") -> RawViewer:
        """A viewer of the live stream, let in."""
        return await RawViewer.open(self.url, self.token, query)

    async def close(self) -> None:
        """Close the clients."""
        await self.client.aclose()
        await self.stranger.aclose()


@contextlib.asynccontextmanager
async def a_hub(data: Path, config: Config = CONFIG) -> AsyncIterator[Hub]:
    """A hub in `data`, until the block ends."""
    data.mkdir(parents=True, exist_ok=True)
    async with open_site(config, Places(data), SystemClock()) as site, serving(site, listen("127.0.0.1", 0)) as served:
        hub = Hub(site, served.live, await site.people.make_token("ada", "test"))
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
