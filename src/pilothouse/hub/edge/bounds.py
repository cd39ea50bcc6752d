"""How much of everything the edge takes; all of it may be set otherwise in tests."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from pilothouse.hub.live import VIEWERS


class Bounds(Struct, frozen=True, kw_only=True):
    """Times in seconds, sizes in bytes."""

    handshake: float = 10.0
    """From the connection to the end of the TLS handshake."""
    head: float = 10.0
    """From the connection, or the first byte of a further request, to the end of its head."""
    body: float = 30.0
    """From the end of the head to the end of the body."""
    pause: float = 10.0
    """Between two pieces of a body."""
    idle: float = 30.0
    """From an answer to the next request."""
    answer: float = 30.0
    """In which a reader must take `taken` of an answer; streams have a time of their own (hub.live)."""
    taken: int = 16 * 1024
    closing: float = 5.0
    """In which a connection that we close must be gone."""
    sweep: float = 1.0
    """How often all connections are looked over."""

    head_bytes: int = 32 * 1024
    """The head of a request: its first line and its headers."""
    headers: int = 100
    body_bytes: int = 4_000_000
    """A body on the wire, with everything around its chunks; how much of it counts is the application's to say."""
    pipelined: int = 16
    """Requests that wait on one connection while another is answered."""

    per_address: int = 64
    """Connections from one address; of IPv6, from one network of 64 bits, which is what one machine is given."""
    per_proxy: int = VIEWERS + 1_000
    """Connections from a trusted proxy, behind which everybody may be, and from this machine itself."""
    total: int = VIEWERS + 2_000
    """Connections in all."""
    kept_for_us: int = 50
    """Of these, for this machine itself: a crowd must not keep its owner from pressing stop on the command line."""


_OTHER_FILES = 200
"""Files that the hub has open besides: its record, the bus, pages that are being read."""


def within_files(bounds: Bounds, files: int) -> Bounds:
    """`bounds` as far as a process that may have so many files open can keep them."""
    total = max(100, min(bounds.total, files - _OTHER_FILES))
    return msgspec.structs.replace(bounds, total=total)
