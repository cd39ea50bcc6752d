"""Every route of the application, called by everybody: who may is answered, who may not changes nothing and sees
nothing.
"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from pilothouse.hub.needs import table
from support.attacks.callers import EVERYBODY, OUTSIDE, SEES, never
from support.attacks.hearing import problem, words_in
from support.attacks.who_may import TABLE, Ask
from support.attacks.world import World


def test_somebody_has_decided_who_may_call_each_route(world: World) -> None:
    """A new route without a row in support.attacks.who_may fails here; so does a row whose route is gone."""
    there = {f"{method} {path}" for method, path, _ in table(world.routes)}
    missing = sorted(there - TABLE.keys())
    assert not missing, f"decide who may call {', '.join(missing)}, and write it into support/attacks/who_may.py"
    assert not TABLE.keys() - there, f"these routes are gone: {sorted(TABLE.keys() - there)}"


@pytest.mark.parametrize("route", TABLE)
def test_a_route_answers_whoever_may_and_nobody_else(world: World, route: str) -> None:
    """Refusals are 401, the way to the log-in, 403, or the 404 of what does not exist; they change nothing."""
    method = route.partition(" ")[0]
    for ask in TABLE[route]:
        for caller in ask.may:
            world.renew(caller)  # the call before may have ended what they came with
        before = world.state()
        for caller in EVERYBODY:
            if caller not in ask.may:
                refused(world, method, ask, caller)
        assert world.state() == before, f"a refused {method} {ask.path} changed something"
        for caller in EVERYBODY:
            if caller in ask.may:
                taken(world, method, ask, caller)


def refused(world: World, method: str, ask: Ask, caller: str) -> None:
    """Call as somebody who may not."""
    for page in (False, True) if caller == "stranger" else (not ask.path.startswith("/api/"),):
        answer = called(world, method, ask, caller, page=page)
        said = f"{caller}: {method} {ask.path} is {answer.status_code}: {answer.text[:300]}"
        if caller in OUTSIDE:
            to_log_in = answer.status_code == 303 and answer.headers["location"].startswith("/login")
            assert answer.status_code == 401 or (page and method == "GET" and to_log_in), said
        else:
            assert answer.status_code == (403 if caller in ask.sees else 404), said
        clean(answer, caller, ask)


def taken(world: World, method: str, ask: Ask, caller: str) -> None:
    """Call as somebody who may."""
    ask = ask._replace(**ask.tame)
    answer = called(world, method, ask, caller)
    assert answer.status_code in ask.well, f"{caller}: {method} {ask.path} is {answer.status_code}: {answer.text[:300]}"
    clean(answer, caller, ask)
    if method == "GET" and caller in ("ada", "guest", "stranger"):
        assert called(world, "HEAD", ask, caller).status_code in (*ask.well, 405)


def called(world: World, method: str, ask: Ask, caller: str, *, page: bool = False) -> httpx2.Response:
    """The call."""
    more: dict[str, Any] = {"headers": {"Accept": "text/html" if page or ask.form else "*/*"}}
    if ask.json is not None:
        more["json"] = ask.json
    if ask.form is not None:
        more["data"] = ask.form
    return world.call(caller, method, ask.path, **more)


def clean(answer: httpx2.Response, caller: str, ask: Ask) -> None:
    """No word of what is hidden from somebody, but for what they said themselves."""
    said = f"{ask.path} {ask.json}"
    words = tuple(word for word in never(caller) if word not in said)
    assert not words_in(answer, words), f"{caller} read of the {words_in(answer, words)} at {ask.path}"


@pytest.mark.parametrize("caller", sorted(EVERYBODY))
def test_a_problem_says_what_would_lift_it(world: World, caller: str) -> None:
    """Whoever is refused is told why, and never what there is."""
    answer = world.call(caller, "PUT", "/api/things/lab-wombat/valves-wombat/properties/valve_b", json={"value": True})
    if answer.status_code == 200:
        assert caller in SEES["wombat"]
        return
    told = problem(answer) if "problem" in answer.headers["content-type"] else answer.json()
    assert told["detail"] or told.get("remedy")
