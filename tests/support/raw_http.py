"""HTTP byte for byte on a bare socket: what no client library would send, and what comes back."""

from __future__ import annotations

import asyncio
import ssl
from typing import NamedTuple

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
"""The beginning of a request without a body; ends with a further b"\\r\\n"."""
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


class Reply(NamedTuple):
    """One answer."""

    status: int
    headers: dict[str, str]
    """Names in small letters."""
    body: bytes


class Raw:
    """A connection. `async with Raw.to(port) as raw: raw.send(GET + b"\\r\\n"); await raw.reply()`"""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(
        cls, port: int, *, host: str = "127.0.0.1", come_from: str = "", tls: ssl.SSLContext | None = None
    ) -> Raw:
        """Connect, if need be from another address of this machine (127.0.0.0/8)."""
        own = (come_from, 0) if come_from else None
        name = "localhost" if tls else None
        reader, writer = await asyncio.open_connection(
            host, port, local_addr=own, ssl=tls, server_hostname=name, limit=1 << 22
        )
        return cls(reader, writer)

    async def __aenter__(self) -> Raw:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()
        await asyncio.sleep(0)

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    async def reply(self, *, seconds: float = 15.0) -> Reply:
        """The next answer; EOFError when the connection was closed before its end."""
        async with asyncio.timeout(seconds):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            start, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            if headers.get("transfer-encoding") == "chunked":
                body = await self._chunks()
            else:
                body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Reply(int(start.split(" ")[1]), headers, body)

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            body += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readexactly(2)
        return body

    async def rest(self, *, seconds: float = 15.0) -> bytes:
        """All that still comes until the other side hangs up."""
        async with asyncio.timeout(seconds):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    async def ended(self, *, seconds: float = 15.0) -> bool:
        """Whether the other side hangs up, with nothing more said."""
        return await self.rest(seconds=seconds) == b""
