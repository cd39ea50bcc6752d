"""Answers made of bytes that are there already: what is asked for often is encoded once for each change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response

from pilothouse.hub.site import Site

JSON = "application/json"


def json_answer(content: bytes, media_type: str = JSON, headers: dict[str, str] | None = None) -> Response[bytes]:
    """JSON that is bytes already."""
    return Response(content, media_type=media_type, headers=headers)


def encoded(content: Any) -> Response[bytes]:
    """Anything that msgspec can encode."""
    return json_answer(msgspec.json.encode(content))


class Kept:
    """One encoded answer, good for as long as nothing in the directory changes."""

    def __init__(self, make: Callable[[Site], bytes]) -> None:
        self._make = make
        self._site: Site | None = None
        self._revision = -1
        self._bytes = b""

    def bytes(self, site: Site) -> bytes:
        """The answer now."""
        if self._site is not site or self._revision != site.revision:
            self._bytes = self._make(site)
            self._site, self._revision = site, site.revision
        return self._bytes
