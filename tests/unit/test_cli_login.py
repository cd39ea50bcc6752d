"""`pilothouse login` and `logout`: from name and password to a token in a file that nobody else reads."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.client.kept import Kept, hub_key
from pilothouse.client.pinning import fingerprint
from pilothouse.errors import BadValue, ConfigError
from pilothouse.hub.certificates import fingerprint as shown_by_the_hub
from pilothouse.hub.certificates import make_authority
from pilothouse.testing.hub import Answer, ScriptedHub, problem
from support.talking import talk
from support.terminal import Keyboard, Say, terminal

PASSWORD = "correct horse battery"
SECRET = "ph_" + "s" * 43
MADE = {"secret": SECRET, "token": {"id": "7", "who": "ada", "name": "x", "scope": "operate", "expires": 1}}
ME = {"who": "ada", "rights": ["operator@bench"], "how": "token", "most": "operator", "expires": 1}


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    """A hub that knows ada."""
    with ScriptedHub() as made:
        made.answers["POST /api/login"] = Answer(200, MADE)
        made.answers["GET /api/me"] = Answer(200, ME)
        made.answers["POST /api/logout"] = Answer(200, {"id": "7"})
        made.answers["GET /api/nodes"] = Answer(200, {"time": 0, "nodes": []})
        made.answers["GET /api/things"] = Answer(200, {"time": 0, "things": []})
        yield made


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """A terminal at a machine without a hub of its own."""
    return terminal("", tmp_path, capsys, monkeypatch)


def tokens(folder: Path) -> Path:
    """The file with the tokens."""
    return folder / "config" / "pilothouse" / "tokens.json"


def pipe(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What comes in on standard input, which is no terminal."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def sent(hub: ScriptedHub, path: str) -> list[tuple[dict[str, str], object]]:
    """(headers, body) of each request to `path`."""
    return [(asked.headers, asked.body) for asked in hub.asked if asked.path == path]


def test_log_in_from_a_pipe(hub: ScriptedHub, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password is the first line; the token is in the file, for its owner alone, and on no screen."""
    pipe(monkeypatch, f"{PASSWORD}\nmore\n")
    code, out, err = say("login", hub.url, "--name", "ada", "--scope", "read", "--stand", "bench", "--days", "7")
    assert (code, err) == (0, "")
    assert f"Logged in to {hub.url} as ada (operator@bench)." in out
    assert SECRET not in out
    headers, body = sent(hub, "/api/login")[0]
    assert headers["origin"] == hub.url
    assert "authorization" not in headers
    assert isinstance(body, dict)
    assert (body["name"], body["password"]) == ("ada", PASSWORD)
    assert {**body["token"], "name": ""} == {"name": "", "scope": "read", "only": "bench", "days": 7.0}
    assert json.loads(tokens(tmp_path).read_text()) == {hub.url: SECRET}
    assert tokens(tmp_path).stat().st_mode & 0o777 == 0o600


def test_verbs_use_the_token(hub: ScriptedHub, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --url and with $PILOTHOUSE_URL, for that hub and no other."""
    Kept().keep(hub.url, SECRET)
    assert say("things", "--url", f"{hub.url}/")[0] == 0
    monkeypatch.setenv("PILOTHOUSE_URL", hub.url)
    assert say("things")[0] == 0
    assert {headers["authorization"] for headers, _ in sent(hub, "/api/things")} == {f"Bearer {SECRET}"}
    with ScriptedHub() as other:
        monkeypatch.delenv("PILOTHOUSE_URL")
        code, _, err = say("things", "--url", "http://bench.invalid:8470")
        assert code == 1
        assert "pilothouse login http://bench.invalid:8470" in err
        assert other.asked == []


def test_a_token_of_the_page_is_kept(hub: ScriptedHub, say: Say, tmp_path: Path, monkeypatch) -> None:
    """After the hub has said whose it is; nonsense is not kept."""
    pipe(monkeypatch, f"{SECRET}\n")
    code, out, _ = say("login", hub.url, "--token-stdin", "--json")
    assert code == 0
    assert json.loads(out)["who"] == "ada"
    assert sent(hub, "/api/login") == []
    hub.answers["GET /api/me"] = problem(401, "This hub does not know you")
    pipe(monkeypatch, "ph_nonsense\n")
    code, _, err = say("login", hub.url, "--token-stdin")
    assert code == 1
    assert "does not know this token" in err
    assert Kept().token(hub.url) == SECRET


def test_a_second_log_in_ends_the_token_of_the_first(hub: ScriptedHub, say: Say, monkeypatch) -> None:
    """Nobody has it any more; that it cannot be ended is said, and no more than that."""
    Kept().keep(hub.url, "ph_old")
    pipe(monkeypatch, PASSWORD)
    assert say("login", hub.url, "--name", "ada")[0] == 0
    assert sent(hub, "/api/logout")[0][0]["authorization"] == "Bearer ph_old"
    Kept().keep(hub.url, "ph_older")
    hub.answers["POST /api/logout"] = problem(503, "The record does not answer")
    pipe(monkeypatch, PASSWORD)
    code, _, err = say("login", hub.url, "--name", "ada")
    assert code == 0
    assert "could not be ended" in err
    assert Kept().token(hub.url) == SECRET


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (problem(401, "This name and this password do not let you in"), "do not let you in"),
        (problem(429, "There were too many tries to log in", remedy="Try again in 32 s"), "Try again in 32 s"),
        (Answer(200, {"what": 1}), "does not understand"),
    ],
)
def test_a_log_in_that_fails_keeps_nothing(
    hub: ScriptedHub, say: Say, tmp_path: Path, monkeypatch, answer: Answer, says: str
) -> None:
    """The sentence of the hub is shown, never the password."""
    hub.answers["POST /api/login"] = answer
    pipe(monkeypatch, PASSWORD)
    code, out, err = say("login", hub.url, "--name", "ada", "--verbose")
    assert code == 1
    assert says in err
    assert PASSWORD not in out + err
    assert not tokens(tmp_path).exists()


@pytest.mark.parametrize(
    ("words", "typed", "says"),
    [
        ((), PASSWORD, "Say it with: --name NAME"),
        (("--name", "ada"), "", "Password is empty"),
        (("--name", "ada", "--days", "400"), PASSWORD, "cannot last 400 days"),
        (("--name", "ada", "--scope", "root"), PASSWORD, "scope"),
    ],
)
def test_wrong_words(hub: ScriptedHub, say: Say, monkeypatch, words: tuple[str, ...], typed: str, says: str) -> None:
    """Nothing is sent."""
    pipe(monkeypatch, typed)
    code, _, err = say("login", hub.url, *words)
    assert code == 2
    assert says in err
    assert sent(hub, "/api/login") == []


def test_without_a_hub_of_its_own_an_address_is_needed(say: Say) -> None:
    """And the sentence shows one."""
    code, _, err = say("login")
    assert code == 3
    assert "pilothouse login https://" in err
    code, _, err = say("login", "bench.lab:8470")
    assert code == 2
    assert "Did you mean 'http://bench.lab:8470'?" in err


def test_a_way_that_others_can_read_is_asked_about(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a password is typed; from a pipe it takes --insecure."""
    pipe(monkeypatch, PASSWORD)
    code, _, err = say("login", "http://bench.invalid:8470", "--name", "ada")
    assert code == 2
    assert "not encrypted" in err
    assert "--insecure" in err
    monkeypatch.setattr(sys, "stdin", Keyboard("n\n"))
    code, _, err = say("login", "http://bench.invalid:8470", "--name", "ada")
    assert code == 1
    assert "nothing was done" in err


def test_a_file_that_others_can_read_is_not_used(hub: ScriptedHub, say: Say, tmp_path: Path) -> None:
    """It says what to type; with that it works again."""
    Kept().keep(hub.url, SECRET)
    path = tokens(tmp_path)
    for mode in (0o644, 0o640, 0o604):
        path.chmod(mode)
        code, _, err = say("things", "--url", hub.url)
        assert code == 2
        assert f"chmod 600 {path}" in err
    path.chmod(0o600)
    assert say("things", "--url", hub.url)[0] == 0
    path.write_text("{no json")
    code, _, err = say("things", "--url", hub.url)
    assert code == 2
    assert "log in again" in err


def test_log_out(hub: ScriptedHub, say: Say, tmp_path: Path) -> None:
    """The token ends at the hub and is forgotten; a second time there is none."""
    Kept().keep(hub.url, SECRET)
    Kept().keep("https://other.lab", "ph_other")
    code, out, _ = say("logout", hub.url)
    assert (code, out) == (0, f"Logged out of {hub.url}.\n")
    assert sent(hub, "/api/logout")[0][0]["authorization"] == f"Bearer {SECRET}"
    assert json.loads(tokens(tmp_path).read_text()) == {"https://other.lab": "ph_other"}
    code, _, err = say("logout", hub.url)
    assert code == 1
    assert "not logged in" in err


def test_log_out_of_a_hub_that_has_forgotten_or_is_gone(hub: ScriptedHub, say: Say) -> None:
    """What had ended there is forgotten here; what cannot be ended now is said."""
    Kept().keep(hub.url, SECRET)
    hub.answers["POST /api/logout"] = problem(401, "This hub does not know you")
    assert say("logout", hub.url)[0] == 0
    assert Kept().token(hub.url) == ""
    Kept().keep("http://127.0.0.1:9", SECRET)
    code, _, err = say("logout", "http://127.0.0.1:9")
    assert code == 3
    assert "end it there on the page of your account" in err
    assert Kept().token("http://127.0.0.1:9") == ""


def test_at_a_terminal_name_and_password_are_asked_for(hub: ScriptedHub, tmp_path: Path) -> None:
    """And the password is not shown."""
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    answers = [("Name:", "ada"), ("Password:", PASSWORD)]
    code, shown = talk(["login", hub.url, "--data", str(tmp_path)], answers, env)
    assert code == 0, shown
    assert "as ada" in shown
    assert PASSWORD not in shown
    assert sent(hub, "/api/login")[0][1]["password"] == PASSWORD  # type: ignore[index]
    assert json.loads(tokens(tmp_path).read_text()) == {hub.url: SECRET}


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://Bench.Lab:80/", "http://bench.lab"),
        ("https://bench.lab:443", "https://bench.lab"),
        ("https://bench.lab:8470/", "https://bench.lab:8470"),
        ("http://[::1]:8470", "http://[::1]:8470"),
        ("https://proxy.lab/pilothouse/", "https://proxy.lab/pilothouse"),
    ],
)
def test_one_hub_has_one_key(url: str, key: str) -> None:
    """However its address is written."""
    assert hub_key(url) == key
    assert hub_key(key) == key


@pytest.mark.parametrize("url", ["", "bench", "ftp://bench", "http://", "http://bench:x", "http://ada:pw@bench"])
def test_what_is_no_address(url: str) -> None:
    """A sentence, with the nearest one; a password in it is not kept."""
    with pytest.raises(BadValue):
        hub_key(url)


@given(st.text(max_size=40))
def test_an_address_is_taken_or_refused(url: str) -> None:
    """Nothing else becomes of it."""
    try:
        key = hub_key(url)
    except BadValue:
        return
    assert hub_key(key) == key


def test_two_who_log_in_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each change is made on what is there then."""
    first, second = Kept(tmp_path), Kept(tmp_path)
    first.keep("https://a.lab", "1")
    second.keep("https://b.lab", "2")
    assert (first.token("https://b.lab"), second.token("https://a.lab")) == ("2", "1")
    assert first.forget("https://a.lab")
    assert not second.forget("https://a.lab")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        Kept(tmp_path / "file").keep("https://a.lab", "1")
    with pytest.raises(ConfigError, match="cannot be written"):
        Kept(tmp_path / "file").trust("https://a.lab", b"pem")


def test_a_trusted_authority_lies_beside_the_tokens(tmp_path: Path) -> None:
    """One file a hub, for its owner alone."""
    kept = Kept(tmp_path)
    assert kept.authority("https://a.lab:8470") is None
    path = kept.trust("https://a.lab:8470", b"pem")
    assert kept.authority("https://A.lab:8470/") == path
    assert kept.authority("https://a.lab") is None
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["a.lab-8470.pem"]


def test_both_sides_say_the_same_fingerprint() -> None:
    """So that it can be compared by eye."""
    made = make_authority("Lab", frozenset({"lab"}), datetime.now(UTC))
    assert fingerprint(made.certificate) == shown_by_the_hub(made.certificate)
