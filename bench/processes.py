"""What the processes cost while nobody looks: memory and processor; and how long they take to start."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Any

import nats

from bench.beside import Served, in_turn, serving
from bench.figures import Figure, summed
from bench.meter import memory, shares
from bench.read import config as bench_of_26
from bench.script import Scale, main
from bench.stack import PROCESSES, CannotMeasure, Stack, end, folder, running, start

VITALS = '[node]\nname = "bench"\n'
"""The vitals of this machine and nothing else; all other settings as they are by default."""
TORNADO = "bare Tornado process that samples once a second"
MB = 1e6


def measure(scale: Scale) -> list[Figure]:
    """All figures of this script."""
    return [*_whole(scale), *_vitals(scale), *_starts(scale)]


def _whole(scale: Scale) -> list[Figure]:
    """All processes with 26 simulated things at 1 Hz, idle: no viewer, no command."""
    with running(bench_of_26(), things=27) as stack, serving("tornado_stats") as tornado:
        time.sleep(scale.of(20, 3))
        used = _idle(stack, tornado, scale)
        held = {name: memory(pid) for name, pid in _pids(stack).items()}
        theirs = memory(tornado.pid)
    figures = []
    for name in held:
        one = [window[name] for window in used]
        called = "`up`" if name == "up" else f"the {name}"
        figures.append(summed(f"idle processor time of {called}, 26 simulated things at 1 Hz", "% of a core", one))
        figures.append(
            summed(
                f"memory of {called}, 26 simulated things", "MB", [held[name].resident / MB],
                note=f"{held[name].proportional / MB:.0f} MB with shared pages divided",
            )
        )  # fmt: skip
    resident = sum(one.resident for one in held.values())
    proportional = sum(one.proportional for one in held.values())
    figures.append(
        summed(
            "memory of the whole machine (bus, keeper, hub, agent, and `up` that keeps them)", "MB",
            [resident / MB], target=220,
            reference=(TORNADO, [theirs.resident / MB]),
            note=f"sum of resident memory, shared pages counted in each; {proportional / MB:.0f} MB with them divided",
        )
    )  # fmt: skip
    figures.append(
        summed(
            "processor time of the whole machine, idle, 26 simulated things at 1 Hz", "% of a core",
            [sum(window[name] for name in held) for window in used], target=3.0,
            reference=(TORNADO, [window["reference"] for window in used]),
        )
    )  # fmt: skip
    return figures


def _pids(stack: Stack) -> dict[str, int]:
    """The four processes and the one that keeps them."""
    assert stack.process is not None
    found = stack.pids()
    return {**{name: found[name] for name in PROCESSES}, "up": stack.process.pid}


def _idle(stack: Stack, tornado: Served, scale: Scale) -> list[dict[str, float]]:
    """Percent of a core by process name and window; ours and the reference in the very same windows."""
    windows = []
    pids = {**_pids(stack), "reference": tornado.pid}
    for _ in range(scale.rounds):
        found = shares(pids.values(), scale.of(10, 2))
        windows.append({name: found[pid] for name, pid in pids.items()})
    return windows


def _vitals(scale: Scale) -> list[Figure]:
    """Only the vitals of this machine at 1 Hz, settings as by default."""
    with running(VITALS, things=1) as stack, serving("tornado_stats") as tornado:
        time.sleep(scale.of(20, 2))
        used = _idle(stack, tornado, scale)
        held, theirs = memory(stack.pids()["agent"]), memory(tornado.pid)
    return [
        summed(
            "memory of the agent with host vitals", "MB", [held.resident / MB], target=40,
            reference=(TORNADO, [theirs.resident / MB]),
            note=f"{held.proportional / MB:.0f} MB with shared pages divided",
        ),
        summed(
            "idle processor time of the agent with host vitals at 1 Hz", "% of a core",
            [window["agent"] for window in used], target=1.0,
            reference=(TORNADO, [window["reference"] for window in used]),
        ),
    ]  # fmt: skip


def _starts(scale: Scale) -> list[Figure]:
    """From the start of a process to what people wait for."""
    firsts = in_turn(scale.rounds, _first_page, _tornado_start)
    with running(VITALS, things=1) as stack:
        readings = in_turn(scale.rounds, lambda: _first_reading(stack), _tornado_start)
    return [
        summed(
            "first page after `up` on a machine that has it installed", "s", firsts[0], target=3.0,
            reference=("bare Tornado, start to first answer", firsts[1]), note="a new data folder every time",
        ),
        summed(
            "agent: start of the process to its first reading on the bus", "s", readings[0], target=0.7,
            reference=("bare Tornado, start to first answer", readings[1]),
        ),
    ]  # fmt: skip


def _first_page() -> float:
    with running(None, wait=False) as stack:
        stack.until("the first page", lambda: stack.fetch("/"), limit=60)
        return time.monotonic() - stack.started


def _tornado_start() -> float:
    began = time.monotonic()
    with serving("tornado_stats"):
        return time.monotonic() - began


def _first_reading(stack: Stack) -> float:
    """A second agent with another node name on the same bus."""
    return asyncio.run(_until_reading(stack))


async def _until_reading(stack: Stack) -> float:
    address = stack.bus
    link = await nats.connect(address["url"], user=address["user"], password=address["password"])
    try:
        heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()

        async def first(_message: Any) -> None:
            if not heard.done():
                heard.set_result(time.monotonic())

        await link.subscribe("ph.*.data.second", cb=first)
        await link.flush()
        with folder() as data, _second_agent(stack, data) as began:
            try:
                return await asyncio.wait_for(heard, 30) - began
            except TimeoutError:
                raise CannotMeasure("a second agent gave no reading within 30 s") from None
    finally:
        await link.close()


@contextlib.contextmanager
def _second_agent(stack: Stack, data: Any) -> Iterator[float]:
    address = stack.bus
    (data / "password").write_text(address["password"], encoding="utf-8")
    (data / "pilothouse.toml").write_text(
        f'[node]\nname = "second"\n[bus]\nurl = "{address["url"]}"\nuser = "{address["user"]}"\n'
        f'password_file = "{data / "password"}"\n',
        encoding="utf-8",
    )
    began = time.monotonic()
    process = start(["pilothouse.agent", "--data", str(data)])
    try:
        yield began
    finally:
        end(process)


if __name__ == "__main__":
    main("processes", measure)
