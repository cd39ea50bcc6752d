"""Certificates made and looked at: an authority of this site, and what it vouches for. Pure; times are given.

The authority may only vouch for names and addresses of private networks and of this very machine (name constraints):
whoever installs it on a phone trusts it with nothing else.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pilothouse.config.edge import Ip, ip_of

AUTHORITY_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=397)
"""The longest that browsers take."""
RENEW_BEFORE = timedelta(days=30)
_BACK = timedelta(days=1)
"""Valid from so long before now: clocks of other machines are not quite right."""
_BORN = datetime(2026, 1, 1, tzinfo=UTC)
"""No clock that shows less is right: a Pi without a clock chip begins somewhere in the past."""
_PRIVATE_NAMES = ("localhost", "local", "lan", "home.arpa", "internal", "home")
_PRIVATE_NETWORKS = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
    "::1/128", "fc00::/7", "fe80::/10",
)  # fmt: skip

_Key: TypeAlias = ec.EllipticCurvePrivateKey
_San: TypeAlias = x509.DNSName | x509.IPAddress


class Pair(NamedTuple):
    """A certificate and its key, each as PEM."""

    certificate: bytes
    key: bytes


class Unfit(ValueError):
    """A certificate or key that cannot be used; the text says why."""


def make_authority(title: str, hosts: Iterable[str], now: datetime) -> Pair:
    """A new authority that may vouch for private names and networks, and for `hosts` (names, addresses)."""
    key, start = ec.generate_private_key(ec.SECP256R1()), _start(now)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Pilothouse"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Pilothouse of {title}"[:64]),
        ]
    )
    usage = {"key_cert_sign": True, "crl_sign": True}
    certificate = (
        _builder(name, name, key, start, start + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(**usage), critical=True)
        .add_extension(x509.NameConstraints(_permitted(hosts), None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Pair(_pem(certificate), _key_pem(key))


def make_leaf(authority: Pair, hosts: Iterable[str], now: datetime) -> Pair:
    """A certificate for `hosts`, with its key; raises Unfit when there is none that the authority may vouch for."""
    ca = _certificate(authority.certificate)
    ca_key = serialization.load_pem_private_key(authority.key, None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    sans = [_san(host) for host in sorted(vouched(authority.certificate, hosts))]
    if not sans:
        raise Unfit("the authority may vouch for none of the names of this machine")
    named = next((str(san.value) for san in sans if isinstance(san, x509.DNSName)), "localhost")
    key, start = ec.generate_private_key(ec.SECP256R1()), _start(now)
    certificate = (
        _builder(_common(named), ca.subject, key, start, min(start + LEAF_LIFE, ca.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(sans), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return Pair(_pem(certificate), _key_pem(key))


def vouched(authority: bytes, hosts: Iterable[str]) -> set[str]:
    """Which of `hosts` the authority may vouch for."""
    found = _certificate(authority).extensions.get_extension_for_class(x509.NameConstraints).value
    permitted = found.permitted_subtrees or ()
    names = [tree.value for tree in permitted if isinstance(tree, x509.DNSName)]
    networks = [tree.value for tree in permitted if isinstance(tree, x509.IPAddress)]

    def may(host: str) -> bool:
        address = ip_of(host)
        if address is None:
            return any(host == name or host.endswith(f".{name}") for name in names)
        return any(not isinstance(network, Ip) and address in network for network in networks)

    return {host for host in hosts if may(host)}


def fits(leaf: bytes, authority: bytes, hosts: Iterable[str], now: datetime) -> bool:
    """Whether a leaf is of this authority, names all `hosts` that it may, and has time left."""
    try:
        certificate, ca = _certificate(leaf), _certificate(authority)
        certificate.verify_directly_issued_by(ca)
    except (Unfit, ValueError, TypeError, InvalidSignature):
        return False
    in_time = certificate.not_valid_before_utc <= max(now, _BORN) < certificate.not_valid_after_utc - RENEW_BEFORE
    return in_time and vouched(authority, hosts) <= set(hosts_of(leaf))


def authority_lasts(authority: bytes, now: datetime) -> bool:
    """Whether an authority is in its time, with enough of it left for one more certificate."""
    found = _certificate(authority)
    return found.not_valid_before_utc <= max(now, _BORN) < found.not_valid_after_utc - 2 * RENEW_BEFORE


def hosts_of(certificate: bytes) -> list[str]:
    """The names and addresses that a certificate is for."""
    try:
        found = _certificate(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(san.value) for san in found if isinstance(san, x509.DNSName | x509.IPAddress)]


def names_host(certificate: bytes, host: str) -> bool:
    """Whether a certificate is for `host`, by itself or with all names of its domain."""
    address, wild = ip_of(host), f"*.{host.partition('.')[2]}"
    given = [name.lower() for name in hosts_of(certificate)]
    return str(address) in given if address is not None else host.lower() in given or wild.lower() in given


def valid_until(certificate: bytes) -> datetime:
    """The end of a certificate; raises Unfit when it is none."""
    return _certificate(certificate).not_valid_after_utc


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate, as browsers and phones show it."""
    return _certificate(certificate).fingerprint(hashes.SHA256()).hex(":").upper()


def check_pair(certificate: bytes, key: bytes, now: datetime) -> None:
    """Raise Unfit for a certificate and key that do not belong together, or not to this time."""
    found, own = _certificate(certificate), _private(key)
    if own.public_key() != found.public_key():
        raise Unfit("the key belongs to another certificate")
    if found.not_valid_after_utc <= now:
        raise Unfit(f"it was valid until {found.not_valid_after_utc:%Y-%m-%d %H:%M} UTC")
    if found.not_valid_before_utc > now:
        raise Unfit(f"it is valid from {found.not_valid_before_utc:%Y-%m-%d %H:%M} UTC")


def _certificate(pem: bytes) -> x509.Certificate:
    """The first certificate of a PEM file; raises Unfit."""
    try:
        return x509.load_pem_x509_certificates(pem)[0]
    except ValueError:
        raise Unfit("it holds no certificate in PEM form") from None


def _private(pem: bytes) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(pem, None)
    except TypeError:
        raise Unfit("the key has a passphrase, which nobody could type here") from None
    except ValueError:
        raise Unfit("it holds no private key in PEM form") from None


def _start(now: datetime) -> datetime:
    return (max(now, _BORN) - _BACK).replace(microsecond=0)


def _common(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: _Key, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(**on: bool) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: on.get(name, False) for name in every})


def _permitted(hosts: Iterable[str]) -> list[x509.GeneralName]:
    named = {*_PRIVATE_NAMES, *(host for host in hosts if ip_of(host) is None)}
    networks = [ipaddress.ip_network(text) for text in _PRIVATE_NETWORKS]
    own = [address for host in hosts if (address := ip_of(host))]
    networks += [ipaddress.ip_network(one) for one in own if not any(one in network for network in networks)]
    return [*(x509.DNSName(name) for name in sorted(named)), *(x509.IPAddress(network) for network in networks)]


def _san(host: str) -> _San:
    address = ip_of(host)
    return x509.DNSName(host) if address is None else x509.IPAddress(address)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: _Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
