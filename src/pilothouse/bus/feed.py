"""What stands between the wire and whoever reads: bounded mailboxes, and the iterators over them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Mailbox:
    """Base of both kinds: one writer (the wire), one reader."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.dropped = 0
        """How many were thrown away because the reader was too slow."""
        self.closed = False
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        raise NotImplementedError

    def put(self, key: str, item: Any) -> None:
        """Add; never waits."""
        raise NotImplementedError

    def pop(self) -> tuple[str, Any]:
        """The oldest; raises IndexError or KeyError when empty."""
        raise NotImplementedError

    async def ready(self) -> bool:
        """Wait until there is something; False when closed and empty."""
        while not len(self):
            if self.closed:
                return False
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return True

    def close(self) -> None:
        """Nothing comes any more; the reader gets what is there, then the end."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Fifo(Mailbox):
    """Keeps all, in order; when full, the oldest is dropped and counted."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._items: deque[tuple[str, Any]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, key: str, item: Any) -> None:
        """Add at the end."""
        if len(self._items) >= self.limit:
            self._items.popleft()
            self.dropped += 1
        self._items.append((key, item))
        self._wake()

    def pop(self) -> tuple[str, Any]:
        """The oldest."""
        return self._items.popleft()


class Latest(Mailbox):
    """Keeps the newest of each key, in the order in which keys came; when full, the oldest key is dropped."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._items: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self._items)

    def put(self, key: str, item: Any) -> None:
        """Add, or replace what the reader has not taken yet."""
        if key not in self._items and len(self._items) >= self.limit:
            self.pop()
            self.dropped += 1
        self._items[key] = item
        self._wake()

    def pop(self) -> tuple[str, Any]:
        """The oldest key with its newest item."""
        key = next(iter(self._items))
        return key, self._items.pop(key)

    def take_back(self, key: str) -> None:
        """Remove what the reader has not taken yet."""
        self._items.pop(key, None)


class Feed(AsyncIterator[T], Generic[T]):
    """Iterates over a mailbox; ends with it. `end` is called once: when closed, cancelled, or no longer held.

    `opened` turns what lies in the mailbox into what is given out; None = leave it out.
    """

    def __init__(self, box: Mailbox, opened: Callable[[str, Any], T | None], end: Callable[[], None]) -> None:
        self._box = box
        self._opened = opened
        self._end: Callable[[], None] | None = end

    @property
    def dropped(self) -> int:
        """How many were lost because this reader was too slow."""
        return self._box.dropped

    def __aiter__(self) -> Feed[T]:
        return self

    async def __anext__(self) -> T:
        try:
            while self._end is not None and await self._box.ready():
                item = self._opened(*self._box.pop())
                if item is not None:
                    return item
        except asyncio.CancelledError:
            self.close()
            raise
        self.close()
        raise StopAsyncIteration

    def close(self) -> None:
        """Stop; what waits in the mailbox is not given out any more."""
        end, self._end = self._end, None
        if end is not None:
            end()
            self._box.close()

    async def aclose(self) -> None:
        """As `close`; the name that contextlib.aclosing knows."""
        self.close()

    def __del__(self) -> None:
        # A loop that was left by `break` or an error drops its feed without a word.
        self.close()
