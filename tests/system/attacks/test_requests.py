"""Odd methods, mistakes of the hub itself, a record that does not answer, and what the log says of requests."""

from __future__ import annotations

import json

import pytest

from pilothouse.errors import RecordError
from pilothouse.record.ledger import Ledger
from support.attacks.callers import SEES
from support.attacks.hearing import words_in
from support.attacks.wire import raw, status
from support.attacks.world import SEEN, World

RELAY = f"/api/things/{SEEN}/properties/relay_1"


def test_methods_that_nobody_speaks_do_nothing(world: World) -> None:
    """TRACE shows no header, CONNECT opens no way, an odd word is refused."""
    before = world.state()
    for method in ("TRACE", "CONNECT", "PATCH", "PROPFIND", "MOVE", "LINK", "PURGE", "DEBUG", "OPTIONS"):
        for path in ("/", RELAY, "/api/stop", "/static/js/app.js", "/api/live", "/login"):
            answer = raw(world, f"{method} {path} HTTP/1.1\r\n".encode())
            assert status(answer) in (0, 200, 204, 400, 403, 404, 405, 501), (method, path, answer[:200])
            secret = world.key("ada")["Cookie"].partition("=")[2].encode()
            assert secret not in answer and not any(word.encode() in answer for word in SEES)
    assert world.state() == before


def test_what_breaks_says_nothing_of_the_inside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of the hub is a 500 without a trace, a path of a file, a value or a secret; the next answer is good."""

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("zebra secret at /home/zebra/file.py")

    for name in ("page", "line", "lines"):
        monkeypatch.setattr(Ledger, name, broken)
    for caller in ("ada", "vito", "guest"):
        for path in ("/api/ledger", "/ledger", "/api/ledger/command-dingo", "/"):
            answer = world.call(caller, "GET", path, headers={"Accept": "text/html"})
            assert answer.status_code in (500, 503)
            told = answer.text + str(answer.headers)
            assert not words_in(answer, ("zebra",))
            assert "Traceback" not in told and "RuntimeError" not in told and str(world.data) not in told
            assert "content-security-policy" in answer.headers
    monkeypatch.undo()
    assert world.call("ada", "GET", "/api/ledger").status_code == 200


def test_a_full_record_lets_nobody_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be looked up is refused: 503, and nothing is shown."""

    async def full(_: str) -> None:
        raise RecordError("The record does not answer")

    monkeypatch.setattr(world.site.people, "by_session", full)
    monkeypatch.setattr(world.site.people, "by_token", full)
    for caller in ("ada", "token-administer", "guest", "wrong"):
        for path in ("/", "/api/things", "/api/live"):
            answer = world.bare("GET", path, headers=world.key(caller))
            assert answer.status_code == 503
            assert not words_in(answer, tuple(SEES))


def test_the_log_has_one_line_for_one_event(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Names and paths with line breaks and escape signs do not write lines of their own, nor colour the terminal."""
    evil = "x%0d%0aINFO hub: ada logged in%1b[31m%1b]0;owned%07"
    with caplog.at_level("DEBUG"):
        for path in (f"/{evil}", f"/api/things/{evil}/a", f"/static/{evil}", f"/login?token={evil}", f"/?{evil}"):
            world.call("ada", "GET", path)
        world.call("stranger", "POST", "/login", data={"name": "x\r\nada\x1b[31m", "password": "y\r\nz"})
    for record in caplog.records:
        text = record.getMessage()
        if record.name.startswith("pilothouse"):
            assert not {"\r", "\n", "\x1b", "\x07"} & set(text), text


def test_an_answer_is_never_a_page_where_a_program_asked(world: World) -> None:
    """JSON stays JSON, whatever a browser accepts: nothing under /api/ can be read as HTML."""
    for path in ("/api/things", "/api/<script>", "/api/things/<script>alert(1)</script>/x", "/api/ledger?who=<script>"):
        answer = world.call("ada", "GET", path, headers={"Accept": "text/html,*/*"})
        kind = answer.headers["content-type"]
        assert kind.startswith(("application/json", "application/problem+json")), (path, kind)
        assert json.loads(answer.text)
