"""A hub that answers what a test tells it to, over real HTTP on a free port; for programs that use the client."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit


class Asked(NamedTuple):
    """A request that came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    """Names in small letters."""
    body: Any
    """JSON; None for an empty body."""


class Answer(NamedTuple):
    """What it answers: JSON for anything but bytes."""

    status: int = 200
    body: Any = None
    content_type: str = "application/json"


def problem(status: int, detail: str, **more: Any) -> Answer:
    """An RFC 9457 answer."""
    return Answer(
        status, {"title": "a problem", "status": status, "detail": detail, **more}, "application/problem+json"
    )


HEALTHY = {"status": "ok", "bus": True, "record": True}


class ScriptedHub:
    """Use it in a `with` block. Set `answers["GET /api/nodes"]`; read `asked`; `url` is where it listens.

    An answer that is a function may raise ConnectionAbortedError: the link breaks after the hub has got the request.

    Each link to `/api/live` gets the next list of frames of `streams` and is then cut, but for the last one, which
    stays open until the block ends.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[Asked], Answer]] = {"GET /healthz": Answer(200, HEALTHY)}
        self.streams: list[Sequence[tuple[str, Any]]] = []
        self.asked: list[Asked] = []
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> ScriptedHub:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, asked: Asked) -> Answer:
        """What the script says."""
        self.asked.append(asked)
        found = self.answers.get(f"{asked.method} {asked.path}")
        if found is None:
            return problem(404, f"There is no {asked.path}")
        return found if isinstance(found, Answer) else found(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                parts = urlsplit(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, parts.path, parse_qs(parts.query), headers, body)
                if parts.path == "/api/live" and "GET /api/live" not in hub.answers:
                    hub.asked.append(asked)
                    self._stream(hub.streams.pop(0) if hub.streams else [])
                    return
                try:
                    answer = hub.answer(asked)
                except ConnectionAbortedError:
                    return  # the script says that the link breaks here
                content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _stream(self, frames: Sequence[tuple[str, Any]]) -> None:
                last = not hub.streams
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                for number, (event, data) in enumerate(frames, start=1):
                    self.wfile.write(
                        f"id: {number}\nevent: {event}\ndata: {json.dumps(data)}\n\n: still here\n\n".encode()
                    )
                self.wfile.flush()
                if last:
                    hub._over.wait(30)

            do_GET = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - the names that http.server calls

            def log_message(self, format: str, *args: Any) -> None:
                """Tests are quiet."""

        return Handler
