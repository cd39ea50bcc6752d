"""The authority of this site, kept in the data folder: made once, and asked for a certificate whenever one is due."""

from __future__ import annotations

import contextlib
import fcntl
import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pilothouse.config.places import Places
from pilothouse.hub.certificates import (
    Pair,
    Unfit,
    authority_lasts,
    check_pair,
    fingerprint,
    fits,
    hosts_of,
    make_authority,
    make_leaf,
    vouched,
)
from pilothouse.hub.own_names import own_names
from pilothouse.process import write_atomically

log = logging.getLogger(__name__)


class OwnAuthority:
    """An authority in `places`; `certificate` is its PEM once `leaf` was called."""

    def __init__(self, places: Places, title: str, bind: str, public_url: str) -> None:
        self._places = places
        self._title = title
        self._bind = bind
        self._public_url = public_url
        self._shown = b""
        self._unvouched: set[str] = set()
        self.certificate = b""

    def leaf(self, now: datetime) -> bytes | None:
        """The certificate to show, which lies in `places.own_certificate`; None when that is still the last one.

        Raises Unfit when none can be made, OSError.
        """
        hosts = own_names(self._bind, self._public_url)
        with self._alone():
            authority = self._authority(hosts, now)
            self.certificate = authority.certificate
            self._say_what_is_not_vouched(hosts)
            kept = _read(self._places.own_certificate)
            if not fits(kept, authority.certificate, hosts, now):
                made = make_leaf(authority, hosts, now)
                kept = made.certificate + made.key
                write_atomically(self._places.own_certificate, kept, mode=0o600)
                log.info("a certificate was made for %s", ", ".join(hosts_of(made.certificate)))
        certificate = kept.partition(b"-----BEGIN PRIVATE")[0]
        if certificate == self._shown:
            return None
        self._shown = certificate
        return certificate

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Two hubs may share a data folder; only one of them makes the authority."""
        folder = self._places.tls
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _authority(self, hosts: frozenset[str], now: datetime) -> Pair:
        places = self._places
        kept = Pair(_read(places.authority), _read(places.authority_key))
        if kept.certificate and kept.key:
            if authority_lasts(kept.certificate, now):
                check_pair(kept.certificate, kept.key, now)
                return kept
            log.warning("the authority in %s is out of its time; a new one is made", places.authority)
        elif kept.certificate:
            raise Unfit(
                f"{places.authority_key} is not there: put it back, or move {places.authority} away for a new "
                "authority, which every browser must be told to trust anew"
            )
        made = make_authority(self._title, hosts, now)
        write_atomically(places.authority_key, made.key, mode=0o600)
        write_atomically(places.authority, made.certificate)
        log.info("an authority was made: %s, fingerprint %s", places.authority, fingerprint(made.certificate))
        return made

    def _say_what_is_not_vouched(self, hosts: frozenset[str]) -> None:
        left = set(hosts) - vouched(self.certificate, hosts)
        if left - self._unvouched:
            log.warning(
                "the authority in %s was made before this machine had the name %s, and may not vouch for it; "
                "move the folder away and start again for a new one, which every browser must be told to trust anew",
                self._places.tls,
                ", ".join(sorted(left)),
            )
        self._unvouched = left


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
