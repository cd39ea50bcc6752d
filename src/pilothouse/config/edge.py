"""What `[hub]` says of the way in: whose word a proxy's is, and what does not go together. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import urlsplit

from pilothouse.config.site import HubConfig
from pilothouse.errors import BadValue

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Networks: TypeAlias = tuple[Network, ...]
Ip: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_networks(texts: Iterable[str]) -> Networks:
    """Addresses and networks, "10.0.0.2", "10.0.0.0/8", "fd00::/8"; raises BadValue with the nearest right one."""
    return tuple(_network(text) for text in texts)


def _network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise BadValue(
            f"{text!r} is no address or network", remedy='Write it in digits, such as "127.0.0.1" or "10.0.0.0/24"'
        ) from None
    if network.prefixlen == 0:
        # Whoever connects would then be believed to be whoever they say.
        raise BadValue(f"{text!r} is the whole world, and a proxy is one machine", nearest="127.0.0.1")
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if mapped is not None and network.prefixlen >= 96:
        return ipaddress.ip_network((mapped, network.prefixlen - 96), strict=False)
    return network


@lru_cache(maxsize=1024)
def ip_of(text: str) -> Ip | None:
    """An address in digits, an IPv4 one out of its IPv6 clothes, without a zone; None for anything else."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None) or found


def plain_address(text: str) -> str:
    """The address as the ledger has it; what is none stays as it is."""
    found = ip_of(text)
    return text if found is None else str(found)


def within(address: str, networks: Networks) -> bool:
    """Whether an address is in one of the networks; False for what is no address."""
    found = ip_of(address) if networks else None
    return found is not None and any(found in network for network in networks)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    found = ip_of(host)
    return host.lower() == "localhost" if found is None else found.is_loopback


def mistakes_of(hub: HubConfig) -> Iterator[tuple[str, str, str]]:
    """What is wrong with `[hub]` as a whole: key, what, nearest right thing."""
    yield from _addresses(hub)
    url = _url(hub.public_url)
    if hub.public_url and url is None:
        yield "public_url", f"{hub.public_url!r} is no address of a page", "https://pilothouse.example.org"
    if hub.behind_proxy and not hub.public_url:
        yield "behind_proxy", 'needs public_url, such as public_url = "https://pilothouse.example.org"', ""
    if hub.certificate and not hub.key:
        yield "certificate", "needs key, the PEM file of its key (it may be the same file)", ""
    if hub.key and not hub.certificate:
        yield "key", "needs certificate, the PEM file that it belongs to", ""
    if hub.tls == "off" and hub.certificate:
        yield "tls", '"off" and a certificate do not go together: leave one of them out', "auto"


def _addresses(hub: HubConfig) -> Iterator[tuple[str, str, str]]:
    for text in hub.behind_proxy:
        try:
            _network(text)
        except BadValue as error:
            yield "behind_proxy", error.what, error.nearest


def _url(text: str) -> str | None:
    """The host of an http address; None for anything else."""
    try:
        parts = urlsplit(text)
        return parts.hostname if parts.scheme in ("http", "https") and parts.port != 0 else None
    except ValueError:
        return None
