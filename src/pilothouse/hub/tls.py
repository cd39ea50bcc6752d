"""TLS of a running hub: with a certificate of its own authority, made at first need, or with files of the owner's.

Both are looked at again every few minutes: a certificate that is running out, names another address than the machine
now has, or was replaced in its file is followed by the new one without a restart.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from pilothouse.clock import Clock
from pilothouse.config.places import Places
from pilothouse.config.site import HubConfig
from pilothouse.errors import CannotStart
from pilothouse.hub.certificates import Unfit, check_pair
from pilothouse.hub.own_authority import OwnAuthority
from pilothouse.hub.posture import Posture
from pilothouse.process import write_atomically

log = logging.getLogger(__name__)

LOOK_EVERY = 600.0
"""Seconds between two looks: short, because a Pi may start with a wrong clock and be told the time a minute later."""
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: forward secrecy and nothing broken; those of TLS 1.3 are all like that."""
_LIMIT = 1_000_000


class Shown(NamedTuple):
    """A certificate with its key, in files."""

    certificate: Path
    key: Path
    pem: bytes
    """The certificate, with the chain that goes with it."""


class Source(Protocol):
    """Where the certificate comes from."""

    def take(self, now: datetime) -> Shown | None:
        """What to show from now on; None = the same as before. Raises Unfit, OSError."""
        ...


class Tls:
    """What the hub shows; `context` is the one for connections that come now."""

    def __init__(self, source: Source, places: Places, clock: Clock) -> None:
        self._source = source
        self._places = places
        self._clock = clock
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.look()

    def look(self) -> bool:
        """Take what is to be shown from now on; whether that is another certificate. Raises Unfit, OSError."""
        shown = self._source.take(datetime.fromtimestamp(self._clock.now() / 1000, UTC))
        if shown is None:
            return False
        self.context = _context(shown)
        self._places.shown_certificate.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self._places.shown_certificate, shown.pem, sync=False)
        return True

    async def run(self) -> None:
        """Look every few minutes, until cancelled. What cannot be used is said once, and the old one goes on."""
        said = ""
        while True:
            await self._clock.sleep(LOOK_EVERY)
            try:
                if await asyncio.to_thread(self.look):
                    log.info("another certificate is shown from now on")
                said = ""
            except (Unfit, OSError) as error:
                if str(error) != said:
                    log.error("the certificate cannot be renewed, the old one goes on: %s", error)
                said = str(error)


class Given:
    """Files of the owner's."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._marks: object = None

    def take(self, now: datetime) -> Shown | None:
        """What stands in the files, when that has changed."""
        marks = (_mark(self._certificate), _mark(self._key))
        if marks == self._marks:
            return None
        pem, key = _read(self._certificate), _read(self._key)
        if self._key.stat().st_mode & 0o007:
            raise Unfit(f"{self._key} can be read by everybody on this machine: chmod 600 {self._key}")
        check_pair(pem, key, now)
        self._marks = marks
        return Shown(self._certificate, self._key, pem)


class Own:
    """Of our own authority."""

    def __init__(self, authority: OwnAuthority, path: Path) -> None:
        self._authority = authority
        self._path = path

    def take(self, now: datetime) -> Shown | None:
        """A new certificate, when the old one does not fit any more."""
        pem = self._authority.leaf(now)
        return None if pem is None else Shown(self._path, self._path, pem)


def open_tls(posture: Posture, hub: HubConfig, places: Places, clock: Clock, title: str) -> Tls | None:
    """The TLS that the posture asks for; None for none. Raises CannotStart."""
    if not posture.tls:
        return None
    try:
        if posture.kind == "given":
            certificate, key = Path(hub.certificate).expanduser(), Path(hub.key).expanduser()
            return Tls(Given(certificate, key), places, clock)
        authority = OwnAuthority(places, title, hub.host, hub.public_url)
        return Tls(Own(authority, places.own_certificate), places, clock)
    except (Unfit, OSError) as error:
        given = posture.kind == "given"
        raise CannotStart(
            f"TLS cannot be done with {hub.certificate}" if given else "The hub's own certificate cannot be made",
            why=_why(error),
            remedy="Check hub.certificate and hub.key in the configuration; without both the hub makes its own"
            if given
            else f"See to the folder {places.tls}",
        ) from None


def _context(shown: Shown) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(shown.certificate, shown.key, password=lambda: "")
    except ssl.SSLError as error:
        raise Unfit(f"{shown.certificate} and {shown.key} cannot be used: {error.reason or error}") from None
    return context


def _mark(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LIMIT)


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
