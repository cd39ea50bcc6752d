"""Certificates of our own authority: what they are for, how long, and what they can never be for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

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
    names_host,
    valid_until,
    vouched,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "pi", "pi.local", "192.168.1.20", "lab.example.org"})


@pytest.fixture(scope="module")
def authority() -> Pair:
    """Of this site."""
    return make_authority("Home", HOSTS, NOW)


@pytest.fixture(scope="module")
def leaf(authority: Pair) -> Pair:
    """What it vouches for."""
    return make_leaf(authority, HOSTS, NOW)


def test_the_authority_is_one_and_lasts_ten_years(authority: Pair) -> None:
    """It signs nothing but leaves, with a curve that every browser knows."""
    found = x509.load_pem_x509_certificate(authority.certificate)
    basic = found.extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical and basic.value.ca and basic.value.path_length == 0
    assert valid_until(authority.certificate) - NOW > timedelta(days=3640)
    assert isinstance(found.public_key(), ec.EllipticCurvePublicKey)
    assert "Home" in found.subject.rfc4514_string()
    assert found.extensions.get_extension_for_class(x509.NameConstraints).critical


def test_a_leaf_is_for_its_hosts_and_not_longer_than_browsers_take(authority: Pair, leaf: Pair) -> None:
    """397 days in all, one of them in the past for clocks that are behind."""
    found = x509.load_pem_x509_certificate(leaf.certificate)
    assert set(hosts_of(leaf.certificate)) == HOSTS
    assert found.not_valid_after_utc - found.not_valid_before_utc <= timedelta(days=397)
    assert found.not_valid_before_utc <= NOW - timedelta(hours=23)
    usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    check_pair(leaf.certificate, leaf.key, NOW)
    found.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate))


def test_the_authority_vouches_for_private_names_and_its_own_only(authority: Pair) -> None:
    """A stolen key of it opens nobody's bank."""
    asked = {"localhost", "x.local", "nas.lan", "pi", "10.9.8.7", "fd00::5", "lab.example.org"}
    foreign = {"example.org", "bank.example.com", "org", "notlocal", "8.8.8.8", "2001:4860::1"}
    assert vouched(authority.certificate, asked | foreign) == asked
    assert set(hosts_of(make_leaf(authority, asked | foreign, NOW).certificate)) == asked
    with pytest.raises(Unfit):
        make_leaf(authority, foreign, NOW)


def test_a_public_address_of_this_machine_may_be_vouched_for() -> None:
    """When the machine had it as the authority was made."""
    authority = make_authority("Home", {"203.0.113.5", "localhost"}, NOW)
    assert vouched(authority.certificate, {"203.0.113.5", "203.0.113.6"}) == {"203.0.113.5"}


@pytest.mark.parametrize(
    ("hosts", "days", "good"),
    [
        (HOSTS, 0, True),
        (HOSTS - {"pi"}, 0, True),
        (HOSTS | {"10.0.0.9"}, 0, False),
        (HOSTS | {"bank.example.com"}, 0, True),
        (HOSTS, 360, True),
        (HOSTS, 370, False),
        (HOSTS, -400, False),
    ],
)
def test_a_leaf_fits_while_it_names_all_and_has_time(
    authority: Pair, leaf: Pair, hosts: frozenset[str], days: int, good: bool
) -> None:
    """What the authority may not vouch for does not count: no new leaf would have it."""
    clock = NOW + timedelta(days=days)
    # A clock that is before Pilothouse was written is taken for the beginning of its time.
    assert fits(leaf.certificate, authority.certificate, hosts, clock) is (good and days >= 0)


def test_leaves_of_others_and_garbage_do_not_fit(authority: Pair) -> None:
    """An authority of the same name is another one."""
    other = make_authority("Home", HOSTS, NOW)
    assert not fits(make_leaf(other, HOSTS, NOW).certificate, authority.certificate, HOSTS, NOW)
    for text in (b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        assert not fits(text, authority.certificate, HOSTS, NOW)


def test_a_clock_from_before_its_time_makes_certificates_of_now() -> None:
    """A Pi without a clock chip starts in 1970; a minute later it knows better."""
    early = datetime(1970, 1, 1, tzinfo=UTC)
    authority = make_authority("Home", HOSTS, early)
    leaf = make_leaf(authority, HOSTS, early)
    assert fits(leaf.certificate, authority.certificate, HOSTS, early)
    assert fits(leaf.certificate, authority.certificate, HOSTS, datetime(2026, 6, 1, tzinfo=UTC))


def test_an_authority_made_in_a_far_future_does_not_last() -> None:
    """Nor one that has not the time for another leaf."""
    late = make_authority("Home", HOSTS, datetime(2060, 1, 1, tzinfo=UTC))
    assert not authority_lasts(late.certificate, NOW)
    made = make_authority("Home", HOSTS, NOW)
    assert authority_lasts(made.certificate, NOW + timedelta(days=3580))
    assert not authority_lasts(made.certificate, NOW + timedelta(days=3600))
    assert valid_until(make_leaf(made, HOSTS, NOW + timedelta(days=3500)).certificate) == valid_until(made.certificate)


def test_a_pair_must_be_one_and_of_this_time(leaf: Pair, authority: Pair) -> None:
    """Each mistake in its own words."""
    good, key = leaf
    for certificate, own, now, why in [
        (good, authority.key, NOW, "another certificate"),
        (good, b"nonsense", NOW, "no private key"),
        (b"nonsense", key, NOW, "no certificate"),
        (b"", key, NOW, "no certificate"),
        (good, key, NOW + timedelta(days=500), "valid until"),
        (good, key, NOW - timedelta(days=500), "valid from"),
        (good, _locked(key), NOW, "passphrase"),
    ]:
        with pytest.raises(Unfit, match=why):
            check_pair(certificate, own, now)


def _locked(key: bytes) -> bytes:
    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


def test_the_fingerprint_is_the_one_that_browsers_show(leaf: Pair) -> None:
    """SHA-256 of the whole, in pairs."""
    text = fingerprint(leaf.certificate)
    assert len(text) == 95 and text.count(":") == 31 and text == text.upper()


def test_names_are_looked_up_as_browsers_do() -> None:
    """Whole, or all of one domain; not by a part."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    sans = x509.SubjectAlternativeName([x509.DNSName("Lab.example.org"), x509.DNSName("*.pi.example.org")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=1))
        .add_extension(sans, critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    assert names_host(made, "lab.example.org") and names_host(made, "one.pi.example.org")
    for host in ("example.org", "a.one.pi.example.org", "pi.example.org", "127.0.0.1"):
        assert not names_host(made, host)
