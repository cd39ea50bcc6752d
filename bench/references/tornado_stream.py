"""A bare Tornado live stream: one loop that makes a frame, encodes it once and writes it to everybody.

Arguments: seconds between frames, number of readings in a frame.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import tornado.iostream
import tornado.web

_viewers: set[Live] = set()


class Live(tornado.web.RequestHandler):
    """One viewer."""

    async def get(self) -> None:
        """GET /live; a first frame, then what comes."""
        self.set_header("Content-Type", "text/event-stream")
        self._gone = asyncio.Event()
        self.write("event: snapshot\ndata: {}\n\n")
        await self.flush()
        _viewers.add(self)
        await self._gone.wait()

    def on_connection_close(self) -> None:
        """The viewer hung up."""
        _viewers.discard(self)
        self._gone.set()


async def broadcast(period: float, readings: int) -> None:
    """Send a frame every `period` seconds."""
    due = time.monotonic()
    while True:
        # On a grid, as the product's polls are: what a round takes must not lengthen the period.
        due = max(due + period, time.monotonic())
        await asyncio.sleep(due - time.monotonic())
        now = time.monotonic()
        wall = int(time.time() * 1000)
        rows = [["bench", f"thing_{number}", "at", wall, now, "good"] for number in range(readings)]
        frame = f"event: change\ndata: {json.dumps({'time': wall, 'values': rows})}\n\n".encode()
        for viewer in list(_viewers):
            try:
                viewer.write(frame)
                viewer.flush()
            except tornado.iostream.StreamClosedError:
                _viewers.discard(viewer)


async def main() -> None:
    """Serve until killed; says the port on the first line."""
    application = tornado.web.Application([("/live", Live)], log_function=lambda _handler: None)
    server = application.listen(0, "127.0.0.1")
    [port] = {sock.getsockname()[1] for sock in server._sockets.values()}
    print(port, flush=True)
    sys.stdout.close()
    await broadcast(float(sys.argv[1]), int(sys.argv[2]))


if __name__ == "__main__":
    asyncio.run(main())
