"""People: who there is, what they were given, and whether they may come in, whatever database they are in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pilothouse.errors import BadName, BadValue, NotThere
from pilothouse.record import LastAdmin, NotLetIn, People, Taken
from pilothouse.testing import FakeClock
from support.record import HASH, OpenPeople, add, start


async def test_somebody_new(people: People, clock: FakeClock) -> None:
    """Everything that was said of them is there, and nothing that was not."""
    made = await people.persons.add("ada", title=" Ada L. ", grants=["viewer", "operator@bench", "viewer"])
    assert (made.name, made.title, made.grants) == ("ada", "Ada L.", ("operator@bench", "viewer"))
    assert (made.active, made.source, made.has_password, made.seen) == (True, "", False, 0)
    assert made.made == clock.now() and not made.can_come_in
    assert await people.persons.get("ada") == made
    await add(people, "aaron")
    assert [one.name for one in await people.persons.all()] == ["aaron", "ada"]
    assert await people.persons.get("nobody-here") is None


async def test_a_name_is_one_persons(people: People) -> None:
    """The error gives a free one; of many at once, one gets the name."""
    await add(people, "ada")
    with pytest.raises(Taken) as caught:
        await add(people, "ada")
    assert caught.value.nearest == "ada-2"
    answers = await asyncio.gather(*(people.persons.add("bob") for _ in range(10)), return_exceptions=True)
    assert len([answer for answer in answers if not isinstance(answer, Taken)]) == 1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"name": "Ada"}, BadName),
        ({"name": "owner"}, BadName),
        ({"name": "guest:x"}, BadName),
        ({"name": "ada", "grants": ["vewer"]}, BadName),
        ({"name": "ada", "grants": ["admin@bench"]}, BadName),
        ({"name": "ada", "title": "x" * 101}, BadValue),
        ({"name": "ada", "title": "a\nb"}, BadValue),
        ({"name": "ada", "source": "oidc"}, BadValue),
    ],
)
async def test_what_cannot_be_stored(people: People, words: dict[str, Any], error: type[Exception]) -> None:
    """Is refused with a reason, and nobody is added."""
    with pytest.raises(error):
        await people.persons.add(**words)
    assert await people.persons.all() == []


async def test_nobody_of_that_name(people: People) -> None:
    """Every change says so, and names the nearest."""
    await add(people, "ada")
    for change in (
        people.persons.set_grants("adda", ["viewer"]),
        people.persons.set_active("adda", False),
        people.persons.remove("adda"),
        people.persons.set_password("adda", HASH),
        people.persons.set_title("adda", "x"),
        people.persons.set_note("adda", "x"),
        people.tokens.make("adda", "x", "read"),
        people.links.make("login", "adda"),
    ):
        with pytest.raises(NotThere) as caught:
            await change
        assert caught.value.nearest == "ada"


async def test_titles_and_notes(people: People) -> None:
    """Can be changed; a name cannot."""
    await add(people, "ada")
    assert (await people.persons.set_title("ada", "Ada")).title == "Ada"
    assert (await people.persons.set_note("ada", "until June")).note == "until June"
    with pytest.raises(BadValue, match="500"):
        await people.persons.set_note("ada", "x" * 501)


async def test_who_is_disabled_is_out_at_once(people: People) -> None:
    """Sessions, tokens and links end, and stay ended when they are enabled again."""
    await add(people)
    session, (token, _) = await start(people), await people.tokens.make("ada", "t", "read")
    link = await people.links.make("login", "ada")
    assert await people.by_session(session) and await people.by_token(token)
    assert not (await people.persons.set_active("ada", False)).active
    assert await people.persons.password_hash("ada") == ""
    with pytest.raises(NotLetIn, match="disabled"):
        await people.tokens.make("ada", "t", "read")
    for _ in range(2):
        assert await people.by_session(session) is None
        assert await people.by_token(token) is None
        assert await people.links.use(link) is None
        assert (await people.persons.set_active("ada", True)).can_come_in
    assert await people.persons.password_hash("ada") == HASH


async def test_who_is_removed_is_forgotten(people: People) -> None:
    """With all that let them in; somebody new of the name has nothing of it."""
    await add(people, "ada", "engineer")
    session, (token, _) = await start(people), await people.tokens.make("ada", "t", "read")
    assert (await people.persons.remove("ada")).grants == ("engineer",)
    assert await people.persons.get("ada") is None
    again = await people.persons.add("ada")
    assert (again.grants, again.has_password) == ((), False)
    assert await people.by_session(session) is None and await people.by_token(token) is None


async def test_a_new_password_ends_sessions(people: People) -> None:
    """All but the one that is named; tokens stay; links of theirs end."""
    await add(people)
    mine, other = await start(people), await start(people)
    (token, _), link = await people.tokens.make("ada", "t", "read"), await people.links.make("login", "ada")
    known = await people.by_session(mine)
    assert known is not None
    assert await people.persons.set_password("ada", "$argon2id$new", keep_session=known.id) == 1
    assert await people.by_session(mine) is not None and await people.by_session(other) is None
    assert await people.by_token(token) is not None and await people.links.peek(link) is None
    assert await people.persons.password_hash("ada") == "$argon2id$new"


async def test_the_same_password_at_another_cost_ends_nothing(people: People) -> None:
    """And is left alone when somebody set another one meanwhile."""
    await add(people)
    session = await start(people)
    assert await people.persons.renew_hash("ada", old=HASH, new="$argon2id$dearer")
    assert await people.by_session(session) is not None
    assert not await people.persons.renew_hash("ada", old=HASH, new="$argon2id$late")
    assert await people.persons.password_hash("ada") == "$argon2id$dearer"


@pytest.mark.parametrize("change", ["disable", "remove", "demote", "password"])
async def test_the_last_administrator_stays(people: People, change: str) -> None:
    """Unless it is forced; who cannot come in does not count."""
    await add(people, "ada", "admin")
    await add(people, "bob", "admin", password="")
    await people.persons.add("eve", grants=["admin"], password_hash=HASH)
    await people.persons.set_active("eve", False)

    async def do(**force: bool) -> None:
        if change == "disable":
            await people.persons.set_active("ada", False, **force)
        elif change == "remove":
            await people.persons.remove("ada", **force)
        elif change == "demote":
            await people.persons.set_grants("ada", ["engineer"], **force)
        else:
            await people.persons.set_password("ada", "")

    with pytest.raises(LastAdmin, match="ada is the last"):
        await do()
    assert await people.persons.has_admin()
    ada = await people.persons.get("ada")
    assert ada is not None and ada.active and ada.grants == ("admin",) and ada.has_password
    if change == "password":
        return
    await do(force=True)
    assert not await people.persons.has_admin()


async def test_an_administrator_may_go_who_is_not_the_last(people: People) -> None:
    """And one who never could come in may go in any case."""
    for name in ("ada", "bob"):
        await add(people, name, "admin")
    await add(people, "eve", "admin", password="")
    await people.persons.set_grants("ada", ["viewer"])
    await people.persons.remove("eve")
    assert [one.name for one in await people.persons.all()] == ["ada", "bob"]


async def test_of_two_administrators_one_goes(open_people: OpenPeople, people: People) -> None:
    """Also when both are shown out at the same moment, at two hubs."""
    other = await open_people()
    for _ in range(5):
        for name in ("ada", "bob"):
            await people.persons.add(name, grants=["admin"], password_hash=HASH)
        answers = await asyncio.gather(
            people.persons.set_active("ada", False), other.persons.set_active("bob", False), return_exceptions=True
        )
        assert [type(answer).__name__ for answer in answers].count("LastAdmin") == 1
        assert await people.persons.has_admin()
        for name in ("ada", "bob"):
            await people.persons.remove(name, force=True)


async def test_somebody_from_outside(people: People) -> None:
    """Is made when they come first, brought up to date when they come again, and keeps their name."""
    eve = await people.persons.arrive("eve", "oidc", "https://id 7", ["viewer"], "Eve\x00 E.")
    assert (eve.source, eve.grants, eve.title, eve.can_come_in) == ("oidc", ("viewer",), "Eve  E.", True)
    revision = people.revision
    assert await people.persons.arrive("eve", "oidc", "https://id 7", ["viewer"], "Eve  E.") == eve
    assert people.revision == revision
    again = await people.persons.arrive("eve.new", "oidc", "https://id 7", ["operator@bench"])
    assert (again.name, again.grants, again.title) == ("eve", ("operator@bench",), "Eve  E.")
    assert (await people.persons.arrive("eve", "oidc", "https://id 7", None)).grants == ("operator@bench",)
    assert await people.persons.password_hash("eve") == ""
    with pytest.raises(BadValue, match="identity provider"):
        await people.persons.set_password("eve", HASH)
    with pytest.raises(BadValue, match="log in elsewhere"):
        await people.links.make("invite", "eve")
    await people.persons.set_active("eve", False)
    assert not (await people.persons.arrive("eve", "oidc", "https://id 7", ["viewer"])).active


async def test_nobody_from_outside_takes_a_name(people: People) -> None:
    """Neither of somebody who is known here nor of another one from outside."""
    await add(people, "ada")
    await people.persons.arrive("eve", "oidc", "7", ["viewer"])
    for name, source, subject in (("ada", "oidc", "8"), ("eve", "oidc", "8"), ("eve", "proxy", "7")):
        with pytest.raises(Taken):
            await people.persons.arrive(name, source, subject, ["admin"])  # type: ignore[arg-type]
    assert not await people.persons.has_admin()
    with pytest.raises(BadName):
        await people.persons.arrive("Eve E.", "oidc", "9", ["viewer"])
    with pytest.raises(BadValue):
        await people.persons.arrive("zoe", "", "", ["viewer"])
