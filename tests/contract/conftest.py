"""Records for the contract tests. A second kind of database is one more entry in `params`, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from pilothouse.record import People
from pilothouse.testing import FakeClock
from support.record import OpenPeople


@pytest.fixture
def clock() -> FakeClock:
    """Time that stands still."""
    return FakeClock()


@pytest.fixture(params=["sqlite"])
async def open_people(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[OpenPeople]:
    """The people of one record, in each kind of database, opened as often as one likes."""
    async with AsyncExitStack() as stack:

        async def open_one(**life: float) -> People:
            people = await People.open(tmp_path / "main.db", clock, **life)
            stack.push_async_callback(people.close)
            return people

        yield open_one


@pytest.fixture
async def people(open_people: OpenPeople) -> People:
    """Nobody yet."""
    return await open_people()
