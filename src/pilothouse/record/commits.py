"""The writer thread of a database: what is submitted while a commit runs shares the next one.

One flush to disk costs about the same for one row as for a hundred, so under load the flushes are shared, and alone a
write waits for nobody.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pilothouse.errors import RecordError
from pilothouse.record.troubles import is_busy, translate

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]

PENDING = 10_000
"""Writes that may wait; one more is refused with a RecordError."""
_SHARED = 500
"""Writes that share a commit at most, so that the first of them does not wait for long."""
_BUSY_WAIT = 10.0
"""Seconds that another process may hold the file's write lock."""


class _Job:
    __slots__ = ("error", "future", "result", "work")

    def __init__(self, work: Work, future: asyncio.Future[Any]) -> None:
        self.work = work
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None


class Commits:
    """Owns the connection and the thread; belongs to the event loop that made it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._pending = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"write {path.name}", daemon=True)
        self._thread.start()

    async def submit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction that is committed when this returns. Once submitted it is done, even if the
        awaiting task is cancelled."""
        if self._closed:
            raise RecordError(f"The record {self._path} is closed")
        if self._pending >= PENDING:
            raise RecordError(f"The record {self._path} is overrun", why=f"{PENDING} writes wait for the disk already")
        future: asyncio.Future[T] = self._loop.create_future()
        self._pending += 1
        self._queue.put(_Job(work, future))
        return await future

    async def close(self) -> None:
        """Do what is waiting, then let go of the file."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await self._loop.run_in_executor(None, self._thread.join)
        # Answers of the last commit are on their way through the loop.
        await asyncio.sleep(0)

    def _run(self) -> None:
        open_ = True
        while open_:
            jobs = []
            job = self._queue.get()
            while True:
                if job is None:
                    open_ = False
                    break
                jobs.append(job)
                if len(jobs) >= _SHARED or self._queue.empty():
                    break
                job = self._queue.get()
            if jobs:
                self._commit(jobs)
                try:
                    self._loop.call_soon_threadsafe(self._answer, jobs)
                except RuntimeError:
                    # The loop ended before `close`: nobody is left to tell.
                    open_ = False
        self._connection.close()

    def _commit(self, jobs: list[_Job]) -> None:
        error = self._transaction(jobs)
        if error is not None and len(jobs) > 1:
            # One of them spoiled it for all: each gets a transaction of its own.
            for job in jobs:
                job.error = self._transaction([job])
        else:
            for job in jobs:
                job.error = error

    def _transaction(self, jobs: list[_Job]) -> BaseException | None:
        try:
            self._begin()
            for job in jobs:
                job.result = job.work(self._connection)
            self._connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - the edge of a thread; whoever awaits the job gets the error
            return self._undo(error)
        return None

    def _undo(self, error: BaseException) -> BaseException:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as second:
            error = second
        return translate(error, self._path) if isinstance(error, sqlite3.Error) else error

    def _begin(self) -> None:
        """Take the write lock. SQLite's own waiting sleeps for whole milliseconds; a commit here takes less."""
        pause = 0.0001
        deadline = time.monotonic() + _BUSY_WAIT
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
            time.sleep(pause)
            pause = min(pause * 1.5, 0.002)

    def _answer(self, jobs: list[_Job]) -> None:
        for job in jobs:
            self._pending -= 1
            if job.future.done():  # cancelled meanwhile
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.result)
