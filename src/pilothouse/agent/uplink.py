"""The agent's link to the bus: made in the background, for ever; the agent works with it and without it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

from pilothouse.bus import Bus, Stream, Subscription, Watched, load_address
from pilothouse.bus.messages import M, Message
from pilothouse.clock import Clock
from pilothouse.config.places import Places
from pilothouse.config.site import BusConfig
from pilothouse.errors import BusDown, PilothouseError

log = logging.getLogger(__name__)

_WAIT = 5.0
_PAUSE = 0.2
_PAUSE_AFTER_MISTAKE = 5.0


class Link(Protocol):
    """What the agent needs of a Bus; the methods mean what Bus says of them."""

    @property
    def up(self) -> bool: ...

    @property
    def links(self) -> int: ...

    def on_up(self, callback: Callable[[], Awaitable[None]]) -> None: ...
    async def publish(self, subject: str, message: Message) -> None: ...
    async def request(self, subject: str, message: Message, reply: type[M], timeout: float) -> M: ...
    async def append(self, subject: str, message: Message, *, id: str, timeout: float = 5.0) -> int: ...
    async def serve(
        self, subject: str, kind: type[M], handler: Callable[[str, M], Awaitable[Message | None]], *, limit: int = 1000
    ) -> Subscription[M]: ...
    def listen(self, subject: str, kind: type[M], *, limit: int = 10_000) -> AsyncIterator[tuple[str, M]]: ...
    async def last(self, stream: Stream, subject: str, kind: type[M]) -> list[tuple[str, M]]: ...
    def watch(self, stream: Stream, rows: Sequence[tuple[str, type[Message]]]) -> AsyncIterator[Watched]: ...
    async def confirmed(self, stream: Stream, subject: str, heard: M) -> tuple[int, M | None]: ...
    async def prove(self, timeout: float) -> None: ...
    async def ensure_streams(self, site: str) -> None: ...
    async def close(self) -> None: ...


Connect = Callable[[], Awaitable[Link]]


def connecting(places: Places, config: BusConfig, name: str, clock: Clock) -> Connect:
    """One try to reach the bus of this machine's configuration; raises BusDown or ConfigError."""

    async def connect() -> Link:
        address = await load_address(places, config, clock, wait=_WAIT)
        return await Bus.connect(address, name=name, clock=clock, wait=_WAIT)

    return connect


async def reach(connect: Connect, clock: Clock) -> Link:
    """Try until there is a link; what stands in the way is logged once."""
    said: set[str] = set()
    while True:
        try:
            return await connect()
        except BusDown as error:
            pause, text = _PAUSE, str(error)
        except PilothouseError as error:
            pause, text = _PAUSE_AFTER_MISTAKE, str(error)
        if text not in said:
            said.add(text)
            log.warning("working without the bus: %s", text)
        await clock.sleep(pause)


def ended(task: asyncio.Task[Any]) -> BaseException | None:
    """What a task that should never end has ended with; None when it was cancelled."""
    return None if task.cancelled() else task.exception() or RuntimeError(f"{task.get_name()} came to an end")
