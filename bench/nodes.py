"""A simulated node: publishes readings as an agent does, as fast as the bus takes them.

Run as `python -m bench.nodes` by the benches; reads one line of JSON, the bus's address and what to send, and prints
one line when all is acknowledged. Everything is encoded before the clock starts.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

import msgspec
import nats
import uvloop

from bench.stack import CannotMeasure, start
from pilothouse.bus.messages import Batch, Described, Presence, encode
from pilothouse.bus.subjects import Subjects
from pilothouse.model import PropertyDescription, Reading, ThingDescription

OPEN = 64
"""Batches that may be on their way at once."""


class Order(msgspec.Struct, kw_only=True):
    """What to publish."""

    url: str
    user: str
    password: str
    site: str = "home"
    node: str
    series: int
    """Properties of its one thing, named p0, p1 …"""
    first: int
    """Time of the first reading, Unix milliseconds."""
    step: int
    """Milliseconds between the readings of one series."""
    count: int
    """Readings of each series."""
    batch: int = 1000
    """Readings in one message."""
    late: bool = False


class Sent(msgspec.Struct, kw_only=True):
    """What came of it."""

    readings: int
    began: float
    """CLOCK_MONOTONIC at the first publish."""
    elapsed: float
    """Seconds until the last acknowledgement."""


def send(order: Order) -> Sent:
    """Run the node in a process of its own."""
    process = start(["bench.nodes"], pipes=True)
    out, _ = process.communicate(msgspec.json.encode(order) + b"\n", timeout=600)
    if process.returncode:
        raise CannotMeasure("the simulated node failed; its last words are above")
    return msgspec.json.decode(out, type=Sent)


def started(order: Order) -> subprocess.Popen[bytes]:
    """As `send`, without waiting: read the answer with `finished`."""
    process = start(["bench.nodes"], pipes=True)
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(order) + b"\n")
    process.stdin.close()
    return process


def finished(process: subprocess.Popen[bytes]) -> Sent:
    """The answer of a node that was `started`."""
    assert process.stdout is not None
    out = process.stdout.read()
    process.stdout.close()
    if process.wait():
        raise CannotMeasure("the simulated node failed; its last words are above")
    return msgspec.json.decode(out, type=Sent)


async def publish(order: Order) -> Sent:
    """Announce the node, then its readings; each batch is kept until the bus has acknowledged it."""
    link = await nats.connect(
        order.url, user=order.user, password=order.password, pending_size=64 * 2**20, allow_reconnect=False
    )
    stream = link.jetstream(timeout=30, publish_async_max_pending=OPEN)
    subjects = Subjects(order.site)
    epoch = int(time.time())
    for subject, message in _announced(order, subjects, epoch):
        await stream.publish(subject, encode(message))
    payloads = [encode(batch) for batch in _batches(order, epoch)]
    subject = subjects.data(order.node)
    began = time.monotonic()
    room = asyncio.Semaphore(OPEN)
    waiting: set[asyncio.Task[Any]] = set()

    async def one(seq: int, payload: bytes) -> None:
        try:
            await stream.publish(subject, payload, headers={"Nats-Msg-Id": f"{order.node}-{epoch}-{seq}"})
        finally:
            room.release()

    for seq, payload in enumerate(payloads, 1):
        await room.acquire()
        task = asyncio.create_task(one(seq, payload))
        waiting.add(task)
        if len(waiting) > 4 * OPEN:
            done = {task for task in waiting if task.done()}
            await asyncio.gather(*done)
            waiting -= done
    await asyncio.gather(*waiting)
    elapsed = time.monotonic() - began
    await link.close()
    return Sent(readings=order.series * order.count, began=began, elapsed=elapsed)


def _announced(order: Order, subjects: Subjects, epoch: int) -> list[tuple[str, Any]]:
    number = {"type": "number"}
    properties = {
        f"p{n}": PropertyDescription(name=f"p{n}", schema=number, title=f"P{n}", doc="simulated", unit="V")
        for n in range(order.series)
    }
    described = ThingDescription(
        node=order.node, name="load", title="Load", doc="", properties=properties, actions={}, events={}
    )
    now = int(time.time() * 1000)
    presence = Presence(
        node=order.node, epoch=epoch, version="bench", time=now, mono=int(time.monotonic() * 1000), things=("load",)
    )
    return [
        (subjects.presence(order.node), presence),
        (
            subjects.description(order.node, "load"),
            Described(node=order.node, epoch=epoch, thing="load", description=described),
        ),
    ]


def _batches(order: Order, epoch: int) -> list[Batch]:
    batches: list[Batch] = []
    readings: list[Reading] = []
    for tick in range(order.count):
        when = order.first + tick * order.step
        for one in range(order.series):
            readings.append(Reading("load", f"p{one}", when, tick % 1000 * 0.25 + one))
            if len(readings) == order.batch:
                batches.append(_batch(order, epoch, len(batches) + 1, readings))
                readings = []
    if readings:
        batches.append(_batch(order, epoch, len(batches) + 1, readings))
    return batches


def _batch(order: Order, epoch: int, seq: int, readings: list[Reading]) -> Batch:
    return Batch(node=order.node, epoch=epoch, seq=seq, readings=readings, late=order.late)


async def _main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    print(json.dumps(msgspec.to_builtins(await publish(order))), flush=True)


if __name__ == "__main__":
    uvloop.run(_main())
