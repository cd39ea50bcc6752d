"""`pilothouse stand`: who holds a stand, and the acts that change it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilothouse.testing.hub import Answer, ScriptedHub, problem
from support.terminal import Say, terminal

WET = {
    "stand": "wet", "title": "Wet bench", "doc": "Ask Ada", "things": ["bench/bath", "bench/valves"], "holder": "ada",
    "since": 1_700_000_000_000, "until": 1_700_001_800_000, "length": 1800.0, "required": True,
    "safe_on_expiry": True, "asks": [{"who": "bob", "time": 1_700_000_060_000, "note": "ten minutes"}],
    "ended": "", "last": "",
}  # fmt: skip
FREE = WET | {"stand": "dry", "title": "", "holder": "", "until": 0, "asks": [], "ended": "expired", "last": "bob"}


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    """A site with two stands."""
    with ScriptedHub() as scripted:
        scripted.answers |= {
            "GET /api/stands": Answer(200, {"stands": [WET, FREE]}),
            "GET /api/stands/wet": Answer(200, WET),
            "POST /api/stands/wet/lease": Answer(200, WET),
        }
        yield scripted


@pytest.fixture
def say(hub: ScriptedHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs `pilothouse …` on this hub's machine."""
    return terminal(hub.url, tmp_path, capsys, monkeypatch)


def test_the_list(say: Say, hub: ScriptedHub) -> None:
    """Who holds each, who asks for it, how the last lease ended."""
    code, out, _ = say("stand")
    assert code == 0
    wet, dry = out.splitlines()[1:]
    assert wet.startswith("wet    Wet bench  ada until 2023-11-1")
    assert "bob" in wet
    assert "nobody (was bob, expired)" in dry
    assert len(json.loads(say("stand", "--json")[1])) == 2
    hub.answers["GET /api/stands"] = Answer(200, {"stands": []})
    assert "[stands.NAME]" in say("stand")[1]


def test_one_stand(say: Say) -> None:
    """All that is known of it."""
    lines = {line.split("  ")[0]: line for line in say("stand", "wet")[1].splitlines()}
    assert set(lines) == {"stand", "about", "held by", "since", "lasts", "needed", "at its end", "things", "asked"}
    assert lines["lasts"].endswith("30 min from the last use on")
    assert lines["asked"].endswith(": ten minutes")
    assert json.loads(say("stand", "wet", "--json")[1])["holder"] == "ada"


def test_a_stand_that_nobody_has_ever_held(say: Say, hub: ScriptedHub) -> None:
    """Nobody is a word; a holder without an end has none."""
    hub.answers["GET /api/stands/wet"] = Answer(200, WET | {"holder": "", "safe_on_expiry": False})
    out = say("stand", "wet")[1]
    assert "held by     nobody\n" in out
    assert "outputs stay as they are" in out
    hub.answers["GET /api/stands/wet"] = Answer(200, WET | {"until": 0})
    assert "held by     ada\n" in say("stand", "wet")[1]


@pytest.mark.parametrize("act", ["take", "ask", "give", "deny", "release", "extend"])
def test_each_act(say: Say, hub: ScriptedHub, act: str) -> None:
    """It goes to the hub with its words, and what became of the stand is shown."""
    code, out, _ = say("stand", act, "wet", "--to", "bob", "--note", "please")
    assert code == 0
    assert "held by" in out
    assert hub.asked[-1].path == "/api/stands/wet/lease"
    assert {"do": act, "to": "bob", "note": "please"}.items() <= hub.asked[-1].body.items()


def test_a_refusal_names_the_holder(say: Say, hub: ScriptedHub) -> None:
    """Exit code 1, who holds it until when, and what to do."""
    hub.answers["POST /api/stands/wet/lease"] = problem(
        423, "Stand wet is held by ada until 14:30", remedy="Ask ada for it"
    )
    code, out, err = say("stand", "take", "wet")
    assert (code, out) == (1, "")
    assert err == "pilothouse: Stand wet is held by ada until 14:30. Ask ada for it.\n"


def test_taking_it_by_force(say: Say, hub: ScriptedHub) -> None:
    """Never without a reason."""
    assert say("stand", "take", "wet", "--force")[0] == 2
    assert hub.asked == []
    assert say("stand", "take", "wet", "--force", "--reason", "nobody there")[0] == 0
    assert {"force": True, "reason": "nobody there"}.items() <= hub.asked[-1].body.items()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("take",), "pilothouse stand"),
        (("tkae", "wet"), "Did you mean 'take'?"),
        (("give", "wet"), "--to WHO"),
    ],
)
def test_wrong_words(say: Say, hub: ScriptedHub, words: tuple[str, ...], said: str) -> None:
    """Exit code 2, the nearest right one; the hub was not asked."""
    code, out, err = say("stand", *words)
    assert (code, out, hub.asked) == (2, "", [])
    assert said in err


def test_a_stand_that_is_not_there(say: Say, hub: ScriptedHub) -> None:
    """The hub knows the nearest name."""
    hub.answers["GET /api/stands/wat"] = problem(404, "There is no stand 'wat'", nearest="wet")
    code, _, err = say("stand", "wat")
    assert code == 1
    assert "Did you mean 'wet'?" in err
