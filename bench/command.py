"""Commands: HTTP → hub → record → bus → agent → simulated device → back; and that none is lost or done twice."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.beside import echo, gunicorn, in_turn, sqlite
from bench.figures import Figure, differences, percentile, summed
from bench.load import Answers, Generator, Requests
from bench.script import Scale, main
from bench.stack import Stack, folder, running

THINGS = 16


RECORDER = """
[things.rec_{n}]
driver = "bench.devices:Recorder"
trace = "{traces}/{n}.trace"
[things.rec_{n}.interlocks]
level = "requires level >= 0 and rec_{other}.level >= 0"
[things.rec_{n}.properties.level]
safe = 0
slew = 1e9
max_on = "1h"
"""
"""One device and its rules: each write passes the guard, and every reading of two devices feeds it."""
UNRULED = """
[things.rec_{n}]
driver = "bench.devices:Recorder"
trace = "{traces}/{n}.trace"
"""
"""The same without any rule: what the first measurements were taken with."""
SAFE = "0"
"""What the agent writes by itself at its start and end; no command asks for it."""


def config(traces: Path, recorder: str = RECORDER) -> str:
    """Sixteen recording devices, each with its trace, guarded."""
    things = "".join(recorder.format(n=n, other=(n + 1) % THINGS, traces=traces) for n in range(THINGS))
    return f'[node]\nname = "bench"\nhost = false\n{things}'


class Commands:
    """Sends commands with values that never repeat, and remembers every answer."""

    def __init__(self, stack: Stack, generator: Generator) -> None:
        self.stack = stack
        self.generator = generator
        self.next = 1
        self.kept: list[tuple[str, str, int]] = []
        self.statuses: dict[str, int] = {}

    def send(self, count: int, at_once: int) -> Answers:
        """`count` commands over `at_once` connections, each to its own device."""
        host, port = self.stack.address
        order = Requests(
            host=host,
            port=port,
            headers=self.stack.headers,
            method="PUT",
            paths=[f"/api/things/bench/rec_{n}/properties/level" for n in range(THINGS)],
            connections=at_once,
            count=count,
            first=self.next,
            keep=True,
        )
        self.next += count
        answers = self.generator.requests(order)
        self.kept += answers.kept
        for status, number in answers.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + number
        return answers


def measure(scale: Scale) -> list[Figure]:
    """All figures of this script."""
    single, many = scale.of(400, 40), scale.of(3000, 200)
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-trace-") as named:
        traces = Path(named)
        with (
            running(config(traces), things=THINGS) as stack,
            Generator() as generator,
            gunicorn("flask_state") as flask,
            echo(stack.bus) as raw,
            folder() as beside,
        ):
            commands = Commands(stack, generator)

            def flask_puts(count: int, at_once: int) -> tuple[list[float], float]:
                paths = [f"/things/rec_{n}/level" for n in range(THINGS)]
                answers = generator.requests(
                    Requests(
                        host="127.0.0.1",
                        port=flask.port,
                        method="PUT",
                        paths=paths,
                        connections=at_once,
                        count=count,
                        first=1,
                    )
                )
                return answers.latencies, answers.elapsed

            def ours(count: int, at_once: int) -> tuple[list[float], float]:
                answers = commands.send(count, at_once)
                return answers.latencies or [float("inf")], answers.elapsed

            alone = in_turn(
                scale.rounds,
                lambda: ours(single, 1),
                lambda: raw.requests(single, 1),
                lambda: flask_puts(single, 1),
                lambda: (sqlite("durable", beside / "durable.db", single)["latencies"], 0.0),
            )
            crowd = in_turn(
                scale.rounds,
                lambda: ours(many, 16),
                lambda: raw.requests(many, 16),
                lambda: flask_puts(many, 16),
            )
            lines = _ledger(stack, {one[0] for one in commands.kept})
        written = [line for trace in traces.glob("*.trace") for line in trace.read_text(encoding="ascii").split()]
        done = [line for line in written if line != SAFE]
    return [*_latencies(alone), *_rates(crowd, many), *_truth(commands, done, lines), *_unruled(scale)]


def _unruled(scale: Scale) -> list[Figure]:
    """What commands take where no rule stands: what the guard costs is the difference."""
    single, many = scale.of(400, 40), scale.of(3000, 200)
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-trace-") as traces:
        plain = config(Path(traces), UNRULED)
        with running(plain, things=THINGS) as stack, Generator() as generator, echo(stack.bus) as raw:
            commands = Commands(stack, generator)
            ours, bare = in_turn(
                scale.rounds,
                lambda: (commands.send(single, 1).latencies, commands.send(many, 16).elapsed),
                lambda: (raw.requests(single, 1)[0], raw.requests(many, 16)[1]),
            )
    name = "raw NATS request between two processes"
    p50 = [[percentile(latencies, 50) for latencies, _ in side] for side in (ours, bare)]
    rates = [[many / elapsed for _, elapsed in side] for side in (ours, bare)]
    return [
        summed("command, one at a time, p50, outputs without rules", "ms", p50[0], reference=(name, p50[1])),
        summed(
            "commands, 16 at once, outputs without rules", "/s", rates[0], sense="at least", reference=(name, rates[1])
        ),
    ]


def _latencies(alone: Sequence[Sequence[tuple[list[float], float]]]) -> list[Figure]:
    figures = []
    for share, target in ((50, 2.0), (99, 8.0)):
        ours, raw, flask, flushed = ([percentile(one[0], share) for one in side] for side in alone)
        claim = f"command, one at a time, p{share}"
        figures.append(
            summed(claim, "ms", ours, target=target, reference=("raw NATS request between two processes", raw))
        )
        figures.append(
            summed(claim, "ms", ours, target=target, reference=("Flask + gunicorn PUT into a dictionary", flask))
        )
        note = "every command waits for one such flush, its intent in the ledger, before the bus sees it"
        figures.append(
            summed(claim, "ms", ours, target=target, reference=("one row flushed by SQLite", flushed), note=note)
        )
    return figures


def _rates(crowd: Sequence[Sequence[tuple[list[float], float]]], count: int) -> list[Figure]:
    ours, raw, flask = ([count / one[1] for one in side] for side in crowd)
    claim = "commands, 16 at once, one hub process"
    return [
        summed(claim, "/s", ours, sense="at least", target=2000, reference=("raw NATS request, 16 at once", raw)),
        summed(claim, "/s", ours, sense="at least", target=2000, reference=("Flask + gunicorn, 16 at once", flask)),
        summed(
            "p99 of the same",
            "ms",
            [percentile(one[0], 99) for one in crowd[0]],
            reference=("Flask + gunicorn, 16 at once", [percentile(one[0], 99) for one in crowd[2]]),
        ),
    ]


def _truth(commands: Commands, done: Sequence[str], lines: dict[str, str]) -> list[Figure]:
    """Held against the trace of the devices and the ledger: exact, whatever the speed."""
    confirmed = [str(value) for _, end, value in commands.kept if end == "confirmed"]
    lost, double = differences(confirmed, done)
    unsaid = len(set(done)) - len(set(confirmed) & set(done))
    without = sum(1 for one, end, _ in commands.kept if lines.get(one) != end or not end)
    sent = len(commands.kept)
    statuses = ", ".join(f"{number} × {status}" for status, number in sorted(commands.statuses.items()))
    return [
        _exact("confirmed commands that are not in the device's trace", lost, f"of {sent} sent; answers: {statuses}"),
        _exact("commands that the device did twice", double, f"the trace has {len(done)} writes"),
        _exact("writes at the device that no answer confirmed", unsaid, ""),
        _exact("answers that the ledger does not have with the same end", without, f"of {sent}"),
    ]


def _exact(claim: str, found: int, note: str) -> Figure:
    return Figure(
        claim=claim, unit="", sense="exactly", target=0, measured=found, rounds=1, note=note, wrong=found != 0
    )


def _ledger(stack: Stack, wanted: set[str]) -> dict[str, str]:
    """End by id of the ledger's lines, read page by page until all of `wanted` were seen or there is no more."""
    found: dict[str, str] = {}
    before = ""
    while True:
        page: Any = stack.get(f"/api/ledger?limit=500{before and '&before=' + before}")
        lines = page["lines"] if isinstance(page, dict) else page
        for line in lines:
            found[line["id"]] = line["end"]
        if not lines or wanted <= found.keys():
            return found
        before = lines[-1]["id"]


if __name__ == "__main__":
    main("command", measure)
