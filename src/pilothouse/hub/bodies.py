"""Bodies of requests: read, decoded and checked, with an honest status for each way in which they can be wrong."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import Request

from pilothouse.hub.problems import WebError

LIMIT = 1_000_000
"""Bytes that a body may have."""
T = TypeVar("T")

_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


async def read_body(request: Request[Any, Any, Any], kind: type[T]) -> T:
    """The JSON body of a request as `kind`.

    Raises WebError: 415 for another type of content, 400 for broken JSON or UTF-8, 422 for JSON of another shape; the
    framework raises 413 for a body that is too large.
    """
    check_type(request.headers.get("content-type", ""))
    return decode_body(await request.body(), kind)


def check_type(header: str) -> None:
    """Raise WebError (415) for anything but JSON in UTF-8."""
    essence, _, parameters = header.partition(";")
    kind = essence.strip().lower()
    json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if not json or ("charset=" in charset and "charset=utf-8" not in charset):
        raise WebError(
            415,
            "bad-type",
            f"The body is {header[:60]!r}" if header else "The body has no type",
            why="the hub takes JSON in UTF-8 only",
            remedy="Send it with the header Content-Type: application/json",
        )


def decode_body(body: bytes, kind: type[T]) -> T:
    """Bytes as `kind`; raises WebError (400, 422)."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        found: T = decoder.decode(body)
    except msgspec.ValidationError as error:
        raise WebError(422, "bad-shape", "The body has the wrong shape", why=str(error)[:300]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        if isinstance(error, UnicodeDecodeError):
            reason = "it is not UTF-8"
        raise WebError(400, "bad-json", "The body is no JSON", why=reason) from None
    return found
