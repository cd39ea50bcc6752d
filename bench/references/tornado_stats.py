"""A bare Tornado server: /stats from background sampling once a second, and nothing else."""

from __future__ import annotations

import asyncio
import sys
import time

import psutil
import tornado.web

_state: dict[str, float] = {}


class Stats(tornado.web.RequestHandler):
    """Answers what was last sampled."""

    def get(self) -> None:
        """GET /stats."""
        self.write(_state)


def sample() -> None:
    """Take the same kind of figures as the product's answer has."""
    memory = psutil.virtual_memory()
    _state.update(
        time=time.time(), cpu=psutil.cpu_percent(), memory_used=memory.used, memory_total=memory.total,
        uptime=time.time() - psutil.boot_time(),
    )  # fmt: skip


async def main() -> None:
    """Serve until killed; says the port on the first line."""
    application = tornado.web.Application([("/stats", Stats)], log_function=lambda _handler: None)
    server = application.listen(0, "127.0.0.1")
    [port] = {sock.getsockname()[1] for sock in server._sockets.values()}
    sample()
    print(port, flush=True)
    sys.stdout.close()
    while True:
        await asyncio.sleep(1.0)
        sample()


if __name__ == "__main__":
    asyncio.run(main())
