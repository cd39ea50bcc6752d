"""Whether the head of a request can be read in one way only. Pure.

The parser has refused most of what two servers could read in two ways: a length beside chunks, two lengths, folded
lines, lines without CR, spaces before colons. Here is what it lets through.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from pilothouse.hub.edge.bounds import Bounds


class Refusal(Enum):
    """What is answered to a request that is not served: status and sentence."""

    BAD = (400, "This is no HTTP request that can be read in one way only.")
    HOSTS = (400, "A request has one header Host.")
    TWICE = (400, "A header that may be there once is there twice.")
    OTHER_HOST = (400, "The address and the header Host name different hosts.")
    UPGRADE = (400, "A request with a body cannot ask for another protocol.")
    LATE = (408, "The request did not come in time.")
    LARGE_BODY = (413, "The body is too large.")
    LARGE_HEAD = (431, "The head of the request is too large.")
    MANY_HEADERS = (431, "The request has too many headers.")
    CODING = (501, "The only transfer coding here is chunked, of HTTP/1.1.")
    VERSION = (505, "This hub speaks HTTP/1.1.")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.value[0]

    @property
    def text(self) -> str:
        """The body of the answer."""
        return self.value[1]


_ONCE = frozenset(
    {
        b"host", b"authorization", b"cookie", b"origin", b"sec-fetch-site", b"content-type", b"content-length",
        b"transfer-encoding", b"idempotency-key", b"upgrade", b"expect",
    }
)  # fmt: skip
"""Headers by which something is decided: of two, one program takes the first and the next one the last."""


def refusal_of(
    version: str,
    url: bytes,
    headers: Sequence[tuple[bytes, bytes]],
    bounds: Bounds,
    *,
    upgrade: bool,
    may_be_large: bool,
) -> Refusal | None:
    """Why a request with this head is not served; None when it is.

    `upgrade` is whether it asks for another protocol; only when it `may_be_large` is its size looked at.
    """
    if version not in ("1.1", "1.0"):
        return Refusal.VERSION
    if len(headers) > bounds.headers:
        return Refusal.MANY_HEADERS
    if may_be_large and len(url) + sum(len(name) + len(value) + 4 for name, value in headers) > bounds.head_bytes:
        return Refusal.LARGE_HEAD
    named = dict(headers)
    if len(named) != len(headers) and (doubled := _doubled(headers)):
        return Refusal.HOSTS if doubled == b"host" else Refusal.TWICE
    if version == "1.1" and b"host" not in named:
        return Refusal.HOSTS
    coding = named.get(b"transfer-encoding")
    if coding is not None and (version != "1.1" or coding.lower() != b"chunked"):
        return Refusal.CODING
    if upgrade and (coding is not None or named.get(b"content-length", b"0").strip() != b"0"):
        # The parser stops reading at such a head, and its body would be the next request.
        return Refusal.UPGRADE
    if url.startswith(b"/") and b"#" not in url:
        return None
    return _strange(url, named.get(b"host", b""))


def _doubled(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    seen = set()
    for name, _ in headers:
        if name in seen and name in _ONCE:
            return name
        seen.add(name)
    return b""


def _strange(url: bytes, host: bytes) -> Refusal | None:
    """An address that does not begin with a slash: proxies are sent those, with the host that they mean."""
    scheme, found, rest = url.partition(b"://")
    if not found or scheme.lower() not in (b"http", b"https") or b"#" in url:
        return Refusal.BAD
    authority = rest.partition(b"/")[0].partition(b"?")[0]
    return None if authority.lower() == host.strip().lower() else Refusal.OTHER_HOST
