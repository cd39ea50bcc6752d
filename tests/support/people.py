"""People for tests, made directly in the record as the machine's command line does, with a session or a token."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pilothouse.clock import SystemClock
from pilothouse.config.places import Places
from pilothouse.record.passwords import LEAST, Passwords
from pilothouse.record.people import People
from pilothouse.record.people_rows import Scope

T = TypeVar("T")
PASSWORD = "correct horse battery"


async def known(people: People, who: str, rights: Sequence[str] = ("admin",), *, password: bool = False) -> str:
    """Somebody with these rights and no others, made or changed; gives their name."""
    if await people.persons.get(who) is None:
        await people.persons.add(who)
    await people.persons.set_grants(who, tuple(rights), force=True)
    if password:
        passwords = Passwords(LEAST)
        try:
            await people.persons.set_password(who, await passwords.hash(PASSWORD))
        finally:
            await passwords.close()
    return who


async def session_of(people: People, who: str, rights: Sequence[str] = ("admin",)) -> str:
    """The secret of a session of somebody with these rights."""
    return await people.sessions.start(await known(people, who, rights), "password", address="127.0.0.1", agent="test")


async def token_of(
    people: People, who: str, rights: Sequence[str] = ("admin",), *, scope: Scope = "administer", only: str = ""
) -> str:
    """The secret of a token of somebody with these rights."""
    secret, _ = await people.tokens.make(await known(people, who, rights), "test", scope, only)
    return secret


def session_at(data: Path, who: str, rights: Sequence[str] = ("admin",), *, password: bool = False) -> str:
    """As `session_of`, beside running processes, in the data folder of theirs."""

    async def work() -> str:
        people = await People.open(Places(data).ledger, SystemClock())
        try:
            await known(people, who, rights, password=password)
            return await session_of(people, who, rights)
        finally:
            await people.close()

    # In a thread of its own where a loop runs already, as it does under Playwright's sync interface.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work()).result()
