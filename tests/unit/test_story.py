"""The story of a command: every way it can go is told in steps, each with a time and a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.bus.messages import End, Why
from pilothouse.hub.story import story
from pilothouse.record import LaterTruth, Line

T0 = 1_795_000_000_000


def line(**fields: Any) -> Line:
    """A command to switch a fan."""
    usual: dict[str, Any] = {"id": "command-1", "node": "pi", "thing": "relays", "kind": "property", "name": "fan"}
    usual |= {"input": True, "who": "ada", "origin": "page", "made": T0, "ttl": 5.0, "epoch": 7}
    return Line(**(usual | fields))


def told(**fields: Any) -> list[str]:
    """The sentences."""
    return [step.what for step in story(line(**fields))]


def test_a_confirmed_write() -> None:
    """Asked for, taken, the device asked, the readback; the first by the hub's clock, the others by the node's."""
    steps = story(
        line(
            reason="too warm",
            end="confirmed",
            value=True,
            accepted=T0 + 1,
            asked=T0 + 2,
            ended=T0 + 8,
            took_ms=7.25,
        )
    )
    assert [(step.at - T0, step.by) for step in steps] == [(0, "hub"), (1, "node"), (2, "node"), (8, "node")]
    assert [step.what for step in steps] == [
        "ada asked on a page to set relays.fan to true: “too warm”.",
        "The agent of node pi took it.",
        "The device was asked.",
        "Confirmed: the readback shows true. It took 7.2 ms.",
    ]


def test_an_action_tells_what_it_gave() -> None:
    """With what it was called with."""
    sentences = told(kind="action", name="test", input={"s": 3}, origin="api", end="confirmed", value=[1], took_ms=2500)
    assert sentences[0] == 'ada asked through the API to call relays.test with {"s":3}.'
    assert sentences[-1] == "Confirmed: the device did it; it gave [1]. It took 2.5 s."


def test_a_refusal_says_why_and_what_would_help() -> None:
    """And that the device was not asked."""
    (_, end) = told(end="refused", why="interlock", detail="the pump is off", remedy="Switch it on", ended=T0)
    assert end == "Refused, and the device was not asked: the pump is off. Switch it on."


def test_a_readback_that_differs_is_shown() -> None:
    """With a failure of that kind only."""
    assert told(end="failed", why="readback", detail="it shows another", value=False, asked=T0)[-1] == (
        "Failed: it shows another. The readback shows false."
    )


def test_what_came_to_light_later() -> None:
    """The node's own times, and when it was heard; the end stands."""
    truth = LaterTruth(end="confirmed", value=True, time=T0 + 60_000, accepted=T0 + 1, asked=T0 + 2, ended=T0 + 3)
    steps = story(line(end="unknown", why="time", detail="Node pi did not say", ended=T0 + 7000, later=[truth]))
    assert [step.what for step in steps[1:]] == [
        "Unknown: nobody can say what became of it. Node pi did not say.",
        "As the node said later, the device was asked.",
        "Later truth: confirmed; the readback showed true.",
    ]
    assert [(step.at - T0, step.by) for step in steps[1:]] == [(7000, "hub"), (2, "node"), (60_000, "hub")]


def test_the_agents_own_switching_says_which_rule_did_it() -> None:
    """No person is made up for it."""
    assert told(origin="max-on", who="guard", input=False, reason="on since 12:03")[0] == (
        "The agent of node pi set relays.fan to false by itself, because it had been on for as long as it may: "
        "“on since 12:03”."
    )


def test_an_unknown_origin_is_called_that() -> None:
    """An outcome that no hub had written an intent for."""
    assert "nobody knows who" in told(who="", origin="", kind="", input=None)[0]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"name": "stop", "reason": "smoke"},
            "ada pressed stop: outputs go to their safe values at once, on a page: “smoke”.",
        ),
        (
            {"name": "lease.take", "thing": "bench", "detail": "Until 14:30."},
            "ada took stand bench, on a page. Until 14:30.",
        ),
        ({"name": "something.new", "origin": "cron"}, "ada something.new."),
    ],
)
def test_an_act_on_the_site_is_one_step(fields: dict[str, Any], sentence: str) -> None:
    """It has ended when it is told."""
    (step,) = story(line(**({"kind": "site", "node": "", "thing": "", "end": "confirmed"} | fields)))
    assert (step.what, step.at, step.by) == (sentence, T0, "hub")


VALUES = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=300)
TIMES = st.sampled_from([0, T0, T0 - 5, T0 + 9])


@given(
    end=st.sampled_from(["", *End]),
    why=st.sampled_from([*Why]),
    kind=st.sampled_from(["", "property", "action", "site"]),
    origin=st.sampled_from(["page", "api", "stop", "link", "", "x"]),
    value=VALUES,
    times=st.tuples(TIMES, TIMES, TIMES),
    texts=st.tuples(st.text(max_size=20), st.text(max_size=20)),
)
def test_every_line_has_a_story(
    end: str, why: str, kind: str, origin: str, value: Any, times: tuple[int, int, int], texts: tuple[str, str]
) -> None:
    """Sentences that are not empty, at times that are known."""
    accepted, asked, ended = times
    fields = {"value": value, "input": value, "accepted": accepted, "asked": asked, "ended": ended}
    later = [LaterTruth(end="confirmed", value=value, time=T0, asked=asked)] if end == "unknown" else []
    steps = story(
        line(
            end=str(end),
            why=str(why),
            kind=kind,
            origin=origin,
            detail=texts[0],
            reason=texts[1],
            later=later,
            **fields,
        )
    )
    assert steps and all(step.at and step.what.strip() for step in steps)
