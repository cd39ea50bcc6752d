"""Sessions and tokens: none is planted, none works a moment longer than it should, at any hub of the site."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from support.attacks.callers import session, token
from support.attacks.hearing import Heard, wait_for
from support.attacks.world import HIDDEN, SEEN, World
from support.people import PASSWORD
from support.processes import process

AT_ONCE = 5.0
"""Seconds within which it must be seen everywhere; the site promises one, and machines of tests are busy."""


class Second:
    """Another hub of the same site, as a process."""

    def __init__(self, running: subprocess.Popen[str], world: World) -> None:
        assert running.stdout is not None
        found = re.match(r"Pilothouse is at (http://[^/\s]+)", running.stdout.readline())
        assert found, (world.data / "hub.stderr").read_text()
        self.url = found.group(1)
        self._client = httpx2.Client(base_url=self.url, timeout=20, trust_env=False)

    def status(self, key: dict[str, str], path: str = "/api/things") -> int:
        """What it answers to these credentials."""
        self._client.cookies.clear()
        return self._client.get(path, headers=key).status_code

    def close(self) -> None:
        """Hang up."""
        self._client.close()


@pytest.fixture(scope="module")
def second(running: World) -> Iterator[Second]:
    """The other hub, which knows the things by now."""
    with process("hub", running.data, "--port", "0") as started:
        made = Second(started, running)
        try:
            wait_for(lambda: made.status(running.key("ada"), f"/api/things/{SEEN}") == 200, "the other hub's things")
            yield made
        finally:
            made.close()


async def _person(world: World, name: str, *grants: str) -> None:
    people = world.site.people
    if await people.persons.get(name) is None:
        await people.persons.add(name)
    await people.persons.set_grants(name, grants)
    await people.persons.set_active(name, True)
    await people.persons.set_password(name, await world.site.passwords.hash(PASSWORD))


def _session(world: World, name: str) -> dict[str, str]:
    return session(world.do(world.site.people.sessions.start(name, "password")))


def _token(world: World, name: str) -> dict[str, str]:
    return token(world.do(world.site.people.tokens.make(name, "attack", "administer"))[0])


async def _end_sessions(world: World, name: str) -> None:
    for row in await world.site.people.sessions.of(name):
        await world.site.people.sessions.end_id(name, row.id)


async def _end_tokens(world: World, name: str) -> None:
    for row in await world.site.people.tokens.of(name):
        await world.site.people.tokens.end(row.id)


async def _disable(world: World, name: str) -> None:
    await world.site.people.persons.set_active(name, False)


async def _remove(world: World, name: str) -> None:
    await world.site.people.persons.remove(name)


async def _new_password(world: World, name: str) -> None:
    await world.site.people.persons.set_password(name, await world.site.passwords.hash("another battery staple"))


ENDS: dict[str, tuple[Callable[..., Any], Callable[..., dict[str, str]]]] = {
    "a session that was ended": (_end_sessions, _session),
    "a token that was ended": (_end_tokens, _token),
    "the session of somebody who was disabled": (_disable, _session),
    "the token of somebody who was disabled": (_disable, _token),
    "the session of somebody who was removed": (_remove, _session),
    "the token of somebody who was removed": (_remove, _token),
    "a session from before a new password": (_new_password, _session),
}


@pytest.mark.parametrize("what", ENDS)
def test_nothing_works_once_it_has_ended(world: World, second: Second, what: str) -> None:
    """At the hub where it was ended and at the other one; and a stream that was open with it ends."""
    end, make = ENDS[what]
    world.do(_person(world, "felix", "operator"))
    key = make(world, "felix")
    assert world.bare("GET", "/api/things", headers=key).status_code == 200
    assert second.status(key) == 200
    with open_stream(world.url, key) as here, open_stream(second.url, key) as there:
        here.wait(b"event: snapshot")
        there.wait(b"event: snapshot")
        world.do(end(world, "felix"))
        assert world.bare("GET", "/api/things", headers=key).status_code == 401
        wait_for(lambda: second.status(key) == 401, f"{what} to be refused", seconds=AT_ONCE)
        wait_for(lambda: here.over, "the stream to end", seconds=AT_ONCE)
        wait_for(lambda: there.over, "the stream of the other hub to end", seconds=AT_ONCE)
    assert second.status(key) == 401


def test_fewer_rights_are_seen_at_once_everywhere(world: World, second: Second) -> None:
    """An operator who is one no longer cannot switch; what they may not see any more is gone from an open stream."""
    world.do(_person(world, "felix", "operator"))
    key = _session(world, "felix")
    with open_stream(world.url, key) as here, open_stream(second.url, key) as there:
        here.wait(b"event: snapshot")
        there.wait(b"event: snapshot")
        assert second.status(key, f"/api/things/{HIDDEN}") == 200
        world.do(world.site.people.persons.set_grants("felix", ("viewer@bench-ibis",)))
        put = {**key, "Origin": world.url}
        path = f"/api/things/{SEEN}/properties/relay_2"
        assert world.bare("PUT", path, headers=put, json={"value": True}).status_code == 403
        assert world.bare("GET", f"/api/things/{HIDDEN}", headers=key).status_code == 404
        wait_for(lambda: second.status(key, f"/api/things/{HIDDEN}") == 404, "the other hub to see it", seconds=AT_ONCE)
        # Whatever the streams do, from here on they carry no word of it.
        told = wait_for(lambda: settled(here, there), "the streams to know", seconds=AT_ONCE)
        path = "/api/things/lab-wombat/teller-wombat/properties/mood"
        for number in range(3):
            assert world.call("ada", "PUT", path, json={"value": f"wombat {number}"}).status_code == 200
        wait_for(lambda: all(beats_on(each, at) for each, at in told), "a beat, or the end")
        for each, at in told:
            assert b"wombat" not in each.text[at:].lower()


def settled(*streams: Heard) -> list[tuple[Heard, int]]:
    """Each stream with the place from which on it must be clean, once it has ended or has sent a new snapshot."""
    found = []
    for each in streams:
        at = each.text.rfind(b"event: snapshot")
        if not each.over and (each.text.count(b"event: snapshot") < 2 or b"\n\n" not in each.text[at:]):
            return []
        found.append((each, len(each.text) if each.over else at))
    return found


def beats_on(heard: Heard, at: int) -> bool:
    """Whether a stream has said something after a place in it, or has ended."""
    return heard.over or b"event: beat" in heard.text[at:]


def open_stream(url: str, key: dict[str, str]) -> Any:
    """A stream of whoever has this key; a block that reads it in a thread."""
    return Heard.of(url, "", key)


def test_a_guest_is_out_when_their_link_ends(world: World, second: Second) -> None:
    """With all browsers that came by it; another guest link stays."""
    people = world.site.people
    keys = []
    rows = []
    for name in ("gina", "gus"):
        _, row = world.do(people.guests.make(name, "bench-ibis", by="ada", life=3600))
        rows.append(row)
        keys.append(session(world.do(people.sessions.start(f"guest:{name}", "guest", guest_id=row.id))))
        assert second.status(keys[-1]) == 200
    with open_stream(second.url, keys[0]) as heard:
        heard.wait(b"event: snapshot")
        world.do(people.guests.end(rows[0].id))
        assert world.bare("GET", "/api/things", headers=keys[0]).status_code == 401
        wait_for(lambda: second.status(keys[0]) == 401, "the guest to be out", seconds=AT_ONCE)
        wait_for(lambda: heard.over, "the guest's stream to end", seconds=AT_ONCE)
    assert second.status(keys[1]) == 200
    world.do(people.guests.end(rows[1].id))


def log_in(world: World, name: str, headers: dict[str, Any] | None = None) -> httpx2.Response:
    """The form of the log-in page."""
    form = {"name": name, "password": PASSWORD}
    return world.bare("POST", "/login", headers={"Origin": world.url, **(headers or {})}, data=form)


def secret_of(answer: httpx2.Response) -> str:
    """The session that an answer sets."""
    found = re.search(r"ph_session=([^;]+)", answer.headers["set-cookie"])
    assert found, answer.headers
    return found.group(1)


def test_a_session_that_was_planted_is_never_the_one_that_logs_in(world: World) -> None:
    """Whatever cookie stands in the browser before the log-in: there is a new session after it, and only that."""
    world.do(_person(world, "felix", "viewer"))
    attacker = world.key("nemo", new=True)["Cookie"].partition("=")[2]
    for planted in ("B" * 43, attacker, "", "x" * 5000, "a=b", "é", "%00", "../../felix"):
        cookie = f"ph_session={planted}".encode()
        answer = log_in(world, "felix", {"Cookie": cookie})
        assert answer.status_code in (303, 400, 431), answer.text
        if answer.status_code == 303:
            assert secret_of(answer) != planted and len(secret_of(answer)) >= 32
            told = world.bare("GET", "/api/things", headers={"Cookie": cookie})
            assert told.status_code == 401 or planted == attacker
    assert world.rows("SELECT count(*) FROM session WHERE who = 'felix'") != [(0,)]
    me = world.bare("GET", "/api/me", headers=session(attacker))
    assert "felix" not in me.text and me.status_code in (200, 401)


def test_two_cookies_of_one_name_are_not_mixed(world: World) -> None:
    """One of the two counts, whole, whoever planted the other; a broken one beside a good one is no error."""
    good, other = world.key("ada")["Cookie"], world.key("nemo", new=True)["Cookie"]
    for cookies in (
        f"{good}; {other}",
        f"{other}; {good}",
        f"ph_session=; {good}",
        f"{good}; ph_session=",
        f"ph_session; {good}",
        f"{good};;;;",
        f"a={'x' * 3000}; {good}",
        f"; = ; {good}",
    ):
        answer = world.bare("GET", "/api/me", headers={"Cookie": cookies})
        assert answer.status_code in (200, 401)
        if answer.status_code == 200:
            assert answer.json()["who"] in ("ada", "nemo")
    for cookies in (
        good.replace("ph_session", "PH_SESSION"),
        good.replace("ph_session", "__Host-ph_session"),
        good.replace("ph_session", "xph_session"),
        good.replace("=", " = "),
        f'a="{good}"',
        good.replace("=", '="'),
        f"$Version=1; {good.replace('ph_session', '$ph_session')}",
    ):
        assert world.bare("GET", "/api/me", headers={"Cookie": cookies}).status_code == 401, cookies


def test_a_secret_lets_in_only_where_it_belongs(world: World) -> None:
    """Not a session as a token, not a token as a session, not in the address, not twice, not cut, not with a tail."""
    secret = world.key("ada")["Cookie"].partition("=")[2]
    program = world.key("token-administer")["Authorization"].partition(" ")[2]
    for headers in (
        token(secret),
        session(program),
        {"Authorization": program},
        {"Authorization": f"Basic {program}"},
        {"Authorization": f"Bearer {program[:-1]}"},
        {"Authorization": f"Bearer {program}x"},
        {"Authorization": f"Bearer {program}, Bearer {program}"},
        {"Authorization": f"Bearer {program.upper()}"},
        {"Authorization": "Bearer"},
        {"X-Api-Key": program},
        {"Authorization": "Bearer wrong", **session(secret)},
        session(secret[:-1]),
        session(secret + "x"),
        session(secret.swapcase()),
    ):
        sent = {name: value.encode("latin-1") for name, value in headers.items()}
        assert world.bare("GET", "/api/things", headers=sent).status_code in (400, 401), headers  # type: ignore[arg-type]
    for query in (f"?token={program}", f"?access_token={program}", f"?ph_session={secret}", f"?session={secret}"):
        assert world.bare("GET", f"/api/things{query}", headers={}).status_code == 401, query
    world.key("ada", new=True)


def test_a_cookie_of_tls_is_kept_for_this_host_alone(world: World) -> None:
    """Where the request came by TLS: `__Host-`, Secure, Path=/, no Domain; and the plain name counts for nothing."""
    world.do(_person(world, "felix", "viewer"))
    body = f"name=felix&password={PASSWORD.replace(' ', '+')}".encode()
    status, headers, _ = world.asgi(
        "POST", "/login", body, scheme="https", kind="application/x-www-form-urlencoded", origin="https://localhost"
    )
    assert status == 303, headers
    (cookie,) = [value for name, value in headers if name == "set-cookie" and "ph_session" in value]
    assert cookie.startswith("__Host-ph_session=")
    parts = {part.strip().lower() for part in cookie.split(";")}
    assert {"secure", "httponly", "path=/", "samesite=lax"} <= parts
    assert not [part for part in parts if part.startswith("domain")]
    secret = cookie.partition("=")[2].partition(";")[0]
    assert world.asgi("GET", "/api/things", scheme="https", cookie=f"__Host-ph_session={secret}")[0] == 200
    assert world.asgi("GET", "/api/things", scheme="https", cookie=f"ph_session={secret}")[0] == 401
    assert world.asgi("GET", "/api/things", scheme="http", cookie=f"__Host-ph_session={secret}")[0] == 401


def test_logging_out_ends_the_session_and_not_only_the_cookie(world: World) -> None:
    """Whoever copied the cookie has nothing; what a page of it had cached must go."""
    key = world.key("olga", new=True)
    answer = world.call("olga", "POST", "/logout")
    assert answer.status_code == 303
    assert "ph_session=" in answer.headers["set-cookie"]
    assert world.bare("GET", "/api/things", headers=key).status_code == 401
    world.key("olga", new=True)


def test_no_secret_of_a_session_is_ever_told(world: World) -> None:
    """Pages and answers about sessions and tokens name them by what does not let in."""
    secret = world.key("ada")["Cookie"].partition("=")[2]
    program = world.key("token-administer")["Authorization"].partition(" ")[2]
    for path in (
        "/account",
        "/people",
        "/people/ada",
        "/api/sessions",
        "/api/tokens",
        "/api/me",
        "/api/people",
        "/ledger",
    ):
        answer = world.page("ada", path)
        assert secret not in answer.text and program not in answer.text, path
    rows = [
        json.dumps([str(cell) for cell in row])
        for table in ("session", "token", "link", "guest", "person", "command")
        for row in world.rows(f"SELECT * FROM {table}")
    ]
    assert not [row for row in rows if secret in row or program in row]
