"""More than one was given: fields that nobody asked for, tokens that grow, others' accounts, names that look alike."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from support.attacks.callers import SEES
from support.attacks.hearing import problem, words_in
from support.attacks.world import SEEN, World

RELAY = f"/api/things/{SEEN}/properties/relay_3"
EXTRA: list[dict[str, Any]] = [
    {"role": "admin"},
    {"rights": ["admin"]},
    {"grants": ["admin"]},
    {"active": True},
    {"admin": True},
    {"who": "ada"},
    {"origin": "cli"},
    {"scope": "administer"},
    {"is_admin": True},
    {"source": "oidc"},
    {"has_password": True},
    {"__proto__": {"role": "admin"}},
    {"constructor": {"prototype": {"admin": True}}},
    {"__class__": "Person"},
    {"denied": None},
    {"id": "ffffffff"},
    {"epoch": 0},
    {"password_hash": ""},
    {"name": "ada"},
    {"node": "lab-wombat"},
]


@pytest.mark.parametrize("extra", EXTRA, ids=lambda extra: next(iter(extra)))
def test_a_field_too_many_gives_nobody_anything(world: World, extra: dict[str, Any]) -> None:
    """Members that nobody asked for are refused, or left out; rights and people stay as they are."""
    before = world.state()
    rights = world.call("olga", "GET", "/api/me").json()["rights"]
    for caller, path, body in (
        ("vito", RELAY, {"value": True}),
        ("olga", RELAY, {"value": True}),
        ("olga", "/api/stands/bench-ibis/lease", {"do": "deny"}),
        (
            "olga",
            "/api/confirmations",
            {"node": "pi-heron", "thing": "relays-quokka", "name": "relay_4", "input": True},
        ),
        ("olga", "/api/stop/lift", {"reason": "well"}),
        ("olga", "/api/people/olga", {"rights": ["admin"]}),
        ("stranger", "/api/login", {"name": "olga", "password": "wrong wrong", "token": {"name": "x"}}),
    ):
        method = "PUT" if path is RELAY else "PATCH" if "people" in path else "POST"
        answer = world.call(caller, method, path, json={**body, **extra}, headers={"Origin": world.url})
        own = set(body) & set(extra)
        assert answer.status_code in (401, 403, 404, 405, 422, 423) or own, (
            path,
            extra,
            answer.status_code,
            answer.text,
        )
    for caller, path, form in (
        ("olga", "/account/password", {"current": "wrong", "password": "long enough 123", "again": "long enough 123"}),
        ("stranger", "/login", {"name": "olga", "password": "wrong wrong"}),
        ("olga", "/stands/bench-ibis/lease", {"do": "deny"}),
    ):
        fields = {**form, **{name: str(value) for name, value in extra.items()}, **form}
        assert world.call(caller, "POST", path, data=fields, headers={"Origin": world.url}).status_code >= 400, (
            path,
            extra,
        )
    assert world.state() == before
    assert world.call("olga", "GET", "/api/me").json()["rights"] == rights


def test_a_token_cannot_become_more_than_it_is(world: World) -> None:
    """No token makes a token, ends its owner's sessions, changes a password or sits before an account."""
    for caller in ("token-administer", "token-operate", "machine", "guest"):
        wanted = {"name": "more", "scope": "administer", "days": 366}
        assert world.call(caller, "POST", "/api/tokens", json=wanted).status_code == 403
        for path in ("/api/tokens", "/api/sessions", "/account"):
            assert world.call(caller, "GET", path).status_code == 403, (caller, path)
        form = {
            "current": "x",
            "password": "long enough 123",
            "again": "long enough 123",
            "name": "more",
            "scope": "read",
        }
        for path in ("/account/password", "/account/tokens", "/account/sessions", "/account/tokens/end"):
            assert world.call(caller, "POST", path, data=form).status_code == 403, (caller, path)


def test_a_token_of_a_viewer_for_everything_is_one_of_a_viewer(world: World) -> None:
    """And one for a place where its owner may nothing is for nothing; one that says so of itself is not made."""
    made = world.call("vera", "POST", "/api/tokens", json={"name": "all", "scope": "administer", "days": 1}).json()
    key = {"Authorization": f"Bearer {made['secret']}"}
    assert world.bare("PUT", RELAY, headers=key, json={"value": True}).status_code == 403
    assert world.bare("GET", "/api/people", headers=key).status_code == 403
    body = {"name": "wet", "scope": "operate", "only": "wet-wombat", "days": 1}
    made = world.call("vito", "POST", "/api/tokens", json=body).json()
    key = {"Authorization": f"Bearer {made['secret']}"}
    for path in ("/api/things", "/api/nodes", "/api/stands", "/api/ledger", "/api/events", "/"):
        answer = world.bare("GET", path, headers=key)
        assert not words_in(answer, tuple(word for word in SEES if word != "zebra")), path
    assert world.bare("PUT", RELAY, headers=key, json={"value": True}).status_code == 404
    assert world.bare("POST", "/api/logout", headers=key).status_code == 200  # it would name what vito named himself
    for wrong in (
        {"scope": "root"},
        {"days": 367},
        {"days": -1},
        {"days": "1"},
        {"days": 1e308},
        {"only": "*"},
        {"only": "../x"},
        {"scope": ["administer"]},
        {"days": None},
        {"name": ""},
        {"who": "ada"},
    ):
        answer = world.call("vera", "POST", "/api/tokens", json={"name": "x", "scope": "read", "days": 1, **wrong})
        assert answer.status_code in (400, 422), (wrong, answer.text)


def test_tokens_and_sessions_of_others_are_not_mine_to_end(world: World) -> None:
    """By their id, which somebody may have read somewhere: they are not there."""
    (token_id, owner) = world.rows("SELECT id, who FROM token WHERE who = 'zed-zebra'")[0]
    (session_id, _) = world.rows("SELECT id, who FROM session WHERE who = 'zed-zebra'")[0]
    (guest_id,) = world.rows("SELECT id FROM guest WHERE name = 'zebra-guest'")[0]
    before = world.state()
    for caller in ("vera", "emil", "eva", "nemo"):
        for method, path in (
            ("DELETE", f"/api/tokens/{token_id}"),
            ("DELETE", f"/api/sessions/{session_id}"),
            ("DELETE", f"/api/guests/{guest_id}"),
            ("DELETE", f"/api/people/{owner}/tokens/{token_id}"),
            ("DELETE", f"/api/people/{owner}/sessions/{session_id}"),
        ):
            answer = world.call(caller, method, path)
            assert answer.status_code in (403, 404), (caller, path)
            assert "zebra" not in answer.text.replace(owner, "")
        for path, form in (
            ("/account/tokens/end", {"id": token_id}),
            ("/account/sessions", {"id": session_id}),
        ):
            answer = world.call(caller, "POST", path, data=form)
            assert answer.status_code < 500 and "zebra" not in answer.text
    assert world.state()["token"] == before["token"]
    assert (session_id, "zed-zebra", "password") in world.state()["sessions"]
    assert world.state()["guest"] == before["guest"]


NAMES = [
    "owner",
    "guard",
    "keeper",
    "nobody",
    "site",
    "me",
    "guest:gast",
    "guest:ada",
    "..",
    ".",
    "",
    " ",
    "a" * 64,
    "Ada",
    "аda",
    "ａda",
    "ada\u200b",
    "ada\u202e",
    "ada ",
    " ada",
    "ada\n",
    "ada\x00",
    "ada/../x",
    "%00",
    "ad\u0061\u0308",
    "-ada",
    "_ada",
    "ada;drop table person",
    "ada'--",
    "<script>",
    "{{7*7}}",
    "ＡＤＡ",
    "ada\r\nx: y",
]


@pytest.mark.parametrize("name", NAMES, ids=[repr(name)[:20] for name in NAMES])
def test_a_name_that_looks_like_another_is_nobodys(world: World, name: str) -> None:
    """An administrator cannot make such an account, by REST or by the form; nobody logs in with it."""
    before = world.state()
    answer = world.call("ada", "POST", f"/api/people/{quote(name, safe='')}", json={"rights": ["admin"]})
    assert answer.status_code in (400, 404, 405, 409, 422), answer.text
    if name not in (" ada", "ada ", "ada\n"):  # a form's field is stripped, and then there is an ada already
        form = {"do": "invite", "name": name, "role": "admin", "where": "", "life": "3600"}
        said = world.call("ada", "POST", "/people", data=form)
        assert said.status_code in (400, 409, 422), said.text[:300]
    tried = world.call(
        "stranger", "POST", "/login", data={"name": name, "password": "x" * 12}, headers={"Origin": world.url}
    )
    assert tried.status_code in (400, 401, 422, 429)
    assert world.state() == before


def test_the_ledger_is_changed_by_no_call(world: World) -> None:
    """There is no method that changes or removes a line, whatever it is called."""
    before = world.rows("SELECT * FROM command WHERE id LIKE 'command-%' ORDER BY id")
    for method in ("PUT", "POST", "PATCH", "DELETE"):
        for path in (
            "/api/ledger",
            "/api/ledger/command-dingo",
            "/ledger",
            "/ledger/command-dingo",
            "/api/events",
            "/api/history",
        ):
            answer = world.call("ada", method, path, json={"who": "zed", "end": "confirmed"})
            assert answer.status_code == 405, (method, path, answer.status_code)
            assert problem(answer)["detail"]
    assert world.rows("SELECT * FROM command WHERE id LIKE 'command-%' ORDER BY id") == before
