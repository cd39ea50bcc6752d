"""What the client says when something answers that cannot show that it is the hub."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pilothouse.client import Client, NotTrusted, Problem, Unreachable
from pilothouse.client.trust import exactly, trusting
from pilothouse.errors import ConfigError
from pilothouse.hub.certificates import Pair, make_authority, make_leaf
from pilothouse.testing.hub import Answer, ScriptedHub


class _Well(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"status": "ok", "bus": true, "record": true}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests are quiet."""


@contextmanager
def a_server(folder: Path, leaf: Pair) -> Iterator[str]:
    """Something that answers by TLS with this certificate; gives its address."""
    file = folder / "server.pem"
    file.write_bytes(leaf.certificate + leaf.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Well)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that do not trust it hang up
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def authority() -> Pair:
    """One that signs for this machine."""
    return make_authority("Home", {"127.0.0.1"}, datetime.now(UTC))


@pytest.fixture
def trusted(tmp_path: Path, authority: Pair) -> Path:
    """Its file."""
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.certificate)
    return path


def expired(authority: Pair) -> Pair:
    """A certificate for this machine that was good until yesterday."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    ca_key = serialization.load_pem_private_key(authority.key, None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(authority.certificate).subject
    sans = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(issuer, x509.Name([]), key.public_key(), 7)
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now - timedelta(days=1))
        .add_extension(sans, critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    return Pair(made.public_bytes(pem), private)


def ask(url: str, verify: ssl.SSLContext | bool = True) -> str:
    """How it is."""
    with Client(url, "x", verify=verify) as client:
        return client.health().status


def test_who_is_trusted_is_asked(tmp_path: Path, authority: Pair, trusted: Path) -> None:
    """By its authority, or by its very certificate, whatever name that has."""
    with a_server(tmp_path, make_leaf(authority, {"127.0.0.1"}, datetime.now(UTC))) as url:
        assert ask(url, trusting(trusted)) == "ok"
    leaf = make_leaf(authority, {"other.local"}, datetime.now(UTC))
    shown = tmp_path / "shown.pem"
    shown.write_bytes(leaf.certificate)
    with a_server(tmp_path, leaf) as url:
        assert ask(url, exactly(shown)) == "ok"


@pytest.mark.parametrize(
    ("host", "days", "verify", "why", "remedy"),
    [
        ("127.0.0.1", 0, False, "no authority that is trusted", "--ca FILE"),
        ("other.local", 0, True, "other names", "hub.public_url"),
        ("127.0.0.1", -1, True, "expired", "pilothouse doctor"),
        ("127.0.0.1", 10, True, "not valid yet", "clock"),
    ],
)
def test_who_is_not_is_said_with_why(
    tmp_path: Path, authority: Pair, trusted: Path, host: str, days: int, verify: bool, why: str, remedy: str
) -> None:
    """Each with what to do about it; nothing was sent, so it is the same as not reached."""
    now = datetime.now(UTC)
    leaf = expired(authority) if days < 0 else make_leaf(authority, {host}, now + timedelta(days=days))
    with a_server(tmp_path, leaf) as url, pytest.raises(NotTrusted) as caught:
        ask(url, trusting(trusted) if verify else True)
    assert why in caught.value.why and remedy in caught.value.remedy and isinstance(caught.value, Unreachable)


def test_only_the_very_certificate_will_do(tmp_path: Path, authority: Pair) -> None:
    """Another one of the same authority is another server."""
    shown = tmp_path / "shown.pem"
    shown.write_bytes(make_leaf(authority, {"127.0.0.1"}, datetime.now(UTC)).certificate)
    with (
        a_server(tmp_path, make_leaf(authority, {"127.0.0.1"}, datetime.now(UTC))) as url,
        pytest.raises(NotTrusted),
    ):
        ask(url, exactly(shown))


def test_a_file_that_is_no_certificate_is_a_mistake_of_the_command_line(tmp_path: Path) -> None:
    """Missing, and nonsense."""
    (tmp_path / "nonsense.pem").write_text("nonsense")
    for name in ("none.pem", "nonsense.pem"):
        with pytest.raises(ConfigError, match=name) as caught:
            trusting(tmp_path / name)
        assert "--ca FILE" in caught.value.remedy


def test_both_sides_must_speak_the_same() -> None:
    """TLS to a plain hub, and plain to one that speaks TLS."""
    with ScriptedHub() as hub:
        with pytest.raises(Unreachable, match="does not speak TLS"):
            ask(hub.url.replace("http:", "https:"))
        hub.answers["GET /healthz"] = Answer(400, b"This address is for https: put https:// before it.\n", "text/plain")
        with pytest.raises(Problem, match="speaks TLS") as caught:
            ask(hub.url)
        assert caught.value.remedy.endswith(hub.url.replace("http:", "https:"))
