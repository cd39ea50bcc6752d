"""Tokens, one-time links and guest links keep their promises, whatever database they are in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pilothouse.errors import BadName, BadValue
from pilothouse.record import NotLetIn, People, Taken
from pilothouse.record.links import LINK_LIFE
from pilothouse.record.people import SESSION_IDLE
from pilothouse.record.tokens import MOST, TOKEN_LIFE, TOKEN_LONGEST
from pilothouse.rights import MACHINE, Deed, Grant, Place, Rights, Role, may
from pilothouse.testing import FakeClock
from support.record import HASH, OpenPeople, add, start

BENCH = Place.of_stand("bench")


async def test_a_token_acts_as_its_owner(people: People, clock: FakeClock) -> None:
    """Within its scope and its place, with the rights that the owner has now."""
    await add(people, "ada", "engineer")
    secret, row = await people.tokens.make("ada", " backup ", "operate", "bench", address="10.0.0.7")
    assert secret.startswith("ph_") and row.name == "backup" and row.address == "10.0.0.7"
    assert row.expires == clock.now() + TOKEN_LIFE * 1000
    known = await people.by_token(secret)
    assert known is not None and (known.who, known.id, known.how) == ("ada", row.id, "token")
    assert known.expires == row.expires
    assert known.rights == Rights((Grant(Role.ENGINEER),), through="token", most=Role.OPERATOR, only="bench")
    assert may(known.rights, Deed.HOLD, BENCH) and not may(known.rights, Deed.TAKE_OVER, BENCH)
    assert not may(known.rights, Deed.OWN)
    await people.persons.set_grants("ada", ["viewer"])
    known = await people.by_token(secret)
    assert known is not None and not may(known.rights, Deed.HOLD, BENCH)


async def test_tokens_grow_old(people: People, clock: FakeClock) -> None:
    """However much they are used; when they were used last is known."""
    await add(people)
    secret, _ = await people.tokens.make("ada", "t", "read", life=3600)
    assert (await people.tokens.of("ada"))[0].used == 0
    clock.tick(1800)
    assert await people.by_token(secret) is not None
    assert (await people.tokens.all())[0].used == clock.now()
    clock.tick(1799)
    assert await people.by_token(secret) is not None
    clock.tick(1)
    assert await people.by_token(secret) is None and await people.tokens.of("ada") == []


async def test_a_token_is_ended(open_people: OpenPeople, people: People) -> None:
    """By its owner or by whoever may name nobody; at another hub it is seen."""
    other = await open_people()
    await add(people, "ada")
    await add(people, "bob")
    (first, one), (second, two) = [await people.tokens.make("ada", "t", "read") for _ in range(2)]
    assert await other.by_token(first) and await other.by_token(second)
    assert not await people.tokens.end(one.id, "bob")
    assert await people.tokens.end(one.id, "ada") and await people.tokens.end(two.id)
    assert await people.by_token(first) is None
    assert await other.refresh() and await other.by_token(first) is None and await other.by_token(second) is None


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"name": ""}, BadValue),
        ({"name": "x" * 61}, BadValue),
        ({"scope": "everything"}, BadValue),
        ({"only": "A B"}, BadName),
        ({"life": 0}, BadValue),
        ({"life": TOKEN_LONGEST + 1}, BadValue),
        ({"life": float("nan")}, BadValue),
    ],
)
async def test_tokens_that_cannot_be_made(people: People, words: dict[str, Any], error: type[Exception]) -> None:
    """Each with a reason."""
    await add(people)
    with pytest.raises(error):
        await people.tokens.make(**({"who": "ada", "name": "t", "scope": "read"} | words))
    assert await people.tokens.all() == []


async def test_so_many_tokens_and_no_more(people: People, clock: FakeClock) -> None:
    """Those that are over do not count."""
    await add(people)
    for _ in range(MOST):
        await people.tokens.make("ada", "t", "read", life=60)
    with pytest.raises(BadValue, match=str(MOST)):
        await people.tokens.make("ada", "t", "read")
    clock.tick(60)
    await people.tokens.make("ada", "t", "read")
    assert len(await people.tokens.all()) == 1


async def test_the_token_of_the_machine(people: People, clock: FakeClock) -> None:
    """May do everything, lasts, and there is one of each machine."""
    old, other, new = [await people.tokens.make_machine(machine) for machine in ("pi", "shed", "pi")]
    clock.tick(10 * 365 * 86_400)
    known = await people.by_token(new)
    assert known is not None and (known.who, known.how, known.expires) == (MACHINE, "machine", 0)
    assert all(may(known.rights, deed) for deed in Deed)
    assert await people.by_token(old) is None and await people.by_token(other) is not None
    assert {(row.who, row.scope, row.expires) for row in await people.tokens.all()} == {(MACHINE, "administer", 0)}
    assert await people.tokens.end(known.id)
    assert await people.by_token(new) is None


async def test_a_link_lets_in_once(people: People, clock: FakeClock) -> None:
    """Looking at it does not use it up."""
    await add(people)
    secret = await people.links.make("login", "ada", life=60)
    row = await people.links.peek(secret)
    assert row is not None and (row.kind, row.who, row.expires) == ("login", "ada", clock.now() + 60_000)
    assert await people.links.of() == await people.links.of("login", "invite") == [row]
    assert await people.links.of("first") == []
    assert await people.links.use(secret) == row
    assert await people.links.use(secret) is None and await people.links.peek(secret) is None


async def test_only_one_of_many_at_once_gets_in(open_people: OpenPeople, people: People) -> None:
    """Twenty browsers with one link, at two hubs."""
    other = await open_people()
    await add(people)
    link = await people.links.make("login", "ada")
    rows = await asyncio.gather(*(hub.links.use(link) for _ in range(10) for hub in (people, other)))
    assert len([row for row in rows if row]) == 1
    first = await open_people()
    for one in await first.persons.all():
        await first.persons.remove(one.name)
    links = [await people.links.make("first") for _ in range(2)]
    tries = [
        hub.links.use_first(link, f"admin{number}", password_hash=HASH)
        for number in range(5)
        for hub, link in zip((people, other), links, strict=True)
    ]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert len([answer for answer in answers if not isinstance(answer, NotLetIn)]) == 1
    assert len(await people.persons.all()) == 1


async def test_links_grow_old_and_are_ended(people: People, clock: FakeClock) -> None:
    """By time, by their id, by their kind."""
    await add(people)
    stale, one, other = [await people.links.make("login", "ada", life) for life in (LINK_LIFE, 2e5, 2e5)]
    clock.tick(LINK_LIFE)
    assert await people.links.use(stale) is None
    row = await people.links.peek(one)
    assert row is not None and await people.links.end(row.id) and not await people.links.end(row.id)
    assert await people.links.use(one) is None
    assert await people.links.end_kind("invite") == 0 and await people.links.end_kind("login") == 1
    assert await people.links.use(other) is None


async def test_the_first_administrator(people: People) -> None:
    """A bad name leaves the link good; with the first all other such links are used up."""
    link, other = [await people.links.make("first") for _ in range(2)]
    await people.persons.add("ada")
    with pytest.raises(BadName):
        await people.links.use_first(link, "Ada", password_hash=HASH)
    with pytest.raises(Taken):
        await people.links.use_first(link, "ada", password_hash=HASH)
    assert await people.links.peek(link) is not None
    made = await people.links.use_first(link, "bob", title="Bob", password_hash=HASH)
    assert (made.name, made.title, made.grants, made.has_password) == ("bob", "Bob", ("admin",), True)
    for secret in (link, other):
        with pytest.raises(NotLetIn):
            await people.links.use_first(secret, "eve", password_hash=HASH)
    assert [one.name for one in await people.persons.all()] == ["ada", "bob"]
    with pytest.raises(BadValue, match="administrator already"):
        await people.links.make("first")


@pytest.mark.parametrize("way", ["add", "password", "grants", "enable", "outside", "invite"])
async def test_whoever_becomes_administrator_ends_first_links(people: People, way: str) -> None:
    """A link from a terminal of long ago must not make another one."""
    await people.persons.add("ada", grants=["admin"] if way not in ("grants", "add") else ["viewer"])
    if way in ("grants", "enable"):
        await people.persons.set_password("ada", HASH)
    if way == "enable":
        await people.persons.set_active("ada", False, force=True)
    link = await people.links.make("first")
    if way == "add":
        await add(people, "bob", "admin")
    elif way == "password":
        await people.persons.set_password("ada", HASH)
    elif way == "grants":
        await people.persons.set_grants("ada", ["admin"])
    elif way == "enable":
        await people.persons.set_active("ada", True)
    elif way == "outside":
        await people.persons.arrive("eve", "oidc", "7", ["admin"])
    else:
        await people.links.use_invite(await people.links.make("invite", "ada"), HASH)
    assert await people.persons.has_admin()
    assert await people.links.use(link) is None


async def test_an_invitation(people: People) -> None:
    """Sets a password once, which ends what was open before; another kind of link is none."""
    await add(people)
    session = await start(people)
    invite, other = [await people.links.make("invite", "ada") for _ in range(2)]
    login = await people.links.make("login", "ada")
    with pytest.raises(NotLetIn):
        await people.links.use_invite(login, "$argon2id$new")
    assert await people.links.peek(login) is not None
    assert (await people.links.use_invite(invite, "$argon2id$new")).who == "ada"
    assert await people.persons.password_hash("ada") == "$argon2id$new"
    assert await people.by_session(session) is None and await people.links.peek(login) is None
    for secret in (invite, other):
        with pytest.raises(NotLetIn):
            await people.links.use_invite(secret, HASH)


@pytest.mark.parametrize("life", [0, -1, 367 * 86_400, float("nan"), float("inf")])
async def test_lives_that_are_none(people: People, life: float) -> None:
    """Are refused for links of both kinds."""
    with pytest.raises(BadValue):
        await people.links.make("first", life=life)
    with pytest.raises(BadValue):
        await people.guests.make("hall", "bench", by="ada", life=life)


async def test_a_first_link_is_nobodys(people: People) -> None:
    """And the others are somebody's."""
    with pytest.raises(BadValue):
        await people.links.make("first", "ada")


async def test_one_kind_of_secret_is_not_another(people: People) -> None:
    """A link is no session, a session no token, a token no link, a guest link none of them."""
    await add(people)
    session, (token, _) = await start(people), await people.tokens.make("ada", "t", "read")
    link, (guest, _) = await people.links.make("login", "ada"), await people.guests.make("g", "bench", by="ada", life=9)
    assert [await people.by_session(secret) is not None for secret in (session, token, link, guest)] == [1, 0, 0, 0]
    assert [await people.by_token(secret) is not None for secret in (session, token, link, guest)] == [0, 1, 0, 0]
    assert [await people.guests.open(secret) is not None for secret in (session, token, link, guest)] == [0, 0, 0, 1]
    assert [await people.links.use(secret) is not None for secret in (session, token, link, guest)] == [0, 0, 1, 0]


async def test_a_guest_looks_on_at_one_stand(people: People, clock: FakeClock) -> None:
    """Many may come with one link; all are out when it ends, by time or by hand."""
    secret, row = await people.guests.make("hall", "bench", by="ada", life=2 * SESSION_IDLE)
    opened = await people.guests.open(secret)
    assert opened == row and (row.where, row.made_by) == ("bench", "ada")
    sessions = [await people.sessions.start("guest:hall", "guest", guest_id=row.id) for _ in range(3)]
    known = await people.by_session(sessions[0])
    assert known is not None and (known.who, known.how) == ("guest:hall", "guest")
    assert known.rights == Rights((Grant(Role.VIEWER, "bench"),), through="guest", only="bench")
    assert [deed for deed in Deed if may(known.rights, deed, BENCH)] == [Deed.SEE]
    assert (await people.guests.all())[0].sessions == 3
    assert await people.sessions.end(sessions[2])
    assert (await people.guests.all())[0].sessions == 2
    assert await people.guests.end(row.id) and not await people.guests.end(row.id)
    assert await people.by_session(sessions[0]) is None and await people.guests.open(secret) is None
    with pytest.raises(NotLetIn):
        await people.sessions.start("guest:hall", "guest", guest_id=row.id)


async def test_guests_are_out_when_their_link_is_over(people: People, clock: FakeClock) -> None:
    """However short that is."""
    secret, row = await people.guests.make("hall", "bench", by="ada", life=600)
    session = await people.sessions.start("guest:hall", "guest", guest_id=row.id)
    known = await people.by_session(session)
    assert known is not None and known.expires == row.expires
    clock.tick(600)
    assert await people.by_session(session) is None
    assert await people.guests.open(secret) is None and await people.guests.all() == []
    again, _ = await people.guests.make("hall", "bench", by="ada", life=600)
    assert again != secret


async def test_guest_links_that_cannot_be_made(people: People) -> None:
    """One of a name at a time, and a stand it must be; a guest's session needs its own link."""
    await people.guests.make("hall", "bench", by="ada", life=60)
    with pytest.raises(Taken):
        await people.guests.make("hall", "wet", by="ada", life=60)
    for name, where in (("Hall", "bench"), ("x", "pi/relays"), ("x", ""), ("x", "*")):
        with pytest.raises(BadName):
            await people.guests.make(name, where, by="ada", life=60)
    _, row = await people.guests.make("yard", "wet", by="ada", life=60)
    await add(people)
    for who, id in (("guest:hall", row.id), ("ada", row.id), ("guest:yard", "made up")):
        with pytest.raises(NotLetIn):
            await people.sessions.start(who, "guest", guest_id=id)
    with pytest.raises(NotLetIn):
        await people.sessions.start("guest:yard", "password", guest_id=row.id)


async def test_guest_links_are_the_sites(people: People) -> None:
    """They stay when whoever gave them goes."""
    await add(people)
    secret, _ = await people.guests.make("hall", "bench", by="ada", life=60)
    await people.persons.remove("ada")
    assert await people.guests.open(secret) is not None
