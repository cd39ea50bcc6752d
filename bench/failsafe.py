"""Outputs going safe: from what happens to the moment at which the simulated device has its safe value.

The time of the device is the time in its trace, by the clock that all processes of a machine share. Each round turns a
relay on, waits until its device shows it, does the harm, and looks when the device went safe.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.cut import Cut
from bench.figures import Figure, summed
from bench.script import Scale, main
from bench.stack import CannotMeasure, Stack, end, running, start

LINK_LOST = 1.0
"""Seconds without a link after which the far node's relay is safe, as configured."""
LEASE = 3.0
"""Seconds that the lease lasts, as configured."""
COMMAND = "a command that turns the relay off, from sending it to the device"
PROCESS = "`kill -9` of a bare Python process, to its successor's first line"
TIMER = "a bare timer of the same length"

HERE = """
[node]
name = "bench"
host = false
[things.relays]
driver = "sim.relays"
trace_file = "{trace}"
[things.slow]
driver = "sim.relays"
trace_file = "{trace}"
[stands.bench]
things = ["slow"]
lease = {lease}
"""
FAR = """
[node]
name = "far"
host = false
[bus]
url = "nats://127.0.0.1:{port}"
user = "{user}"
password_file = "{password}"
[things.far_relays]
driver = "sim.relays"
trace_file = "{trace}"
[things.far_relays.properties.relay_1]
link_lost_after = {after}
"""


class Rig:
    """A stack whose devices trace into one file."""

    def __init__(self, stack: Stack, trace: Path) -> None:
        self.stack = stack
        self.trace = trace

    def call(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One REST call; its answer whatever the status."""
        host, port = self.stack.address
        connection = http.client.HTTPConnection(host, port, timeout=20)
        try:
            headers = self.stack.headers | {"Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body), headers)
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found
        finally:
            connection.close()

    def put(self, address: str, value: object) -> dict[str, Any]:
        """Write relay_1 of a thing."""
        return self.call("PUT", f"/api/things/{address}/properties/relay_1", {"value": value, "reason": "bench"})

    def on(self, address: str) -> None:
        """Turn relay_1 of a thing on, as often as it takes after the last harm."""
        self.stack.until(f"{address} to be on", lambda: self.put(address, True).get("end") == "confirmed")

    def safe_after(self, thing: str, harm: Callable[[], None], limit: float) -> float:
        """Milliseconds from right before `harm` until the relay of `thing` is off by its trace."""
        began = mono()
        harm()
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            for line in reversed(self.trace.read_text(encoding="utf-8").splitlines()):
                move = json.loads(line)
                if (move["thing"], move["property"]) == (thing, "relay_1"):
                    if move["mono"] >= began and move["value"] is False:
                        return float(move["mono"] - began)
                    break
            time.sleep(0.002)
        raise CannotMeasure(f"{thing} was not safe within {limit:g} s\n{self.stack.log_end()}")


def mono() -> int:
    """Milliseconds of the clock that devices trace by."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def measure(scale: Scale) -> list[Figure]:
    """All figures of this script."""
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-trace-") as named:
        trace = Path(named) / "trace.jsonl"
        trace.touch()
        with running(HERE.format(trace=trace, lease=LEASE), things=2) as stack:
            rig = Rig(stack, trace)
            figures = [_pressed(rig, scale), _hung(rig, scale), *_lost(rig, scale, Path(named)), _lease(rig, scale)]
            return [*figures, _killed(rig, scale), _frozen(rig, scale)]


def _pressed(rig: Rig, scale: Scale) -> Figure:
    """Stop over REST, beside a plain command to the same relay."""
    ours, plain = [], []
    for _ in range(scale.of(30, 3)):
        rig.on("bench/relays")
        ours.append(rig.safe_after("relays", lambda: _stop(rig), 5))
        _lift(rig)
        rig.on("bench/relays")
        plain.append(rig.safe_after("relays", lambda: _off(rig), 5))
    return summed("stop pressed (REST) → output safe at the device", "ms", ours, target=50, reference=(COMMAND, plain))


def _hung(rig: Rig, scale: Scale) -> Figure:
    """Stop while the driver hangs, on a device with a second path."""
    ours, plain = [], []
    for _ in range(scale.of(5, 2)):
        rig.on("bench/relays")
        rig.on("bench/slow")
        rig.call("POST", "/api/things/bench/slow/actions/fail", {"input": {"kind": "hang", "seconds": 3}})
        plain.append(rig.safe_after("relays", lambda: _off(rig), 5))
        ours.append(rig.safe_after("slow", lambda: _stop(rig), 5))
        _lift(rig)
        rig.stack.until("the device to answer again", lambda: rig.put("bench/slow", False).get("end") == "confirmed")
    return summed(
        "stop pressed while the driver hangs, by its second path", "ms", ours, target=50, reference=(COMMAND, plain)
    )


def _stop(rig: Rig) -> None:
    answer = rig.call("POST", "/api/stop", {"kind": "hard", "reason": "bench"})
    if not answer.get("nodes"):
        raise CannotMeasure(f"no node has obeyed the stop: {answer}")


def _lift(rig: Rig) -> None:
    rig.call("POST", "/api/stop/lift", {"reason": "bench"})


def _off(rig: Rig) -> None:
    if rig.put("bench/relays", False).get("end") != "confirmed":
        raise CannotMeasure("the relay was not turned off")


def _lost(rig: Rig, scale: Scale, folder: Path) -> list[Figure]:
    """The link of another node cut without a word, and cut by the death of the bus's side."""
    bus = rig.stack.bus
    port = int(str(bus["url"]).rpartition(":")[2])
    password = folder / "password"
    password.write_text(bus["password"], encoding="utf-8")
    timers = [_timer(LINK_LOST) for _ in range(scale.rounds)]
    with Cut(port) as link, _far(rig, link, bus["user"], password, folder):
        silent = []
        for _ in range(scale.rounds):
            rig.on("far/far_relays")
            silent.append(rig.safe_after("far_relays", link.cut, LINK_LOST + 10))
            link.mend()
    name = f"link cut without a word, `link_lost_after` = {LINK_LOST:g} s → output safe"
    return [summed(name, "ms", silent, target=LINK_LOST * 1000 + 500, reference=(TIMER, timers))]


@contextlib.contextmanager
def _far(rig: Rig, link: Cut, user: str, password: Path, folder: Path) -> Iterator[None]:
    """A second node whose link leads through the proxy."""
    data = folder / "far"
    data.mkdir()
    config = FAR.format(port=link.port, user=user, password=password, trace=rig.trace, after=LINK_LOST)
    (data / "pilothouse.toml").write_text(config, encoding="utf-8")
    process = start(["pilothouse.agent", "--data", str(data)])
    try:
        yield
    finally:
        end(process)


def _timer(seconds: float) -> float:
    began = mono()
    time.sleep(seconds)
    return float(mono() - began)


def _lease(rig: Rig, scale: Scale) -> Figure:
    """A lease that runs out, from its last second on."""
    ours, timers = [], []
    for _ in range(scale.rounds):
        rig.call("POST", "/api/stands/bench/lease", {"do": "take"})
        rig.on("bench/slow")
        rig.call("POST", "/api/stands/bench/lease", {"do": "extend"})
        ours.append(rig.safe_after("slow", lambda: None, LEASE + 10))
        timers.append(_timer(LEASE))
    return summed(
        f"lease of {LEASE:g} s runs out → output safe", "ms", ours, target=LEASE * 1000 + 500,
        reference=(TIMER, timers), note="from the last extension, which the target counts from too",
    )  # fmt: skip


def _killed(rig: Rig, scale: Scale) -> Figure:
    """The agent killed -9 under `up`."""
    ours, bare = [], []
    for _ in range(scale.rounds):
        rig.on("bench/relays")
        pid = rig.stack.pids()["agent"]
        ours.append(rig.safe_after("relays", lambda pid=pid: os.kill(pid, signal.SIGKILL), 30))  # type: ignore[misc]
        bare.append(_bare_restart())
        # Falls that follow one another too quickly are answered more slowly on purpose.
        time.sleep(scale.of(21, 1))
    return summed("agent killed -9 → output safe", "ms", ours, target=2000, reference=(PROCESS, bare))


def _bare_restart() -> float:
    """How long the machine takes to see a child's death and to have a Python process say a word."""
    command = ["python3", "-c", "import socket,sys,time;print(1,flush=True);time.sleep(60)"]
    first = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert first.stdout is not None
    first.stdout.readline()
    began = mono()
    first.kill()
    first.wait()
    first.stdout.close()
    second = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert second.stdout is not None
    second.stdout.readline()
    took = float(mono() - began)
    second.kill()
    second.wait()
    second.stdout.close()
    return took


def _frozen(rig: Rig, scale: Scale) -> Figure:
    """The agent frozen under `up`, which kills it when it gives no sign of life."""
    ours, bare = [], []
    for _ in range(scale.of(min(3, scale.rounds), 1)):
        rig.on("bench/relays")
        pid = rig.stack.pids()["agent"]
        ours.append(rig.safe_after("relays", lambda pid=pid: os.kill(pid, signal.SIGSTOP), 60))  # type: ignore[misc]
        bare.append(_bare_restart())
        time.sleep(scale.of(21, 1))
    return summed(
        "agent frozen (SIGSTOP) → output safe", "ms", ours, reference=(PROCESS, bare),
        note="5 s without a sign of life, then it is killed and started anew; nothing was promised",
    )  # fmt: skip


if __name__ == "__main__":
    main("failsafe", measure)
