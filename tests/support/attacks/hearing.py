"""What comes back from a hub: streams that are read while something happens, words that must not be in an answer."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import httpx2

T = TypeVar("T")


class Heard:
    """What a stream said so far."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.status = answer.status_code
        self.text = b""
        self.over = False
        """Whether it has ended."""
        self._answer = answer
        self._thread = threading.Thread(target=self._read, name="a stream", daemon=True)

    @classmethod
    @contextlib.contextmanager
    def of(
        cls, url: str, query: str, headers: dict[str, str], *, verify: ssl.SSLContext | bool = True
    ) -> Iterator[Heard]:
        """A stream that is read while the block runs."""
        with (
            httpx2.Client(base_url=url, timeout=20, trust_env=False, verify=verify) as client,
            client.stream("GET", f"/api/live{query}", headers=headers) as answer,
        ):
            heard = cls(answer)
            heard._thread.start()
            try:
                yield heard
            finally:
                heard._stop()

    def _stop(self) -> None:
        stream: Any = self._answer.extensions.get("network_stream")
        link = stream.get_extra_info("socket") if stream is not None else None
        if link is not None:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)

    def _read(self) -> None:
        try:
            for piece in self._answer.iter_raw():
                self.text += piece
        except (httpx2.HTTPError, httpx2.StreamError, OSError):
            pass  # hung up
        self.over = True

    def wait(self, mark: bytes, *, times: int = 1) -> None:
        """Wait until it has said this."""
        wait_for(lambda: self.text.count(mark) >= times, f"{mark!r} in {self.text[-500:]!r}")


def wait_for(ask: Callable[[], T], what: str, *, seconds: float = 20.0) -> T:
    """Ask until the answer is true; fails with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}; last answer: {answer!r}"
        time.sleep(0.02)
    return answer


def words_in(found: httpx2.Response, words: tuple[str, ...]) -> list[str]:
    """Which of these words stand anywhere in an answer: headers or body."""
    head = " ".join(f"{name}: {value}" for name, value in found.headers.multi_items())
    text = (head + found.text).lower()
    return [word for word in words if word in text]


def problem(found: httpx2.Response) -> dict[str, Any]:
    """The problem that an answer holds."""
    assert found.headers["content-type"] == "application/problem+json", found.text[:200]
    told: dict[str, Any] = json.loads(found.content)
    return told
