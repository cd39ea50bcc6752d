"""`pilothouse user`: people in the record of this machine, without a hub and without an account."""

from __future__ import annotations

import io
import json
import os
import pty
import sys
from pathlib import Path
from subprocess import Popen

import pytest

from pilothouse.cli.app import run
from pilothouse.cli.record_here import Here, with_record
from pilothouse.config.places import Places
from pilothouse.record import Line, LinkRow, Person, Wanted
from pilothouse.record.passwords import Passwords
from support.own_record import make_record
from support.terminal import Keyboard, Say

GOOD = "four words in a row"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A data folder with a record in it, and nobody in that."""
    places = make_record(tmp_path)
    places.config.write_text('[stands.bench]\nthings = ["host"]\n')
    return places


@pytest.fixture
def say(places: Places, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs `pilothouse user …` on this machine; what it writes to the terminal never holds the password."""

    def run_with(*words: str) -> tuple[int, str, str]:
        code = run(["user", *words, "--data", str(places.data)])
        out, err = capsys.readouterr()
        assert GOOD not in out + err
        return code, out, err

    return run_with


def pipe(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What stands on standard input, which is no terminal."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def person(places: Places, name: str) -> Person:
    """Somebody who must be there."""
    found = with_record(places, lambda here: here.people.persons.get(name))
    assert found is not None
    return found


def peek(places: Places, text: str) -> LinkRow | None:
    """What the link at the end of a text is for."""
    secret = text.strip().rpartition("/login?token=")[2]
    return with_record(places, lambda here: here.people.links.peek(secret))


def lines(places: Places) -> list[Line]:
    """Everything that the ledger says of people, oldest first."""

    async def work(here: Here) -> list[Line]:
        return (await here.ledger.page(Wanted(kind="people"))).lines[::-1]

    return with_record(places, work)


def opens(places: Places, name: str, password: str) -> bool:
    """Whether that is their password."""

    async def work(here: Here) -> bool:
        passwords = Passwords()
        try:
            return (await passwords.verify(await here.people.persons.password_hash(name), password)).ok
        finally:
            await passwords.close()

    return with_record(places, work)


def add_session(places: Places, name: str) -> str:
    """Somebody is logged in, and has a token."""

    async def work(here: Here) -> str:
        await here.people.tokens.make(name, "t", "read")
        return await here.people.sessions.start(name, "password")

    return with_record(places, work)


def test_somebody_is_added(say: Say, places: Places) -> None:
    """With rights and a title; the link lets them set their password."""
    code, out, err = say("add", "bob", "--right", "viewer", "--right", "operator@bench", "--title", "Bob B.")
    assert (code, err) == (0, "")
    assert out.startswith("bob was added; rights: operator@bench viewer.")
    row = peek(places, out)
    assert row is not None and (row.kind, row.who, row.expires - row.made) == ("invite", "bob", 86_400_000)
    made = person(places, "bob")
    assert (made.title, made.grants, made.has_password) == ("Bob B.", ("operator@bench", "viewer"), False)
    assert [(line.name, line.thing, line.who, line.origin) for line in lines(places)] == [
        ("user.add", "bob", "owner", "cli"),
        ("link.made", "bob", "owner", "cli"),
    ]
    assert {str(line.input) for line in lines(places)} == {"{'from': 'this machine'}"}


def test_somebody_is_added_with_a_password(say: Say, places: Places, tmp_path: Path) -> None:
    """Out of a file; then there is no link."""
    file = tmp_path / "password.txt"
    file.write_text(f"{GOOD}\nsecond line\n")
    file.chmod(0o600)
    code, out, _ = say("add", "ada", "--right", "admin", "--password-file", str(file), "--json")
    told = json.loads(out)
    assert (code, told["url"], told["person"]["has_password"]) == (0, "", True)
    assert opens(places, "ada", GOOD)


def test_somebody_without_rights(say: Say) -> None:
    """It is said what that means."""
    out = say("add", "eve")[1]
    assert "own account only" in out and "pilothouse user rights eve viewer" in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "Bob"), 2, "Did you mean 'bob'?"),
        (("add", "ada"), 1, "Did you mean 'ada-2'?"),
        (("add", "bob", "--right", "operator@"), 2, "no place after the @"),
        (("add", "bob", "--right", "admin@bench"), 2, "engineer@bench"),
        (("add", "bob", "--life", "soon"), 2, "24h"),
        (("add", "bob", "--password-file", "/nowhere"), 2, "/nowhere"),
        (("add", "bob", "--password", "secret"), 2, "--password"),
        (("passwd", "adda"), 1, "Did you mean 'ada'?"),
        (("passwd", "adda", "--link"), 1, "Did you mean 'ada'?"),
        (("rights", "adda"), 1, "Did you mean 'ada'?"),
        (("rights", "ada", "viewer", "none"), 2, "'none'"),
        (("disable", "adda"), 1, "Did you mean 'ada'?"),
        (("enable", "adda"), 1, "Did you mean 'ada'?"),
        (("remove", "adda", "--yes"), 1, "Did you mean 'ada'?"),
        (("lst",), 2, "list"),
    ],
)
def test_what_cannot_be_done(say: Say, places: Places, words: tuple[str, ...], code: int, said: str) -> None:
    """One sentence with the nearest right thing; nothing is changed."""
    assert say("add", "ada", "--right", "viewer")[0] == 0
    before = len(lines(places))
    given, out, err = say(*words)
    assert (given, out) == (code, "") and said in err and "Traceback" not in err
    assert len(lines(places)) == before
    assert [one["name"] for one in json.loads(say("list", "--json")[1])] == ["ada"]


def test_a_stand_that_is_not_there(say: Say) -> None:
    """May come later, but it is said."""
    _, _, err = say("add", "bob", "--right", "operator@bnch", "--right", "viewer@pi/x", "--right", "engineer@bench")
    assert "'bnch'" in err and "Did you mean 'bench'?" in err and len(err.splitlines()) == 1
    assert "'wet'" in say("rights", "bob", "operator@wet")[2]


def test_a_broken_configuration_is_no_hindrance(say: Say, places: Places) -> None:
    """To what needs none of it."""
    places.config.write_text("[hub\n")
    assert say("add", "bob")[0] == 2
    places.config.unlink()
    say("add", "bob", "--right", "viewer")
    places.config.write_text("[hub\n")
    assert say("rights", "bob", "operator@wet")[0] == 0
    assert say("disable", "bob")[0] == 0


def test_the_list(say: Say, places: Places) -> None:
    """Who there is, with what rights, and how they come in."""
    assert "pilothouse link" in say("list")[1]
    say("add", "ada", "--right", "viewer", "--title", "Ada L.")
    say("add", "bob")
    say("disable", "bob")

    async def others(here: Here) -> None:
        await here.people.persons.arrive("eve", "oidc", "7", ["viewer"])
        await here.people.persons.add("joe", password_hash="x")
        await here.people.sessions.start("joe", "password")

    with_record(places, others)
    head, ada, bob, eve, joe = say("list")[1].splitlines()
    assert head.split() == ["NAME", "TITLE", "RIGHTS", "LOGS", "IN", "SEEN"]
    assert "Ada L.  viewer" in ada and "not yet" in ada and ada.endswith("never")
    assert "none" in bob and "disabled" in bob
    assert "single sign-on" in eve
    assert "password" in joe and joe.endswith("ago")


def test_a_new_password_from_a_pipe(say: Say, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first line; sessions end, tokens only when that is asked for."""
    say("add", "ada", "--right", "admin")
    session = add_session(places, "ada")
    pipe(monkeypatch, f"{GOOD}\r\nmore\n")
    code, out, _ = say("passwd", "ada")
    assert code == 0 and "sessions ended: 1, tokens ended: 0" in out
    assert opens(places, "ada", GOOD)
    assert with_record(places, lambda here: here.people.by_session(session)) is None
    pipe(monkeypatch, GOOD)
    told = json.loads(say("passwd", "ada", "--end-tokens", "--json")[1])
    assert told == {"name": "ada", "sessions_ended": 0, "tokens_ended": 1}
    assert [line.name for line in lines(places)][-2:] == ["password.reset"] * 2
    assert GOOD not in repr(lines(places))


@pytest.mark.parametrize("typed", ["short\n", "", "\n", "password123\n", "x" * 300])
def test_a_password_that_is_none(say: Say, places: Places, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """Is refused with a reason, and not shown."""
    say("add", "ada")
    pipe(monkeypatch, typed)
    code, _, err = say("passwd", "ada")
    assert code == 2 and "password" in err and (not typed.strip() or typed.strip() not in err)
    assert not person(places, "ada").has_password


def test_a_password_that_is_no_text(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is refused without showing a byte of it."""
    say("add", "ada")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"secret\xff\n"), encoding="utf-8"))
    code, _, err = say("passwd", "ada")
    assert code == 2 and "no UTF-8 text" in err and "ff" not in err and "secret" not in err


def test_a_link_for_a_new_password(say: Say, places: Places) -> None:
    """It is printed alone, and the old one is good until it is used."""
    say("add", "ada")
    code, out, _ = say("passwd", "ada", "--link", "--life", "1h")
    row = peek(places, out)
    assert code == 0 and len(out.splitlines()) == 1
    assert row is not None and (row.kind, row.who, row.expires - row.made) == ("invite", "ada", 3_600_000)
    assert json.loads(say("passwd", "ada", "--link", "--json")[1])["seconds"] == 86_400


def test_whose_password_is_elsewhere(say: Say, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told to change it there."""
    with_record(places, lambda here: here.people.persons.arrive("eve", "oidc", "7", ["viewer"]))
    pipe(monkeypatch, GOOD)
    code, _, err = say("passwd", "eve")
    assert code == 2 and "identity provider" in err
    assert say("passwd", "eve", "--link")[0] == 2


def talk(places: Places, *answers: str) -> tuple[int, str]:
    """`pilothouse user passwd ada` on a real terminal: exit code, and all that the terminal showed."""
    main, end = pty.openpty()
    words = [sys.executable, "-m", "pilothouse.cli", "user", "passwd", "ada", "--data", str(places.data)]
    shown = b""
    with Popen(words, stdin=end, stdout=end, stderr=end, start_new_session=True) as process:
        os.close(end)
        for answer in answers:
            while not shown.endswith(b": "):
                shown += os.read(main, 1024)
            os.write(main, f"{answer}\n".encode())
            shown += b"\n"
        while True:
            try:
                shown += os.read(main, 1024)
            except OSError:  # the other end is closed
                break
        code = process.wait()
    os.close(main)
    return code, shown.decode()


def test_a_new_password_on_a_terminal(say: Say, places: Places) -> None:
    """Is asked for twice and not shown."""
    say("add", "ada")
    code, shown = talk(places, GOOD, GOOD)
    assert code == 0 and "New password for ada: " in shown and "Once more: " in shown and GOOD not in shown
    assert opens(places, "ada", GOOD)
    code, shown = talk(places, "another long one", "another long two")
    assert code == 2 and "not the same" in shown and "another" not in shown
    assert opens(places, "ada", GOOD)


def test_other_rights(say: Say, places: Places) -> None:
    """Before and after; without any, they are shown."""
    say("add", "bob", "--right", "viewer")
    assert say("rights", "bob")[1] == "viewer\n"
    assert say("rights", "bob", "engineer@pi/*", "operator@bench")[1] == "bob: viewer → engineer@pi/* operator@bench\n"
    told = json.loads(say("rights", "bob", "none", "--json")[1])
    assert told == {"name": "bob", "before": ["engineer@pi/*", "operator@bench"], "rights": []}
    assert say("rights", "bob")[1] == "none\n"
    assert json.loads(say("rights", "bob", "--json")[1]) == {"name": "bob", "rights": []}
    assert lines(places)[-2].detail == "viewer → engineer@pi/* operator@bench"


def test_disabled_and_enabled(say: Say, places: Places) -> None:
    """Out at once; in again with the same rights."""
    say("add", "bob", "--right", "viewer")
    session = add_session(places, "bob")
    assert "have ended" in say("disable", "bob")[1]
    assert with_record(places, lambda here: here.people.by_session(session)) is None
    assert not person(places, "bob").active
    out = say("enable", "bob")[1]
    assert "rights: viewer" in out and "passwd bob --link" in out
    assert json.loads(say("enable", "bob", "--json")[1])["active"] is True
    assert json.loads(say("disable", "bob", "--json")[1])["active"] is False


def test_the_last_administrator(say: Say, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes only when it is forced, and that is warned of."""
    say("add", "ada", "--right", "admin")
    pipe(monkeypatch, GOOD)
    say("passwd", "ada")
    for words in (("disable", "ada"), ("rights", "ada", "viewer"), ("remove", "ada", "--yes")):
        code, _, err = say(*words)
        assert code == 1 and "last administrator" in err and "--force" in err
    assert person(places, "ada").can_come_in
    code, _, err = say("disable", "ada", "--force")
    assert code == 0 and "no administrator now" in err and "pilothouse link" in err
    assert say("enable", "ada")[2] == ""
    assert "no administrator now" in say("rights", "ada", "viewer", "--force")[2]
    assert "no administrator now" in say("remove", "ada", "--yes", "--force")[2]


def test_somebody_is_removed(say: Say, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a question; a pipe must say that it is meant."""
    say("add", "bob", "--right", "viewer")
    pipe(monkeypatch, "y\n")
    code, _, err = say("remove", "bob")
    assert code == 2 and "--yes" in err
    monkeypatch.setattr("sys.stdin", Keyboard("n\n"))
    code, _, err = say("remove", "bob")
    assert code == 1 and "Remove bob? [y/N]" in err and "nothing was done" in err
    assert person(places, "bob").active
    monkeypatch.setattr("sys.stdin", Keyboard("y\n"))
    assert say("remove", "bob")[:2] == (0, "bob was removed.\n")
    assert json.loads(say("list", "--json")[1]) == []
    assert [line.name for line in lines(places)][-1] == "user.remove"


def test_without_a_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """None is made by a wrong folder."""
    assert run(["user", "list", "--data", str(tmp_path / "typo")]) == 2
    assert "pilothouse up" in capsys.readouterr().err
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("words", [["user"], ["user", "--help"]])
def test_the_verbs_are_listed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its first line."""
    assert run(words) == 0
    out = " ".join(capsys.readouterr().out.split())
    for first in ("add: Add somebody", "passwd: Set somebody's password", "remove: Forget somebody"):
        assert first in out
