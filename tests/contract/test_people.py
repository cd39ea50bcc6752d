"""Links, sessions and tokens keep their promises, whatever database they are in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pilothouse.record import People
from pilothouse.record.people import LINK_LIFE, SESSION_LIFE
from pilothouse.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """Time that stands still."""
    return FakeClock()


@pytest.fixture(params=["sqlite"])
async def people(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[People]:
    """Nobody yet, in each kind of database."""
    opened = await People.open(tmp_path / "main.db", clock)
    yield opened
    await opened.close()


async def test_a_link_lets_in_once(people: People) -> None:
    """The first gets a session of the one that the link is for; the second gets nothing."""
    link = await people.make_link("ada")
    session = await people.redeem(link)
    assert session is not None and session != link
    assert await people.session(session) == "ada"
    assert await people.redeem(link) is None


async def test_only_one_of_many_at_once_gets_in(people: People) -> None:
    """Two browsers with one link."""
    link = await people.make_link()
    sessions = await asyncio.gather(*(people.redeem(link) for _ in range(20)))
    assert len([session for session in sessions if session]) == 1


async def test_links_and_sessions_grow_old(people: People, clock: FakeClock) -> None:
    """A link from yesterday's terminal and a browser from last year are strangers."""
    stale = await people.make_link()
    clock.tick(LINK_LIFE)
    assert await people.redeem(stale) is None
    session = await people.redeem(await people.make_link())
    assert session is not None
    clock.tick(SESSION_LIFE - 1)
    assert await people.session(session) == "owner"
    clock.tick(1)
    assert await people.session(session) is None


async def test_log_out(people: People) -> None:
    """Is at once, also right after a request."""
    session = await people.redeem(await people.make_link())
    assert session is not None
    assert await people.session(session) == "owner"
    await people.end_session(session)
    assert await people.session(session) is None


async def test_tokens_last_until_they_are_ended(people: People, clock: FakeClock) -> None:
    """Programs are not logged out by time."""
    token = await people.make_token("owner", "command line")
    clock.tick(10 * 365 * 86_400)
    assert await people.token(token) == "owner"
    await people.end_token(token)
    assert await people.token(token) is None


async def test_one_kind_of_secret_is_not_another(people: People) -> None:
    """A link is no session, a session no token, a token no link."""
    link, token = await people.make_link(), await people.make_token("owner", "t")
    assert await people.session(link) is None
    assert await people.token(link) is None
    assert await people.session(token) is None
    assert await people.redeem(token) is None
    session = await people.redeem(link)
    assert session is not None
    assert await people.token(session) is None
    assert await people.session(session) == "owner"


@pytest.mark.parametrize("secret", ["", "made up", "\x00", "ü" * 10_000, "\ud800"])
async def test_made_up_secrets(people: People, secret: str) -> None:
    """Are nobody's."""
    assert await people.session(secret) is None
    assert await people.token(secret) is None
    assert await people.redeem(secret) is None


async def test_no_secret_is_in_the_file(people: People, tmp_path: Path) -> None:
    """Whoever reads the record cannot log in with it."""
    link, token = await people.make_link(), await people.make_token("owner", "t")
    session = await people.redeem(await people.make_link())
    assert session is not None
    await people.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not [secret for secret in (link, token, session) if secret.encode() in content]


async def test_a_log_out_in_another_hub_is_seen(people: People, tmp_path: Path, clock: FakeClock) -> None:
    """What is remembered to spare reads is asked again after two seconds."""
    other = await People.open(tmp_path / "main.db", clock)
    session = await people.redeem(await people.make_link())
    assert session is not None
    assert await people.session(session) == "owner"
    await other.end_session(session)
    clock.tick(2)
    assert await people.session(session) is None
    await other.close()
