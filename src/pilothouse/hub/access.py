"""Who may come in: which Host and Origin are ours (pure), and whose session or token a request carries."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from pilothouse.config.edge import Networks
from pilothouse.config.site import ProxyLoginConfig
from pilothouse.hub.outside.header_login import HeaderLogin
from pilothouse.hub.proxy import Client, Headers, proxy_user
from pilothouse.record.people import People
from pilothouse.rights import Rights

_HOST = re.compile(r"(?:\[(?P<digits>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?", re.ASCII | re.I)
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Visitor(NamedTuple):
    """Who is let in, and through what."""

    who: str
    origin: str
    """"page" for a session of a browser, "api" for a token; what the ledger says."""
    rights: Rights
    """What they may."""
    id: str = ""
    """Of the session or token; no secret."""
    how: str = ""
    """How they logged in; "token" for programs."""
    expires: int = 0
    """When what they came with ends unless it is used before, Unix milliseconds; 0 = never."""


def cookie_name(*, secure: bool) -> str:
    """Name of the session's cookie. Under TLS the prefix makes the browser keep it for this host, by TLS, alone: no
    neighbour on the same machine or domain can plant one.
    """
    return "__Host-ph_session" if secure else "ph_session"


def host_of(header: str) -> str:
    """The host in a Host header, in small letters, without port and brackets; "" for anything else.

    Only what a browser can send passes: a parser of addresses finds a host of ours in "evil.example@localhost" too.
    """
    found = _HOST.fullmatch(header.strip())
    if found is None or (found["port"] and not 0 < int(found["port"]) < 65536):
        return ""
    return (found["digits"] or found["name"]).lower().rstrip(".")


def own_hosts(bind: str, public_url: str) -> frozenset[str]:
    """Names under which this hub may be asked; addresses in digits are always fine.

    A page of a stranger can point a name of its own at this machine (DNS rebinding), but not one of these.
    """
    machine = socket.gethostname().lower()
    names = {"localhost", bind.lower(), machine, f"{machine}.local"}
    if public_url:
        names.add(urlsplit(public_url).hostname or "")
    return frozenset(names - {""})


def host_allowed(header: str, names: frozenset[str]) -> bool:
    """Whether a request with this Host header is meant for us."""
    host = host_of(header)
    if not host:
        return False
    if host in names:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def same_origin(headers: Mapping[bytes, bytes], public_url: str = "", *, secure: bool = False) -> bool:
    """Whether a browser says that a page of ours sent this request; False when nobody says anything.

    `secure` is whether it came by TLS: the page of the same name without TLS may be anybody's on the way.
    """
    fetch_site = headers.get(b"sec-fetch-site")
    if fetch_site is not None and fetch_site not in (b"same-origin", b"none"):
        return False
    origin = headers.get(b"origin")
    if origin is None:
        return fetch_site is not None
    said = _origin(origin.decode("latin-1"))
    here = f"{'https' if secure else 'http'}://{headers.get(b'host', b'').decode('latin-1')}"
    return said != "" and said in (_origin(public_url), _origin(here))


def _origin(url: str) -> str:
    """Scheme, host and port of an http address, all said or left out in one way; "" for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    standard = {"http": 80, "https": 443}.get(parts.scheme)
    host = (parts.hostname or "").lower()
    if standard is None or not host:
        return ""
    return f"{parts.scheme}://{host} {port or standard}"


def bearer_of(header: bytes) -> str:
    """The token of an Authorization header, "" without one."""
    scheme, _, token = header.decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def is_basic(header: bytes) -> bool:
    """Whether it is what a proxy asks browsers for, and passes on: nothing of ours."""
    return header[:6].lower() == b"basic "


def cookie_of(header: bytes, name: str) -> str:
    """A cookie's value out of a Cookie header, "" without it."""
    for part in header.decode("latin-1").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return ""


class Access:
    """Asks the record whose secret a request carries. The record remembers answers for a moment, so this is cheap."""

    def __init__(
        self, people: People, trusted: Networks, login: ProxyLoginConfig, header: HeaderLogin | None = None
    ) -> None:
        self._people = people
        self._trusted = trusted
        self._login = login
        self._header = header

    async def visitor(self, headers: Mapping[bytes, bytes], raw: Headers, peer: str, client: Client) -> Visitor | None:
        """Whose request it is; None = nobody's that we know. A token beats a session, which beats a proxy's word.

        Raises RecordError, and WebError for a proxy's header that cannot be taken.
        """
        authorization = headers.get(b"authorization")
        if authorization is not None and not (self._header is not None and is_basic(authorization)):
            secret = bearer_of(authorization)
            token = await self._people.by_token(secret) if plausible(secret) else None
            return Visitor(token.who, "api", token.rights, token.id, token.how, token.expires) if token else None
        secret = cookie_of(headers.get(b"cookie", b""), cookie_name(secure=client.secure))
        known = await self._people.by_session(secret) if plausible(secret) else None
        if known is None and self._header is not None:
            user = proxy_user(peer, raw, self._trusted, self._login)
            if user is not None:
                known = await self._header.visitor_by_header(user.name, user.groups, address=client.address)
        return Visitor(known.who, "page", known.rights, known.id, known.how, known.expires) if known else None


def plausible(secret: str) -> bool:
    """Whether it can be a secret of ours at all; anything else is not worth a look."""
    return 0 < len(secret) <= 200 and secret.isascii()
