"""Where the hub listens: the socket, and how browsers and programs reach it."""

from __future__ import annotations

import errno
import ipaddress
import resource
import socket
from typing import NamedTuple

from pilothouse.errors import CannotStart

_SEND_BUFFER = 128 * 1024
_VANISHED = 60
"""Seconds after which the kernel gives up a connection whose other side does not even say that it got something."""
_OPTIONS = (
    # Left to itself the kernel keeps megabytes for each viewer that reads slowly.
    (socket.SOL_SOCKET, "SO_SNDBUF", _SEND_BUFFER),
    (socket.IPPROTO_TCP, "TCP_NODELAY", 1),
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", _VANISHED // 2),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 10),
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", 3),
    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", _VANISHED * 1000),
)
"""What every connection inherits; some systems know fewer of them."""


_MOST_FILES = 65_536
"""More than the edge ever lets in."""


class Listening(NamedTuple):
    """An open socket and its addresses, without a slash at the end."""

    socket: socket.socket
    local: str
    """For programs on this machine."""
    others: str
    """For other machines, as far as this one knows its name; "" when they cannot reach it."""


def listen(host: str, port: int, *, tls: bool = False) -> Listening:
    """Bind and listen; raises CannotStart for a busy port or an address that is not of this machine.

    `tls` is whether those who connect are spoken to by TLS.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for level, name, value in _OPTIONS:
            if hasattr(socket, name):
                opened.setsockopt(level, getattr(socket, name), value)
        opened.bind((host, port))
        opened.listen(2048)
    except (OSError, OverflowError) as error:
        opened.close()
        raise _cannot(host, port, error) from None
    opened.setblocking(False)
    bound = opened.getsockname()[1]
    everywhere = _is_wildcard(host)
    scheme = "https" if tls else "http"
    local = f"{scheme}://{_bracketed('127.0.0.1' if everywhere else host)}:{bound}"
    return Listening(opened, local, f"{scheme}://{socket.gethostname()}:{bound}" if everywhere else "")


def raise_file_limit() -> int:
    """As many open files as the system lets this process have; gives how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MOST_FILES if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft  # some systems promise more than they give
    return wanted


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return host == ""


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _cannot(host: str, port: int, error: Exception) -> CannotStart:
    code = error.errno if isinstance(error, OSError) else None
    what = f"The hub cannot listen on {host}, port {port}"
    if code == errno.EADDRINUSE:
        return CannotStart(
            what,
            why="another program has that port (perhaps another Pilothouse)",
            remedy="Stop that, or take another port with --port 8471 or [hub] port in the configuration",
        )
    if code == errno.EACCES:
        return CannotStart(what, why="ports below 1024 are for root", remedy="Take another port with --port 8470")
    return CannotStart(what, why=str(error), remedy="Give an address of this machine with --host, such as 127.0.0.1")
