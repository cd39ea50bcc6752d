"""Every verb against a hub that follows a script: what it prints, what it asks, its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.cli import app
from pilothouse.testing.hub import Answer, Asked, ScriptedHub, problem
from support.terminal import Say, terminal

SUPPLY = {
    "node": "bench",
    "thing": "supply",
    "title": "Bench supply",
    "health": {"ok": True},
    "properties": {
        "voltage": {"value": 4.998, "time": 10_000, "wish": 5.0, "wish_time": 9_000},
        "on": {"value": True, "time": 100_000},
        "mode": {"value": "cv", "time": 100_000},
    },
    "description": {
        "node": "bench",
        "name": "supply",
        "properties": {
            "voltage": {
                "name": "voltage", "schema": {"type": "number"}, "unit": "V", "precision": 2,
                "writable": True, "heartbeat": 10.0,
            },
            "on": {"name": "on", "schema": {"type": "boolean"}, "writable": True},
            "mode": {"name": "mode", "schema": {"enum": ["cv", "cc"]}},
        },
        "actions": {
            "fail": {
                "name": "fail",
                "input": {"type": "object", "properties": {"seconds": {"type": "number"}}, "required": ["seconds"]},
            },
            "heal": {"name": "heal"},
        },
    },
}  # fmt: skip
CONFIRMED = {"id": "i", "end": "confirmed", "value": 5.0, "took_ms": 3.21}
THING = "/api/things/bench/supply"


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    """A site with one bench supply."""
    with ScriptedHub() as scripted:
        scripted.answers |= {
            f"GET {THING}": Answer(200, SUPPLY),
            f"PUT {THING}/properties/voltage": Answer(200, CONFIRMED),
            f"GET {THING}/properties/voltage": Answer(
                200, {"value": 4.998, "time": 9, "quality": "good", "unit": "V", "age_ms": 1200.0}
            ),
        }
        yield scripted


@pytest.fixture
def say(hub: ScriptedHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs `pilothouse …` on this hub's machine; gives exit code, standard output, standard error."""
    return terminal(hub.url, tmp_path, capsys, monkeypatch)


def test_get_prints_value_unit_and_age(say: Say, hub: ScriptedHub) -> None:
    """One line for a person; the token of the data folder goes along."""
    assert say("get", "bench/supply.voltage") == (0, "bench/supply.voltage = 4.998 V, 1.2 s ago\n", "")
    assert hub.asked[0].headers["authorization"] == "Bearer secret"
    assert say("get", "bench/supply.voltage", "--raw")[1] == "4.998\n"
    assert json.loads(say("get", "bench/supply.voltage", "--json")[1])["value"] == 4.998


def test_get_of_a_bad_value_is_not_fine(say: Say, hub: ScriptedHub) -> None:
    """A script that reads a dead sensor must notice."""
    hub.answers[f"GET {THING}/properties/voltage"] = Answer(
        200, {"value": None, "time": 9, "quality": "bad", "age_ms": 61_000}
    )
    code, out, _ = say("get", "bench/supply.voltage")
    assert (code, out) == (1, "bench/supply.voltage = -, 1 min ago, bad\n")


def test_get_of_a_thing_lists_its_properties(say: Say) -> None:
    """Aligned, with wishes that are not fulfilled, stale values said, and actions."""
    code, out, _ = say("get", "bench/supply")
    assert code == 0
    assert out.splitlines() == [
        "bench/supply: Bench supply",
        "  voltage  5.00 V  stale  wish 5.00 V",
        "  on       true           writable",
        "  mode     cv",
        "actions: fail, heal",
    ]


def test_set_reads_the_value_by_the_schema(say: Say, hub: ScriptedHub) -> None:
    """The number goes out as a number, with reason and id."""
    code, out, _ = say("set", "bench/supply.voltage", "5", "--reason", "a test", "--id", "mine-0001")
    assert (code, out) == (0, "bench/supply.voltage = 5.00 V, confirmed in 3.2 ms\n")
    asked = hub.asked[-1]
    assert asked.body == {"value": 5, "reason": "a test", "ttl": 5.0}
    assert asked.headers["idempotency-key"] == "mine-0001"
    say("set", "bench/supply.voltage", "-5.5")
    assert hub.asked[-1].body["value"] == -5.5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bench/supply.on", "ture"), "Did you mean 'true'?"),
        (("bench/supply.heal", "1"), "pilothouse do bench/supply.heal"),
        (("bench supply", "1"), "node/thing.property"),
    ],
)
def test_set_of_nonsense_is_refused_here(say: Say, hub: ScriptedHub, words: tuple[str, ...], said: str) -> None:
    """Exit code 2, and no command was sent."""
    code, out, err = say("set", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert all(asked.method == "GET" for asked in hub.asked)


def test_set_of_what_is_not_there_names_the_nearest(say: Say) -> None:
    """The right name, whole, so that it can be pasted."""
    code, _, err = say("set", "bench/supply.voltge", "5")
    assert code == 1
    assert "Did you mean 'bench/supply.voltage'?" in err


@pytest.mark.parametrize(
    ("end", "status", "code"), [("refused", 409, 1), ("failed", 502, 1), ("expired", 504, 4), ("unknown", 504, 4)]
)
def test_each_end_has_its_exit_code(say: Say, hub: ScriptedHub, end: str, status: int, code: int) -> None:
    """1 = it was not done; 4 = it will not be done any more, or nobody knows."""
    hub.answers[f"PUT {THING}/properties/voltage"] = problem(status, "No.", end=end, cause="so", remedy="Wait")
    assert say("set", "bench/supply.voltage", "5") == (code, "", "pilothouse: No. so. Wait.\n")


def test_do_calls_an_action(say: Say, hub: ScriptedHub) -> None:
    """Input is read by its schema; what the action gives is printed."""
    hub.answers[f"POST {THING}/actions/fail"] = Answer(200, {"end": "confirmed", "value": {"until": 5}})
    assert say("do", "bench/supply.fail", "seconds=2")[:2] == (0, 'bench/supply.fail = {"until": 5}, confirmed\n')
    assert hub.asked[-1].body == {"input": {"seconds": 2}, "reason": "", "ttl": 5.0}
    assert say("do", "bench/supply.fail", "second=2")[0] == 2
    assert "pilothouse set bench/supply.on" in say("do", "bench/supply.on")[2]
    assert "Did you mean 'bench/supply.heal'?" in say("do", "bench/supply.haal")[2]


def test_things_lists_with_the_state_of_each(say: Say, hub: ScriptedHub) -> None:
    """Faults and absent nodes are said; so are notes."""
    nodes = [
        {"node": "bench", "life": "here", "things": ["supply"], "notes": ["took over"]},
        {"node": "shed", "life": "away", "things": []},
    ]
    ill = SUPPLY | {"health": {"ok": False, "error": "no answer"}}
    hub.answers["GET /api/nodes"] = Answer(200, {"nodes": nodes})
    hub.answers["GET /api/things"] = Answer(200, {"things": [ill]})
    code, out, _ = say("things")
    assert code == 0
    assert out.splitlines()[1] == "bench/supply  Bench supply  fault: no answer  voltage, on, mode"
    assert "shed" in out.splitlines()[2]
    assert out.splitlines()[3] == "bench: took over"
    assert [node["node"] for node in json.loads(say("things", "bench", "--json")[1])["nodes"]] == ["bench"]
    hub.answers["GET /api/nodes"] = Answer(200, {"nodes": []})
    assert "pilothouse agent" in say("things")[1]


def test_history_prints_gaps_as_gaps(say: Say, hub: ScriptedHub) -> None:
    """A gap is a word, never a line drawn through."""
    points = [[1_700_000_000_000, 1.0, 3.0, 2.0], [1_700_000_060_000, None, None, None]]
    series = {"series": "bench/supply.voltage", "unit": "V", "bucket": 60_000, "points": points}
    hub.answers["GET /api/history"] = Answer(200, {"series": [series]})
    code, out, _ = say("history", "bench/supply.voltage", "--from", "-1h", "--points", "60")
    assert code == 0
    assert out.splitlines()[0] == "bench/supply.voltage in V, a point stands for 1 min"
    assert out.splitlines()[2].split()[2:] == ["1", "3", "2"]
    assert out.splitlines()[3].endswith("gap")
    assert hub.asked[-1].query == {"series": ["bench/supply.voltage"], "from": ["-1h"], "to": ["now"], "points": ["60"]}
    csv = say("history", "bench/supply.voltage", "--csv")[1].splitlines()
    assert csv[1:] == ["bench/supply.voltage,1700000000000,1.0,3.0,2.0", "bench/supply.voltage,1700000060000,,,"]


def test_ledger_lists_who_what_why(say: Say, hub: ScriptedHub) -> None:
    """One line a command; later truth stands beside the end, which is not rewritten."""
    line: dict[str, Any] = {
        "id": "i-1", "node": "bench", "thing": "supply", "kind": "property", "name": "on", "input": True,
        "who": "owner", "origin": "cli", "reason": "a test", "made": 1_700_000_000_000, "end": "unknown",
        "later": [{"end": "confirmed"}],
    }  # fmt: skip
    hub.answers["GET /api/ledger"] = Answer(200, {"lines": [line]})
    out = say("ledger", "--thing", "bench/supply", "--end", "unknown")[1]
    assert "owner (cli)  bench/supply.on = true  unknown, later confirmed  a test" in out
    assert hub.asked[-1].query == {"node": ["bench"], "thing": ["supply"], "end": ["unknown"], "limit": ["20"]}
    assert say("ledger", "--end", "perhaps")[0] == 2


def test_watch_prints_what_matches_and_survives_a_cut(say: Say, hub: ScriptedHub) -> None:
    """First the present values, then changes; a lost link is said on standard error; nothing is printed twice."""
    snapshot = ("snapshot", {"time": 1, "things": [SUPPLY]})
    change = ("change", {"values": [["bench", "supply", "voltage", 11_000, 6.0, "good"]]})
    hub.streams = [[snapshot, change], [snapshot, ("change", {"things": [SUPPLY | {"properties": {}}]}), change]]
    code, out, err = say("watch", "bench/supply.voltage", "--count", "3")
    assert code == 0
    assert [line.split("  ")[1] for line in out.splitlines()] == [
        "bench/supply.voltage = 4.998 V",
        "bench/supply.voltage = 6 V",
        "bench/supply.voltage = 4.998 V",
    ]
    assert "lost" in err
    assert "back" in err
    assert hub.asked[-1].query == {"things": ["bench/supply"]}


def test_watch_of_what_is_not_there(say: Say, hub: ScriptedHub) -> None:
    """A name is a mistake, a pattern may fit later; a word without a slash is neither."""
    hub.answers["GET /api/things"] = Answer(200, {"things": [SUPPLY]})
    hub.streams = [[("snapshot", {"things": [SUPPLY]})]]
    code, _, err = say("watch", "bench/supply.voltge")
    assert code == 1
    assert "Did you mean 'bench/supply.voltage'?" in err
    hub.streams = [[("snapshot", {"things": [SUPPLY]})]]
    code, out, err = say("watch", "*/supply.nothing", "*/supply.on", "--count", "1", "--json")
    assert (code, json.loads(out)["value"]) == (0, True)
    assert "nothing fits" in err
    assert say("watch", "supply")[0] == 2


def test_no_hub_is_exit_code_3(say: Say, tmp_path: Path) -> None:
    """Nobody listens where the hub says it was, or none ever ran."""
    (tmp_path / "run" / "hub.json").write_text('{"url": "http://127.0.0.1:9", "pid": 1}')
    code, _, err = say("get", "bench/supply.voltage")
    assert code == 3
    assert "pilothouse doctor" in err
    (tmp_path / "run" / "hub.json").unlink()
    assert say("things")[0] == 3


def test_whoever_listens_where_a_killed_hub_did_is_shown_no_token(say: Say, hub: ScriptedHub, tmp_path: Path) -> None:
    """Its note is still there, and the process is not; also when that address is named."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(20)
    (tmp_path / "run" / "hub.json").write_text(json.dumps({"url": hub.url, "pid": ended.pid}))
    assert say("things")[0] == 3
    assert say("things", "--url", hub.url)[0] == 1
    assert hub.asked == []


def test_a_token_is_shown_to_its_own_hub_only(say: Say, hub: ScriptedHub, tmp_path: Path) -> None:
    """Another address needs a token of its own, named on purpose."""
    code, _, err = say("things", "--url", "http://example.invalid:8470")
    assert code == 1
    assert "--token-file" in err
    other = tmp_path / "other"
    other.write_text("another\n")
    hub.answers["GET /api/things"] = Answer(200, {"things": []})
    hub.answers["GET /api/nodes"] = Answer(200, {"nodes": []})
    assert say("things", "--url", hub.url, "--token-file", str(other))[0] == 0
    assert hub.asked[-1].headers["authorization"] == "Bearer another"
    assert say("things", "--url", hub.url.replace("127.0.0.1", "localhost"))[0] == 0
    assert hub.asked[-1].headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize("content", ["", "\n", "\udcff"])
def test_a_token_file_that_holds_none(say: Say, tmp_path: Path, content: str) -> None:
    """Empty, or no text: exit code 2 and the file's name."""
    (tmp_path / "token").write_bytes(content.encode("utf-8", "surrogateescape"))
    code, _, err = say("things")
    assert code == 2
    assert str(tmp_path / "token") in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gte"], "Did you mean 'get'?"),
        (["set", "a/b.c"], "VALUE"),
        (["get", "a/b.c", "--jsno"], "--json"),
        (["history", "a/b.c", "--points", "many"], "many"),
        (["get", "voltage"], "node/thing.property"),
        (["config", "chekc"], "check"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(say: Say, words: list[str], said: str) -> None:
    """What is wrong, and the nearest right word; never a page of help."""
    code, out, err = say(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_no_traceback_reaches_a_person(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    """What should never happen is still one sentence."""

    def broken(**_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(app, "make_app", broken)
    code, _, err = say("things")
    assert code == 1
    assert err == "pilothouse: This should not have happened (RuntimeError: a bug). See more with --verbose.\n"


def test_ledger_of_one_command(say: Say, hub: ScriptedHub) -> None:
    """All that is known of it; what is not known takes no line."""
    line = {
        "id": "mine-0001", "node": "bench", "thing": "supply", "kind": "action", "name": "fail",
        "input": {"seconds": 2}, "who": "owner", "made": 1_700_000_000_000, "end": "failed",
        "detail": "It broke.", "remedy": "Mend it", "took_ms": 2.5,
        "later": [{"end": "confirmed", "detail": "It did."}],
    }  # fmt: skip
    hub.answers["GET /api/ledger/mine-0001"] = Answer(200, line)
    out = say("ledger", "mine-0001")[1]
    assert [text.split()[0] for text in out.splitlines()] == [
        "command", "id", "who", "made", "end", "detail", "remedy", "took", "later",
    ]  # fmt: skip
    assert 'bench/supply.fail {"seconds": 2}' in out
    assert json.loads(say("ledger", "mine-0001", "--json")[1])["end"] == "failed"
    assert say("ledger", "no id")[0] == 2
    assert say("ledger", "mine-0002")[0] == 1


def test_ledger_that_is_empty_or_open(say: Say, hub: ScriptedHub) -> None:
    """Nothing is said in words; a command without an end is open."""
    hub.answers["GET /api/ledger"] = Answer(200, {"lines": []})
    assert say("ledger")[1] == "No command fits.\n"
    line = {"id": "i", "node": "n", "thing": "t", "kind": "action", "name": "a", "input": None, "who": "job"}
    hub.answers["GET /api/ledger"] = Answer(200, {"lines": [line]})
    assert say("ledger")[1].splitlines()[1].split() == ["-", "job", "n/t.a", "open", "i"]
    assert json.loads(say("ledger", "--json")[1])[0]["id"] == "i"


def test_history_of_words_and_of_nothing(say: Say, hub: ScriptedHub) -> None:
    """What is no number is listed as it changed; an empty time is said."""
    words = {"series": "a/b.mode", "values": [[1_700_000_000_000, "cv"], [1_700_000_060_000, None]]}
    hub.answers["GET /api/history"] = Answer(200, {"series": [words, {"series": "a/b.none"}]})
    out = say("history", "a/b.mode", "a/b.none")[1].splitlines()
    assert out[0] == "a/b.mode, every reading"
    assert out[2].endswith("  cv")
    assert out[3].endswith("  gap")
    assert out[-1] == "nothing in this time"
    assert say("history", "a/b.mode", "--csv")[1].splitlines()[1:] == [
        "a/b.mode,1700000000000,cv,cv,cv",
        "a/b.mode,1700000060000,,,",
    ]
    assert json.loads(say("history", "a/b.mode", "--json")[1])[1]["series"] == "a/b.none"


def test_get_says_what_is_not_as_wished(say: Say, hub: ScriptedHub) -> None:
    """A wish that is not fulfilled, a value that was never read, a thing with a fault."""
    path = f"GET {THING}/properties/voltage"
    hub.answers[path] = Answer(200, {"value": 1.0, "time": 5, "unit": "V", "wish": 2.0, "wish_time": 4})
    assert say("get", "bench/supply.voltage")[:2] == (0, "bench/supply.voltage = 1 V, wish 2 V\n")
    hub.answers[path] = Answer(200, {"value": None, "time": 0})
    assert say("get", "bench/supply.voltage")[:2] == (1, "bench/supply.voltage = -, never read\n")
    hub.answers[f"GET {THING}"] = Answer(200, SUPPLY | {"health": {"ok": False, "error": "no answer"}})
    out = say("get", "bench/supply", "bench/supply.voltage")[1]
    assert out.startswith("bench/supply: Bench supply - fault: no answer\n")
    assert out.endswith("never read\n")
    assert say("get", "bench/supply", "--raw")[1] == "4.998\ntrue\ncv\n"


def test_a_command_whose_answer_got_lost_is_exit_code_4(say: Say, hub: ScriptedHub) -> None:
    """The hub took it and the link broke: nobody knows, and the line to find out is told."""

    def cut(asked: Asked) -> Answer:
        raise ConnectionAbortedError

    hub.answers[f"PUT {THING}/properties/voltage"] = cut
    code, _, err = say("set", "bench/supply.voltage", "5", "--id", "mine-0001")
    assert code == 4
    assert "pilothouse ledger mine-0001" in err


def test_the_hubs_own_note_that_cannot_be_read(say: Say, tmp_path: Path) -> None:
    """A broken file is said by name."""
    (tmp_path / "run" / "hub.json").write_text("{")
    code, _, err = say("things")
    assert code == 2
    assert "hub.json" in err


def test_ctrl_c_is_quiet(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever ends a watch wants no explanation."""

    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "make_app", interrupted)
    assert say("watch") == (130, "", "")
