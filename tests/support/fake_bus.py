"""The part of a Bus that the agent uses, in memory: streams keep what is appended, and the link goes at will."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pilothouse.bus.messages import Message, decode, encode
from pilothouse.errors import BusDown, TimedOut


class FakeBus:
    """A fake, not a mock: what goes in is encoded, checked and kept as a server would."""

    def __init__(self) -> None:
        self.up = True
        self.kept: list[tuple[str, Message]] = []
        """What the streams keep, each id once."""
        self.said: list[tuple[str, Message]] = []
        """What was published."""
        self.attempts = 0
        self.mute = False
        """Whether appended messages are kept and not acknowledged, as when the link goes at the wrong moment."""
        self._ids: set[str] = set()
        self._callbacks: list[Callable[[], Awaitable[None]]] = []

    async def publish(self, subject: str, message: Message) -> None:
        """Send at most once."""
        if not self.up:
            raise BusDown("down")
        self.said.append((subject, decode(type(message), encode(message))))

    async def append(self, subject: str, message: Message, *, id: str, timeout: float = 5.0) -> int:
        """Keep, once per id."""
        self.attempts += 1
        await asyncio.sleep(0)
        if not self.up:
            raise BusDown("down")
        data = encode(message)
        if id not in self._ids:
            self._ids.add(id)
            self.kept.append((subject, decode(type(message), data)))
        if self.mute:
            raise TimedOut("no acknowledgement")
        return len(self.kept)

    def of(self, kind: type[Any]) -> list[Any]:
        """Messages kept, of one kind."""
        return [message for _, message in self.kept if isinstance(message, kind)]
