"""A small HTTP/1.1 client for load: keep-alive, parsing in C, so that it costs less than what it measures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import httptools

READ_LIMIT = 4 * 1024 * 1024


def request_bytes(method: str, path: str, host: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """One request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    if body or method not in ("GET", "HEAD"):
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Answer:
    """What came back."""

    __slots__ = ("body", "seconds", "status")

    def __init__(self, status: int, body: bytes, seconds: float) -> None:
        self.status = status
        self.body = body
        self.seconds = seconds


class _Parsed(asyncio.Protocol):
    """Feeds what comes to the parser; the parser calls the `on_…` methods."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.parser = httptools.HttpResponseParser(self)
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's, they only behave like them.
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(exc)

    def close(self) -> None:
        """Hang up."""
        if self.transport is not None:
            self.transport.close()


class Caller(_Parsed):
    """One connection that asks one thing after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._body: list[bytes] = []
        self._answer: asyncio.Future[Answer] | None = None
        self._asked = 0.0

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        """Send a request; its answer, timed from just before the send to the last byte."""
        assert self.transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._body.clear()
        self._asked = time.perf_counter()
        self.transport.write(request)
        return self._answer

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"the server hung up: {exc}"))

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """All of an answer is there; a new parser, because one parser reads one answer."""
        seconds = time.perf_counter() - self._asked
        answer = Answer(self.parser.get_status_code(), b"".join(self._body), seconds)
        self.parser = httptools.HttpResponseParser(self)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)


class Viewer(_Parsed):
    """One live stream; `frame` is called with every whole frame and the time (CLOCK_MONOTONIC) at which it came."""

    def __init__(self, frame: Callable[[bytes, float], None]) -> None:
        super().__init__()
        self._frame = frame
        self._rest = b""
        self.status = 0
        self.received = 0

    def on_headers_complete(self) -> None:
        """The answer begins."""
        self.status = self.parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        """A part of the stream; frames end with an empty line."""
        now = time.monotonic()
        self.received += len(body)
        if len(self._rest) > READ_LIMIT:
            raise ValueError("a frame without end")
        if not self._rest and body.endswith(b"\n\n") and body.count(b"\n\n") == 1:
            self._frame(body, now)
            return
        *frames, self._rest = (self._rest + body).split(b"\n\n")
        for frame in frames:
            self._frame(frame + b"\n\n", now)


async def connect(host: str, port: int, make: Callable[[], Any], limit: float = 20.0) -> Any:
    """A connected protocol made by `make`."""
    loop = asyncio.get_running_loop()
    _, protocol = await asyncio.wait_for(loop.create_connection(make, host, port), limit)
    return protocol
