"""Passwords, as argon2id hashes that cost as much as this machine can spare: a guess costs a thief the same.

The cost is measured once at start. One hash takes a quarter of a second at most where that is possible, and never costs
less than what OWASP asks for (Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane).
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import NamedTuple, TypeVar

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from pilothouse.errors import PilothouseError
from pilothouse.record.hashes import new_secret
from pilothouse.record.password_rules import LONGEST, check_password

__all__ = ["LEAST", "Busy", "Cost", "Passwords", "Verdict", "check_password", "dearest"]

T = TypeVar("T")
log = logging.getLogger(__name__)


class Busy(PilothouseError):
    """Too many passwords are being tested at once."""


class Cost(NamedTuple):
    """What one hash costs."""

    memory: int
    """KiB"""
    passes: int

    @property
    def work(self) -> int:
        """Time goes with this."""
        return self.memory * self.passes


class Verdict(NamedTuple):
    """What became of a test."""

    ok: bool
    """Whether it was the password."""
    rehash: bool
    """Whether its hash costs less than a new one would; only when it was the password."""


LEAST = Cost(19 * 1024, 2)
"""The cost that no hash falls below."""
LADDER = (LEAST, Cost(19 * 1024, 4), Cost(32 * 1024, 4), Cost(64 * 1024, 4))
"""Costs that are tried. Far apart, so that a machine finds the same at each start: who has an account could be told by
the time of an answer while their hash costs less than today's."""
TARGET = 0.25
"""Seconds that one hash may take."""
_SMALL = 1 << 30
"""Bytes of memory below which no hash takes more of it than the least."""
_AT_ONCE = 2
_WAITING = 16


class Passwords:
    """Hashes and tests passwords in two threads of its own, so that the event loop never waits."""

    def __init__(self, cost: Cost = LEAST) -> None:
        """`cost` is raised to the least when it is below. Takes as long as one hash; see `measured`."""
        self.cost = cost if cost.memory >= LEAST.memory and cost.passes >= LEAST.passes else LEAST
        self._hasher = _hasher(self.cost)
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="password")
        self._room = BoundedSemaphore(_AT_ONCE + _WAITING)
        # Nobody's: tested when a name is unknown, so that the time of the answer does not tell.
        self._decoy = self._hasher.hash(new_secret())

    @classmethod
    async def measured(cls) -> Passwords:
        """At the cost that fits this machine; takes up to a second."""
        return await asyncio.to_thread(lambda: cls(dearest(_seconds, LADDER, memory=_memory())))

    async def hash(self, password: str) -> str:
        """What is stored of a password; raises Busy."""
        return await self._run(lambda: self._hasher.hash(_bytes(password)))

    async def verify(self, stored: str, password: str) -> Verdict:
        """Whether it is the password of a stored hash; "" = of nobody, which takes as long. Raises Busy."""
        return await self._run(lambda: self._verify(stored, password))

    async def close(self) -> None:
        """Finish what runs and what waits."""
        await asyncio.to_thread(self._pool.shutdown)

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._room.acquire(blocking=False):
            raise Busy(
                "Too many people log in at this moment",
                why=f"{_WAITING} passwords wait to be tested",
                remedy="Try again in a few seconds",
            )
        try:
            job = self._pool.submit(work)
        except RuntimeError:
            self._room.release()
            raise Busy("Nobody can log in now", why="the hub is closing", remedy="Try again in a minute") from None
        # Not when the one who waits gives up: the thread goes on.
        job.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(job)

    def _verify(self, stored: str, password: str) -> Verdict:
        possible = bool(stored) and len(password) <= LONGEST
        try:
            self._hasher.verify(stored if possible else self._decoy, _bytes(password[:LONGEST]))
        except VerifyMismatchError:
            return Verdict(ok=False, rehash=False)
        except (InvalidHashError, VerificationError) as error:
            # Damaged, or no memory is left; the error's own text has nothing of either.
            log.warning("a password could not be tested: %s %s", type(error).__name__, error)
            return Verdict(ok=False, rehash=False)
        return Verdict(ok=possible, rehash=possible and _cost_of(stored).work < self.cost.work)


def dearest(seconds: Callable[[Cost], float], ladder: Sequence[Cost], *, memory: int) -> Cost:
    """The highest cost of a rising ladder at which a hash takes no longer than TARGET; the first at least.

    `seconds` measures one, and is not asked for what must take too long by what was measured; `memory` of the machine
    in bytes.
    """
    found = ladder[0]
    took = seconds(found)
    for cost in ladder[1:]:
        if memory < _SMALL and cost.memory > ladder[0].memory:
            break
        if took * cost.work / found.work > TARGET:
            break
        measured = seconds(cost)
        if measured > TARGET:
            break
        found, took = cost, measured
    return found


def _hasher(cost: Cost) -> PasswordHasher:
    return PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory, parallelism=1, type=Type.ID)


def _seconds(cost: Cost) -> float:
    start = time.perf_counter()
    _hasher(cost).hash("how long does it take?")
    return time.perf_counter() - start


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _cost_of(stored: str) -> Cost:
    parameters = extract_parameters(stored)
    if parameters.type is not Type.ID:
        return Cost(0, 0)
    return Cost(parameters.memory_cost, parameters.time_cost)


def _bytes(password: str) -> bytes:
    """The same for the same signs, however a keyboard puts them together."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
