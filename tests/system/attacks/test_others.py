"""What is somebody else's: commands and their keys, confirmations, leases, stops."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from support.attacks.callers import never
from support.attacks.hearing import wait_for, words_in
from support.attacks.world import HIDDEN, SEEN, World

RELAY = f"/api/things/{SEEN}/properties/relay_3"
PUMP = f"/api/things/{HIDDEN}/properties/pump"


def keyed(world: World, caller: str, path: str, key: str, value: bool) -> httpx2.Response:
    """A command under a key of one's own choice."""
    return world.call(caller, "PUT", path, json={"value": value}, headers={"Idempotency-Key": key})


def test_a_key_of_somebody_else_gives_nothing_away(world: World) -> None:
    """The same key from another person is no replay of the first one's answer, also where they see nothing of it."""
    assert keyed(world, "wilma", PUMP, "key-of-wilma-wombat", True).status_code == 200
    traced = world.traced()
    for caller in ("olga", "eva", "oskar", "token-operate"):
        for path in (RELAY, PUMP):
            answer = keyed(world, caller, path, "key-of-wilma-wombat", True)
            assert answer.status_code in (404, 422), (caller, path, answer.text)
            told = tuple(word for word in never(caller) if word not in "key-of-wilma-wombat" + path)
            assert not words_in(answer, told)
            assert "idempotency-replayed" not in answer.headers
    assert world.traced() == traced
    assert world.call("wilma", "GET", "/api/ledger/key-of-wilma-wombat").json()["who"] == "wilma"


def test_a_refused_command_stays_refused_under_its_key(world: World) -> None:
    """It is not tried again, by nobody: rights of others do not make an old refusal good."""
    assert keyed(world, "vito", RELAY, "key-of-vito-1", True).status_code == 403
    before = world.traced()
    again = keyed(world, "vito", RELAY, "key-of-vito-1", True)
    assert again.status_code == 403 and world.traced() == before
    assert keyed(world, "ada", RELAY, "key-of-vito-1", True).status_code == 422
    assert world.traced() == before


@contextlib.contextmanager
def hanging(world: World, caller: str, path: str, key: str, seconds: float = 1.5) -> Iterator[None]:
    """A command of somebody that waits behind a device that hangs, while the block runs."""
    thing = path.partition("/properties/")[0]
    body = {"input": {"kind": "hang", "seconds": seconds}}
    assert world.call("ada", "POST", f"{thing}/actions/fail", json=body).status_code == 200
    done: list[int] = []

    def send() -> None:
        headers = {**world.headers(caller), "Idempotency-Key": key}
        with httpx2.Client(base_url=world.url, timeout=30, trust_env=False) as client:
            done.append(client.put(path, json={"value": False}, headers=headers).status_code)

    world.headers(caller)  # in this thread
    threads = [threading.Thread(target=send, name="a command", daemon=True)]
    threads[0].start()
    try:
        wait_for(lambda: world.rows("SELECT 1 FROM command WHERE id = ? AND ended_as = ''", key), "the command to wait")
        yield
    finally:
        threads[0].join(30)
        assert done, "the command never ended"


def test_nobody_takes_back_what_somebody_else_sent(world: World) -> None:
    """But an engineer; for whom it is hidden it is not there, and its place is not named."""
    with hanging(world, "wilma", PUMP, "wait-of-wombat"):
        expected = {
            "vito": 404,
            "guest": 404,
            "eva": 404,
            "nemo": 404,
            "olga": 404,
            "mia": 403,
            "nora": 403,
            "oskar": 403,
            "vera": 403,
            "token-operate": 403,
        }
        for caller, status in expected.items():
            answer = world.call(caller, "DELETE", "/api/commands/wait-of-wombat")
            assert answer.status_code == status, (caller, answer.text)
            nowhere = world.call(caller, "DELETE", "/api/commands/wait-of-dugong")
            if status == 404:
                assert answer.text.replace("wombat", "dugong") == nowhere.text, caller
        assert world.call("stranger", "DELETE", "/api/commands/wait-of-wombat").status_code == 401
    line = "/api/ledger/wait-of-wombat"
    assert wait_for(lambda: world.call("ada", "GET", line).json()["end"], "its end") == "confirmed"


def test_a_key_on_its_way_is_no_window_into_another_world(world: World) -> None:
    """While a command of the hidden world is on its way, its key tells nobody of it."""
    with hanging(world, "wilma", PUMP, "flies-of-wombat"):
        for caller in ("eva", "olga", "token-bench"):
            answer = keyed(world, caller, RELAY, "flies-of-wombat", True)
            assert answer.status_code == 422
            assert not words_in(answer, tuple(w for w in never(caller) if w != "wombat"))
            assert HIDDEN not in answer.text and "wilma" not in answer.text
            for path in ("/api/ledger/flies-of-wombat", "/ledger/flies-of-wombat"):
                assert world.call(caller, "GET", path).status_code == 404


def test_a_confirmation_is_good_for_whoever_asked_for_it(world: World) -> None:
    """Not for another person, another thing or another value, and not twice; whoever may not switch gets none."""
    body = {"node": "pi-heron", "thing": "relays-quokka", "name": "relay_4", "input": True}
    path = f"/api/things/{SEEN}/properties/relay_4"

    def press(caller: str, token: str, value: bool = True) -> int:
        return world.call(caller, "PUT", path, json={"value": value, "confirmation": token}).status_code

    assert world.call("vito", "POST", "/api/confirmations", json=body).status_code == 403
    assert world.call("guest", "POST", "/api/confirmations", json=body).status_code == 403
    given = world.call("olga", "POST", "/api/confirmations", json=body)
    assert given.status_code == 200, given.text
    secret = given.json()["token"]
    before = world.traced()
    assert press("eva", secret) == 428
    assert press("vito", secret) == 403
    assert press("guest", secret) == 403
    for wrong in ("", "x", secret[:-1], secret.upper() + "x", "0" * 200):
        assert press("olga", wrong) == 428
    assert world.traced() == before
    again = world.call("olga", "POST", "/api/confirmations", json=body).json()["token"]
    assert press("olga", again) == 200
    assert world.call("ada", "PUT", path, json={"value": False}).status_code == 200
    assert press("olga", again) == 428, "a confirmation was good for two commands"
    assert secret not in world.page("ada", "/ledger").text and again not in world.page("ada", "/ledger").text


def lease(world: World, caller: str, do: str, **more: Any) -> httpx2.Response:
    """Something with the lease of the bench."""
    return world.call(caller, "POST", "/api/stands/bench-ibis/lease", json={"do": do, **more})


def test_a_lease_is_whose_it_is(world: World) -> None:
    """Others can neither use what is leased, nor give, extend, release or take it, unless they may take over."""
    assert lease(world, "eva", "take").status_code == 200
    # The agent hears of it over the bus, a moment later.
    barred = (409, 423)
    wait_for(lambda: world.call("olga", "PUT", RELAY, json={"value": True}).status_code in barred, "the agent to know")
    before = world.traced()
    for caller in ("olga", "mia", "token-bench", "rolf", "nina", "ada"):
        answer = world.call(caller, "PUT", RELAY, json={"value": True})
        assert answer.status_code in barred, (caller, answer.status_code)
    for caller in ("olga", "mia", "token-bench", "oskar"):
        for do, more in (
            ("give", {"to": caller}),
            ("extend", {}),
            ("release", {}),
            ("take", {}),
            ("deny", {"to": "eva"}),
        ):
            assert lease(world, caller, do, **more).status_code == 423, (caller, do)
        forced = lease(world, caller, "take", force=True, reason="mine")
        assert forced.status_code == 403, (caller, forced.text)
        form = {"do": "take", "force": "yes", "reason": "mine"}
        assert world.call(caller, "POST", "/stands/bench-ibis/lease", data=form).status_code == 403
    for caller in ("vito", "guest", "vera", "token-read", "rita", "nemo", "wilma"):
        for do in ("take", "ask", "give", "extend", "release", "deny"):
            assert lease(world, caller, do, to=caller).status_code in (403, 404), (caller, do)
    assert world.traced() == before
    (view,) = [each for each in world.site.stands.views() if each.stand == "bench-ibis"]
    assert view.holder == "eva" and view.asks == []
    assert lease(world, "ada", "take", force=True, reason="smoke").status_code == 200


def test_a_stand_that_is_held_names_itself_only_to_who_sees_it(world: World) -> None:
    """Who sees a thing of it and not the stand is told that somebody has it, and reads no more than that."""
    assert lease(world, "eva", "take").status_code == 200
    for path in (f"/things/{SEEN}", f"{RELAY}?explain", f"/api/things/{SEEN}", "/", "/api/live"):
        answer = world.call("rita", "GET", path, headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert "Ask the ibis" not in answer.text and "Bench of the ibis" not in answer.text, path


@pytest.mark.parametrize("caller", ["guest", "nemo"])
def test_who_only_looks_on_stops_nothing(world: World, caller: str) -> None:
    """Neither by REST nor by the form."""
    assert world.call(caller, "POST", "/api/stop").status_code == 403
    assert world.call(caller, "POST", "/stop", data={"kind": "hard"}).status_code == 403
    assert world.site.holding.latches == ()


@pytest.mark.parametrize(
    "caller",
    [
        "vito",
        "vera",
        "oskar",
        "olga",
        "eva",
        "nina",
        "wilma",
        "token-operate",
        "token-bench",
        "token-of-vera",
        "token-read",
        "guest",
    ],
)
def test_a_stop_is_lifted_by_engineers_of_the_site_alone(world: World, caller: str) -> None:
    """Whoever pressed it may not lift it for that."""
    pressed = world.call("vito", "POST", "/api/stop", json={"reason": "smoke"}).json()
    for body in ({"reason": "well"}, {"reason": "well", "stops": [pressed["id"]]}):
        assert world.call(caller, "POST", "/api/stop/lift", json=body).status_code == 403
    form = {"reason": "well", "stops": pressed["id"]}
    assert world.call(caller, "POST", "/stop/lift", data=form).status_code == 403
    assert [latch.id for latch in world.site.holding.latches] == [pressed["id"]]
