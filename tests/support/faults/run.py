"""One run: a whole Pilothouse under load, whose processes are killed and frozen at random; gives what was seen.

Who does what to whom, and when, follows from the seed; what the machine makes of it does not. So the same seed is the
same trouble again, and the trace says what came of it.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from support.faults.seen import Attempt, Look, Move, Pressed, Seen, Trouble
from support.faults.stream import readings
from support.stack import Stack, wait_for

CONFIG = """
[node]
name = "pi"
host = false
[things.counter]
driver = "support.faults.counter:Counter"
trace_file = "{trace}"
[things.valves]
driver = "sim.valves"
trace_file = "{trace}"
[things.valves.interlocks]
pump = "requires valve_a == true"
[things.relays]
driver = "sim.relays"
trace_file = "{trace}"
[things.sensor]
driver = "sim.sensor"
[things.sensor.properties.temperature]
dead_band = 0
[exclusive]
valves = ["valves.valve_a", "valves.valve_b"]
"""
SENSOR = "pi/sensor.temperature"
SWITCHES = ("valves.valve_a", "valves.valve_b", "valves.pump", "relays.relay_1")
CLIENTS = 4
_ENDS_WITHIN = 60.0
"""Seconds after which every line of the ledger has an end: time to live, the keeper's patience, and some more."""


def mono() -> int:
    """The clock that the agent's devices trace by."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class Run:
    """Makes one run; `go` is the whole of it."""

    def __init__(self, folder: Path, seed: int, seconds: float) -> None:
        self.stack = Stack(folder, config=CONFIG)
        self.seed = seed
        self.seconds = seconds
        self.over = threading.Event()
        self.attempts: list[Attempt] = []
        self.troubles: list[Trouble] = []
        self.looks: list[Look] = []
        self.stops: list[Pressed] = []
        self._numbers = count(1)
        self._began = 0

    def go(self) -> Seen:
        """Run for `seconds`, let everything recover, and give what was seen."""
        with self.stack as stack:
            wait_for(self._works, "the first command")
            self._began = int(time.time() * 1000)
            ways: list[Callable[[Random], None]] = [self._client] * CLIENTS + [self._reader, self._stopper, self._harm]
            threads = [
                threading.Thread(target=way, args=(Random(f"{self.seed} {number}"),), name=f"fault run {number}")
                for number, way in enumerate(ways)
            ]
            for thread in threads:
                thread.start()
            self.over.wait(self.seconds)
            self.over.set()
            for thread in threads:
                thread.join()
            wait_for(lambda: self._answers() and self._lifted(), "stops to be lifted", seconds=60)
            wait_for(self._works, "commands to work again", seconds=60)
            ledger = wait_for(self._ledger, "every command to have an end", seconds=_ENDS_WITHIN)
            kept = self._kept()
            history = wait_for(lambda: self._history(kept), "history to be read", seconds=30)
            moves = [
                Move(line["mono"], f"{line['thing']}.{line['property']}", line["value"]) for line in stack.traced()
            ]
        return Seen(self.attempts, moves, self.troubles, self.looks, self.stops, ledger, kept, history)

    # what is done all the time

    def _client(self, random: Random) -> None:
        """Sends commands, each with a key of its own, and repeats one that nobody answers under the same key."""
        while not self.over.is_set():
            numbered = random.random() < 0.5
            output = "counter.level" if numbered else random.choice(SWITCHES)
            value = next(self._numbers) if numbered else random.random() < 0.6
            ttl, id = random.choice((0.5, 1.0, 3.0)), f"{random.getrandbits(64):016x}"
            sent = mono()
            end, detail = self._until_answered(id, output, value, ttl)
            self.attempts.append(Attempt(id, output, value, sent, mono(), end, detail))
            self.over.wait(random.uniform(0.0, 0.05))

    def _until_answered(self, id: str, output: str, value: Any, ttl: float) -> tuple[str, str]:
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            with suppress(OSError, http.client.HTTPException, ValueError, KeyError, AssertionError):
                _, answer = self._put(output, value, ttl=ttl, key=id)
                if isinstance(answer, dict) and answer.get("end"):
                    return answer["end"], answer.get("detail", "")
            time.sleep(0.1)
        return "", ""

    def _put(self, output: str, value: Any, *, ttl: float = 5.0, key: str = "") -> tuple[int, Any]:
        thing, _, name = output.partition(".")
        body = {"value": value, "reason": "fault run", "ttl": ttl}
        headers = {"Idempotency_Key": key} if key else {}
        return self.stack.call("PUT", f"/api/things/pi/{thing}/properties/{name}", body, **headers)

    def _reader(self, random: Random) -> None:
        """Looks at the node as a page would: whether it is here, and how old its sensor's value is."""
        thing, _, name = SENSOR.partition(".")
        while not self.over.is_set():
            with suppress(OSError, http.client.HTTPException, ValueError, KeyError, AssertionError):
                before = mono()
                _, now = self.stack.call("GET", f"/api/things/{thing}/properties/{name}")
                _, nodes = self.stack.call("GET", "/api/nodes")
                # Only a pair that was read at one time says anything about both.
                if mono() - before < 500:
                    self.looks.append(Look(before, nodes["nodes"][0]["life"], now["age_ms"], 25_000))
            self.over.wait(random.uniform(0.1, 0.4))

    def _stopper(self, random: Random) -> None:
        """Presses stop now and then, and lifts it."""
        while not self.over.wait(random.uniform(6, 12)):
            with suppress(OSError, http.client.HTTPException, ValueError, KeyError, AssertionError):
                _, answer = self.stack.call("POST", "/api/stop", {"kind": "hard", "reason": "fault run"})
                obeyed = [node for node in answer["nodes"] if not node["mistakes"]]
                safe = mono()
                self.over.wait(random.uniform(0.3, 1.5))
                lifted = mono()
                if obeyed:
                    self.stops.append(Pressed(safe, lifted))
            while not self.over.is_set() and not self._lifted():
                self.over.wait(0.2)

    def _lifted(self) -> bool:
        with suppress(OSError, http.client.HTTPException, ValueError, KeyError, AssertionError):
            _, answer = self.stack.call("GET", "/api/stop")
            if not answer["stops"]:
                return True
            self.stack.call("POST", "/api/stop/lift", {"reason": "fault run goes on"})
        return False

    def _harm(self, random: Random) -> None:
        """Kills and freezes processes."""
        while not self.over.wait(random.uniform(1.5, 4.0)):
            process = random.choice(("bus", "hub", "keeper", "agent"))
            kind = random.choice(("kill", "freeze"))
            seconds = random.choice((0.3, 1.0, 3.0)) if kind == "freeze" else 0.0
            with suppress(AssertionError, ProcessLookupError):
                pid = self.stack.pid(process)
                self.troubles.append(Trouble(mono(), process, kind, seconds))
                os.kill(pid, signal.SIGKILL if kind == "kill" else signal.SIGSTOP)
                if seconds:
                    self.over.wait(seconds)
                    os.kill(pid, signal.SIGCONT)

    # what is asked at the end

    def _answers(self) -> bool:
        with suppress(OSError, http.client.HTTPException, ValueError, KeyError, AssertionError):
            return self.stack.call("GET", "/healthz")[0] == 200
        return False

    def _works(self) -> bool:
        with suppress(OSError, http.client.HTTPException, ValueError, KeyError, AssertionError):
            return bool(self._put("relays.relay_2", False)[1].get("end") == "confirmed")
        return False

    def _ledger(self) -> dict[str, dict[str, Any]]:
        """All lines by id, once none is open any more; {} before."""
        _, answer = self.stack.call("GET", "/api/ledger?end=open&limit=1")
        if answer["lines"]:
            return {}
        found: dict[str, dict[str, Any]] = {}
        before = ""
        while True:
            _, answer = self.stack.call("GET", f"/api/ledger?limit=1000{before}")
            found |= {line["id"]: line for line in answer["lines"]}
            if len(answer["lines"]) < 1000:
                return found
            before = f"&before={answer['lines'][-1]['id']}"

    def _kept(self) -> list[tuple[int, float]]:
        """Readings of the sensor in the bus's own stream, oldest first."""
        thing, _, name = SENSOR.partition("/")[2].partition(".")
        return readings(self.stack.data, thing, name, since=self._began)

    def _history(self, kept: list[tuple[int, float]]) -> list[tuple[int, float]]:
        """The same series from the record, once it has come as far as the stream; [] before."""
        until = kept[-1][0] + 1
        _, answer = self.stack.call(
            "GET", f"/api/history?series={SENSOR}&from={self._began - 1}&to={until}&points=10000"
        )
        points = [(point[0], point[1]) for point in answer["series"][0]["points"] if point[1] is not None]
        return points if points and points[-1][0] >= kept[-1][0] else []


def report(seen: Seen, seed: int) -> str:
    """What was done and what came of it, in a few lines."""
    ends: dict[str, int] = {}
    for attempt in seen.attempts:
        ends[attempt.end or "no answer"] = ends.get(attempt.end or "no answer", 0) + 1
    done = [f"{trouble.kind} {trouble.process}" for trouble in seen.troubles]
    return (
        f"seed {seed}: {len(seen.attempts)} commands {json.dumps(ends)}, {len(seen.moves)} moves, "
        f"{len(seen.stops)} stops, {len(seen.looks)} looks, {len(seen.kept)} readings, troubles: {', '.join(done)}"
    )
