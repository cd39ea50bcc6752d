"""What a reverse proxy says of the browser behind it, and when it is believed. Pure.

Only the proxies in `hub.behind_proxy` are believed, and of a chain of addresses only what one of them wrote: everything
to the left of the first address that is none of them may have been made up by the browser. Host names that a proxy
forwards are never believed; `hub.public_url` says how browsers reach the hub.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from pilothouse.config.edge import Networks, ip_of, plain_address, within
from pilothouse.config.site import ProxyLoginConfig
from pilothouse.errors import BadName
from pilothouse.hub.problems import WebError
from pilothouse.rights import check_person

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
"""As they came, names in small letters; not a dict, for one that came twice must be seen."""

_HOPS = 32
"""Proxies in a row that are looked through."""
_GROUPS = 200


class Client(NamedTuple):
    """Where a request really came from."""

    address: str
    secure: bool
    """Whether it came by TLS, as far as browsers know."""


class ProxyUser(NamedTuple):
    """Whom the proxy has let in."""

    name: str
    groups: tuple[str, ...]


def client_of(peer: str, tls: bool, headers: Headers, trusted: Networks) -> Client:
    """The browser behind `peer`, who is at the other end of the connection; `tls` is the connection's own."""
    if not within(peer, trusted):
        return Client(plain_address(peer), tls)
    address = plain_address(peer)
    for hop, text in enumerate(_from_the_right(headers)):
        found = _address(text)
        if hop >= _HOPS or not found:
            break  # "unknown", or nonsense: what stands left of it is anybody's guess
        address = found
        if not within(found, trusted):
            break
    said = [word for value in _values(headers, b"x-forwarded-proto") for word in value.lower().split(",")]
    # Several words are those of several proxies: one leg without TLS is enough for it not to be secure.
    return Client(address, all(word.strip() == "https" for word in said) if said else tls)


def proxy_user(peer: str, headers: Headers, trusted: Networks, login: ProxyLoginConfig) -> ProxyUser | None:
    """Whom the proxy says that it let in; None when it is none of ours or says nobody.

    Raises WebError (400) for headers that a proxy set up as it should be never sends.
    """
    if not login.user_header or not within(peer, trusted):
        return None
    name = _single(headers, login.user_header)
    if not name:
        return None
    try:
        check_person(name)
    except BadName as error:
        raise _bad(f"The proxy sent {error.what}", error.why) from None
    groups = _single(headers, login.groups_header) if login.groups_header else ""
    found = tuple(dict.fromkeys(group.strip() for group in groups.split(",") if group.strip()))
    if len(found) > _GROUPS:
        raise _bad(f"The proxy sent {len(found)} groups", f"a person has {_GROUPS} at most")
    return ProxyUser(name, found)


def _values(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key == name]


def _from_the_right(headers: Headers) -> Iterator[str]:
    """The chain of addresses, the nearest first; several headers are one that was cut."""
    for value in reversed(_values(headers, b"x-forwarded-for")):
        yield from reversed(value.split(","))


def _address(text: str) -> str:
    """The address of one link of the chain, without its port; "" for what is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    found = ip_of(text)
    return "" if found is None else str(found)


def _single(headers: Headers, name: str) -> str:
    """The one header of that name; "" without it."""
    found = [value for key, value in headers if key == name.lower().encode("latin-1", "replace")]
    if not found:
        return ""
    if len(found) > 1:
        raise _bad(f"The header {name} came {len(found)} times", "one of them may be the browser's own")
    try:
        text = found[0].decode("utf-8").strip()
    except UnicodeDecodeError:
        raise _bad(f"The header {name} is not UTF-8", "") from None
    if not text.isprintable():
        raise _bad(f"The header {name} has characters that nobody sees", "")
    return text


def _bad(what: str, why: str) -> WebError:
    remedy = "Have the proxy take its own headers away from what browsers send, and set each once"
    return WebError(400, "bad-proxy", what, why=why, remedy=remedy)
