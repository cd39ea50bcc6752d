"""A hub with an authority of its own: fetch that before it is trusted, so that a person can compare its fingerprint."""

from __future__ import annotations

import hashlib
import re
import ssl

import httpx2

from pilothouse.client.trust import NotTrusted, unreachable

_LIMIT = 65_536
_ONE = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\s*")


def fetch_authority(url: str) -> bytes:
    """The certificate that the hub at `url` says is its authority's, PEM; b"" when it has none. Nothing is proved yet.

    Raises Unreachable.
    """
    try:
        # Nothing secret is sent, and what comes is believed only when a person says so.
        with httpx2.Client(verify=False, timeout=10.0, trust_env=False) as http:
            answer = http.get(f"{url}/ca.pem", headers={"Accept": "application/x-x509-ca-cert"})
            content = answer.content[:_LIMIT]
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        raise unreachable(url, error) from None
    found = _ONE.fullmatch(content.strip())
    return found.group(0).strip() + b"\n" if found and answer.status_code == 200 else b""


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate, as the hub prints it: "AB:CD:…". Raises NotTrusted for what is none."""
    try:
        der = ssl.PEM_cert_to_DER_cert(certificate.decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        raise NotTrusted("What the hub gives as its authority is no certificate") from None
    return hashlib.sha256(der).digest().hex(":").upper()
