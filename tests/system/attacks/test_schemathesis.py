"""Every call that the API describes, with bodies and parameters made from the description, good and bad ones, by each
role: nothing breaks, every answer is as described, and what is refused stays refused.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from support.attacks.callers import OUTSIDE, never
from support.attacks.hearing import wait_for, words_in
from support.attacks.who_may import TABLE, Ask
from support.attacks.world import World

EXAMPLES = {"ada": 20, "emil": 6, "olga": 12, "vito": 6, "nemo": 4, "token-read": 6, "guest": 6, "stranger": 4}
"""By whom, and how many examples of each call."""
REAL = {
    "node": ["pi-heron", "lab-wombat"],
    "thing": ["relays-quokka", "valves-wombat", "teller-dingo"],
    "name": ["relay_1", "heal", "said", "bench-ibis", "wet-wombat", "zed-zebra"],
    "id": ["command-dingo", "command-wombat"],
}
"""What path parameters are now and then, so that calls reach what is there."""
LEFT_OUT = {("GET", "/api/live"), ("DELETE", "/api/people/{name}"), ("PATCH", "/api/people/{name}")}
"""One never ends; the others would take away somebody whom other tests ask about, and are tried by these."""
AS_DESCRIBED = [status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def operations(running: World) -> list[Any]:
    """All calls of the description, but for those left out."""
    document = running.call("ada", "GET", "/api/openapi.json").json()
    found = [each.ok() for each in schemathesis.openapi.from_dict(document).get_all_operations()]
    return [each for each in found if (each.method.upper(), each.path) not in LEFT_OUT]


@pytest.mark.parametrize("caller", EXAMPLES)
def test_the_api_is_as_it_says_for(world: World, operations: list[Any], caller: str) -> None:
    """No mistake of the hub, no answer that is not described, nothing done or shown that is not this role's."""
    asks = {f"{method} {path}": asked for (method, path), asked in by_path().items()}
    before = world.state()
    undescribed: dict[str, str] = {}
    with requests.Session() as wire:
        wire.trust_env = False
        for operation in operations:
            world.renew(caller)
            name = f"{operation.method.upper()} {operation.path}"
            may = any(caller in ask.may for ask in asks[name])
            for status, wrong in every_example(world, wire, caller, operation, may=may).items():
                undescribed[f"{name} {status}"] = wrong
    lines = [f"{call}: {wrong}" for call, wrong in sorted(undescribed.items())]
    assert not lines, "\n".join(["answers are not as the description says:", *lines])
    if caller in OUTSIDE:
        assert world.state() == before


def by_path() -> dict[tuple[str, str], list[Ask]]:
    """Who may call what, by the method and the path as the description writes it."""
    found = {}
    for route, asks in TABLE.items():
        method, _, path = route.partition(" ")
        found[method, path.replace(":str}", "}")] = asks
    return found


def every_example(world: World, wire: requests.Session, caller: str, operation: Any, *, may: bool) -> dict[int, str]:
    """So many examples of one call, half of which break the description; what is wrong with answers, by status."""
    undescribed: dict[int, str] = {}
    good, bad = (
        operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    )

    @settings(
        max_examples=EXAMPLES[caller],
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(st.data())
    def one(data: st.DataObject) -> None:
        case = data.draw(good if data.draw(st.booleans()) else bad)
        if data.draw(st.booleans()):
            for name in set(case.path_parameters or {}) & REAL.keys():
                case.path_parameters[name] = data.draw(st.sampled_from(REAL[name]))
        answer = look(world, wire, caller, case, may=may)
        try:
            case.validate_response(answer, checks=AS_DESCRIBED)
        except FailureGroup as group:
            undescribed[answer.status_code] = "; ".join(map(_words, group.exceptions))

    one()
    return undescribed


def _words(failure: Any) -> str:
    """What is wrong with an answer, in a line."""
    return " ".join(f"{failure.title}: {failure.message}".split())[:140]


def look(world: World, wire: requests.Session, caller: str, case: Any, *, may: bool) -> requests.Response:
    """One call, and all that must be so of its answer, however it is described."""
    wire.cookies.clear()
    drawn = case.headers or {}
    case.headers = {
        name: text for name, text in drawn.items() if name.lower() not in ("authorization", "cookie", "host")
    }
    case.cookies = {}
    answer = case.call(base_url=world.url, session=wire, headers=world.headers(caller), timeout=20)
    said = f"{caller}: {case.method} {case.formatted_path} is {answer.status_code}: {answer.text[:300]}"
    assert answer.status_code not in (500, 501, 502, 505), said
    if not may:
        assert answer.status_code >= 400, said
    if caller in OUTSIDE and not may:
        assert answer.status_code in (400, 401, 404, 405), said
    asked = str(case.as_transport_kwargs(base_url=world.url)).lower()
    text = f"{dict(answer.headers)} {answer.text}".lower()
    assert not [word for word in never(caller) if word in text and word not in asked], said
    return answer


def test_the_hub_is_well_after_it(world: World) -> None:
    """Nothing of all that has worn it out."""
    assert world.call("ada", "GET", "/healthz").json() == {"status": "ok", "bus": True, "record": True}
    wait_for(lambda: len(world.call("ada", "GET", "/api/things").json()["things"]) >= 8, "all things")
    assert not words_in(world.call("vito", "GET", "/api/things"), never("vito"))
