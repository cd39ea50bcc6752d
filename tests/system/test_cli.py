"""The command line against a real stack: what a person types in their first five minutes."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.client import Client, Lost, Snapshot
from support.people import PASSWORD
from support.stack import QUIET_CONFIG, Stack, wait_for


def free_port() -> int:
    """A port that a hub can have again after it fell."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One running Pilothouse for all tests of this file."""
    with Stack(tmp_path_factory.mktemp("cli"), config=QUIET_CONFIG) as running:
        wait_for(lambda: running.call("GET", "/api/things/pi/relays")[0] == 200, "the relays to be described")
        wait_for(lambda: running.call("GET", "/api/things/pi/sensor")[0] == 200, "the sensor to be described")
        yield running


def say(stack: Stack, *words: str, code: int = 0) -> str:
    """Run `pilothouse …` on the machine of the stack; gives what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pilothouse.cli", *words, "--data", str(stack.data)],
        capture_output=True,
        text=True,
        timeout=60,
        env={key: value for key, value in os.environ.items() if not key.startswith("PILOTHOUSE_")},
        check=False,
    )
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stdout if code in (0, 1) and done.stdout else done.stderr


def test_things_are_listed(stack: Stack) -> None:
    """Every thing with its state."""
    out = say(stack, "things")
    assert re.search(r"^pi/relays +\S.* +well +relay_1, relay_2", out, re.MULTILINE), out
    told = json.loads(say(stack, "things", "--json"))
    assert {thing["thing"] for thing in told["things"]} >= {"relays", "sensor", "host"}


def test_set_switches_the_device_and_get_shows_it(stack: Stack) -> None:
    """Confirmed means that the readback shows it; the ledger has it, with the reason."""
    out = say(stack, "set", "pi/relays.relay_3", "on", "--reason", "first light")
    assert re.fullmatch(r"pi/relays\.relay_3 = true, confirmed in [\d.]+ ms\n", out)
    wait_for(lambda: say(stack, "get", "pi/relays.relay_3", "--raw") == "true\n", "the readback to come up")
    assert "first light" in say(stack, "ledger", "--thing", "pi/relays")
    assert "actions: " in say(stack, "get", "pi/relays")
    say(stack, "set", "pi/relays.relay_3", "off")


def test_the_same_id_is_done_once(stack: Stack) -> None:
    """A command that is sent again is told its first end, and the device moves once."""
    first = json.loads(say(stack, "set", "pi/relays.relay_4", "true", "--id", "cli-test-0001", "--json"))
    moves = len(stack.traced())
    again = json.loads(say(stack, "set", "pi/relays.relay_4", "true", "--id", "cli-test-0001", "--json"))
    assert (again["id"], again["end"], again["asked"]) == (first["id"], "confirmed", first["asked"])
    assert len(stack.traced()) == moves
    assert "pi/relays.relay_4 = true" in say(stack, "ledger", "cli-test-0001")


def test_what_cannot_be_done_is_one_sentence(stack: Stack) -> None:
    """Read-only, wrong name, wrong value: exit code and nearest right one."""
    assert "pi/sensor.temperature" in say(stack, "set", "pi/sensor.temprature", "5", code=1)
    assert "true or false" in say(stack, "set", "pi/relays.relay_1", "perhaps", code=2)
    assert "read" in say(stack, "set", "pi/sensor.temperature", "5", code=1)
    assert "pi" in say(stack, "get", "pj/relays.relay_1", code=1)


def test_an_action_and_what_it_does(stack: Stack) -> None:
    """A device that was told to fail fails, its thing says so, and it comes back."""
    assert "confirmed" in say(stack, "do", "pi/sensor.fail", "kind=drop", "seconds=4")
    wait_for(lambda: "fault" in say(stack, "get", "pi/sensor"), "the fault to show")
    say(stack, "get", "pi/sensor.temperature", code=1)
    wait_for(lambda: "fault" not in say(stack, "get", "pi/sensor"), "the fault to pass")


def test_watch_shows_changes(stack: Stack) -> None:
    """First what is, then what comes."""
    lines = say(stack, "watch", "pi/sensor.temperature", "--count", "2").splitlines()
    assert len(lines) == 2
    assert all(re.search(r"pi/sensor\.temperature = [\d.]+ °C", line) for line in lines)


def test_history_has_points(stack: Stack) -> None:
    """What was read is in the history, as a table and as CSV."""

    def points() -> list[Any]:
        found = json.loads(say(stack, "history", "pi/sensor.temperature", "--json"))
        return [point for point in found[0]["points"] if point[1] is not None]

    wait_for(points, "a reading in the history")
    assert "MINIMUM" in say(stack, "history", "pi/sensor.temperature", "--points", "10")
    assert say(stack, "history", "pi/sensor.temperature", "--csv").startswith("series,time_ms,minimum")


def test_the_link_makes_the_first_administrator_once(stack: Stack) -> None:
    """It asks for a name and a password; used again it lets nobody in, and a new one is for whom it names."""
    url = say(stack, "link").strip()
    token = url.partition("token=")[2]
    fields = {"token": token, "name": "ada", "password": PASSWORD, "again": PASSWORD}
    ask = urllib.request.Request(f"{stack.url}/login", urllib.parse.urlencode(fields).encode())
    ask.add_header("Origin", stack.url)
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(url, timeout=10) as answer:
        assert b"password" in answer.read()
    with opener.open(ask, timeout=10) as answer:
        assert answer.url.rstrip("/") == stack.url
    for again in (url, ask):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.build_opener().open(again, timeout=10)
        assert caught.value.code == 410
        caught.value.close()
    assert json.loads(say(stack, "link", "--json"))["who"] == "ada"


def test_the_doctor_finds_nothing(stack: Stack) -> None:
    """A healthy machine is healthy."""
    told = json.loads(say(stack, "doctor", "--json"))
    assert told["ok"], [one for one in told["findings"] if one["state"] == "wrong"]
    names = {one["name"] for one in told["findings"]}
    assert {"node pi", "hub", "bus", "keeper", "agent process", "ledger", "history"} <= names


def test_no_hub_is_exit_code_3(stack: Stack, tmp_path: Path) -> None:
    """Nothing there: the line that starts it, or finds out."""
    token = str(stack.data / "token")
    assert "doctor" in say(stack, "things", "--url", "http://127.0.0.1:9", "--token-file", token, code=3)


def test_a_watch_outlives_the_hub(tmp_path: Path) -> None:
    """The hub is killed under a watch: Lost is said once, a fresh snapshot follows, without help."""
    with Stack(tmp_path, config=QUIET_CONFIG, port=free_port()) as stack:
        kinds: list[type] = []
        with Client(stack.url, (stack.data / "token").read_text().strip()) as client:
            frames = client.watch()
            assert isinstance(next(frames), Snapshot)
            stack.kill("hub")
            while Snapshot not in kinds:
                kinds.append(type(next(frames)))
            frames.close()  # type: ignore[attr-defined]
    assert kinds.count(Lost) == 1


def test_the_processes_take_what_their_help_says() -> None:
    """Options in the help of `pilothouse hub` and the others are those of the processes themselves."""
    environment = {**os.environ, "COLUMNS": "200"}

    def options(*command: str) -> set[str]:
        said = subprocess.run(
            [sys.executable, "-m", *command, "--help"], capture_output=True, text=True, env=environment, check=True
        )
        return set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", said.stdout, re.MULTILINE)) - {"--help"}

    for process in ("agent", "hub", "keeper", "bus"):
        assert options(f"pilothouse.{process}") - {"--parent"} == options("pilothouse.cli", process), process


def test_a_process_does_not_pay_for_the_command_line() -> None:
    """`pilothouse agent` on a small Pi: nothing but os and sys before it becomes the agent."""
    heavy = "'cyclopts', 'rich', 'httpx2', 'msgspec', 'asyncio'"
    code = f"import sys, pilothouse.cli; print([name for name in ({heavy}) if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_a_reader_that_leaves_is_no_error(stack: Stack) -> None:
    """`pilothouse watch | head -1` ends quietly."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pilothouse.cli", "watch", "--data", str(stack.data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    timer = threading.Timer(30, process.kill)
    timer.start()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    timer.cancel()
    timer.join()
    assert b"Traceback" not in said
