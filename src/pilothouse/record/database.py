"""One SQLite file of the record: opened, brought up to date, with a writer thread and reader threads.

What is SQLite's alone is here, in `commits`, `recent` and `troubles`; besides, `typeof` and the `min` of several
numbers in `rollup` and `query`. All other SQL of the record runs on PostgreSQL too but for the mark of parameters.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import threading
import time
from asyncio import get_running_loop
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from typing import Literal, TypeVar

from pilothouse.errors import CannotStart, PilothouseError
from pilothouse.record.commits import Commits
from pilothouse.record.troubles import is_broken, translate

T = TypeVar("T")
Schema = Literal["main", "history", "recent"]
Sync = Literal["FULL", "NORMAL", "OFF"]
Prepare = Callable[[sqlite3.Connection], None]
log = logging.getLogger(__name__)

_OLDEST = (3, 37, 0)
"""The first SQLite with strict tables."""
_OPEN_WAIT = 10.0
_READERS = 2
_READ_CACHE_KIB = 4 * 1024


class Database:
    """A file of the record. `await write(work)` and `await read(work)` run `work(connection)` on their threads.

    Many writes at once share one transaction and one flush to disk; each is done wholly or not at all, and when the
    awaited call returns it is as durable as `sync` promises. A `work` may be run twice (the first time undone), so it
    must do nothing but SQL. Readers see a finished state and never hold up the writer.
    """

    def __init__(self, path: Path, commits: Commits | None, readers: _Readers) -> None:
        self.path = path
        self._commits = commits
        self._readers = readers

    @classmethod
    async def open(cls, path: Path, schema: Schema, *, sync: Sync) -> Database:
        """Open for reading and writing; makes or upgrades the file. Raises CannotStart with the remedy."""
        loop = get_running_loop()
        connection = await loop.run_in_executor(None, _open_writer, path, schema, sync)
        return cls(path, Commits(connection, path), _Readers(path))

    @classmethod
    async def open_reader(cls, path: Path, schema: Schema, *, prepare: Prepare | None = None) -> Database:
        """Open for reading only. The file is made when it is not there yet, so that the order of starts is free.

        `prepare` is run on the connection before each read, outside of any transaction.
        """
        loop = get_running_loop()
        connection = await loop.run_in_executor(None, _open_writer, path, schema, "NORMAL")
        await loop.run_in_executor(None, connection.close)
        return cls(path, None, _Readers(path, prepare))

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction; raises RecordError (NoRoom when the disk is full), and then nothing is done."""
        if self._commits is None:
            raise RuntimeError(f"{self.path} is open for reading only")
        return await self._commits.submit(work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work`, which only reads, on one snapshot; raises RecordError."""
        return await self._readers.run(work)

    async def close(self) -> None:
        """Finish what was submitted, then close; safe to call twice."""
        if self._commits is not None:
            await self._commits.close()
        await self._readers.close()


class _Readers:
    """A few threads, each with a connection of its own."""

    def __init__(self, path: Path, prepare: Prepare | None = None) -> None:
        self._path = path
        self._prepare = prepare
        self._pool = ThreadPoolExecutor(_READERS, thread_name_prefix=f"read {path.name}")
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await get_running_loop().run_in_executor(self._pool, self._run, work)
        except sqlite3.Error as error:
            raise translate(error, self._path) from error

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = connect(self._path, wait=_OPEN_WAIT)
            connection.execute(f"PRAGMA cache_size = -{_READ_CACHE_KIB}")
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            self._connections.append(connection)
        if self._prepare is not None:
            self._prepare(connection)
        connection.execute("BEGIN")
        try:
            return work(connection)
        finally:
            connection.execute("ROLLBACK")

    async def close(self) -> None:
        await get_running_loop().run_in_executor(None, self._pool.shutdown)
        while self._connections:
            self._connections.pop().close()


def connect(path: Path, *, wait: float) -> sqlite3.Connection:
    """A plain connection, transactions in our own hands; any thread may use it, one at a time."""
    return sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False, cached_statements=256)


def _open_writer(path: Path, schema: Schema, sync: Sync) -> sqlite3.Connection:
    if sqlite3.sqlite_version_info < _OLDEST:
        raise CannotStart(
            f"This Python's SQLite is {sqlite3.sqlite_version}, which is too old",
            why=f"the record needs {'.'.join(map(str, _OLDEST))}",
            remedy="Use the Python of a newer system, such as Debian 12",
        )
    connection: sqlite3.Connection | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        connection = connect(path, wait=_OPEN_WAIT)
        if new:
            path.chmod(0o600)
        _pragmas(connection, sync)
        _migrate(connection, schema, path)
    except (sqlite3.Error, OSError, CannotStart) as error:
        if connection is not None:
            connection.close()
        raise _cannot_start(error, path) from error
    return connection


def _pragmas(connection: sqlite3.Connection, sync: Sync) -> None:
    _set_wal(connection)
    connection.execute(f"PRAGMA synchronous = {sync}")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cache_size = -16384")
    # Some systems build SQLite to overwrite what is deleted: twice the wear of a card, and of
    # what is secret only hashes are here.
    connection.execute("PRAGMA secure_delete = OFF")
    # The log is folded back every 4 MiB; after a burst its file shrinks to 16 MiB again.
    connection.execute("PRAGMA wal_autocheckpoint = 1000")
    connection.execute("PRAGMA journal_size_limit = 16777216")
    # `commits` waits by itself, in steps far below a millisecond.
    connection.execute("PRAGMA busy_timeout = 0")


def _set_wal(connection: sqlite3.Connection) -> None:
    """Turn write-ahead logging on; SQLite's own waiting does not cover two processes that make the file at once."""
    deadline = time.monotonic() + _OPEN_WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _migrate(connection: sqlite3.Connection, schema: Schema, path: Path) -> None:
    """Run the numbered migrations that this file has not seen, all in one transaction."""
    steps = migrations(schema)
    connection.execute(f"PRAGMA busy_timeout = {int(_OPEN_WAIT * 1000)}")
    if _version(connection) != len(steps):
        connection.execute("BEGIN IMMEDIATE")
        try:
            done = _version(connection)
            if done > len(steps):
                raise CannotStart(
                    f"The record {path} was made by a newer Pilothouse",
                    why=f"it has version {done}, and this one knows up to {len(steps)}",
                    remedy="Update Pilothouse, or use another --data folder",
                )
            for script in steps[done:]:
                for statement in statements(script):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(steps)}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    connection.execute("PRAGMA busy_timeout = 0")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrations(schema: Schema) -> list[str]:
    """The migration scripts of a schema in order; their numbers must run 1, 2, 3 …"""
    folder = resources.files("pilothouse.record") / "migrations" / schema
    scripts = {entry.name: entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".sql")}
    numbered = sorted((int(re.match(r"\d+", name).group()), text) for name, text in scripts.items())  # type: ignore[union-attr]
    if [number for number, _ in numbered] != list(range(1, len(numbered) + 1)):
        raise RuntimeError(f"migrations of {schema} are not numbered 1, 2, 3 …: {sorted(scripts)}")
    return [text for _, text in numbered]


def statements(script: str) -> list[str]:
    """The single statements of a script: executescript would commit between them."""
    found, part = [], ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    if part.strip():
        raise RuntimeError(f"the script ends within a statement: {part[-80:]!r}")
    return found


def _cannot_start(error: Exception, path: Path) -> PilothouseError:
    if isinstance(error, CannotStart):
        return error
    aside = path.parent / "damaged"
    if isinstance(error, sqlite3.Error) and is_broken(error):
        return CannotStart(
            f"The record {path} is damaged",
            why=str(error),
            remedy=f"Keep it aside and start with a new one: mkdir -p {aside} && mv {path}* {aside}",
        )
    return CannotStart(
        f"The record {path} cannot be opened",
        why=str(error),
        remedy=f"Look at the rights and the room of the folder: ls -ld {path.parent}; df -h {path.parent}",
    )
