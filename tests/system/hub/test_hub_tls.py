"""A hub that speaks TLS, as a process: what it says of itself, who trusts it, and what it refuses to do without."""

from __future__ import annotations

import json
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pilothouse.cli.access import Access
from pilothouse.cli.app import run
from pilothouse.client import Client, NotTrusted, Problem, Unreachable
from pilothouse.client.trust import trusting
from pilothouse.hub.certificates import fingerprint, make_authority, make_leaf
from support.processes import process


class Running(NamedTuple):
    """A hub of its own authority."""

    data: Path
    said: str
    """What it printed."""
    url: str
    """On this machine, by address."""
    port: int


def started(hub: subprocess.Popen[str], lines: int) -> str:
    """Its first lines."""
    assert hub.stdout is not None
    return "".join(hub.stdout.readline() for _ in range(lines))


def status(data: Path) -> dict[str, Any]:
    """What it wrote of where it is."""
    found: dict[str, Any] = json.loads((data / "run" / "hub.json").read_text())
    return found


def answers(client: Client) -> bool:
    """Whether the hub answers it."""
    with client:
        return client.health().record


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """On every address, as for a laboratory's network."""
    data = tmp_path_factory.mktemp("own")
    with process("hub", data, "--host", "0.0.0.0", "--port", "0") as hub:
        said = started(hub, 5)
        url = status(data)["url"]
        yield Running(data, said, url, int(url.rpartition(":")[2]))


def test_beyond_loopback_it_speaks_tls_by_itself(own: Running) -> None:
    """It says its fingerprint and where the authority is; its note for programs says https."""
    assert own.url.startswith("https://127.0.0.1:") and status(own.data)["posture"] == "own"
    authority = (own.data / "tls" / "ca.pem").read_bytes()
    assert fingerprint(authority) in own.said and "/ca.pem" in own.said and "http://" not in own.said


def test_the_authority_can_be_fetched_by_whoever_does_not_trust_it_yet(own: Running) -> None:
    """The same that lies in the folder; with it the hub is trusted by every name of the machine, and by no other."""
    careless = ssl.create_default_context()
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(f"{own.url}/ca.pem", context=careless, timeout=10) as answer:
        fetched = answer.read().decode()
        assert answer.headers["content-type"] == "application/x-x509-ca-cert"
    assert fetched == (own.data / "tls" / "ca.pem").read_text()
    trusts = ssl.create_default_context(cadata=fetched)
    for host in ("localhost", "127.0.0.1"):
        with urllib.request.urlopen(f"https://{host}:{own.port}/healthz", context=trusts, timeout=10) as answer:
            assert answer.status == 200


def test_the_command_line_of_this_machine_trusts_its_own_hub(own: Running, capsys: pytest.CaptureFixture[str]) -> None:
    """With nothing said, and by any of its names; another machine says which authority, or is told to."""
    assert answers(Access(data=own.data).connect())
    assert answers(Access(data=own.data, url=f"https://localhost:{own.port}").connect())
    assert run(["doctor", "--data", str(own.data), "--json"]) in (0, 1)
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert found["way in"]["state"] == found["certificate"]["state"] == "well"
    assert found["hub"]["what"].startswith(f"It answers at {own.url}")


def test_another_machine_is_told_what_to_trust(own: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By option, by environment; without, by an error with the way out."""
    other = tmp_path / "other"
    other.mkdir()
    token, authority = own.data / "token", own.data / "tls" / "ca.pem"
    there = {"data": other, "url": own.url, "token_file": token}
    assert answers(Access(**there, ca=authority).connect())
    with pytest.raises(NotTrusted) as caught:
        answers(Access(**there).connect())
    assert "--ca FILE" in caught.value.remedy and f"{own.url}/ca.pem" in caught.value.remedy
    monkeypatch.setenv("PILOTHOUSE_CA", str(authority))
    assert answers(Access(**there).connect())
    with pytest.raises(NotTrusted, match="other names"):
        answers(Client(own.url.replace("127.0.0.1", "127.0.0.3"), "x", verify=trusting(authority)))


def test_plain_http_is_told_to_come_by_https(own: Running, tmp_path: Path) -> None:
    """Browsers in words, the client in an error of its own; and the other way round."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"http://127.0.0.1:{own.port}/", timeout=10)
    assert caught.value.code == 400 and b"https://" in caught.value.read()
    caught.value.close()
    with pytest.raises(Problem, match="speaks TLS"):
        answers(Client(f"http://127.0.0.1:{own.port}", "x"))
    with process("hub", tmp_path, "--port", "0") as plain:
        started(plain, 1)
        with pytest.raises(Unreachable, match="does not speak TLS"):
            answers(Client(status(tmp_path)["url"].replace("http", "https"), "x"))


def test_given_files_are_used_and_this_machine_knows_them(tmp_path: Path) -> None:
    """Though they are for a name that this machine does not have for itself."""
    authority = make_authority("Company", {"lab.example.org"}, datetime.now(UTC))
    leaf = make_leaf(authority, {"lab.example.org"}, datetime.now(UTC))
    (tmp_path / "lab.pem").write_bytes(leaf.certificate + leaf.key)
    (tmp_path / "lab.pem").chmod(0o600)
    text = f'[hub]\ncertificate = "{tmp_path}/lab.pem"\nkey = "{tmp_path}/lab.pem"\n'
    (tmp_path / "pilothouse.toml").write_text(text)
    with process("hub", tmp_path, "--port", "0") as hub:
        assert "https://" in started(hub, 1)
        assert answers(Access(data=tmp_path).connect())
        assert status(tmp_path)["posture"] == "given" and not (tmp_path / "tls").exists()


def refused(data: Path, config: str, *options: str) -> str:
    """What it says when it does not start; exit code 2 and no trace."""
    (data / "pilothouse.toml").write_text(config)
    with process("hub", data, "--port", "0", *options) as hub:
        out, _ = hub.communicate(timeout=30)
    assert hub.returncode == 2 and out == ""
    said = (data / "hub.stderr").read_text()
    assert "Traceback" not in said
    return said


def test_without_tls_beyond_loopback_it_does_not_start(tmp_path: Path) -> None:
    """Unless somebody says that it is meant."""
    said = refused(tmp_path, '[hub]\ntls = "off"\n', "--host", "0.0.0.0")
    assert "without TLS" in said and "--behind-proxy" in said and "--insecure" in said
    with process("hub", tmp_path, "--host", "0.0.0.0", "--port", "0", "--insecure") as hub:
        assert "CAREFUL" in started(hub, 3)
        assert status(tmp_path)["posture"] == "insecure"


def test_a_proxy_needs_the_address_that_browsers_use(tmp_path: Path) -> None:
    """And an address of its own that is one."""
    assert "public_url" in refused(tmp_path, "", "--behind-proxy", "10.0.0.1")
    said = refused(tmp_path, '[hub]\npublic_url = "https://lab.example.org"\n', "--behind-proxy", "nginx")
    assert "'nginx' is no address" in said


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    """With what to do."""
    said = refused(tmp_path, f'[hub]\ncertificate = "{tmp_path}/none.pem"\nkey = "{tmp_path}/none.pem"\n')
    assert f"{tmp_path}/none.pem" in said and "hub.key" in said
