"""`pilothouse login` from another machine to a hub with an authority of its own, and cookies under TLS."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from pilothouse.cli.app import run
from pilothouse.client.kept import Kept
from pilothouse.client.pinning import fingerprint
from pilothouse.client.trust import trusting
from support.people import PASSWORD, session_at
from support.processes import process
from support.talking import talk


class Running(NamedTuple):
    """A hub that speaks TLS."""

    data: Path
    url: str


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """On every address, so with a certificate of its own authority; ada has a password there."""
    data = tmp_path_factory.mktemp("own")
    with process("hub", data, "--host", "0.0.0.0", "--port", "0") as hub:
        assert hub.stdout is not None
        for _ in range(5):
            hub.stdout.readline()
        session_at(data, "ada", ["operator"], password=True)
        yield Running(data, json.loads((data / "run" / "hub.json").read_text())["url"])


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a hub, and with nothing kept."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def test_an_authority_is_trusted_by_whoever_compares_it(own: Running, elsewhere: Path, capsys) -> None:
    """The fingerprint is shown before the password is asked for; from then on verbs know the hub."""
    env = {"XDG_CONFIG_HOME": str(elsewhere / "config")}
    words = ["login", own.url, "--data", str(elsewhere)]
    answers = [("[y/N]", "y"), ("Name:", "ada"), ("Password:", PASSWORD)]
    code, shown = talk(words, answers, env)
    assert code == 0, shown
    assert fingerprint((own.data / "tls" / "ca.pem").read_bytes()) in shown
    assert PASSWORD not in shown
    kept = Kept().authority(own.url)
    assert kept is not None
    assert kept.read_bytes() == (own.data / "tls" / "ca.pem").read_bytes()
    assert run(["things", "--url", own.url, "--data", str(elsewhere)]) == 0
    # Known now: nothing is asked about it any more.
    code, shown = talk(words, [("Name:", "ada"), ("Password:", PASSWORD)], env)
    assert code == 0
    assert "ANOTHER" not in shown
    assert run(["logout", own.url, "--data", str(elsewhere)]) == 0
    assert Kept().token(own.url) == ""


def test_whoever_says_no_sends_nothing(own: Running, elsewhere: Path) -> None:
    """No password is asked for, and nothing is kept."""
    env = {"XDG_CONFIG_HOME": str(elsewhere / "config")}
    code, shown = talk(["login", own.url, "--data", str(elsewhere)], [("[y/N]", "n")], env)
    assert code == 1
    assert "Password" not in shown
    assert Kept().authority(own.url) is None


def test_a_script_names_the_authority(own: Running, elsewhere: Path, capsys, monkeypatch) -> None:
    """Nobody can be asked there; with --ca it is trusted from then on."""
    words = ["login", own.url, "--name", "ada", "--data", str(elsewhere)]
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run(words) == 3
    assert "--ca FILE" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert run([*words, "--ca", str(own.data / "tls" / "ca.pem")]) == 0
    assert run(["things", "--url", own.url, "--data", str(elsewhere)]) == 0


def test_another_authority_than_before_is_told(own: Running, elsewhere: Path) -> None:
    """Whoever stands in between is not taken for a new certificate of the hub."""
    other = elsewhere / "other"
    other.mkdir()
    with process("hub", other, "--host", "0.0.0.0", "--port", "0") as hub:
        assert hub.stdout is not None
        for _ in range(5):
            hub.stdout.readline()
    Kept().trust(own.url, (other / "tls" / "ca.pem").read_bytes())
    env = {"XDG_CONFIG_HOME": str(elsewhere / "config")}
    code, shown = talk(["login", own.url, "--data", str(elsewhere)], [("[y/N]", "n")], env)
    assert code == 1
    assert "ANOTHER authority" in shown


def test_the_cookie_is_for_this_host_by_tls_alone(own: Running) -> None:
    """Secure, with the prefix that no neighbour can plant."""
    with httpx2.Client(base_url=own.url, verify=trusting(own.data / "tls" / "ca.pem"), trust_env=False) as browser:
        fields = {"name": "ada", "password": PASSWORD}
        answer = browser.post("/login", data=fields, headers={"Origin": own.url})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-ph_session=")
        assert "; Secure" in cookie
        assert "; Path=/" in cookie
        assert "omain" not in cookie
        assert browser.get("/api/me").json()["who"] == "ada"
        gone = browser.post("/logout", headers={"Origin": own.url})
        assert gone.headers["set-cookie"].startswith("__Host-ph_session=")
        assert "; Secure" in gone.headers["set-cookie"]
        assert browser.get("/api/me").status_code == 401
