"""Pages of other sites that the configuration names may read the API with a token. Nobody else's may. Pure."""

from __future__ import annotations

from collections.abc import Mapping

_ALLOWED = (
    (b"access-control-allow-methods", b"GET, PUT, POST, DELETE"),
    (b"access-control-allow-headers", b"authorization, content-type, idempotency-key"),
    (b"access-control-max-age", b"600"),
)

Headers = tuple[tuple[bytes, bytes], ...]


def cross_origin(headers: Mapping[bytes, bytes], path: str, named: frozenset[str]) -> Headers:
    """What is added to an answer for a page of a named origin; () for everybody else.

    Never with credentials: such a page brings a token of its own, and a browser's session is no use to it.
    """
    origin = headers.get(b"origin", b"")
    if origin.decode("latin-1") not in named or not path.startswith("/api/"):
        return ()
    return ((b"access-control-allow-origin", origin), (b"vary", b"origin"))


def is_preflight(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser asks before it sends the real request."""
    return method == "OPTIONS" and b"access-control-request-method" in headers


def preflight(allowed: Headers) -> Headers:
    """The answer's headers: what such a page may send."""
    return (*allowed, *_ALLOWED) if allowed else ()
