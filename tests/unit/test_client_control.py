"""The Python client's part for stop, stands, confirmations, lanes, and why not: what it asks and understands."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from pilothouse.client import Client, NotConfirmed, Problem
from pilothouse.errors import BadName, PilothouseError, TimedOut

URL = "http://hub.test:8470"


def ask(status: int, body: object) -> tuple[Client, list[httpx2.Request]]:
    """A client that always gets one answer, and what it asked."""
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        kind = "application/problem+json" if status >= 400 else "application/json"
        return httpx2.Response(status, content=json.dumps(body).encode(), headers={"content-type": kind})

    return Client(URL, "secret", transport=httpx2.MockTransport(answer)), seen


def asked(request: httpx2.Request) -> tuple[str, str, Any]:
    """Method, path and body."""
    return request.method, request.url.path, json.loads(request.content) if request.content else None


def test_why_not_is_asked_of_a_property_and_of_an_action() -> None:
    """Typed, with rule and holder; an action comes with its description."""
    why = [{"rule": "lease", "text": "Stand bench is held by bob.", "until": 7, "holder": "bob", "new": 1}]
    body = {"may": False, "why_not": why, "confirm": "yes", "hazard": "hot", "value": True, "action": {"name": "fill"}}
    hub, seen = ask(200, body)
    with hub:
        found = hub.explain("pi/bath.heater")
        called = hub.explain_action("pi/bath.fill")
    assert (found.may, found.confirm, found.hazard, found.value) == (False, "yes", "hot", True)
    assert (found.why_not[0].rule, found.why_not[0].holder, found.why_not[0].until) == ("lease", "bob", 7)
    assert called.action is not None and called.action.name == "fill"
    assert [request.url.path for request in seen] == [
        "/api/things/pi/bath/properties/heater",
        "/api/things/pi/bath/actions/fill",
    ]
    assert all(dict(request.url.params) == {"explain": "true"} for request in seen)


def test_a_token_is_asked_for_exactly_the_command_it_goes_with() -> None:
    """For a write and for an action; the command carries it, and one without is sent as ever."""
    hub, seen = ask(200, {"token": "t1", "lives": 60, "two_person": True, "end": "confirmed"})
    with hub:
        token = hub.confirm("pi/bath.heater", True)
        hub.confirm_action("pi/bath.fill", {"litres": 3})
        hub.set("pi/bath.heater", True, confirmation=token.token)
        hub.do("pi/bath.fill", {"litres": 3}, confirmation=token.token)
    assert (token.token, token.lives, token.two_person) == ("t1", 60, True)
    write = {"node": "pi", "thing": "bath", "kind": "property", "name": "heater", "input": True}
    assert asked(seen[0]) == ("POST", "/api/confirmations", write)
    assert asked(seen[1])[2] == {**write, "kind": "action", "name": "fill", "input": {"litres": 3}}
    assert asked(seen[2])[2]["confirmation"] == asked(seen[3])[2]["confirmation"] == "t1"


def test_a_refusal_for_want_of_a_token_says_so() -> None:
    """428: the outcome tells that it is about the confirmation."""
    hub, _ = ask(428, {"end": "refused", "why": "confirm", "detail": "It needs a confirmation."})
    with hub, pytest.raises(NotConfirmed) as caught:
        hub.set("pi/bath.heater", True)
    assert caught.value.outcome.why == "confirm"


def test_stop_lift_and_what_holds() -> None:
    """Each with its own answer."""
    hub, seen = ask(
        200,
        {
            "id": "s1",
            "kind": "end",
            "nodes": [{"node": "pi", "outputs": 3, "mistakes": ["bath may not be safe"], "took_ms": 8.5}],
            "silent": ["pi2"],
            "lifted": ["s1"],
            "still": ["s2"],
            "stops": [{"id": "s1", "kind": "hard", "time": 5, "who": "ada", "reason": "smoke", "nodes": ["pi"]}],
            "missing": ["pi3"],
        },
    )
    with hub:
        done = hub.stop(kind="end", reason="smoke")
        lifted = hub.lift("all is well", ["s1"])
        hub.lift("all is well")
        now = hub.stops()
    assert (done.id, done.nodes[0].mistakes, done.silent) == ("s1", ["bath may not be safe"], ["pi2"])
    assert (lifted.lifted, lifted.still) == (["s1"], ["s2"])
    assert (now.stops[0].who, now.stops[0].nodes, now.missing) == ("ada", ["pi"], ["pi3"])
    assert [asked(request) for request in seen] == [
        ("POST", "/api/stop", {"kind": "end", "reason": "smoke"}),
        ("POST", "/api/stop/lift", {"reason": "all is well", "stops": ["s1"]}),
        ("POST", "/api/stop/lift", {"reason": "all is well"}),
        ("GET", "/api/stop", None),
    ]
    # A safe end lets what runs come to its end; a hard one is over at once.
    assert seen[0].extensions["timeout"]["read"] > seen[1].extensions["timeout"]["read"]


STAND = {"stand": "bench", "things": ["pi/bath"], "holder": "ada", "until": 9, "asks": [{"who": "bob", "time": 3}]}


def test_stands_are_typed_and_leased() -> None:
    """What is done goes along with all its words."""
    hub, seen = ask(200, {**STAND, "stands": [STAND]})
    with hub:
        assert [stand.holder for stand in hub.stands()] == ["ada"]
        assert hub.stand("bench").asks[0].who == "bob"
        assert hub.lease("bench", "give", to="bob", reason="lunch").until == 9
    assert seen[1].url.path == "/api/stands/bench"
    body = {"do": "give", "to": "bob", "note": "", "reason": "lunch", "force": False}
    assert asked(seen[2]) == ("POST", "/api/stands/bench/lease", body)


def test_a_lease_that_is_refused_is_a_problem_423() -> None:
    """With who holds it and until when."""
    hub, _ = ask(423, {"title": "t", "detail": "Stand bench is held by ada until 12:30.", "remedy": "Ask ada."})
    with hub, pytest.raises(Problem, match=r"held by ada until 12:30. Ask ada\.") as caught:
        hub.lease("bench", "take")
    assert caught.value.status == 423


def test_lanes_are_typed_and_what_waits_is_taken_back() -> None:
    """DELETE with the reason."""
    lane = {"name": "port", "things": ["bath"], "running": {"thing": "bath", "label": "reading it", "since": 5}}
    lane["waiting"] = [{"thing": "bath", "label": "writing heater", "id": "abcdefgh", "who": "ada"}]
    hub, seen = ask(200, {"node": "pi", "time": 6, "lanes": [lane], "done": True, "detail": "it waited"})
    with hub:
        now = hub.lanes("pi")
        assert hub.cancel("abcdefgh", reason="too late").done
    assert now.lanes[0].running is not None and now.lanes[0].running.label == "reading it"
    assert now.lanes[0].waiting[0].id == "abcdefgh"
    assert asked(seen[1]) == ("DELETE", "/api/commands/abcdefgh", {"reason": "too late"})


def test_the_ledger_is_asked_with_filters_and_paged() -> None:
    """`next` is what `before` must be; filters that are empty are not sent."""
    line = {"id": "abcdefgh", "kind": "site", "name": "stop", "story": [{"at": 4, "what": "Asked.", "by": "hub"}]}
    hub, seen = ask(200, {"lines": [line], "next": "abcdefgh", **line})
    with hub:
        page = hub.ledger_page(origin="page", kind="site", q="smoke", since="-1h", until=99, who="", limit=5)
        hub.ledger_page(before=page.next)
        assert hub.command("abcdefgh").story[0].what == "Asked."
    assert page.next == "abcdefgh" and page.lines[0].name == "stop"
    wanted = {"origin": "page", "kind": "site", "q": "smoke", "since": "-1h", "until": "99", "limit": "5"}
    assert dict(seen[0].url.params) == wanted and dict(seen[1].url.params) == {"before": "abcdefgh"}


BAD: list[Callable[[Client], object]] = [
    lambda hub: hub.stand("../nodes"),
    lambda hub: hub.lease("A b", "take"),
    lambda hub: hub.lanes("pi/x"),
    lambda hub: hub.cancel("../x"),
    lambda hub: hub.explain("pi/bath"),
    lambda hub: hub.confirm("pi", True),
    lambda hub: hub.explain_action("pi/bath.fill it"),
]


@pytest.mark.parametrize("call", BAD)
def test_bad_names_never_become_a_path(call: Callable[[Client], object]) -> None:
    """Nothing is sent."""
    hub, seen = ask(200, {})
    with hub, pytest.raises(BadName):
        call(hub)
    assert not seen


LOST: list[tuple[Callable[[Client], object], str]] = [
    (lambda hub: hub.stop(), "twice does no harm"),
    (lambda hub: hub.lift("well"), "what holds"),
    (lambda hub: hub.lease("bench", "take"), "who holds it"),
    (lambda hub: hub.cancel("abcdefgh"), "ledger abcdefgh"),
    (lambda hub: hub.confirm("pi/bath.heater", 1), "does no harm"),
]


@pytest.mark.parametrize(("call", "remedy"), LOST)
def test_a_link_that_breaks_under_an_act_is_said_to_be_so(call: Callable[[Client], object], remedy: str) -> None:
    """Nobody can say whether it was done, and what to do then is said."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadError("cut", request=request)

    with Client(URL, "t", transport=httpx2.MockTransport(answer)) as hub:
        with pytest.raises(TimedOut, match="whether it was done") as caught:
            call(hub)
        error: PilothouseError = caught.value
        assert remedy in error.remedy
