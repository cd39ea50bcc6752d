"""Requests as bytes on a bare connection: what no library would send."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from support.attacks.world import World


def raw(world: World, head: bytes, body: bytes = b"", *, caller: str = "ada") -> bytes:
    """One request with exactly these bytes as its first lines; gives the whole answer."""
    parts = urlsplit(world.url)
    key = "".join(f"{name}: {value}\r\n" for name, value in world.key(caller).items())
    host = b"" if b"\r\nhost:" in head.lower() else b"Host: localhost\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as link:
        link.sendall(head + host + key.encode() + b"Connection: close\r\n\r\n" + body)
        link.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := link.recv(65536):
            answer += piece
    return answer


def status(answer: bytes) -> int:
    """The status of a raw answer; 0 when the hub hung up without one."""
    return int(answer.split(b" ", 2)[1]) if answer else 0
