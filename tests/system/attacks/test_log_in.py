"""Letting people in: nobody learns who is here, guesses passwords, is sent elsewhere, or uses a link twice."""

from __future__ import annotations

import re
import threading
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import argon2
import httpx2
import pytest

from pilothouse.hub.own_paths import own_path
from support.attacks.callers import session
from support.attacks.hearing import problem
from support.attacks.world import World
from support.people import PASSWORD

KNOWN = ["ada", "vera", "nemo"]
"""Active, with a password."""
OTHERS = [
    "nobody-here",
    "zed-zebra",
    "disabled",
    "owner",
    "ADA ",
    "x" * 64,
    "аda",
    "",
    "' or 1=1 --",
    "ada\x00",
    "*",
    "guest:gast",
]
"""Unknown, without a password, disabled, nobody's name at all."""
WRONG = "a wrong password that nobody has"


def try_as(world: World, name: str, password: str, **headers: str) -> httpx2.Response:
    """The form of the log-in page."""
    form = {"name": name, "password": password, "next": "/"}
    return world.bare("POST", "/login", headers={"Origin": world.url, **headers}, data=form)


def try_by_program(world: World, name: str, password: str) -> httpx2.Response:
    """As `pilothouse login` does."""
    body = {"name": name, "password": password, "token": {"name": "x", "scope": "read", "days": 1}}
    return world.bare("POST", "/api/login", headers={"Origin": world.url}, json=body)


@pytest.fixture
def verified(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that is tested against something: what it is tested against."""
    seen: list[str] = []
    check = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, hash: str, password: str) -> bool:
        seen.append(hash.partition("p=")[0])
        return check(self, hash, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    return seen


def test_the_same_work_is_done_for_known_and_unknown_names(world: World, verified: list[str]) -> None:
    """One test of a password at the same cost, whoever is asked for; so time tells nothing. Counted, not measured."""
    for way in (try_as, try_by_program):
        costs = set()
        for name in (*KNOWN, *OTHERS):
            world.calm()
            verified.clear()
            answer = way(world, name, WRONG)
            assert answer.status_code == 401, (name, answer.text[:200])
            assert len(verified) == 1, f"{name}: {len(verified)} passwords were tested"
            costs.add(verified[0])
        assert len(costs) == 1, f"the cost differs: {costs}"


def test_the_answer_says_nothing_of_who_is_here(world: World) -> None:
    """Byte for byte the same page and the same problem but for the name that was typed, and the same headers."""
    for way in (try_as, try_by_program):
        seen = set()
        for name in ("ada", "zed-zebra", "disabled", "removed", "nobody-here", "owner"):
            world.calm()
            answer = way(world, name, WRONG)
            text = answer.text.replace(f'value="{name}"', 'value="NAME"')
            assert "set-cookie" not in answer.headers
            head = {key: value for key, value in answer.headers.items() if key not in ("date", "content-length")}
            seen.add((answer.status_code, str(head), text))
        assert len(seen) == 1, seen


def test_tries_are_slowed_down_alike_for_all_names(world: World) -> None:
    """The same number of tries until 429 with Retry-After, and the same words, whether there is such a person."""
    found = {}
    for name in ("oskar", "zed-zebra", "nobody-here", "disabled"):
        world.calm()
        statuses = []
        for _ in range(12):
            answer = try_as(world, name, WRONG)
            statuses.append(answer.status_code)
        assert answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1
        found[name] = statuses
    assert found["zed-zebra"] == found["nobody-here"] == found["disabled"], found
    assert 401 in found["oskar"] and found["oskar"].count(401) <= 10


def test_many_tries_at_once_are_no_more_than_one_after_the_other(world: World, verified: list[str]) -> None:
    """Forty at the same moment test as few passwords as forty in a row."""
    threads = [threading.Thread(target=_try, args=(world.url, "rita"), daemon=True) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(verified) <= 10, f"{len(verified)} passwords were tested"


def _try(url: str, name: str) -> None:
    with httpx2.Client(base_url=url, timeout=60, trust_env=False) as client:
        client.post("/login", data={"name": name, "password": WRONG}, headers={"Origin": url})


def test_a_stranger_does_not_lock_the_owner_out(world: World) -> None:
    """Whoever hammers an account slows themselves down, and a link of an administrator works meanwhile."""
    for _ in range(30):
        try_as(world, "oskar", WRONG)
    assert try_as(world, "oskar", WRONG).status_code == 429
    secret = world.do(world.site.people.links.make("login", "oskar"))
    answer = world.bare("POST", "/login", headers={"Origin": world.url}, data={"token": secret})
    assert answer.status_code == 303


def test_what_a_header_says_of_an_address_slows_nobody_down_less(world: World, verified: list[str]) -> None:
    """X-Forwarded-For of a stranger is no new address with new tries."""
    for number in range(40):
        try_as(world, "nora", WRONG, **{"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"})
    assert len(verified) <= 10
    lines = world.rows("SELECT input FROM command WHERE name LIKE 'login%'")
    assert lines and not [line for line in lines if "203.0.113" in line[0]]


def test_a_password_in_the_field_of_the_name_is_written_nowhere(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """People slip: neither the ledger nor the log has what was typed there."""
    slip = "my-secret-passw0rd-typed-in-the-wrong-field"
    with caplog.at_level("DEBUG"):
        try_as(world, slip, "x")
        try_by_program(world, slip, "x")
        try_as(world, "ada", slip)
    cells = [str(cell) for row in world.rows("SELECT * FROM command") for cell in row]
    assert not [cell for cell in cells if slip in cell]
    assert slip not in caplog.text


def test_another_site_cannot_log_a_browser_in(world: World) -> None:
    """A form elsewhere that posts the attacker's own name and password, link or guest key, is refused."""
    link = world.do(world.site.people.links.make("login", "nemo"))
    key, _ = world.do(world.site.people.guests.make("lure", "bench-ibis", by="ada", life=3600))
    for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        for path, form in (
            ("/login", {"name": "nemo", "password": PASSWORD}),
            ("/login", {"token": link}),
            ("/guest", {"key": key}),
        ):
            answer = world.bare("POST", path, headers=headers, data=form)
            assert answer.status_code == 403 and "set-cookie" not in answer.headers, (headers, path)
        body = {"name": "nemo", "password": PASSWORD, "token": {"name": "x"}}
        assert world.bare("POST", "/api/login", headers=headers, json=body).status_code == 403
    assert world.do(world.site.people.links.peek(link)) is not None
    world.do(world.site.people.links.use(link))


def test_looking_at_a_link_uses_nothing_up_and_lets_nobody_in(world: World) -> None:
    """Messengers look at links before people do: GET and HEAD, however often; the secret is in no header of it."""
    people = world.site.people
    for kind in ("login", "invite"):
        secret = world.do(people.links.make(kind, "nemo"))
        for _ in range(3):
            for method in ("GET", "HEAD"):
                answer = world.bare(method, f"/login?token={secret}", headers={"Accept": "text/html"})
                assert answer.status_code in (200, 405)
                assert "set-cookie" not in answer.headers and secret not in str(answer.headers)
        assert "no-store" in answer.headers["cache-control"]
        assert world.do(people.links.peek(secret)) is not None
        world.do(people.links.use(secret))


def test_a_link_works_once_though_many_use_it_at_once(world: World) -> None:
    """Twenty browsers send it at the same moment: one is let in."""
    secret = world.do(world.site.people.links.make("login", "nemo"))
    statuses: list[int] = []

    def use() -> None:
        with httpx2.Client(base_url=world.url, timeout=30, trust_env=False) as client:
            statuses.append(client.post("/login", data={"token": secret}, headers={"Origin": world.url}).status_code)

    threads = [threading.Thread(target=use, daemon=True) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [303] + [410] * 19, statuses


def test_a_link_of_somebody_disabled_or_removed_is_none(world: World) -> None:
    """Also a guest link that was ended, and one that was cut or made up."""
    people = world.site.people
    world.do(people.persons.add("lina", grants=("viewer",)))
    for change in (people.persons.set_active("lina", False), people.persons.remove("lina")):
        if world.do(people.persons.get("lina")) is not None:
            world.do(people.persons.set_active("lina", True))
        secret = world.do(people.links.make("login", "lina"))
        world.do(change)
        answer = world.bare("POST", "/login", headers={"Origin": world.url}, data={"token": secret})
        assert answer.status_code == 410 and "set-cookie" not in answer.headers
    key, row = world.do(people.guests.make("kurz", "bench-ibis", by="ada", life=3600))
    for wrong in (key[:-1], key + "x", key.swapcase(), "", row.id, "kurz", "../" + key, key * 10):
        answer = world.bare("POST", "/guest", headers={"Origin": world.url}, data={"key": wrong})
        assert answer.status_code == 410 and "set-cookie" not in answer.headers, wrong
    world.do(people.guests.end(row.id))
    assert world.bare("POST", "/guest", headers={"Origin": world.url}, data={"key": key}).status_code == 410


def test_secrets_cannot_be_guessed(world: World) -> None:
    """Links, guest keys, sessions and tokens have 256 random bits each, and nothing of what they are for."""
    people = world.site.people
    made: list[str] = []
    for number in range(4):
        made.append(world.do(people.links.make("login", "nemo")))
        made.append(world.do(people.guests.make(f"zufall-{number}", "bench-ibis", by="ada", life=60))[0])
        made.append(world.do(people.sessions.start("nemo", "password")))
        made.append(world.do(people.tokens.make("nemo", "x", "read", life=60))[0].removeprefix("ph_"))
    for secret in made:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43,}", secret), "shorter than 256 bits"
        assert "nemo" not in secret
    assert len({secret[:8] for secret in made}) == len(made), "they begin alike"
    world.key("nemo", new=True)


NEXT = [
    "//evil.example",
    "///evil.example",
    "////evil.example/%2f..",
    "https://evil.example",
    "http:evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/%09/evil.example",
    "/%5cevil.example",
    "//evil.example@localhost",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "/..//evil.example",
    "/.//evil.example",
    "/x/..//evil.example",
    "evil.example",
    "@evil.example",
    "?//evil.example",
    "#//evil.example",
    "/login?next=//evil.example",
    "/;//evil.example",
    "http://localhost:1@evil.example",
    "https:///evil.example",
    "ftp://evil.example",
    "/\u2028/evil.example",
    "/\uff0f/evil.example",
    "/\u3002evil.example",
    "//\u0000evil.example",
    "/\x00/evil.example",
    "//e\u1d20il.example",
    "/%2f/evil.example",
    "/%2f%2fevil.example",
    "%2f%2fevil.example",
    "/" + "a" * 5000,
    "<script>",
    '"onmouseover="alert(1)',
    '/"><script>alert(1)</script>',
]


@pytest.mark.parametrize("next", NEXT, ids=[repr(each)[:30] for each in NEXT])
def test_a_log_in_leads_nowhere_else(world: World, next: str) -> None:
    """However the way back is written: after the log-in one is at this hub; and the page does not carry it further."""
    ours = urlsplit(world.url).netloc
    form = {"name": "vera", "password": PASSWORD, "next": next}
    answers = [world.bare("POST", "/login", headers={"Origin": world.url}, data=form)]
    answers.append(world.call("ada", "GET", f"/login?next={quote(next)}"))
    for answer in answers:
        assert answer.status_code == 303, answer.text[:300]
        location = answer.headers["location"]
        assert location.startswith("/") and not location.startswith(("//", "/\\")), location
        assert location.isascii() and location.isprintable()
        assert urlsplit(httpx2.URL(world.url).join(location).__str__()).netloc == ours
    page = world.call("stranger", "GET", f"/login?next={quote(next)}", headers={"Accept": "text/html"})
    assert page.status_code == 200
    for field in re.findall(r'name="next" value="([^"]*)"', page.text):
        assert field.startswith("/") and not field.startswith(("//", "/\\")), field
    assert "<script>alert" not in page.text and "javascript:alert" not in page.text.lower()
    asked = world.call("stranger", "GET", quote(f"/stands/{next}"), headers={"Accept": "text/html"})
    if asked.status_code == 303:
        way = parse_qs(urlsplit(asked.headers["location"]).query).get("next", ["/"])[0]
        assert asked.headers["location"].startswith("/login")
        assert own_path(way).startswith("/") and not own_path(way).startswith("//")


def test_where_a_stranger_was_going_comes_back_to_this_hub(world: World) -> None:
    """Paths with two slashes or a backslash at the front, which browsers take for another site."""
    for path in ("//evil.example/x", "/%5cevil.example", "/%2fevil.example", "//evil.example%2f..", "/.//evil.example"):
        answer = world.call("stranger", "GET", world.url + path, headers={"Accept": "text/html"})
        if answer.status_code == 303:
            way = parse_qs(urlsplit(answer.headers["location"]).query).get("next", ["/"])[0]
            form = {"name": "vera", "password": PASSWORD, "next": way}
            led = world.bare("POST", "/login", headers={"Origin": world.url}, data=form).headers["location"]
            assert urlsplit(str(httpx2.URL(world.url).join(led))).netloc == urlsplit(world.url).netloc, (path, led)


def test_there_is_no_first_link_while_there_is_an_administrator(world: World) -> None:
    """Nobody makes themselves the first administrator a second time."""
    with pytest.raises(Exception, match="administrator"):
        world.do(world.site.people.links.make("first"))
    for token in ("", "first", "A" * 43):
        form = {"token": token, "name": "mallory", "password": "long enough 123", "again": "long enough 123"}
        answer = world.bare("POST", "/login", headers={"Origin": world.url}, data=form)
        assert answer.status_code in (401, 410)
    assert world.rows("SELECT 1 FROM person WHERE name = 'mallory'") == []


def test_an_invitation_sets_the_password_of_whom_it_is_for(world: World) -> None:
    """Whatever other name the form says; and what is too weak or not the same twice leaves the link as it is."""
    people = world.site.people
    world.do(people.persons.add("ines", grants=("viewer",)))
    secret = world.do(people.links.make("invite", "ines"))
    send = {"Origin": world.url}
    for password, again in (
        ("short", "short"),
        ("long enough 123", "other enough 123"),
        ("password123", "password123"),
        ("x" * 501,) * 2,
    ):
        form = {"token": secret, "name": "ada", "password": password, "again": again}
        assert 400 <= world.bare("POST", "/login", headers=send, data=form).status_code < 500, password[:20]
    form = {"token": secret, "name": "ada", "who": "ada", "password": "ines long enough", "again": "ines long enough"}
    answer = world.bare("POST", "/login", headers=send, data=form)
    assert answer.status_code == 303
    found = re.search(r"ph_session=([^;]+)", answer.headers["set-cookie"])
    assert found and world.bare("GET", "/api/me", headers=session(found.group(1))).json()["who"] == "ines"
    assert try_as(world, "ada", PASSWORD).status_code == 303
    assert world.bare("POST", "/login", headers=send, data=form).status_code == 410
    world.do(people.persons.remove("ines"))


def test_a_password_is_never_shown_again(world: World) -> None:
    """Not in the page after a slip, not in an error of its form, not as a field's value."""
    secret = "Zebra-in-the-field-9"
    shown: list[Any] = [
        try_as(world, "ada", secret),
        try_by_program(world, "ada", secret),
        world.call("vera", "POST", "/account/password", data={"current": secret, "password": secret, "again": "x"}),
        world.bare(
            "POST", "/api/login", headers={"Origin": world.url}, json={"name": "ada", "password": secret, "x": secret}
        ),
        world.bare("POST", "/api/login", headers={"Origin": world.url}, content=f'{{"password": "{secret}'),
    ]
    for answer in shown:
        assert answer.status_code >= 400
        assert secret not in answer.text + str(answer.headers)
    assert problem(shown[1])["type"].endswith("log-in")
