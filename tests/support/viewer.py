"""A viewer of the live stream on a bare socket: reads when it is told to, and not a byte more."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Frame(NamedTuple):
    """One event of the stream."""

    name: str
    id: str
    data: Any


class RawViewer:
    """`await RawViewer.open(url, token)`; then `frame()` again and again."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.status = 0
        self.headers = ""
        self._text = b""

    @classmethod
    async def open(cls, url: str, token: str, query: str = "", *, session: str = "") -> RawViewer:
        """Connect, with a token or a session's secret, and read the head of the answer."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)
        viewer = cls(reader, writer)
        credentials = f"Cookie: ph_session={session}" if session else f"Authorization: Bearer {token}"
        writer.write(
            f"GET /api/live{query} HTTP/1.1\r\nHost: localhost\r\n{credentials}\r\n"
            "Accept: text/event-stream\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        viewer.status, viewer.headers = int(head.split(" ", 2)[1]), head.lower()
        return viewer

    async def _chunk(self) -> bytes:
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        return (await self.reader.readexactly(size + 2))[:-2]

    async def raw(self) -> bytes | None:
        """The next event or comment as it came; None when the stream has ended in order."""
        while b"\n\n" not in self._text:
            chunk = await self._chunk()
            if not chunk:
                return None
            self._text += chunk
        event, _, self._text = self._text.partition(b"\n\n")
        return event

    async def frame(self, *names: str) -> Frame | None:
        """The next event (of one of these names); None when the stream has ended."""
        while True:
            event = await self.raw()
            if event is None:
                return None
            fields = dict(line.split(": ", 1) for line in event.decode().splitlines() if not line.startswith(":"))
            if fields and (not names or fields["event"] in names):
                return Frame(fields["event"], fields.get("id", ""), json.loads(fields["data"]))

    async def change(self, member: str) -> Any:
        """The next change that has `member`; gives that member."""
        while True:
            frame = await self.frame("change")
            assert frame is not None, "the stream ended"
            if member in frame.data:
                return frame.data[member]

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except OSError:
            pass
