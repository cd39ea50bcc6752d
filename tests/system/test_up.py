"""`pilothouse up`: everything on one machine; whatever is killed comes back, and the others do not notice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.stack import QUIET_CONFIG, Stack, alive, wait_for


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for the tests of this file that leave it whole."""
    with Stack(tmp_path_factory.mktemp("up"), config=QUIET_CONFIG) as running:
        wait_for(lambda: running.call("GET", "/api/things/pi/relays")[0] == 200, "the relays to be described")
        yield running


def readings(stack: Stack, since: int) -> list[list[Any]]:
    """All recorded points of the noisy sensor since a time (Unix milliseconds)."""
    series = "pi/sensor." + next(iter(stack.call("GET", "/api/things/pi/sensor")[1]["properties"]))
    status, answer = stack.call("GET", f"/api/history?series={series}&from={since}&to=now&points=2000")
    assert status == 200, answer
    found: list[list[Any]] = answer["series"][0]["points"]
    return found


@pytest.mark.parametrize("name", ["hub", "keeper", "agent", "bus"])
def test_a_killed_process_is_back(stack: Stack, name: str) -> None:
    """kill -9 of any child: another takes its place, and a command works again."""
    before = stack.children()
    old = stack.kill(name)
    wait_for(lambda: stack.children()[name]["pid"] not in (0, old), f"{name} to be back")
    assert stack.children()[name]["restarts"] == before[name]["restarts"] + 1
    for other in {"hub", "keeper", "agent", "bus"} - {name}:
        assert stack.children()[other]["pid"] == before[other]["pid"], f"{other} must not fall with {name}"

    def confirmed() -> bool:
        try:
            return stack.put("pi/relays.relay_1", True)[1]["end"] == "confirmed"
        except (OSError, KeyError, TypeError):
            return False

    wait_for(confirmed, f"a command to work after {name} was killed")


def test_no_hub_no_difference(stack: Stack) -> None:
    """With the hub gone for a while, outputs keep their values and history has no gap: it cannot touch hardware."""
    wait_for(lambda: stack.put("pi/relays.relay_2", True)[0] == 200, "the relay to be on")
    since = int(time.time() * 1000)
    moves = len(stack.traced())
    os.kill(stack.pid("hub"), signal.SIGSTOP)
    frozen = stack.pid("hub")
    time.sleep(3)  # the time without a hub is what is tested
    os.kill(frozen, signal.SIGKILL)
    wait_for(lambda: stack.children()["hub"]["pid"] not in (0, frozen), "the hub to be back")
    wait_for(stack._answers, "the hub to answer")
    assert len(stack.traced()) == moves, "an output changed while there was no hub"
    wait_for(lambda: len(readings(stack, since)) >= 3, "readings of the time without a hub")
    assert all(point[1] is not None for point in readings(stack, since)), "history has a gap"
    assert stack.call("GET", "/api/things/pi/relays/properties/relay_2")[1]["value"] is True


def test_a_frozen_agent_is_killed_and_the_next_makes_its_outputs_safe(stack: Stack) -> None:
    """SIGSTOP with a relay on: `up` misses its sign of life, says so, and the relay goes off at the device."""
    wait_for(lambda: stack.put("pi/relays.relay_4", True)[0] == 200, "the relay to be on")
    frozen = stack.pid("agent")
    os.kill(frozen, signal.SIGSTOP)

    def is_off() -> bool:
        return [move["value"] for move in stack.traced() if move["property"] == "relay_4"][-1] is False

    wait_for(is_off, "the relay to go off", seconds=20)
    assert not alive(frozen)
    wait_for(lambda: stack.children()["agent"]["pid"] not in (0, frozen), "another agent")
    assert stack.children()["agent"]["note"] == "was frozen for 5 s"
    wait_for(lambda: stack.put("pi/relays.relay_4", False)[0] == 200, "a command to work again")


def test_outputs_are_safe_at_the_end(tmp_path: Path) -> None:
    """Ctrl-C: the relay that was on is off before the process is gone, and nothing of it is left."""
    with Stack(tmp_path, config=QUIET_CONFIG) as stack:
        wait_for(lambda: stack.call("GET", "/api/things/pi/relays")[0] == 200, "the relays")
        wait_for(lambda: stack.put("pi/relays.relay_3", True)[0] == 200, "the relay to be on")
        assert stack.process is not None
        asked = time.monotonic()
        stack.process.send_signal(signal.SIGINT)
        assert stack.process.wait(15) == 0
        took = time.monotonic() - asked
    moves = [move for move in stack.traced() if move["property"] == "relay_3"]
    assert [move["value"] for move in moves][-2:] == [True, False]
    assert took < 10, f"it took {took:.1f} s, and the house says 3"
    states = {name: child["state"] for name, child in stack.children().items()}
    assert set(states.values()) == {"stopped"}, states


def test_children_die_with_up(tmp_path: Path) -> None:
    """kill -9 of `up` itself leaves no process behind, and the relay goes off."""
    with Stack(tmp_path, config=QUIET_CONFIG) as stack:
        wait_for(lambda: stack.call("GET", "/api/things/pi/relays")[0] == 200, "the relays")
        wait_for(lambda: stack.put("pi/relays.relay_4", True)[0] == 200, "the relay to be on")
        pids = [child["pid"] for child in stack.children().values()]
        assert stack.process is not None
        stack.process.kill()
        stack.process.wait()
        wait_for(lambda: not any(alive(pid) for pid in pids), "all children to end")
    assert [move["value"] for move in stack.traced() if move["property"] == "relay_4"][-1] is False


def up(*args: str) -> subprocess.CompletedProcess[str]:
    """Run `pilothouse up` to its end."""
    command = [sys.executable, "-m", "pilothouse.cli", "up", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_only_one_on_a_folder(stack: Stack) -> None:
    """A second `up` on the same data folder says that there is one, and who."""
    second = up("--data", str(stack.data), "--port", "0")
    assert second.returncode == 2
    assert f"already (process {stack.process and stack.process.pid})" in second.stderr
    assert "pilothouse link" in second.stderr


def test_a_busy_port_is_one_sentence(stack: Stack, tmp_path: Path) -> None:
    """The port of another server: one sentence with the line to type, and everything ends."""
    port = stack.url.rpartition(":")[2]
    second = up("--data", str(tmp_path / "other"), "--port", port)
    assert second.returncode == 2
    said = [line for line in second.stderr.splitlines() if port in line]
    assert said and "--port" in said[0]
    assert "Traceback" not in second.stderr
    status = json.loads((tmp_path / "other" / "run" / "up.json").read_text())
    assert not any(alive(child["pid"]) for child in status["processes"].values() if child["pid"])


def test_an_unwritable_folder_is_one_sentence(tmp_path: Path) -> None:
    """A file where the data folder should be."""
    (tmp_path / "file").write_text("")
    ended = up("--data", str(tmp_path / "file"))
    assert ended.returncode == 2
    assert "cannot be written" in ended.stderr and "--data DIR" in ended.stderr and "Traceback" not in ended.stderr


def test_a_wrong_configuration_starts_nothing(tmp_path: Path) -> None:
    """Mistakes are listed and no process starts."""
    (tmp_path / "pilothouse.toml").write_text("[hub]\nprot = 1\n")
    ended = up("--data", str(tmp_path))
    assert ended.returncode == 2
    assert "did you mean 'port'?" in ended.stderr and not (tmp_path / "run" / "up.json").exists()
