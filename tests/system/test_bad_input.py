"""Garbage at every entrance of the bus, and a bus that goes away under load: nothing falls, nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import nats
import pytest

from pilothouse.bus.subjects import TABLE
from support.stack import QUIET_CONFIG, Stack, wait_for

GARBAGE = [
    b"",
    b"\xff\xfe\x00garbage",
    b"[]",
    b"{}",
    b'{"v": 99, "node": "pi"}',
    b'{"v": 1, "node": "pi", "epoch": "x"}',
    b'{"v": 1, "node": 3}',
    b"[" * 5000,
    b"{" + b'"a":' * 2000,
    json.dumps({"v": 1, "node": "x" * 10_000}).encode(),
    b'{"v":1,"id":"NaN","deadline":1e999}',
    b" " * 900_000,
]
OUTAGES = (1, 10, 60) if os.environ.get("PILOTHOUSE_LONG") else (1, 10)
"""Seconds that the bus is away."""
CONFIG = QUIET_CONFIG + "[things.sensor.properties.temperature]\ndead_band = 0\n"
"""Every reading of the temperature is sent, so that a hole in its history is a loss and not a value that stayed."""
NAMES = {"site": "home", "node": "pi", "thing": "relays", "name": "relay_1"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack; these tests leave it whole, that is what they test."""
    with Stack(tmp_path_factory.mktemp("garbage"), config=CONFIG) as running:
        wait_for(lambda: running.call("GET", "/api/things/pi/relays")[0] == 200, "the relays to be described")
        yield running


def confirmed(stack: Stack, value: bool) -> bool:
    """Whether a command goes through right now."""
    return bool(stack.put("pi/relays.relay_1", value)[1].get("end") == "confirmed")


async def shout(stack: Stack, messages: list[tuple[str, bytes]]) -> None:
    """Publish raw bytes on the stack's own bus."""
    address = json.loads((stack.data / "bus" / "address.json").read_text())
    link = await nats.connect(address["url"], user=address["user"], password=address["password"])
    try:
        for subject, content in messages:
            await link.publish(subject, content)
        await link.flush()
    finally:
        await link.close()


@pytest.mark.parametrize("row", sorted(TABLE))
async def test_garbage_on_every_subject(stack: Stack, row: str) -> None:
    """No process falls over any bytes on any subject, with good names and with odd ones."""
    pids = {name: child["pid"] for name, child in stack.children().items()}
    subject = TABLE[row].pattern.format(**NAMES)
    odd = TABLE[row].pattern.format(**NAMES | {"node": "NODE$", "thing": "a" * 300, "name": "ünï"})
    await shout(stack, [(where, content) for content in GARBAGE for where in (subject, odd)])
    wait_for(lambda: confirmed(stack, True) and confirmed(stack, False), "commands to work as before")
    assert {name: child["pid"] for name, child in stack.children().items()} == pids
    names = {node["node"] for node in stack.call("GET", "/api/nodes")[1]["nodes"]}
    assert names == {"pi"}, "garbage left a ghost node"


async def test_a_forged_old_epoch_changes_nothing(stack: Stack) -> None:
    """A late word of an older run of the agent is dropped."""
    state = {
        "v": 1,
        "node": "pi",
        "epoch": 1,
        "thing": "relays",
        "time": int(time.time() * 1000) + 10_000,
        "health": {"ok": False, "error": "forged"},
        "properties": {"relay_1": {"value": "forged", "time": int(time.time() * 1000) + 10_000}},
    }
    presence = {"v": 1, "node": "pi", "epoch": 1, "version": "0", "time": 0, "mono": 0, "state": "leaving"}
    await shout(
        stack,
        [("ph.home.state.pi.relays", json.dumps(state).encode()), ("ph.home.node.pi", json.dumps(presence).encode())],
    )
    assert confirmed(stack, True)
    thing = stack.call("GET", "/api/things/pi/relays")[1]
    assert thing["health"]["ok"] and thing["properties"]["relay_1"]["value"] is True
    assert stack.call("GET", "/api/nodes")[1]["nodes"][0]["life"] == "here"


@pytest.mark.parametrize("seconds", OUTAGES)
def test_the_bus_is_killed_under_load(stack: Stack, seconds: float) -> None:
    """Commands end honestly while the bus is away, and readings of that time are in history afterwards.

    A minute of it takes a minute: PILOTHOUSE_LONG=1 adds that.
    """
    wait_for(lambda: confirmed(stack, False), "the relay to be off")
    old = stack.pid("bus")
    since = int(time.time() * 1000) - 3000
    os.kill(old, signal.SIGSTOP)  # away without a word: the hardest kind
    ends: list[tuple[int, Any]] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        ends.append(stack.put("pi/relays.relay_2", len(ends) % 2 == 0))
        time.sleep(max(0.0, 0.2 - (time.monotonic() - began)))
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: stack.children()["bus"]["pid"] not in (0, old), "the bus to be back")
    wait_for(lambda: works(stack), "commands to work again", seconds=30)
    until = int(time.time() * 1000)
    assert ends and all(answer.get("end") in ("refused", "expired", "unknown") for _, answer in ends), ends
    assert [move for move in stack.traced() if move["property"] == "relay_2" and move["value"]] == []

    def seen() -> bool:
        status, answer = stack.call(
            "GET", f"/api/history?series=pi/sensor.temperature&from={since}&to={until}&points=5000"
        )
        assert status == 200, answer
        points = [point[0] for point in answer["series"][0]["points"] if point[1] is not None]
        steps = [later - earlier for earlier, later in pairwise(points)]
        return len(points) > seconds / 2 and max(steps, default=10**9) < 3000

    wait_for(seen, "readings of the time without a bus, with no hole", seconds=30)


def works(stack: Stack) -> bool:
    """Whether a command goes through, whatever the hub says meanwhile."""
    try:
        return confirmed(stack, False)
    except OSError:
        return False


def test_two_agents_of_one_name(stack: Stack, tmp_path: Path) -> None:
    """The newer one takes over, the older one gives way for good, and the page's data say so."""
    old = stack.pid("agent")
    (tmp_path / "bus").mkdir()
    (tmp_path / "bus" / "address.json").write_bytes((stack.data / "bus" / "address.json").read_bytes())
    (tmp_path / "pilothouse.toml").write_text('[node]\nname = "pi"\n[things.relays]\ndriver = "sim.relays"\n')
    log = (tmp_path / "agent.log").open("wb")
    second = subprocess.Popen(
        [sys.executable, "-m", "pilothouse.agent", "--data", str(tmp_path)], stdout=log, stderr=subprocess.STDOUT
    )
    try:
        wait_for(lambda: stack.children()["agent"]["state"] == "stopped", "the older agent to give way")
        assert "taken over" in stack.children()["agent"]["note"]
        notes = wait_for(lambda: stack.call("GET", "/api/nodes")[1]["nodes"][0]["notes"], "a note on the node")
        assert any("took over" in note for note in notes)
        wait_for(lambda: works(stack), "commands to reach the newer agent")
        assert stack.pid("hub") and old
    finally:
        second.terminate()
        second.wait(10)
        log.close()
