"""Under which names and addresses this machine is asked, as far as it can tell; for its own certificate."""

from __future__ import annotations

import array
import fcntl
import ipaddress
import re
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pilothouse.config.edge import ip_of

_SIOCGIFCONF = 0x8912
_ENTRY = 40 if struct.calcsize("P") == 8 else 32
"""Bytes of Linux's `struct ifreq`: 16 of the name, then an address of which bytes 4 to 7 are the IPv4 one."""
_INTERFACES = 128
_INET6 = Path("/proc/net/if_inet6")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*", re.ASCII)


def own_names(bind: str, public_url: str) -> frozenset[str]:
    """Names and addresses that browsers may use: of loopback, of this machine, of `bind` and of `public_url`."""
    machine = socket.gethostname().lower()
    first = machine.partition(".")[0]
    public = (urlsplit(public_url).hostname or "") if public_url else ""
    names = {"localhost", machine, f"{first}.local", *(name for name in (bind.lower(), public) if ip_of(name) is None)}
    addresses = {"127.0.0.1", "::1", *own_addresses(), *(name for name in (bind, public) if ip_of(name))}
    usable = {str(address) for text in addresses if (address := ip_of(text)) and not address.is_unspecified}
    return frozenset(usable | {name for name in names if len(name) <= 253 and _LABEL.fullmatch(name)})


def own_addresses() -> set[str]:
    """Addresses of this machine in its networks.

    Not those that nobody types: of one link only, and global IPv6 ones, which change by themselves every day.
    """
    found = {*_ipv4(), *_ipv6()} or {*_by_name(), *_by_route()}
    return {text for text in found if (address := ip_of(text)) and _lasts(address)}


def _lasts(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if address.is_loopback or address.is_link_local or address.is_unspecified:
        return False
    return isinstance(address, ipaddress.IPv4Address) or address.is_private


def _ipv4() -> Iterator[str]:
    """What the kernel lists; nothing where it is asked in another way."""
    if sys.platform != "linux":
        return
    room = array.array("B", bytes(_ENTRY * _INTERFACES))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        request = struct.pack("iP", len(room), room.buffer_info()[0])
        try:
            size = struct.unpack("iP", fcntl.ioctl(asked.fileno(), _SIOCGIFCONF, request))[0]
        except OSError:
            return
    content = room.tobytes()
    for start in range(0, size, _ENTRY):
        yield socket.inet_ntoa(content[start + 20 : start + 24])


def _ipv6() -> Iterator[str]:
    try:
        lines = _INET6.read_text("ascii").splitlines()
    except OSError:
        return
    for line in lines:
        yield str(ipaddress.IPv6Address(int(line.split()[0], 16)))


def _by_name() -> Iterator[str]:
    try:
        found = socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        return
    for entry in found:
        yield str(entry[4][0])


def _by_route() -> Iterator[str]:
    """The address that a packet to elsewhere would have; none is sent."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            asked.connect(("192.0.2.1", 9))
            yield str(asked.getsockname()[0])
    except OSError:
        return
