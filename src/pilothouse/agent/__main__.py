"""`pilothouse agent`: the process that owns this node's hardware."""

from __future__ import annotations

import asyncio
import gc
import importlib
import sys
from collections.abc import Callable
from random import SystemRandom

from pilothouse.agent.build import node_name
from pilothouse.agent.node import Node
from pilothouse.agent.uplink import connecting
from pilothouse.clock import SystemClock
from pilothouse.config.launch import Launch, parse
from pilothouse.errors import PilothouseError
from pilothouse.process import stop_signals


async def main(launch: Launch) -> int:
    """Run until SIGTERM or SIGINT, or until another agent of this name takes over; gives the exit code."""
    clock = SystemClock()
    with stop_signals() as asked:
        name = node_name(launch.config.node)
        connect = connecting(launch.places, launch.config.bus, f"agent {name}", clock)
        node = Node(launch.config, launch.places, clock=clock, random=SystemRandom(), connect=connect)
        gc.freeze()  # what is there now stays; the collector need not look at it again
        return await node.run(asked)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where the machine has it, for it saves a quarter of a command's time; a bare node does without."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def run() -> int:
    """The whole process; gives its exit code, 2 with one clear line when it cannot do its work here."""
    launch = parse("agent", "The process that owns this node's hardware.")
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(main(launch))
    except PilothouseError as error:
        print(f"pilothouse agent: {error}", file=sys.stderr)  # noqa: T201 - the one line that people get
        return 2


if __name__ == "__main__":
    sys.exit(run())
