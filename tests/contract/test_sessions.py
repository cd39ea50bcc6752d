"""Sessions: whose a request is, what they may, and when it ends, whatever database they are in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.record import NotLetIn, People
from pilothouse.record.database import Database
from pilothouse.record.people import SESSION_IDLE, SESSION_LIFE
from pilothouse.record.sessions import MOST
from pilothouse.rights import Deed, Grant, Place, Rights, Role, may
from pilothouse.testing import FakeClock
from support.record import HASH, Counted, OpenPeople, add, start


@pytest.fixture
async def counted(
    open_people: OpenPeople, people: People, tmp_path: Path, clock: FakeClock
) -> AsyncIterator[tuple[Counted, People]]:
    """(the database that counts, people in it)"""
    counting = Counted(await Database.open(tmp_path / "main.db", "main", sync="FULL"))
    yield counting, People(counting, clock)  # type: ignore[arg-type]
    await counting.close()


async def test_a_session_says_who_and_what_they_may(people: People, clock: FakeClock) -> None:
    """Their rights as they are now."""
    await add(people, "ada", "operator@bench")
    secret = await start(people, address="10.0.0.7", agent="Browser\n" + "x" * 200)
    known = await people.by_session(secret)
    assert known is not None
    assert (known.who, known.rights, known.how) == ("ada", Rights((Grant(Role.OPERATOR, "bench"),)), "password")
    (row,) = await people.sessions.of("ada")
    assert (row.id, row.who, row.how, row.made, row.used) == (known.id, "ada", "password", clock.now(), clock.now())
    assert row.address == "10.0.0.7" and row.agent.startswith("Browser x") and len(row.agent) == 120
    assert await people.sessions.all() == [row] and await people.sessions.of("bob") == []
    assert (await people.persons.get("ada")).seen == clock.now()  # type: ignore[union-attr]
    await people.persons.set_grants("ada", ["engineer"])
    known = await people.by_session(secret)
    assert known is not None and known.rights == Rights((Grant(Role.ENGINEER),))


async def test_a_session_ends_when_it_is_not_used(people: People, clock: FakeClock) -> None:
    """And lasts as long as it is, up to its whole life."""
    await add(people)
    secret = await start(people)
    for _ in range(int(SESSION_LIFE / SESSION_IDLE) * 2 - 1):
        clock.tick(SESSION_IDLE / 2)
        assert await people.by_session(secret) is not None
    clock.tick(SESSION_IDLE / 2)
    assert await people.by_session(secret) is not None
    clock.tick(SESSION_LIFE)
    assert await people.by_session(secret) is None
    unused = await start(people)
    clock.tick(SESSION_IDLE - 0.001)
    known = await people.by_session(unused)
    assert known is not None and known.expires == clock.now() + SESSION_IDLE * 1000
    clock.tick(SESSION_IDLE)
    assert await people.by_session(unused) is None
    assert await people.sessions.all() == []


async def test_a_session_ends_after_its_life(people: People, clock: FakeClock) -> None:
    """However much it is used, and it says so before."""
    await add(people)
    secret, begin = await start(people), clock.now()
    while clock.now() + SESSION_IDLE * 500 < begin + SESSION_LIFE * 1000:
        clock.tick(SESSION_IDLE / 2)
        known = await people.by_session(secret)
        assert known is not None and known.expires <= begin + SESSION_LIFE * 1000
    clock.tick((begin + SESSION_LIFE * 1000 - clock.now()) / 1000)
    assert await people.by_session(secret) is None


async def test_a_use_at_another_hub_counts(open_people: OpenPeople, people: People, clock: FakeClock) -> None:
    """This one had seen the session before, and then not for its whole idle time."""
    other = await open_people()
    await add(people)
    secret = await start(people)
    assert await people.by_session(secret) is not None
    for _ in range(4):
        clock.tick(SESSION_IDLE / 2)
        assert await other.by_session(secret) is not None
    assert await people.by_session(secret) is not None


async def test_short_idle_times_are_kept_too(open_people: OpenPeople, clock: FakeClock) -> None:
    """Uses are written often enough for them."""
    here, there = await open_people(idle=60, life=3600), await open_people(idle=60, life=3600)
    await add(here)
    secret = await start(here)
    for _ in range(20):
        clock.tick(50)
        assert await here.by_session(secret) is not None
        assert await there.by_session(secret) is not None
    clock.tick(60)
    assert await here.by_session(secret) is None


async def test_a_request_costs_no_read(counted: tuple[Counted, People], clock: FakeClock) -> None:
    """While nothing changes; and a use is written once in five minutes at most."""
    database, people = counted
    await add(people)
    session, (token, _) = await start(people), await people.tokens.make("ada", "t", "read")
    await people.by_session(session), await people.by_token(token)
    database.reads = database.writes = 0
    for _ in range(100):
        clock.tick(1)
        assert await people.by_session(session) and await people.by_token(token)
    assert (database.reads, database.writes) == (0, 0)
    clock.tick(300)
    for _ in range(3):
        assert await people.by_session(session) and await people.by_token(token)
    assert (database.reads, database.writes) == (0, 2)
    await people.persons.set_title("ada", "Ada")
    assert await people.by_session(session) and await people.by_session(session)
    assert database.reads == 1


async def test_a_full_disk_keeps_nobody_out(
    counted: tuple[Counted, People], clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A use that cannot be written is only worth a line in the log."""
    database, people = counted
    await add(people)
    secret = await start(people)
    database.full = True
    clock.tick(400)
    assert await people.by_session(secret) is not None
    assert "disk is full" in caplog.text and secret not in caplog.text


async def test_log_out(people: People) -> None:
    """Is at once, also right after a request."""
    await add(people)
    secret = await start(people)
    assert await people.by_session(secret) is not None
    assert await people.sessions.end(secret)
    assert await people.by_session(secret) is None
    assert not await people.sessions.end(secret)


async def test_sessions_end_by_their_ids(people: People) -> None:
    """One's own; those of others only for who may name nobody."""
    await add(people, "ada")
    await add(people, "bob")
    secrets = [await start(people, "ada") for _ in range(3)]
    ids = [known.id for secret in secrets if (known := await people.by_session(secret))]
    assert not await people.sessions.end_id("bob", ids[0])
    assert await people.sessions.end_id("ada", ids[0])
    assert not await people.sessions.end_id("ada", ids[0])
    assert await people.sessions.end_all("ada", but=ids[1]) == 1
    assert [await people.by_session(secret) is not None for secret in secrets] == [False, True, False]
    assert await people.sessions.end_id(None, ids[1])
    assert await people.sessions.all() == []


async def test_so_many_sessions_and_no_more(people: People, clock: FakeClock) -> None:
    """The one that was unused for longest makes room."""
    await add(people)
    secrets = []
    for _ in range(MOST + 1):
        clock.tick(1)
        secrets.append(await start(people))
    assert len(await people.sessions.of("ada")) == MOST
    assert [await people.by_session(secret) is not None for secret in secrets] == [False] + [True] * MOST


async def test_nobody_starts_a_session_who_may_not_come_in(people: People) -> None:
    """Nobody, somebody disabled, somebody whose password was changed while it was tested."""
    await add(people, "ada")
    with pytest.raises(NotLetIn):
        await start(people, "bob")
    assert await start(people, "ada", proof=HASH)
    await people.persons.set_password("ada", "$argon2id$another")
    with pytest.raises(NotLetIn, match="changed just now"):
        await start(people, "ada", proof=HASH)
    await people.persons.set_active("ada", False)
    with pytest.raises(NotLetIn, match="disabled"):
        await start(people, "ada")


async def test_what_another_process_changed_is_seen(open_people: OpenPeople, people: People) -> None:
    """By a small look; who listens is told once, of changes here as well."""
    told: list[str] = []
    other = await open_people()
    await add(people)
    secret = await start(people)
    assert await people.by_session(secret) is not None
    assert not await people.refresh()
    people.on_change.append(lambda: told.append("here"))
    other.on_change.append(lambda: told.append("there"))
    await other.persons.set_active("ada", False)
    assert told == ["there"]
    assert await people.refresh() and not await people.refresh()
    assert told == ["there", "here"]
    assert await people.by_session(secret) is None
    assert people.revision == other.revision


async def test_what_changes_nobodys_answer_is_not_told(people: People) -> None:
    """A log-in of one is no reason to ask anew for all."""
    await add(people)
    told: list[int] = []
    people.on_change.append(lambda: told.append(1))
    await start(people)
    await people.tokens.make("ada", "t", "read")
    await people.links.make("login", "ada")
    await people.guests.make("hall", "bench", by="ada", life=60)
    assert not await people.sessions.end_id("ada", "nothing") and not await people.tokens.end("nothing")
    assert told == []


async def test_without_rights_nothing_may_be_done(people: People) -> None:
    """But to look after one's own account."""
    await people.persons.add("ada", password_hash=HASH)
    known = await people.by_session(await start(people))
    assert known is not None
    assert {deed for deed in Deed if may(known.rights, deed, Place.of_stand("bench"))} == {Deed.OWN}


@given(secret=st.text(max_size=300) | st.sampled_from(["ph_", "", "\x00", "\ud800", "ü" * 10_000]))
def test_made_up_secrets(secret: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Are nobody's, and no error."""

    async def look() -> None:
        people = await People.open(tmp_path_factory.getbasetemp() / "made-up.db", FakeClock())
        try:
            assert await people.by_session(secret) is None
            assert await people.by_token(secret) is None
            assert await people.links.use(secret) is None and await people.links.peek(secret) is None
            assert await people.guests.open(secret) is None
            assert not await people.sessions.end(secret)
        finally:
            await people.close()

    asyncio.run(look())


async def test_no_secret_is_in_the_file(people: People, tmp_path: Path) -> None:
    """Whoever reads the record cannot log in with it, and no row shows one."""
    await add(people)
    session, (token, row) = await start(people), await people.tokens.make("ada", "t", "read")
    link, (guest, hall) = await people.links.make("login", "ada"), await people.guests.make("g", "b", by="ada", life=9)
    secrets = [session, token, link, guest, await people.tokens.make_machine("pi")]
    shown = repr([row, hall, *await people.sessions.all(), *await people.links.of(), await people.by_session(session)])
    await people.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not [secret for secret in secrets if secret.encode() in content or secret in shown]
