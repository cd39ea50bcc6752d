"""`pilothouse stop`: what it says of each node, its exit code, and that nothing keeps it from trying."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.testing.hub import Answer, ScriptedHub, problem
from support.terminal import Say, terminal

SAFE = {"node": "bench", "outputs": 4, "mistakes": [], "took_ms": 11.6}
ID = "019a9c5e-7a34-7c7e-b7e5-2f1d1c3a9b10"
HOLDS = {"id": ID, "kind": "hard", "time": 1_700_000_000_000, "who": "ada", "origin": "page", "reason": "smoke"}


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    """A site with one node, which stops as it should."""
    with ScriptedHub() as scripted:
        scripted.answers |= {
            "GET /api/nodes": Answer(200, {"nodes": [{"node": "bench", "life": "here"}]}),
            "POST /api/stop": Answer(200, {"id": ID, "nodes": [SAFE], "silent": []}),
        }
        yield scripted


@pytest.fixture
def say(hub: ScriptedHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs `pilothouse …` on this hub's machine."""
    return terminal(hub.url, tmp_path, capsys, monkeypatch)


def test_all_are_safe(say: Say, hub: ScriptedHub) -> None:
    """Each node with how long it took; exit code 0; how it is lifted."""
    code, out, err = say("stop", "--reason", "smoke")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "bench  safe after 12 ms  (4 outputs)",
        "It holds until somebody lifts it: pilothouse stop --lift --reason WHY",
    ]
    asked = next(one for one in hub.asked if one.method == "POST")
    assert {"kind": "hard", "reason": "smoke"}.items() <= asked.body.items()
    told = json.loads(say("stop", "--end", "--json")[1])
    assert (told["safe"], told["by"], told["id"], told["away"]) == (True, "hub", ID, [])
    assert hub.asked[-2].body["kind"] == "end"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nodes": [SAFE | {"mistakes": ["bath may not be safe: it hangs", "and oven"]}]}, "bath may not be safe"),
        ({"silent": ["shed"]}, "shed   MAY NOT BE SAFE: it is there and has not answered"),
        ({"nodes": [], "note": "It is not in the record yet"}, "No node has answered"),
    ],
)
def test_what_may_not_be_safe_is_said(say: Say, hub: ScriptedHub, change: dict[str, Any], said: str) -> None:
    """Exit code 1, in plain words."""
    hub.answers["POST /api/stop"] = Answer(200, {"id": ID, "nodes": [SAFE], "silent": []} | change)
    code, out, _ = say("stop")
    assert code == 1
    assert said in out
    assert "by hand" in out or not change.get("nodes", True)


def test_a_node_that_is_away_is_not_safe(say: Say, hub: ScriptedHub) -> None:
    """It could not be told; it stops when it is back."""
    nodes = [{"node": "bench", "life": "here"}, {"node": "shed", "life": "away"}, {"node": "gone", "life": "left"}]
    hub.answers["GET /api/nodes"] = Answer(200, {"nodes": nodes})
    code, out, _ = say("stop")
    assert code == 1
    assert "shed   MAY NOT BE SAFE: it is away" in out
    assert "gone" not in out
    hub.answers["GET /api/nodes"] = problem(500, "It broke")
    assert say("stop")[0] == 0, "the stop itself went well"


@pytest.mark.parametrize(
    "broken",
    [
        {"GET /healthz": Answer(200, {"status": "degraded", "bus": False, "record": True})},
        {"POST /api/stop": problem(503, "No link")},
        {"POST /api/stop": problem(401, "Who are you?")},
    ],
)
def test_whatever_the_hub_lacks_the_bus_is_tried(say: Say, hub: ScriptedHub, broken: dict[str, Answer]) -> None:
    """Here there is none either: exit code 3, and what to do with one's own hands."""
    hub.answers |= broken
    code, out, err = say("stop")
    assert (code, out) == (3, "")
    assert "Stopping straight over the bus" in err
    assert "neither the hub nor the bus" in err
    assert "by hand" in err


def test_without_any_hub(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """None ever ran here; a mistake in the configuration changes nothing."""
    (tmp_path / "pilothouse.toml").write_text("[nonsense")
    code, _, err = terminal("", tmp_path, capsys, monkeypatch)("stop")
    assert code == 3
    assert "neither the hub nor the bus" in err


def test_the_hub_of_another_machine_has_no_bus_here(say: Say, tmp_path: Path) -> None:
    """Stopping the site of this machine instead would be the wrong site."""
    token = tmp_path / "other"
    token.write_text("another\n")
    code, _, err = say("stop", "--url", "http://127.0.0.1:9", "--token-file", str(token))
    assert code == 3
    assert "bus" not in err


def test_lifting(say: Say, hub: ScriptedHub) -> None:
    """A reason is needed; what still holds is said, with exit code 1."""
    hub.answers["POST /api/stop/lift"] = Answer(200, {"lifted": [ID], "still": []})
    assert say("stop", "--lift", "--reason", "mended")[:2] == (0, f"lifted {ID}\n")
    assert hub.asked[-1].body["reason"] == "mended"
    hub.answers["POST /api/stop/lift"] = Answer(200, {"lifted": [], "still": ["other-id"]})
    code, out, _ = say("stop", ID, "--lift", "--reason", "mended")
    assert (code, out) == (1, "No stop was lifted.\nstill holds: other-id\n")
    assert hub.asked[-1].body["stops"] == [ID]
    assert json.loads(say("stop", "--lift", "--reason", "x", "--json")[1])["still"] == ["other-id"]
    unheard = {"lifted": [ID], "still": [], "silent": ["shed"], "note": "It is not in the record yet"}
    hub.answers["POST /api/stop/lift"] = Answer(200, unheard)
    code, out, _ = say("stop", "--lift", "--reason", "mended")
    assert code == 1
    assert out.splitlines()[1:] == ["shed has not answered: there it may still hold", "It is not in the record yet"]


def test_the_status(say: Say, hub: ScriptedHub) -> None:
    """Who pressed it and why, who obeys, who does not yet."""
    hub.answers["GET /api/stop"] = Answer(200, {"stops": [], "missing": []})
    assert say("stop", "--status")[:2] == (0, "No stop holds.\n")
    hub.answers["GET /api/stop"] = Answer(200, {"stops": [HOLDS | {"nodes": ["bench"]}], "missing": ["shed"]})
    first, second, third = say("stop", "--status")[1].splitlines()
    assert first.startswith("stop since ")
    assert f"by ada: smoke; obeyed by bench  {ID}" in first
    assert second.startswith("shed does not obey yet")
    assert "--lift" in third
    assert json.loads(say("stop", "--status", "--json")[1])["missing"] == ["shed"]


@pytest.mark.parametrize(
    "words", [("--lift",), ("--lift", "--status"), ("--end", "--lift", "--reason", "x"), ("bench",)]
)
def test_what_makes_no_sense_stops_nothing(say: Say, hub: ScriptedHub, words: tuple[str, ...]) -> None:
    """Exit code 2, one sentence; the hub was not asked."""
    code, out, err = say("stop", *words)
    assert (code, out, hub.asked) == (2, "", [])
    assert err.count("\n") == 1
