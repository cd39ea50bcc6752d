"""TLS of a hub: made at first need, renewed when it is due, taken from files as they are; with real handshakes."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pilothouse.config.places import Places
from pilothouse.config.site import HubConfig
from pilothouse.errors import CannotStart
from pilothouse.hub import own_authority
from pilothouse.hub.certificates import fits, hosts_of, make_authority, make_leaf, valid_until
from pilothouse.hub.own_authority import OwnAuthority
from pilothouse.hub.own_names import own_addresses, own_names
from pilothouse.hub.posture import posture_of
from pilothouse.hub.tls import LOOK_EVERY, Tls, open_tls
from pilothouse.testing import FakeClock

FAR = HubConfig(host="0.0.0.0", public_url="https://lab.example.org")
START = int(datetime.now(UTC).timestamp() * 1000)
"""Now, for OpenSSL looks at the real clock."""


@pytest.fixture
def clock() -> FakeClock:
    """Begins now."""
    return FakeClock(now=START)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What the machine goes by; may be added to."""
    found = {"localhost", "127.0.0.1", "pi", "lab.example.org"}
    monkeypatch.setattr(own_authority, "own_names", lambda bind, url: frozenset(found))
    return found


def own(tmp_path: Path, clock: FakeClock) -> Tls:
    """A hub's own."""
    made = open_tls(posture_of(FAR), FAR, Places(tmp_path), clock, "Home")
    assert made is not None
    return made


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str:
    """The version of TLS that both come to; raises what the client says of the server."""
    ours, theirs = socket.socketpair()

    def answer() -> None:
        try:
            with server.wrap_socket(theirs, server_side=True) as wrapped:
                wrapped.recv(1)
        except (ssl.SSLError, OSError):
            pass  # what the client says of it is what counts

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with client.wrap_socket(ours, server_hostname=name) as wrapped:
            return str(wrapped.version())
    finally:
        ours.close()
        thread.join()
        theirs.close()


def trusting(path: Path) -> ssl.SSLContext:
    """A client that trusts one authority."""
    return ssl.create_default_context(cafile=str(path))


def test_at_first_need_an_authority_is_made_that_only_the_owner_can_use(
    tmp_path: Path, clock: FakeClock, names: set[str]
) -> None:
    """Keys are for the owner's eyes; the certificate is for everybody's. A client that trusts it gets through."""
    tls, places = own(tmp_path, clock), Places(tmp_path)
    assert places.tls.stat().st_mode & 0o777 == 0o700
    for secret in (places.authority_key, places.own_certificate):
        assert secret.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in places.authority.read_bytes() + places.shown_certificate.read_bytes()
    for name in names:
        assert shake_hands(tls.context, trusting(places.authority), name) == "TLSv1.3"
    for name in ("evil.example.com", "10.0.0.1"):
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands(tls.context, trusting(places.authority), name)


def test_what_the_authority_may_not_sign_is_not_trusted(tmp_path: Path, clock: FakeClock, names: set[str]) -> None:
    """Whoever steals its key and makes a certificate for a bank gets nowhere: clients hold it to its names."""
    own(tmp_path, clock)
    places = Places(tmp_path)
    stolen = (places.authority.read_bytes(), places.authority_key.read_bytes())
    wide = make_authority("Home", {"bank.example.com"}, datetime.now(UTC))
    # A leaf made by hand, signed with the stolen key, for a name outside.
    forged = make_leaf(wide._replace(key=stolen[1]), {"bank.example.com"}, datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    file = tmp_path / "forged.pem"
    file.write_bytes(forged.certificate + forged.key)
    context.load_cert_chain(file)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shake_hands(context, trusting(places.authority), "bank.example.com")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_old_versions_are_not_spoken(
    tmp_path: Path, clock: FakeClock, names: set[str], version: ssl.TLSVersion
) -> None:
    """TLS 1.2 with forward secrecy, TLS 1.3; nothing before."""
    tls = own(tmp_path, clock)
    assert tls.context.minimum_version is ssl.TLSVersion.TLSv1_2
    client = trusting(Places(tmp_path).authority)
    client.minimum_version = client.maximum_version = version
    assert shake_hands(tls.context, client, "pi") == version.name.replace("_", ".")
    weak = trusting(Places(tmp_path).authority)
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("AES128-SHA")
    with pytest.raises(ssl.SSLError):
        shake_hands(tls.context, weak, "pi")


def test_a_second_start_keeps_all(tmp_path: Path, clock: FakeClock, names: set[str]) -> None:
    """The phone that trusts the authority goes on trusting it."""
    own(tmp_path, clock)
    before = {path.name: path.read_bytes() for path in Places(tmp_path).tls.iterdir()}
    own(tmp_path, clock)
    assert {path.name: path.read_bytes() for path in Places(tmp_path).tls.iterdir()} == before


async def test_a_running_hub_takes_a_new_name_and_a_new_year(tmp_path: Path, clock: FakeClock, names: set[str]) -> None:
    """Without a restart, by the same authority; with nothing new, nothing is made."""
    tls, places = own(tmp_path, clock), Places(tmp_path)
    authority, first = places.authority.read_bytes(), places.own_certificate.read_bytes()
    looking = asyncio.create_task(tls.run())
    try:
        await clock.advance(LOOK_EVERY + 1)
        await _settled(lambda: clock.sleepers >= 1)
        assert places.own_certificate.read_bytes() == first
        names.add("10.0.0.9")
        await clock.advance(LOOK_EVERY + 1)
        await _settled(lambda: "10.0.0.9" in hosts_of(places.shown_certificate.read_bytes()))
        second = valid_until(places.shown_certificate.read_bytes())
        clock.jump(370 * 86400)
        await clock.advance(LOOK_EVERY + 1)
        await _settled(lambda: valid_until(places.shown_certificate.read_bytes()) > second)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    assert places.authority.read_bytes() == authority


async def _settled(ask) -> None:
    for _ in range(500):
        if ask():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


def test_a_name_that_the_authority_may_not_vouch_for_is_said(
    tmp_path: Path, clock: FakeClock, names: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    """And left out, so that the others work on; what to do stands beside it."""
    own(tmp_path, clock)
    names.add("new.example.org")
    own(tmp_path, clock)
    assert "new.example.org" in caplog.text and "move the folder away" in caplog.text
    assert "new.example.org" not in hosts_of(Places(tmp_path).shown_certificate.read_bytes())


def test_an_authority_without_its_key_is_not_replaced_silently(
    tmp_path: Path, clock: FakeClock, names: set[str]
) -> None:
    """Every browser would have to be told anew."""
    own(tmp_path, clock)
    Places(tmp_path).authority_key.unlink()
    with pytest.raises(CannotStart, match=r"ca.key is not there"):
        own(tmp_path, clock)


def test_two_hubs_on_one_folder_make_one_authority(tmp_path: Path, names: set[str]) -> None:
    """Both started at once: what each shows is signed by what lies there in the end."""
    places, now, shown = Places(tmp_path), datetime.now(UTC), []

    def start() -> None:
        shown.append(OwnAuthority(places, "Home", "0.0.0.0", "").leaf(now))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(shown)) == 1 and shown[0] is not None
    assert fits(shown[0], places.authority.read_bytes(), names, now)


def given_files(tmp_path: Path, **life: float) -> HubConfig:
    """A certificate and a key of the owner's, as they would lie somewhere."""
    authority = make_authority("Company", {"lab.example.org"}, datetime.fromtimestamp(START / 1000, UTC))
    leaf = make_leaf(authority, {"lab.example.org"}, datetime.fromtimestamp(START / 1000, UTC) + timedelta(**life))
    certificate, key = tmp_path / "lab.pem", tmp_path / "lab.key"
    certificate.write_bytes(leaf.certificate + authority.certificate)
    key.write_bytes(leaf.key)
    key.chmod(0o640)
    (tmp_path / "company.pem").write_bytes(authority.certificate)
    return HubConfig(certificate=str(certificate), key=str(key))


def opened(hub: HubConfig, tmp_path: Path, clock: FakeClock) -> Tls:
    """With given files."""
    tls = open_tls(posture_of(hub), hub, Places(tmp_path / "data"), clock, "Home")
    assert tls is not None
    return tls


def test_given_files_are_used_as_they_are(tmp_path: Path, clock: FakeClock) -> None:
    """With their chain; no authority of ours is made."""
    hub = given_files(tmp_path)
    tls = opened(hub, tmp_path, clock)
    assert shake_hands(tls.context, trusting(tmp_path / "company.pem"), "lab.example.org")
    assert not Places(tmp_path / "data").tls.exists()


def test_replaced_files_are_taken(tmp_path: Path, clock: FakeClock) -> None:
    """As after a renewal; broken ones are not, and the old ones go on."""
    hub = given_files(tmp_path)
    tls = opened(hub, tmp_path, clock)
    assert tls.look() is False
    before = tls.context
    Path(hub.key).write_bytes(b"half a ke")
    with pytest.raises(ValueError, match="no private key"):
        tls.look()
    assert tls.context is before
    given_files(tmp_path)
    assert tls.look() is True and tls.context is not before
    assert shake_hands(tls.context, trusting(tmp_path / "company.pem"), "lab.example.org")


def _gone(hub: HubConfig) -> None:
    Path(hub.certificate).unlink()


def _mixed(hub: HubConfig) -> None:
    Path(hub.key).write_bytes(make_authority("x", {"a"}, datetime.now(UTC)).key)


def _open(hub: HubConfig) -> None:
    Path(hub.key).chmod(0o644)


def _folder(hub: HubConfig) -> None:
    Path(hub.key).unlink()
    Path(hub.key).mkdir()


def _garbage(hub: HubConfig) -> None:
    Path(hub.certificate).write_bytes(b"\x00\xff" * 100)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_gone, "No such file"),
        (_mixed, "another certificate"),
        (_open, "chmod 600"),
        (_folder, "Is a directory"),
        (_garbage, "no certificate in PEM form"),
    ],
)
def test_files_that_cannot_be_used_are_one_clear_error(tmp_path: Path, clock: FakeClock, spoil, words: str) -> None:
    """What is wrong with which file, and what to do."""
    hub = given_files(tmp_path)
    spoil(hub)
    with pytest.raises(CannotStart, match=words) as caught:
        opened(hub, tmp_path, clock)
    assert "hub.key" in caught.value.remedy


@pytest.mark.parametrize(("days", "words"), [(-500, "valid until"), (500, "valid from")])
def test_certificates_of_another_time_are_refused(tmp_path: Path, clock: FakeClock, days: int, words: str) -> None:
    """At the start; while running, the old one goes on."""
    clock.jump(-days * 86400)
    with pytest.raises(CannotStart, match=words):
        opened(given_files(tmp_path), tmp_path, clock)


def test_an_unreadable_key_is_one_clear_error(tmp_path: Path, clock: FakeClock) -> None:
    """A folder in its place is what not even root can read."""
    hub = given_files(tmp_path)
    Path(hub.key).unlink()
    Path(hub.key).mkdir()
    with pytest.raises(CannotStart, match="Is a directory"):
        opened(hub, tmp_path, clock)


def test_without_tls_there_is_nothing_to_open(tmp_path: Path, clock: FakeClock) -> None:
    """And nothing is made."""
    assert open_tls(posture_of(HubConfig()), HubConfig(), Places(tmp_path), clock, "Home") is None
    assert list(tmp_path.iterdir()) == []


def test_this_machine_knows_its_names() -> None:
    """Its own and those of the configuration; no address of one link, and nothing that cannot be a name."""
    found = own_names("10.1.2.3", "https://lab.example.org:8443")
    assert {"localhost", "127.0.0.1", "::1", "10.1.2.3", "lab.example.org"} <= found
    assert "0.0.0.0" not in own_names("0.0.0.0", "") and "::" not in own_names("::", "")
    assert not {name for name in own_names("bad name\n", "https://bücher.example") if not name.isascii() or " " in name}
    assert not any(address.startswith(("127.", "fe80", "169.254.")) for address in own_addresses())
