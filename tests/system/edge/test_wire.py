"""The edge of the hub on real sockets, with a small application behind it that says what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pilothouse.config.edge import Networks, parse_networks
from pilothouse.hub.certificates import make_authority, make_leaf
from pilothouse.hub.edge import Bounds, Crowd, Server
from pilothouse.hub.listening import listen, raise_file_limit
from support.raw_http import GET, POST, Raw

QUICK = Bounds(
    handshake=0.5, head=0.5, body=1.0, pause=0.5, idle=0.5, answer=0.5, closing=0.3, sweep=0.1,
    per_address=5, per_proxy=8, total=400, pipelined=4,
)  # fmt: skip
LARGE = b"x" * 3_000_000


class App:
    """Answers what it was asked; `/slow` waits for `let_go`, `/api/live` never ends, `/large` is large."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        self.headers: list[list[tuple[bytes, bytes]]] = []
        self.gone = 0
        self.let_go = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone += 1
                return
            body += message["body"]
            if not message["more_body"]:
                break
        self.asked.append((scope["method"], scope["path"], body))
        self.headers.append(list(scope["headers"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/slow":
            await self.let_go.wait()
        if scope["path"] == "/api/live":
            await send({"type": "http.response.body", "body": b"hello", "more_body": True})
            await receive()
            self.gone += 1
            return
        content = LARGE if scope["path"] == "/large" else f"{scope['method']} {scope['path']}".encode()
        await send({"type": "http.response.body", "body": content})


class Edge:
    """A running server."""

    def __init__(self, port: int, app: App, crowd: Crowd) -> None:
        self.port = port
        self.app = app
        self.crowd = crowd

    async def to(self, **more: Any) -> Raw:
        """A connection to it."""
        return await Raw.to(self.port, **more)


@contextlib.asynccontextmanager
async def an_edge(
    bounds: Bounds = QUICK, *, tls: ssl.SSLContext | None = None, proxies: Networks = (), only_through: bool = False
) -> AsyncIterator[Edge]:
    """A server with these bounds, until the block ends; nothing is left of it then."""
    app, crowd = App(), Crowd(bounds, proxies, only_through=only_through)
    server, listening = Server(app, bounds, crowd, lambda: tls), listen("127.0.0.1", 0)
    port = listening.socket.getsockname()[1]
    web = asyncio.create_task(server.serve(sockets=[listening.socket]))
    try:
        while not server.started:
            await asyncio.sleep(0.001)
        yield Edge(port, app, crowd)
    finally:
        server.should_exit = True
        app.let_go.set()
        await web
    for _ in range(200):
        if not crowd.total:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{crowd.total} connections are left")


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    """With short times."""
    async with an_edge() as edge:
        yield edge


@pytest.fixture
async def calm() -> AsyncIterator[Edge]:
    """With the times of the house."""
    async with an_edge(Bounds(sweep=0.1)) as edge:
        yield edge


# what is refused, and in which way

REFUSED = {
    "length and chunks": (POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks and length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", 400),
    "the same length twice": (POST + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", 400),
    "a list of lengths": (POST + b"Content-Length: 4, 4\r\n\r\nabcd", 400),
    "a length with a sign": (POST + b"Content-Length: +4\r\n\r\nabcd", 400),
    "a negative length": (POST + b"Content-Length: -4\r\n\r\nabcd", 400),
    "a length in hexadecimal": (POST + b"Content-Length: 0x4\r\n\r\nabcd", 400),
    "a length that overflows": (POST + b"Content-Length: 99999999999999999999\r\n\r\nabcd", 400),
    "no chunks in the end": (POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    "another coding": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    "identity": (POST + b"Transfer-Encoding: identity\r\n\r\nabcd", 501),
    "coding twice": (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400),
    "chunks in 1.0": (b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    "a hidden coding": (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "a space before the colon": (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    "a folded line": (GET + b"X: a\r\n b\r\n\r\n", 400),
    "a folded first line": (b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n", 400),
    "lines without CR": (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
    "one line without CR": (GET + b"X: a\nY: b\r\n\r\n", 400),
    "an end without CR": (GET + b"\n", 400),
    "a CR alone": (GET + b"X: a\rY: b\r\n\r\n", 400),
    "a NUL": (GET + b"X: a\x00b\r\n\r\n", 400),
    "no name": (GET + b": a\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (GET + b"Host: evil\r\n\r\n", 400),
    "two tokens": (GET + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400),
    "another host in the address": (b"GET http://evil/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "a fragment": (b"GET /a#b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "bytes that are no text": (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "a space in the address": (b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "a tunnel": (b"CONNECT evil:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "HTTP/2 without TLS": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/2 in words": (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
    "HTTP/0.9": (b"GET /\r\n\r\n", 505),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "nonsense": (b"\x00\x01\x02\r\n\r\n", 400),
    "an upgrade with a body": (POST + b"Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 4\r\n\r\n", 400),
    "many headers": (GET + b"".join(b"X-%d: y\r\n" % n for n in range(101)) + b"\r\n", 431),
    "a large header": (GET + b"X: " + b"y" * 40_000 + b"\r\n\r\n", 431),
    "large headers": (GET + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(40)) + b"\r\n", 431),
    "a large address": (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
    "a large head in one piece": (GET + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 400) for n in range(99)) + b"\r\n", 431),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_head_that_can_be_read_in_two_ways_is_refused(calm: Edge, case: str) -> None:
    """One answer that says so, then the end; no application sees any of it, nor what is smuggled behind it."""
    data, status = REFUSED[case]
    async with await calm.to() as raw:
        raw.send(data + b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n")
        reply = await raw.reply()
        assert reply.status == status, reply
        assert reply.headers["connection"] == "close" and reply.headers["content-type"].startswith("text/plain")
        assert await raw.ended()
    assert calm.app.asked == []


BODIES = {
    "a chunk without CR": b"4\nabcd\n0\n\n",
    "a space after the size": b"4 \r\nabcd\r\n0\r\n\r\n",
    "a negative size": b"-4\r\nabcd\r\n0\r\n\r\n",
    "a size with 0x": b"0x4\r\nabcd\r\n0\r\n\r\n",
    "a size that overflows": b"fffffffffffffffff\r\nabcd\r\n0\r\n\r\n",
    "more than the size": b"4\r\nabcdX\r\n0\r\n\r\n",
    "an extension with LF": b"4;a\nb\r\nabcd\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("case", BODIES)
@pytest.mark.parametrize("apart", [False, True])
async def test_a_body_that_can_be_read_in_two_ways_is_refused(calm: Edge, case: str, apart: bool, until) -> None:
    """Whoever waits for it is told that it does not come; in one piece with the head or after it."""
    async with await calm.to() as raw:
        raw.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        if apart:
            await asyncio.sleep(0.05)
        raw.send(BODIES[case] + b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await raw.reply()).status == 400
        assert await raw.ended()
    assert calm.app.asked == []
    await until(lambda: calm.app.gone == 1, "the application to be told")


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        (POST + b"Transfer-Encoding: chunked\r\n\r\n4;a=b\r\nabcd\r\n0\r\n\r\n", ("POST", "/", b"abcd")),
        (POST + b"Transfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", ("POST", "/", b"abcd")),
        (POST + b"Content-Length: 4 \r\n\r\nabcd", ("POST", "/", b"abcd")),
        (GET + b"Content-Length: 4\r\n\r\nabcd", ("GET", "/", b"abcd")),
        (b"\r\n\r\n" + GET + b"\r\n", ("GET", "/", b"")),
        (b"GET http://localhost/a HTTP/1.1\r\nHost: localhost\r\n\r\n", ("GET", "/a", b"")),
        (b"GET //evil/x HTTP/1.1\r\nHost: localhost\r\n\r\n", ("GET", "//evil/x", b"")),
        (GET + b"X: " + b"y" * 30_000 + b"\r\n\r\n", ("GET", "/", b"")),
    ],
)
async def test_what_can_be_read_in_one_way_is_served(calm: Edge, data: bytes, asked: tuple[str, str, bytes]) -> None:
    """And the connection goes on."""
    async with await calm.to() as raw:
        for _ in range(2):
            raw.send(data)
            assert (await raw.reply()).status == 200
    assert calm.app.asked == [asked, asked]


async def test_headers_after_a_body_go_nowhere(calm: Edge) -> None:
    """A proxy takes away what browsers send in heads; it would not see these."""
    async with await calm.to() as raw:
        raw.send(
            POST + b"Transfer-Encoding: chunked\r\nTrailer: X-Remote-User\r\n\r\n"
            b"4\r\nabcd\r\n0\r\nX-Remote-User: admin\r\nHost: evil\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n"
        )
        assert (await raw.reply()).status == 200
        raw.send(GET + b"\r\n")
        assert (await raw.reply()).status == 200
    names = {name for headers in calm.app.headers for name, _ in headers}
    assert names == {b"host", b"transfer-encoding", b"trailer"}


async def test_another_protocol_is_not_spoken(calm: Edge) -> None:
    """The request is served as it is; nothing that follows on that connection is taken for a request."""
    async with await calm.to() as raw:
        raw.send(GET + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n")
        reply = await raw.reply()
        assert reply.status == 200 and reply.headers["connection"] == "close"
        assert await raw.ended()
    assert calm.app.asked == [("GET", "/", b"")]


# one after the other

SLOW = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_requests_in_a_row_are_answered_in_order(calm: Edge) -> None:
    """A few at once, as some clients send them."""
    async with await calm.to() as raw:
        raw.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % n for n in range(4)))
        assert [(await raw.reply()).body for _ in range(4)] == [b"GET /%d" % n for n in range(4)]


async def test_a_flood_of_requests_ends_with_the_answer_on_its_way(edge: Edge, until) -> None:
    """A thousand at once on one connection: those that wait are not begun, and memory is not filled with them."""
    async with await edge.to() as raw:
        raw.send(SLOW + b"".join(b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % n for n in range(1000)))
        await until(lambda: edge.app.asked, "the first to be asked")
        edge.app.let_go.set()
        assert (await raw.reply()).body == b"GET /slow"
        assert await raw.ended()
    assert len(edge.app.asked) == 1


async def test_nonsense_behind_a_request_does_not_get_into_its_answer(calm: Edge, until) -> None:
    """The answer is whole, and the last."""
    async with await calm.to() as raw:
        raw.send(SLOW)
        await until(lambda: calm.app.asked, "it to be asked")
        raw.send(b"\x00nonsense\r\n\r\n")
        await asyncio.sleep(0.05)
        calm.app.let_go.set()
        assert (await raw.reply()).body == b"GET /slow"
        assert await raw.ended()


async def test_nonsense_behind_a_stream_ends_it(calm: Edge, until) -> None:
    """A stream has no end of its own."""
    async with await calm.to() as raw:
        raw.send(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"hello" in await raw.reader.readuntil(b"hello")
        raw.send(b"\x00nonsense\r\n\r\n")
        assert b"HTTP/1.1" not in await raw.rest()
        await until(lambda: calm.app.gone == 1, "the application to be told")


# times

LATE = [
    (b"", None),
    (b"GET", 408),
    (GET, 408),
    (GET + b"X: y", 408),
    (POST + b"Content-Length: 10\r\n\r\n", 408),
    (POST + b"Content-Length: 10\r\n\r\nabc", 408),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n4\r\nab", 408),
    (b"\r\n\r\n", None),
]


@pytest.mark.parametrize(("data", "status"), LATE)
async def test_what_stops_on_its_way_is_let_go(edge: Edge, data: bytes, status: int | None) -> None:
    """With a word, when something was asked."""
    async with await edge.to() as raw:
        raw.send(data)
        if status is not None:
            assert (await raw.reply()).status == status
        assert await raw.ended()


@pytest.mark.parametrize(
    "start", [GET, POST + b"Content-Length: 1000\r\n\r\n", POST + b"Transfer-Encoding: chunked\r\n\r\n"]
)
async def test_what_drips_is_let_go(edge: Edge, start: bytes) -> None:
    """A byte now and then does not buy more time (slowloris)."""
    drip = b"1\r\nx\r\n" if b"chunked" in start else b"x"
    async with await edge.to() as raw:
        raw.send(start)
        reply = asyncio.create_task(raw.reply())
        while not reply.done():
            raw.send(drip)
            await asyncio.sleep(0.02)
        assert (await reply).status == 408


async def test_an_endless_head_is_let_go(calm: Edge) -> None:
    """When it is too large, long before it is too late; whether in headers, one header, or the address."""
    for start, piece in ((GET, b"X: yyyyyyyyyyyyyyyyyyyyyyyyyy\r\n"), (GET + b"X: ", b"y" * 32), (b"GET /", b"a" * 32)):
        async with await calm.to() as raw:
            raw.send(start)
            reply = asyncio.create_task(raw.reply())
            for _ in range(100_000):
                if reply.done():
                    break
                raw.send(piece * 30)
                await asyncio.sleep(0)
            assert (await reply).status == 431


async def test_an_endless_body_is_let_go(calm: Edge) -> None:
    """Also one that is nothing but extensions of its chunks."""
    async with await calm.to() as raw:
        raw.send(POST + b"Transfer-Encoding: chunked\r\n\r\n4;")
        reply = asyncio.create_task(raw.reply())
        for _ in range(100_000):
            if reply.done():
                break
            raw.send(b"a" * 60_000)
            await asyncio.sleep(0)
        assert (await reply).status == 413


async def test_an_idle_connection_is_closed_and_one_in_use_is_not(edge: Edge) -> None:
    """Without a word: nothing was asked."""
    async with await edge.to() as raw:
        for _ in range(5):
            raw.send(GET + b"\r\n")
            assert (await raw.reply()).status == 200
            await asyncio.sleep(0.2)
        assert await raw.ended()


def deaf(port: int) -> socket.socket:
    """A client with a small ear."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    return client


async def test_a_reader_who_does_not_read_is_let_go(edge: Edge, until) -> None:
    """Whether the answer is large, or small ones add up; others are served meanwhile."""
    with deaf(edge.port) as one, deaf(edge.port) as other:
        one.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        other.setblocking(False)
        await until(lambda: edge.crowd.total == 2, "both to be connected")

        def ask_again() -> bool:
            with contextlib.suppress(OSError):
                other.send(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return edge.crowd.total == 0

        await until(ask_again, "both to be let go")


async def test_a_slow_reader_gets_all(edge: Edge) -> None:
    """Slow is not deaf."""
    async with await edge.to() as raw:
        raw.send(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        got = 0
        while piece := await raw.reader.read(60_000):
            got += len(piece)
            await asyncio.sleep(0.02)
        assert got > len(LARGE)


async def test_a_stream_may_stay(edge: Edge) -> None:
    """Long after what is not a stream was let go."""
    async with await edge.to() as raw:
        raw.send(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await raw.reader.readuntil(b"hello")
        with pytest.raises(TimeoutError):
            await raw.rest(seconds=2)


async def test_an_application_may_take_its_time(edge: Edge) -> None:
    """A command waits for its device."""
    async with await edge.to() as raw:
        raw.send(SLOW)
        await asyncio.sleep(1.5)
        edge.app.let_go.set()
        assert (await raw.reply()).body == b"GET /slow"


# how many


async def test_too_many_from_one_address_are_turned_away_and_others_are_not() -> None:
    """The 9th of the proxy's own 8 gets a word and the end; whoever comes from elsewhere is served."""
    async with an_edge() as edge, contextlib.AsyncExitStack() as stack:
        for _ in range(8):
            await stack.enter_async_context(await edge.to())
        async with await edge.to() as one_more:
            assert (await one_more.reply()).status == 503
            assert await one_more.ended()
        async with await edge.to(come_from="127.0.0.2") as other:
            other.send(GET + b"\r\n")
            assert (await other.reply()).status == 200


async def test_who_leaves_makes_room(edge: Edge, until) -> None:
    """However the connection ended."""
    for data in (b"", b"nonsense\r\n\r\n", GET + b"\r\n", SLOW, POST + b"Content-Length: 9\r\n\r\n"):
        for _ in range(8):
            async with await edge.to() as raw:
                raw.send(data)
                await asyncio.sleep(0)
        await until(lambda: edge.crowd.total == 0, f"all to be gone after {data[:20]!r}")


async def test_past_the_proxy_nobody_comes() -> None:
    """This machine does; that strangers are turned away is the crowd's own test, for they come from elsewhere."""
    async with (
        an_edge(proxies=parse_networks(["10.0.0.1"]), only_through=True) as edge,
        await edge.to() as raw,
    ):
        raw.send(GET + b"\r\n")
        assert (await raw.reply()).status == 200


# TLS


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's."""
    folder: Path = tmp_path_factory.mktemp("tls")
    authority = make_authority("Test", {"localhost"}, datetime.now(UTC))
    leaf = make_leaf(authority, {"localhost"}, datetime.now(UTC))
    (folder / "both.pem").write_bytes(leaf.certificate + leaf.key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "both.pem")
    return server, ssl.create_default_context(cadata=authority.certificate.decode())


Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


async def test_tls_is_spoken(contexts: Contexts) -> None:
    """Many requests on one connection, small and large."""
    async with an_edge(Bounds(), tls=contexts[0]) as edge, await edge.to(tls=contexts[1]) as raw:
        raw.send(GET + b"\r\n")
        assert (await raw.reply()).status == 200
        raw.send(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert len((await raw.reply()).body) == len(LARGE)


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00" + b"x" * 100])
async def test_who_does_not_finish_the_handshake_is_let_go(contexts: Contexts, said: bytes) -> None:
    """Silent from the start, or after a few bytes, or with nonsense; others are served meanwhile."""
    async with an_edge(tls=contexts[0]) as edge, await edge.to() as silent:
        silent.send(said)
        async with await edge.to(tls=contexts[1]) as raw:
            raw.send(GET + b"\r\n")
            assert (await raw.reply()).status == 200
        await silent.rest()
    # an_edge looks that nothing is left


async def test_handshakes_count(contexts: Contexts) -> None:
    """Before they are through: otherwise silence would be a way in for any number."""
    async with an_edge(tls=contexts[0]) as edge, contextlib.AsyncExitStack() as stack:
        for _ in range(8):
            await stack.enter_async_context(await edge.to())
        async with await edge.to() as one_more:
            assert await one_more.ended()


async def test_plain_http_is_told_to_come_by_https(contexts: Contexts) -> None:
    """In words, and without a crash of the handshake."""
    async with an_edge(tls=contexts[0]) as edge, await edge.to() as raw:
        raw.send(GET + b"\r\n")
        reply = await raw.reply()
        assert reply.status == 400 and b"https" in reply.body
        assert await raw.ended()


async def test_a_deaf_reader_is_let_go_by_tls_too(contexts: Contexts, until) -> None:
    """What waits inside TLS counts as well."""
    async with an_edge(tls=contexts[0]) as edge:
        raw = await edge.to(tls=contexts[1])
        raw.writer.transport.pause_reading()
        raw.send(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
        await until(lambda: edge.app.asked, "it to be asked")
        await until(lambda: edge.crowd.total == 0, "it to be let go")
        raw.writer.transport.abort()


def test_as_many_files_as_may_be_are_asked_for() -> None:
    """Each connection is one; asking twice changes nothing."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        given = raise_file_limit()
        assert given >= before[0] or before[0] == resource.RLIM_INFINITY
        assert raise_file_limit() == given
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
