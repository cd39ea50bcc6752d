"""Log-in by the headers of a trusted proxy, on a real record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest

from pilothouse.errors import RecordError
from pilothouse.hub.audit import Audit
from pilothouse.hub.outside import HeaderLogin
from pilothouse.hub.outside.arriving import Arriving
from pilothouse.hub.problems import WebError
from pilothouse.record.ledger import Ledger
from pilothouse.record.people import People
from pilothouse.record.rows import Wanted
from pilothouse.rights import Deed, may
from pilothouse.testing import FakeClock

GROUPS = {"lab": ("viewer", "operator@bench"), "staff": ("admin",)}


class Door(NamedTuple):
    """The log-in, and what stands around it."""

    header: HeaderLogin
    people: People
    ledger: Ledger
    clock: FakeClock

    async def comes(self, name: str, *groups: str, address: str = "10.0.0.7") -> Any:
        """Somebody comes through the proxy."""
        return await self.header.visitor_by_header(name, groups, address=address)

    async def acts(self, name: str) -> list[Any]:
        """Lines of the ledger about log-ins."""
        return (await self.ledger.page(Wanted(kind="people", name=name), limit=100)).lines


@pytest.fixture
async def door(tmp_path) -> AsyncIterator[Door]:
    """With groups in the configuration."""
    clock = FakeClock()
    ledger = await Ledger.open(tmp_path / "main.db", clock)
    people = People(ledger.database, clock)
    arriving = Arriving(people, GROUPS)
    yield Door(HeaderLogin(people, arriving, Audit(ledger, clock), clock), people, ledger, clock)
    await ledger.close()


async def test_somebody_comes_with_the_rights_of_their_groups(door):
    """They are a person of the record from then on."""
    known = await door.comes("ada", "lab", "others")
    assert (known.who, known.how, known.id, known.expires) == ("ada", "proxy", "", 0)
    assert may(known.rights, Deed.SEE) and not may(known.rights, Deed.PEOPLE)
    person = await door.people.persons.get("ada")
    assert person.source == "proxy" and set(person.grants) == set(GROUPS["lab"])


async def test_other_groups_count_at_once(door):
    """Given and taken; nobody waits for a cache."""
    assert not may((await door.comes("ada", "lab")).rights, Deed.PEOPLE)
    assert may((await door.comes("ada", "staff")).rights, Deed.PEOPLE)
    assert (await door.comes("ada")).rights.grants == ()


async def test_a_page_with_many_questions_asks_the_record_once(door, monkeypatch):
    """And again when five seconds have gone by, or something about people has changed."""
    await door.people.refresh()
    asked = []
    arrive = door.people.persons.arrive

    async def counted(*args: Any, **more: Any) -> Any:
        asked.append(args[0])
        return await arrive(*args, **more)

    monkeypatch.setattr(door.people.persons, "arrive", counted)
    await door.comes("ada", "lab")
    await door.comes("ada", "lab")  # once more, for the arrival was itself a change
    asked.clear()
    await asyncio.gather(*(door.comes("ada", "lab") for _ in range(20)))
    assert asked == []
    door.clock.tick(5)
    await asyncio.gather(*(door.comes("ada", "lab") for _ in range(20)))
    assert asked == ["ada"]
    await door.people.persons.add("grace")
    await door.comes("ada", "lab")
    assert asked == ["ada", "ada"]


async def test_who_is_disabled_stays_out_at_once(door):
    """Also in the middle of a page."""
    await door.comes("ada", "lab")
    await door.people.persons.set_active("ada", False)
    with pytest.raises(WebError, match="disabled") as caught:
        await door.comes("ada", "lab")
    assert (caught.value.status, caught.value.kind) == (403, "outside")
    await door.people.persons.set_active("ada", True)
    assert (await door.comes("ada", "lab")).who == "ada"


async def test_the_name_of_an_own_account_is_refused(door):
    """The proxy may say what it likes."""
    await door.people.persons.add("ada", grants=("admin",))
    for _ in range(3):
        with pytest.raises(WebError, match="somebody else"):
            await door.comes("ada", "staff")
    assert len(await door.acts("login.failed")) == 1 and await door.acts("login") == []


@pytest.mark.parametrize("name", ["Ada", "owner", "guest:ada", "a b", "", "x" * 100])
async def test_a_name_that_nobody_can_have_is_refused(door, name):
    """With what the proxy must send."""
    with pytest.raises(WebError) as caught:
        await door.comes(name)
    assert caught.value.status == 403 and "proxy" in caught.value.remedy


async def test_the_ledger_hears_of_a_log_in_once_an_hour(door):
    """For each address; a thousand requests are one line."""
    for _ in range(5):
        door.clock.tick(60)
        await door.comes("ada", "lab")
    await door.comes("ada", "lab", address="10.0.0.8")
    assert sorted(line.input["from"] for line in await door.acts("login")) == ["10.0.0.7", "10.0.0.8"]
    door.clock.tick(3600)
    await door.comes("ada", "lab")
    assert len(await door.acts("login")) == 3


async def test_a_full_record_keeps_nobody_out(door, monkeypatch):
    """The line is written with the next request that can."""

    async def full(act: Any) -> None:
        raise RecordError("The disk is full")

    await door.comes("ada", "lab", address="10.0.0.8")
    with monkeypatch.context() as broken:
        broken.setattr(door.ledger, "act", full)
        assert (await door.comes("ada", "lab")).who == "ada"
    assert len(await door.acts("login")) == 1
    await door.comes("ada", "lab")
    assert len(await door.acts("login")) == 2


async def test_without_groups_in_the_configuration_rights_are_given_here(tmp_path):
    """And stay, whatever groups the proxy names."""
    clock = FakeClock()
    ledger = await Ledger.open(tmp_path / "main.db", clock)
    people = People(ledger.database, clock)
    header = HeaderLogin(people, Arriving(people, {}), Audit(ledger, clock), clock)
    assert (await header.visitor_by_header("ada", ["lab"], address="a")).rights.grants == ()
    await people.persons.set_grants("ada", ("operator",))
    known = await header.visitor_by_header("ada", ["other"], address="a")
    assert may(known.rights, Deed.OPERATE)
    await ledger.close()
