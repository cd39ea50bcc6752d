"""Open streams and the log-ins behind them: an end, other rights, time, and a record that cannot be read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from pilothouse.errors import RecordError
from pilothouse.hub.access import Visitor
from pilothouse.hub.live import Live
from pilothouse.hub.people_watch import TICK, PeopleWatch
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import Site
from pilothouse.record.people import People
from pilothouse.testing import FakeClock
from support.people import session_of
from support.seeing import Onlooker, a_site, rights


class FakePeople:
    """The number that counts changes, and who hears of it."""

    def __init__(self) -> None:
        self.revision = 7
        self.elsewhere = 7
        """As another process has left it."""
        self.on_change: list[Callable[[], None]] = []
        self.broken = False

    def change(self) -> None:
        """Something changed here."""
        self.revision = self.elsewhere = max(self.revision, self.elsewhere) + 1
        for tell in tuple(self.on_change):
            tell()

    async def refresh(self) -> bool:
        """As the record's."""
        if self.broken:
            raise RecordError("the record is being moved")
        seen, self.revision = self.revision, self.elsewhere
        if seen == self.revision:
            return False
        for tell in tuple(self.on_change):
            tell()
        return True


class Watched:
    """A site without things, its stream, and the watch of it, at work."""

    def __init__(self) -> None:
        self.site: Site = a_site()
        self.people: Any = FakePeople()
        self.site.people = self.people
        self.clock: Any = self.site.clock
        self.live = Live(self.site)


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    """At work until the test ends."""
    made = Watched()
    task = asyncio.create_task(PeopleWatch(made.site, made.live).run())
    clock: FakeClock = made.clock
    await clock.until_asleep()
    yield made
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert made.people.on_change == []


def visitor(who: str = "ada", *grants: str, id: str = "s1", expires: int = 0, how: str = "password") -> Visitor:
    """Somebody who is logged in on a page."""
    return Visitor(who, "page", rights(*grants), id, how, expires)


async def test_a_session_that_ends_here_ends_its_streams_at_once(watched: Watched) -> None:
    """All of its streams, without a tick; those of others go on."""
    async with (
        Onlooker(watched.live, visitor()) as first,
        Onlooker(watched.live, visitor()) as second,
        Onlooker(watched.live, visitor(id="s2")) as other,
    ):
        for one in (first, second, other):
            await one.until("snapshot")
        first.visitor = second.visitor = None
        watched.people.change()
        assert (await first.until("bye"))["why"] == (await second.until("bye"))["why"] == "ended"
        assert await first.event() == await second.event() == ("", None)
        assert other.quiet and len(watched.live.streams) == 1


async def test_what_another_process_changes_is_seen_with_the_next_tick(watched: Watched) -> None:
    """Rights were taken away by the command line: said, and shown anew."""
    async with Onlooker(watched.live, visitor("ada", "viewer")) as ada:
        await ada.until("snapshot")
        ada.visitor = visitor("ada", "viewer@north")
        watched.people.elsewhere += 1
        await watched.clock.advance(TICK)
        await ada.until("rights")
        await ada.until("snapshot")
        (stream,) = watched.live.streams
        assert stream.visitor.rights == rights("viewer@north")


async def test_nobody_is_told_of_what_does_not_concern_them(watched: Watched) -> None:
    """Each log-in is asked about once for all of its streams, and nothing is sent."""
    async with Onlooker(watched.live, visitor()) as first, Onlooker(watched.live, visitor()) as second:
        await first.until("snapshot")
        await second.until("snapshot")
        await watched.clock.advance(TICK)
        asked = first.asked + second.asked
        watched.people.change()
        await watched.clock.advance(0)
        assert first.asked + second.asked == asked + 1
        assert first.quiet and second.quiet


async def test_a_stream_that_was_opened_as_rights_changed_is_put_right(watched: Watched) -> None:
    """Its visitor was looked up just before, and others with the same log-in are right already."""
    async with Onlooker(watched.live, visitor("ada", "viewer@north")) as first:
        await first.until("snapshot")
        await watched.clock.advance(TICK)
        async with Onlooker(watched.live, visitor("ada", "viewer")) as late:
            late.visitor = visitor("ada", "viewer@north")
            await late.until("snapshot")
            await watched.clock.advance(TICK)
            await late.until("rights")
            await late.until("snapshot")
        assert first.quiet


async def test_an_open_stream_counts_as_use_of_its_session(watched: Watched) -> None:
    """It is asked about before its time without use is over, and then lasts on; without need once a minute only."""
    ends = watched.clock.now() + 100_000
    async with (
        Onlooker(watched.live, visitor(expires=ends)) as short,
        Onlooker(watched.live, visitor(id="t1", how="token")) as lasting,
    ):
        await short.until("snapshot")
        for _ in range(600):
            short.visitor = visitor(expires=watched.clock.now() + 100_000)
            await watched.clock.advance(TICK)
        assert len(watched.live.streams) == 2 and short.quiet
        assert 10 <= short.asked <= 14 and 10 <= lasting.asked <= 12


async def test_a_session_ends_after_its_whole_life_though_it_is_looked_at(watched: Watched) -> None:
    """Within a tick."""
    ends = watched.clock.now() + 90_000

    async def again() -> Visitor | None:
        return visitor(expires=ends) if watched.clock.now() < ends else None

    async with Onlooker(watched.live, visitor(expires=ends), again=again) as ada:
        await ada.until("snapshot")
        await watched.clock.advance(89.5)
        assert ada.quiet
        await watched.clock.advance(1.5)
        await ada.until("bye")


async def test_who_is_refused_at_the_door_now_is_let_go(watched: Watched) -> None:
    """The proxy's word about them is not taken any more; and somebody else's log-in is not theirs."""

    async def refused() -> Visitor | None:
        raise WebError(403, "outside", "ada is disabled here")

    async def somebody_else() -> Visitor | None:
        return visitor("bob", id="s9")

    async with (
        Onlooker(watched.live, visitor(id="", how="proxy"), again=refused) as ada,
        Onlooker(watched.live, visitor("eve", id="s8"), again=somebody_else) as eve,
    ):
        await ada.until("snapshot")
        await eve.until("snapshot")
        watched.people.change()
        await ada.until("bye")
        await eve.until("bye")


async def test_a_record_that_cannot_be_read_throws_nobody_out(watched: Watched, caplog) -> None:
    """It is said once, and asked again with each tick until it answers."""
    broken = True

    async def again() -> Visitor | None:
        if broken:
            raise RecordError("the disk is gone")
        return None

    async with Onlooker(watched.live, visitor(), again=again) as ada:
        await ada.until("snapshot")
        watched.people.broken = True
        for _ in range(5):
            watched.people.change()
            await watched.clock.advance(TICK)
        assert ada.quiet and len([r for r in caplog.records if "who may still look on" in r.message]) == 1
        watched.people.broken = broken = False
        await watched.clock.advance(TICK)
        await ada.until("bye")


async def test_a_stream_that_nobody_can_ask_about_stays(watched: Watched) -> None:
    """Nothing is known against it."""
    async with Onlooker(watched.live, visitor()) as ada:
        await ada.until("snapshot")
        (stream,) = watched.live.streams
        stream.again = None
        watched.people.change()
        await watched.clock.advance(TICK)
        assert ada.quiet


async def test_looking_on_is_use_of_a_real_session(tmp_path) -> None:
    """With the record itself: the session lasts while the stream is open, and ends unused soon after it is closed."""
    site, clock = a_site(), FakeClock()
    site.clock = clock
    people = site.people = await People.open(tmp_path / "main.db", clock, idle=60.0, life=600.0)
    secret = await session_of(people, "ada", ["viewer"])

    asking = asyncio.Lock()

    async def again() -> Visitor | None:
        async with asking:
            known = await people.by_session(secret)
        return known and Visitor(known.who, "page", known.rights, known.id, known.how, known.expires)

    live = Live(site)
    task = asyncio.create_task(PeopleWatch(site, live).run())

    async def pass_time(seconds: int) -> None:
        for _ in range(seconds):
            while asking.locked() or not clock.sleepers:
                await asyncio.sleep(0)  # the record works in other threads
            await clock.advance(TICK)

    first = await again()
    assert first is not None
    async with Onlooker(live, first, again=again) as ada:
        await ada.until("snapshot")
        await pass_time(180)
        assert ada.quiet and live.viewers == 1
        (row,) = await people.sessions.of("ada")
        assert clock.now() - row.used < 60_000
    await pass_time(70)
    assert await people.by_session(secret) is None
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await people.close()
