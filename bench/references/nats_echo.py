"""A request over the bus to another process and back, with nothing around it.

`serve` answers; `ask` reads orders from standard input, lines of {"count", "at_once"}, and answers each with
{"latencies": milliseconds, "elapsed": seconds}. Both read the bus's address from the first line of standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import nats
import uvloop

SUBJECT = "bench.echo"
PAYLOAD = b"x" * 300


async def _connect() -> Any:
    address = json.loads(sys.stdin.buffer.readline())
    return await nats.connect(address["url"], user=address["user"], password=address["password"], allow_reconnect=False)


async def serve() -> None:
    """Answer every request with its own bytes."""
    link = await _connect()

    async def echo(message: Any) -> None:
        await message.respond(message.data)

    await link.subscribe(SUBJECT, cb=echo)
    await link.flush()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    await link.close()


async def ask() -> None:
    """Do orders until standard input ends."""
    link = await _connect()
    loop = asyncio.get_running_loop()
    print("ready", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        order = json.loads(line)
        print(json.dumps(await _round(link, order["count"], order["at_once"])), flush=True)
    await link.close()


async def _round(link: Any, count: int, at_once: int) -> dict[str, Any]:
    numbers = iter(range(count))
    latencies: list[float] = []

    async def one() -> None:
        for _ in numbers:
            began = time.perf_counter()
            await link.request(SUBJECT, PAYLOAD, timeout=10)
            latencies.append(1000 * (time.perf_counter() - began))

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(at_once)))
    return {"latencies": latencies, "elapsed": time.perf_counter() - began}


if __name__ == "__main__":
    uvloop.run(serve() if sys.argv[1] == "serve" else ask())
