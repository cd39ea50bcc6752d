"""Verbs around the guard: confirmations, explanations, lanes, what is taken back."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.cli.confirming import need_of
from pilothouse.model import PropertyDescription, Value
from pilothouse.testing.hub import Answer, Asked, ScriptedHub, problem
from support.terminal import Keyboard, Say, terminal

THING = "/api/things/bench/oven"
HEATER = {"schema": {"type": "boolean"}, "writable": True, "safe": False, "has_safe": True}
OVEN = {
    "node": "bench",
    "thing": "oven",
    "properties": {"heater": {"value": False, "time": 1000}},
    "description": {
        "node": "bench",
        "name": "oven",
        "properties": {
            "heater": HEATER | {"name": "heater", "confirm": "yes", "hazard": "The oven gets hot."},
            "door": HEATER | {"name": "door", "confirm": "two-person"},
            "lamp": HEATER | {"name": "lamp"},
        },
        "actions": {
            "burn": {
                "name": "burn", "confirm": "yes", "hazard": "It smokes",
                "input": {"type": "object", "properties": {"seconds": {"type": "number"}}, "required": ["seconds"]},
            },
            "vent": {"name": "vent"},
        },
    },
}  # fmt: skip
TOKEN = {"token": "t-0-k-e-n", "lives": 60.0, "two_person": False, "hazard": "The oven gets hot."}
NOT_CONFIRMED = problem(428, "heater needs a confirmation", end="refused", why="confirm", remedy="Get a token")


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    """A site with an oven that wants to be confirmed."""

    def write(asked: Asked) -> Answer:
        on, token = asked.body.get("value", True), asked.body.get("confirmation", "")
        return Answer(200, {"end": "confirmed", "value": on}) if token or not on else NOT_CONFIRMED

    with ScriptedHub() as scripted:
        scripted.answers |= {
            f"GET {THING}": Answer(200, OVEN),
            f"PUT {THING}/properties/heater": write,
            f"PUT {THING}/properties/door": write,
            f"POST {THING}/actions/burn": write,
            "POST /api/confirmations": Answer(200, TOKEN),
        }
        yield scripted


@pytest.fixture
def say(hub: ScriptedHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs `pilothouse …` on this hub's machine, in a script: nobody sits there."""
    return terminal(hub.url, tmp_path, capsys, monkeypatch)


def posts(hub: ScriptedHub) -> list[Any]:
    """Bodies of what was asked to be confirmed or done."""
    return [asked.body for asked in hub.asked if asked.method != "GET"]


@pytest.mark.parametrize(
    ("typed", "done"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_a_person_is_asked(say: Say, hub: ScriptedHub, monkeypatch: pytest.MonkeyPatch, typed: str, done: bool) -> None:
    """The hazard and what will be done; only y does it, and then with the token for exactly that."""
    monkeypatch.setattr(sys, "stdin", Keyboard(typed))
    code, out, err = say("set", "bench/oven.heater", "on")
    assert err.startswith("The oven gets hot. Write bench/oven.heater = true? [y/N] ")
    if done:
        assert (code, out) == (0, "bench/oven.heater = true, confirmed\n")
        first, second = posts(hub)
        assert first == {"node": "bench", "thing": "oven", "kind": "property", "name": "heater", "input": True}
        assert second["confirmation"] == "t-0-k-e-n"
    else:
        assert (code, out, posts(hub)) == (1, "", [])
        assert "nothing was done" in err


def test_ctrl_c_at_the_question_does_nothing(say: Say, hub: ScriptedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """As good as no."""

    class Impatient(Keyboard):
        def readline(self, *_: object) -> str:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Impatient())
    assert say("set", "bench/oven.heater", "on")[0] == 130
    assert posts(hub) == []


def test_the_safe_value_needs_none(say: Say, hub: ScriptedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off is off, at once."""
    monkeypatch.setattr(sys, "stdin", Keyboard(""))
    assert say("set", "bench/oven.heater", "off") == (0, "bench/oven.heater = false, confirmed\n", "")
    assert len(posts(hub)) == 1


@pytest.mark.parametrize(
    ("safe", "value", "need"),
    [(False, False, ""), (False, True, "yes"), (False, 0, "yes"), (0, 0.0, ""), (0, 1, "yes")],
)
def test_what_is_the_safe_value(safe: Value, value: Value, need: str) -> None:
    """0 is not false."""
    described = PropertyDescription(name="x", schema={}, safe=safe, has_safe=True, confirm="yes")
    assert need_of(described, value) == need


def test_a_script_says_yes_or_is_refused(say: Say, hub: ScriptedHub) -> None:
    """Without a terminal nobody is asked: the agent refuses, and the line says what to add."""
    code, _, err = say("set", "bench/oven.heater", "on")
    assert code == 1
    assert "heater needs a confirmation" in err
    assert "--yes" in err
    assert say("set", "bench/oven.heater", "on", "--yes")[0] == 0
    assert say("set", "bench/oven.heater", "on", "--confirmation", "mine")[0] == 0
    assert posts(hub)[-1]["confirmation"] == "mine"


def test_an_action_is_asked_about_too(say: Say, hub: ScriptedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its input; the token is for that input."""
    monkeypatch.setattr(sys, "stdin", Keyboard("y\n"))
    code, _, err = say("do", "bench/oven.burn", "seconds=2")
    assert code == 0
    assert err.startswith("It smokes. Do bench/oven.burn seconds=2? [y/N] ")
    assert posts(hub)[0] == {
        "node": "bench", "thing": "oven", "kind": "action", "name": "burn", "input": {"seconds": 2},
    }  # fmt: skip


def test_two_people(say: Say, hub: ScriptedHub) -> None:
    """--yes does not stand in for the other one; the code of the other one does."""
    code, _, err = say("set", "bench/oven.door", "on", "--yes")
    assert code == 1
    assert "pilothouse confirm bench/oven.door on" in err
    hub.answers["POST /api/confirmations"] = Answer(200, TOKEN | {"two_person": True})
    code, out, _ = say("confirm", "bench/oven.door", "on")
    assert code == 0
    assert out.splitlines() == [
        "The oven gets hot.",
        "Somebody else gives within 1 min: pilothouse set bench/oven.door on --confirmation t-0-k-e-n",
    ]
    assert say("set", "bench/oven.door", "on", "--confirmation", "t-0-k-e-n")[0] == 0
    assert json.loads(say("confirm", "bench/oven.burn", "seconds=1", "--json")[1])["token"] == "t-0-k-e-n"


@pytest.mark.parametrize(
    "words",
    [
        ("bench/oven.lamp", "on"), ("bench/oven.heater", "off"), ("bench/oven.heater",),
        ("bench/oven.vent",), ("bench/oven.burn", "second=1"), ("bench/oven.heater", "perhaps"),
    ],
)  # fmt: skip
def test_what_cannot_be_confirmed(say: Say, hub: ScriptedHub, words: tuple[str, ...]) -> None:
    """What needs none, and what is no command: exit code 2, one sentence, no token."""
    code, out, err = say("confirm", *words)
    assert (code, out, posts(hub)) == (2, "", [])
    assert err.count("\n") == 1


def test_get_explains(say: Say, hub: ScriptedHub) -> None:
    """Wish, accepted, value with their ages, who changed it, and what stands against a press."""
    now = 1_700_000_100_000
    hub.answers[f"GET {THING}/properties/heater"] = Answer(
        200,
        {
            "value": False, "time": now - 400, "age_ms": 400, "wish": True, "wish_time": now - 65_000, "accepted": True,
            "accepted_time": now - 64_000, "differs_since": now - 30_000, "may": False, "confirm": "yes",
            "hazard": "The oven gets hot", "why_not": [
                {"rule": "interlock", "text": "interlock of oven.heater, requires door.shut == true: it is false",
                 "remedy": "Shut the door"},
                {"rule": "lease", "text": "ada holds stand wet", "until": now, "holder": "ada"},
            ],
        },
    )  # fmt: skip
    code, out, _ = say("get", "bench/oven.heater", "--explain")
    assert code == 1
    lines = out.splitlines()
    assert lines[:4] == [
        "bench/oven.heater",
        "  wish      true   1 min ago",
        "  accepted  true   1 min ago",
        "  value     false  0.4 s ago",
    ]
    assert "changed at the device since" in lines[4]
    assert lines[5:8] == ["  The oven gets hot", "  needs a confirmation", "  may not be switched now:"]
    assert lines[8].startswith("    interlock of oven.heater")
    assert lines[9] == "      -> Shut the door"
    assert "(until 2023-11-1" in lines[10]
    assert "explain" in hub.asked[-1].query or "explain" in hub.asked[-1].path
    plain = say("get", "bench/oven.heater")[1]
    assert "false, 0.4 s ago, changed at the device since" in plain
    assert say("get", "bench/oven.heater", "--explain", "--json")[0] == 1


def test_get_explains_an_action_and_no_whole_thing(say: Say, hub: ScriptedHub) -> None:
    """An action has no value; a thing has too many."""
    hub.answers[f"GET {THING}/actions/vent"] = Answer(200, {"may": True, "why_not": []})
    assert say("get", "bench/oven.vent", "--explain")[:2] == (0, "bench/oven.vent\n  may be switched now\n")
    code, _, err = say("get", "bench/oven", "--explain")
    assert code == 2
    assert "pilothouse get bench/oven" in err


def test_a_thing_shows_what_was_changed_by_hand(say: Say, hub: ScriptedHub) -> None:
    """Beside the wish that it does not follow any more."""
    state = {"value": False, "time": 1000, "wish": True, "wish_time": 500, "differs_since": 900}
    hub.answers[f"GET {THING}"] = Answer(200, OVEN | {"properties": {"heater": state}})
    assert "  heater  false    changed at the device, wish true" in say("get", "bench/oven")[1]


LANES = {
    "node": "bench", "time": 100_000,
    "lanes": [
        {
            "name": "serial:/dev/ttyUSB0", "things": ["oven", "lamp"], "hung_since": 40_000,
            "running": {"thing": "oven", "label": "writing heater", "since": 30_000, "id": "id-000001", "who": "ada"},
            "waiting": [{"thing": "lamp", "label": "reading it", "since": 95_000}], "more": 3,
        },
        {"name": "other", "things": ["fan"], "hung_since": 50_000},
    ],
}  # fmt: skip


def test_lanes(say: Say, hub: ScriptedHub) -> None:
    """What runs and since when, what waits with its id, what has not answered; quiet lanes are not listed."""
    nodes = [{"node": "bench", "life": "here"}, {"node": "shed", "life": "away"}]
    hub.answers |= {
        "GET /api/nodes": Answer(200, {"nodes": nodes}),
        "GET /api/nodes/bench/lanes": Answer(200, LANES),
    }
    code, out, _ = say("lanes")
    assert code == 0
    lines = out.splitlines()
    assert "oven   writing heater  runs since 1970-01-01 00:00:30, has not answered" in lines[1]
    assert lines[1].endswith("ada  id-000001")
    assert "waits since 1970-01-01 00:01:35" in lines[2]
    assert "and 3 more" in lines[3]
    assert "fan" in lines[4]
    assert json.loads(say("lanes", "bench", "--json")[1])[0]["node"] == "bench"
    hub.answers["GET /api/nodes/bench/lanes"] = Answer(200, LANES | {"lanes": []})
    assert say("lanes", "bench")[1] == "No lane is busy: nothing waits for a device.\n"


def test_cancel(say: Say, hub: ScriptedHub) -> None:
    """Taken back; or not, for it runs already."""
    hub.answers["DELETE /api/commands/id-000001"] = Answer(200, {"done": True, "detail": ""})
    code, out, _ = say("cancel", "id-000001", "--reason", "wrong one")
    assert (code, out) == (0, "id-000001 is taken back and will never be done.\n")
    hub.answers["DELETE /api/commands/id-000001"] = problem(409, "It runs already: the device was asked at 12:03:07")
    code, _, err = say("cancel", "id-000001")
    assert code == 1
    assert "It runs already" in err


def test_the_story_of_a_command(say: Say, hub: ScriptedHub) -> None:
    """Step by step, with the time from the first."""
    line = {
        "id": "id-000001", "node": "bench", "thing": "oven", "kind": "property", "name": "heater", "input": True,
        "who": "ada", "made": 1_700_000_000_000, "end": "confirmed",
        "story": [{"at": 1_700_000_000_000, "what": "asked for"}, {"at": 1_700_000_000_012, "what": "readback"}],
    }  # fmt: skip
    hub.answers["GET /api/ledger/id-000001"] = Answer(200, line)
    *_, title, first, second = say("ledger", "id-000001")[1].splitlines()
    assert title == "story"
    assert first.split()[2:] == ["+0", "ms", "asked", "for"]
    assert second.split()[2:] == ["+12", "ms", "readback"]


def test_the_filters_of_the_ledger(say: Say, hub: ScriptedHub) -> None:
    """All of them go to the hub; acts on the site have no thing; where more is to be seen."""
    line = {"id": "id-000001", "kind": "site", "thing": "wet", "name": "lease.take", "who": "ada", "end": "confirmed"}
    hub.answers["GET /api/ledger"] = Answer(200, {"lines": [line], "next": "id-000001"})
    out = say(
        "ledger", "--origin", "page", "--kind", "site", "--about", "hose", "--since", "-1d", "--until", "now",
        "--who", "ada", "-n", "5",
    )[1]  # fmt: skip
    assert "lease.take wet" in out
    assert out.endswith("There are more: --before id-000001\n")
    assert hub.asked[-1].query == {
        "origin": ["page"], "kind": ["site"], "q": ["hose"], "since": ["-1d"], "until": ["now"], "who": ["ada"],
        "limit": ["5"],
    }  # fmt: skip
