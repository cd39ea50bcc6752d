"""Whether it is the hub that answers: which certificates are believed, and what to do when one is not."""

from __future__ import annotations

import ssl
from pathlib import Path

from pilothouse.client.problems import Unreachable, plain
from pilothouse.errors import ConfigError

_EXPIRED, _NOT_YET, _OTHER_NAME = 10, 9, (62, 64)
"""Numbers of OpenSSL for what is wrong with a certificate."""


class NotTrusted(Unreachable):
    """Something answers there, and cannot show that it is the hub."""


def trusting(authority: Path) -> ssl.SSLContext:
    """Believe what this authority (a PEM file) vouches for, and nobody else; raises ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load(context, authority)
    return context


def exactly(certificate: Path) -> ssl.SSLContext:
    """Believe whoever shows this very certificate, by whatever name they were asked; raises ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    _load(context, certificate)
    return context


def _load(context: ssl.SSLContext, path: Path) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    remedy = "Name the PEM file of the hub's authority (tls/ca.pem in its data folder) with --ca FILE"
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise ConfigError(f"{path} holds no certificate in PEM form", remedy=remedy) from None
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(f"The certificate in {path} cannot be read", why=why, remedy=remedy) from None


def unreachable(url: str, error: Exception) -> Unreachable:
    """The error for people when nothing was heard from the hub at `url`."""
    cause = _tls_error(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _not_trusted(url, cause)
    if cause is not None and cause.reason == "WRONG_VERSION_NUMBER":
        plainly = url.replace("https://", "http://", 1)
        return Unreachable(f"What listens at {url} does not speak TLS", remedy=f"Is it {plainly}?")
    return Unreachable(
        f"The hub at {url} cannot be reached", why=plain(error), remedy="See what is wrong with: pilothouse doctor"
    )


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _not_trusted(url: str, error: ssl.SSLCertVerificationError) -> NotTrusted:
    what = f"The certificate that {url} shows is not trusted"
    if error.verify_code == _EXPIRED:
        return NotTrusted(what, why="it has expired", remedy="On the hub's machine: pilothouse doctor")
    if error.verify_code == _NOT_YET:
        return NotTrusted(what, why="it is not valid yet", remedy="Is the clock of this machine right? date")
    if error.verify_code in _OTHER_NAME:
        return NotTrusted(
            what,
            why="it is for other names",
            remedy="Use the address that the hub printed, or set hub.public_url to the one you use",
        )
    return NotTrusted(
        what,
        why="no authority that is trusted here vouches for it",
        remedy=f"Fetch {url}/ca.pem, compare its fingerprint with the one that the hub printed, and give it with "
        "--ca FILE or $PILOTHOUSE_CA",
    )
