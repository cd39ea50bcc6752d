"""The part of a Bus that the agent uses, in memory: streams keep what is appended, and the link goes at will."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from pilothouse.bus import Synced
from pilothouse.bus.messages import Message, decode, encode
from pilothouse.errors import BusDown, TimedOut


class FakeBus:
    """A fake, not a mock: what goes in is encoded, checked and kept as a server would."""

    def __init__(self) -> None:
        self.up = True
        self.links = 1
        self.kept: list[tuple[str, Message]] = []
        """What the streams keep, each id once."""
        self.said: list[tuple[str, Message]] = []
        """What was published."""
        self.attempts = 0
        self.proofs = 0
        """How often the link was asked for a sign of life."""
        self.mute = False
        """Whether appended messages are kept and not acknowledged, as when the link goes at the wrong moment."""
        self.stands: dict[str, Any] = {}
        """What is kept of a subject, where it is not the last that was heard."""
        self._ids: set[str] = set()
        self._callbacks: list[Callable[[], Awaitable[None]]] = []
        self._ears: list[tuple[tuple[str, ...], asyncio.Queue[Any]]] = []

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

    async def prove(self, timeout: float) -> None:
        """A sign of life, when there is a link."""
        self.proofs += 1
        await asyncio.sleep(0)
        if not self.up:
            raise BusDown("down")

    async def listen(self, subject: str, kind: type[Message], *, limit: int = 10_000) -> AsyncIterator[Any]:
        """What others say of this subject from now on."""
        heard = self._ear((subject,))
        while True:
            yield await heard.get()

    async def watch(self, stream: Any, rows: Sequence[tuple[str, type[Message]]]) -> AsyncIterator[Any]:
        """What others say of these subjects; `synced` says that everything that was kept has come."""
        heard = self._ear(tuple(subject for subject, _ in rows))
        while True:
            yield await heard.get()

    async def confirmed(self, stream: Any, subject: str, heard: Any) -> tuple[int, Any]:
        """What is kept of a subject; what was heard, unless a test says otherwise."""
        if not self.up:
            raise BusDown("down")
        return 1, self.stands.get(subject, heard)

    def _ear(self, subjects: tuple[str, ...]) -> asyncio.Queue[Any]:
        queue: asyncio.Queue[Any] = asyncio.Queue()
        self._ears.append((subjects, queue))
        return queue

    def others_say(self, subject: str, message: Message) -> None:
        """Somebody else says something; whoever listens or watches hears it."""
        for subjects, queue in self._ears:
            if any(fnmatchcase(subject, pattern) for pattern in subjects):
                queue.put_nowait((subject, decode(type(message), encode(message))))

    def synced(self) -> None:
        """All watches have had what was kept."""
        for subjects, queue in self._ears:
            if len(subjects) != 1 or "*" in subjects[0]:
                queue.put_nowait(Synced())

    def of(self, kind: type[Any]) -> list[Any]:
        """Messages kept, of one kind."""
        return [message for _, message in self.kept if isinstance(message, kind)]
