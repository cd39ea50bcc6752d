"""The edge before the real hub: what is slow, large, deaf or ambiguous is let go, and everybody else is served."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pilothouse.config.site import Config, HubConfig, NodeConfig
from pilothouse.hub.edge import Bounds
from support.raw_http import GET, Raw

PATH = b"/api/things/pi/bench/properties/on"
QUICK = Bounds(
    head=0.5, body=1.0, pause=0.5, idle=0.5, answer=0.5, closing=0.3, sweep=0.1, per_address=4, per_proxy=8
)  # fmt: skip


def put(hub: Any, more: bytes) -> bytes:
    """The head of a command, let in, with further headers."""
    token = hub.token.encode()
    return (
        b"PUT %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%s\r\n"
        % (PATH, token, more)
    )


@pytest.fixture
async def quick(tmp_path, start_hub) -> AsyncIterator[Any]:
    """A hub without a bus and with short times."""
    async with start_hub(tmp_path / "data", bounds=QUICK) as hub:
        yield hub


@pytest.mark.parametrize(
    ("begin", "drip", "status"),
    [
        (GET, b"", 408),
        (GET + b"X: ", b"y", 408),
        (b"PUT", b"", 408),
        (b"BODY", b"", 408),
        (b"BODY", b"x", 408),
        (GET + b"X: ", b"y" * 20_000, 431),
        (GET, b"X: y\r\n" * 4000, 431),
    ],
)
async def test_slow_and_endless_requests_are_let_go(quick, begin: bytes, drip: bytes, status: int, caplog) -> None:
    """Heads and bodies that stop, drip, or never end; the hub answers others and has nothing to complain of."""
    caplog.set_level(logging.WARNING)
    start = put(quick, b"Content-Length: 500\r\n") if begin == b"BODY" else begin
    async with await Raw.to(quick.port) as raw:
        raw.send(start)
        reply = asyncio.create_task(raw.reply())
        while not reply.done():
            raw.send(drip)
            assert (await quick.stranger.get("/healthz")).status_code == 200
            await asyncio.sleep(0.01)
        assert (await reply).status == status
        assert await raw.ended()
    assert await quick.site.ledger.lines() == []
    assert "Traceback" not in caplog.text and "broke" not in caplog.text, caplog.text


async def test_one_address_cannot_take_all_connections(quick) -> None:
    """One more than it may have is turned away at once; whoever comes from elsewhere is served, also by stream."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(8):
            await stack.enter_async_context(await Raw.to(quick.port))
        async with await Raw.to(quick.port) as one_more:
            assert (await one_more.reply()).status == 503
        async with await Raw.to(quick.port, come_from="127.0.0.2") as other:
            other.send(GET.replace(b"/", b"/healthz", 1) + b"\r\n")
            assert (await other.reply()).status == 200
    assert (await quick.client.get("/api/things")).status_code == 200


async def test_a_viewer_stays_where_others_are_let_go(quick) -> None:
    """The stream goes on long after every time of the edge is over."""
    viewer = await quick.viewer()
    try:
        assert (await viewer.frame()).name == "snapshot"
        for _ in range(2):
            assert (await viewer.frame("beat")) is not None
    finally:
        await viewer.close()


async def test_who_asks_and_never_reads_is_let_go(quick, until) -> None:
    """Its answers are not kept for it."""
    _, writer = await asyncio.open_connection("127.0.0.1", quick.port, limit=1024)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    ask = (
        b"GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n" % quick.token.encode()
    )

    def ask_again() -> bool:
        if not writer.is_closing():
            writer.write(ask)
        return writer.is_closing()

    try:
        await until(ask_again, "it to be let go")
    finally:
        writer.transport.abort()
    assert (await quick.client.get("/api/things")).status_code == 200


async def test_a_thousand_requests_at_once_do_not_hold_anybody_up(quick) -> None:
    """On one connection; what is answered is whole and in order."""
    async with await Raw.to(quick.port) as raw:
        raw.send((GET.replace(b"/", b"/healthz", 1) + b"\r\n") * 1000)
        replies = 0
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                assert (await raw.reply()).status == 200
                replies += 1
        assert 1 <= replies < 1000
    assert (await quick.client.get("/api/things")).status_code == 200


AMBIGUOUS = [
    b"Content-Length: 14\r\nTransfer-Encoding: chunked\r\n",
    b"Content-Length: 14\r\nContent-Length: 3\r\n",
    b"Content-Length: 14\r\nX: a\r\n folded\r\n",
    b"Content-Length: 14\nX: bare\r\n",
    b"Content-Length: 14\r\nHost: evil.example\r\n",
    b"Content-Length: 14\r\nAuthorization: Bearer other\r\n",
    b"Content-Length: 14\r\nConnection: upgrade\r\nUpgrade: websocket\r\n",
]


@pytest.mark.parametrize("more", AMBIGUOUS)
async def test_a_command_that_can_be_read_in_two_ways_is_none(hub, agent, more: bytes) -> None:
    """No device moves, nothing is in the ledger, and what stands behind it is not taken for a request."""
    async with await Raw.to(hub.port) as raw:
        raw.send(put(hub, more) + b'{"value":true}' + put(hub, b"Content-Length: 14\r\n") + b'{"value":true}')
        assert (await raw.reply()).status == 400
        assert await raw.ended()
    assert agent.commands == [] and await hub.site.ledger.lines() == []


async def test_chunks_with_extensions_are_one_body(hub, agent) -> None:
    """Whatever is said beside the sizes."""
    async with await Raw.to(hub.port) as raw:
        raw.send(put(hub, b"Transfer-Encoding: chunked\r\n"))
        raw.send(b'6;a="b"\r\n{"valu\r\n8;x\r\ne":true}\r\n0\r\n\r\n')
        assert (await raw.reply()).status == 200
    assert len(agent.commands) == 1


async def test_a_log_in_cannot_come_behind_the_body(hub, agent) -> None:
    """Headers there are nobody's: no token, no session, no word of a proxy."""
    head = put(hub, b"Transfer-Encoding: chunked\r\n").replace(b"Authorization:", b"X-Not:")
    async with await Raw.to(hub.port) as raw:
        raw.send(head + b'e\r\n{"value":true}\r\n0\r\nAuthorization: Bearer %s\r\n\r\n' % hub.token.encode())
        assert (await raw.reply()).status == 401
    assert agent.commands == []


async def test_behind_a_proxy_this_machine_is_still_served(tmp_path, start_hub) -> None:
    """Its command line comes directly; browsers come by the proxy's name."""
    proxied = HubConfig(behind_proxy=("10.0.0.1",), public_url="https://lab.example.org")
    async with start_hub(tmp_path / "data", Config(node=NodeConfig(name="pi"), hub=proxied)) as hub:
        assert hub.site.posture.kind == "proxy" and hub.url == "https://lab.example.org"
        async with await Raw.to(hub.port) as raw:
            raw.send(GET.replace(b"/", b"/healthz", 1) + b"\r\n")
            reply = await raw.reply()
        assert reply.status == 200 and reply.headers["strict-transport-security"].startswith("max-age=")
