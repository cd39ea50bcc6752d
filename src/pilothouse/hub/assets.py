"""Static files under /static/: in memory once asked for, compressed where that helps, with honest caching."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple

from pilothouse.hub.problems import WebError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".ico": "image/x-icon",
    ".png": "image/png",
}
_LARGEST = 8 * 1024 * 1024
FOR_EVER = b"private, max-age=31536000, immutable"
"""For an address that carries the hash of the content in `?v=`."""
ASK_AGAIN = b"no-cache"


class Asset(NamedTuple):
    """One file, ready to be sent."""

    stamp: int
    """Its modification time, to see that it was replaced."""
    kind: bytes
    etag: bytes
    plain: bytes
    packed: bytes | None
    """Compressed; None where that does not help."""


class Assets:
    """The files under one folder, as a mounted ASGI application."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._kept: dict[str, Asset] = {}

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one GET; raises WebError (404, 405)."""
        if scope["method"] != "GET":
            raise WebError(405, "method", "Files can only be read")
        path = scope["path"].removeprefix("/static").strip("/")
        asset = self.find(path)
        headers: dict[bytes, bytes] = dict(scope["headers"])
        versioned = scope["query_string"].startswith(b"v=")
        start = [
            (b"etag", asset.etag),
            (b"cache-control", FOR_EVER if versioned else ASK_AGAIN),
            (b"vary", b"accept-encoding"),
        ]
        if asset.etag in headers.get(b"if-none-match", b""):
            await send({"type": "http.response.start", "status": 304, "headers": start})
            await send({"type": "http.response.body", "body": b""})
            return
        body = asset.plain
        if asset.packed is not None and b"gzip" in headers.get(b"accept-encoding", b""):
            body = asset.packed
            start.append((b"content-encoding", b"gzip"))
        start += [(b"content-type", asset.kind), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": start})
        await send({"type": "http.response.body", "body": body})

    def find(self, path: str) -> Asset:
        """A file by its path under the folder; raises WebError (404), also for anything outside of it."""
        try:
            file = (self._folder / path).resolve()
            stat = file.stat()
        except (OSError, ValueError):
            raise _not_there(path) from None
        if not file.is_relative_to(self._folder) or not file.is_file() or stat.st_size > _LARGEST:
            raise _not_there(path)
        kept = self._kept.get(str(file))
        if kept is None or kept.stamp != stat.st_mtime_ns:
            kept = self._kept[str(file)] = _load(file, stat.st_mtime_ns)
        return kept


def _load(file: Path, stamp: int) -> Asset:
    plain = file.read_bytes()
    kind = _TYPES.get(file.suffix.lower()) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    packed = (
        gzip.compress(plain, 6, mtime=0) if len(plain) > 500 and not kind.startswith(("font/", "image/png")) else None
    )
    if packed is not None and len(packed) > 0.9 * len(plain):
        packed = None
    etag = f'"{hashlib.sha256(plain).hexdigest()[:24]}"'
    return Asset(stamp, kind.encode(), etag.encode(), plain, packed)


def _not_there(path: str) -> WebError:
    return WebError(404, "not-there", f"There is no file {path[:100]!r}")
