"""The forms of the pages about people on a real hub: what they do, what they ask first; nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pilothouse.config.site import Config, NodeConfig, StandConfig
from pilothouse.hub.pages.people_person import stamp_of
from pilothouse.record.rows import Wanted
from support.made_up import EVIL

CONFIG = Config(node=NodeConfig(name="pi"), stands={"bench": StandConfig(things=("relays",), title="Bench 1")})


class Pages:
    """The forms as anna, an administrator, sends them from her browser."""

    def __init__(self, hub: Any, client: httpx2.AsyncClient) -> None:
        self.hub = hub
        self.client = client

    async def see(self, path: str) -> str:
        """A page that is there."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def send(self, path: str, **fields: Any) -> httpx2.Response:
        """A form."""
        return await self.client.post(path, data=fields)

    async def grants(self, name: str) -> tuple[str, ...]:
        """Somebody's rights in the record."""
        person = await self.hub.site.people.persons.get(name)
        return () if person is None else person.grants

    async def save(self, name: str, *rights: str, **more: Any) -> httpx2.Response:
        """The form of rights with these rows and an empty one, as if it had been opened just now."""
        pairs = [right.partition("@")[::2] for right in (*rights, "")]
        fields = {"do": "rights", "stamp": stamp_of(await self.grants(name))} | more
        role, where = [role for role, _ in pairs], [where for _, where in pairs]
        return await self.client.post(f"/people/{name}", data={**fields, "role": role, "where": where})

    async def lines(self) -> list[tuple[str, str, str]]:
        """(act, thing, origin) of each line about people, oldest first."""
        page = await self.hub.site.ledger.page(Wanted(kind="people"))
        return [(line.name, line.thing, line.origin) for line in reversed(page.lines)]


@pytest.fixture
async def pages(start_hub, tmp_path: Path) -> AsyncIterator[Pages]:
    """A hub without a bus; ada and anna are administrators who can come in."""
    async with start_hub(tmp_path / "data", CONFIG) as hub:
        await hub.knows("ada")
        await hub.knows("anna")
        yield Pages(hub, await hub.person("anna"))


async def test_an_invitation_is_shown_once(pages: Pages) -> None:
    """The answer to the form has the link, and no page after it."""
    answer = await pages.send(
        "/people", do="invite", name="bob", title="Bob", role="operator", where="bench", life="3600"
    )
    assert answer.status_code == 200
    url = re.search(r"http://[^<\s]+/login\?token=[\w-]+", answer.text)
    assert url is not None
    assert (await pages.hub.stranger.get(url.group())).status_code == 200
    assert await pages.grants("bob") == ("operator@bench",)
    assert url.group() not in await pages.see("/people")
    assert "invited" in await pages.see("/people/bob")
    assert await pages.lines() == [("user.add", "bob", "page"), ("link.made", "bob", "page")]
    without = await pages.send("/people", do="invite", name="eve", role="", where="bench", life="86400")
    assert without.status_code == 200
    assert await pages.grants("eve") == ()


async def test_what_is_refused_stays_in_the_form(pages: Pages) -> None:
    """Taken, no good name, a length of one's own; nothing is made."""
    fields = {"do": "invite", "name": "ada", "title": EVIL, "role": "engineer", "where": "bench", "life": "3600"}
    for change, status, said in (
        ({}, 409, "Somebody is called ada here already. Did you mean ada-2?"),
        ({"name": "Ada L"}, 400, "Did you mean ada-l?"),
        ({"name": "eve", "role": "admin"}, 400, "Did you mean engineer@bench?"),
        ({"name": "eve", "life": "999999999"}, 422, "Choose for how long it is good"),
        ({"name": "eve", "where": "a b"}, 400, "cannot be the name of a stand"),
    ):
        answer = await pages.send("/people", **fields | change)
        assert answer.status_code == status
        assert said in answer.text
        assert "&lt;script&gt;" in answer.text and "<script>alert" not in answer.text
    assert (await pages.send("/people", do="fly")).status_code == 422
    assert (await pages.send("/people/ada", do="fly")).status_code == 422
    assert await pages.lines() == []


async def test_a_guest_link_is_made_and_ended(pages: Pages) -> None:
    """And its page says so."""
    answer = await pages.send("/people", do="guest", name="visitors", where="bench", life="604800")
    assert re.search(r"/guest\?key=[\w-]+", answer.text)
    (guest,) = await pages.hub.site.people.guests.all()
    wrong = await pages.send("/people", do="guest", name="visitors", where="bench", life="3600")
    assert wrong.status_code == 409
    assert 'value="visitors"' in wrong.text
    ended = await pages.send("/people", do="end-guest", id=guest.id)
    assert (ended.status_code, ended.headers["location"]) == (303, "/people?said=guest-ended")
    assert "The guest link has ended" in await pages.see("/people?said=guest-ended")
    assert (await pages.send("/people", do="end-guest", id=guest.id)).status_code == 404


async def test_rights_are_saved_as_rows(pages: Pages) -> None:
    """A row without a role is none; looking first changes nothing; another row is there when asked for."""
    await pages.send("/people", do="invite", name="bob", role="viewer", where="", life="3600")
    looked = await pages.save("bob", "viewer", "operator@bench", do="preview")
    assert looked.status_code == 200
    assert "Sees everything. Switches stand Bench 1." in looked.text
    assert "not saved yet" in looked.text
    assert await pages.grants("bob") == ("viewer",)
    more = await pages.save("bob", "viewer", do="more")
    assert more.text.count('name="role"') == looked.text.count('name="role"')
    saved = await pages.save("bob", "viewer", "operator@bench")
    assert (saved.status_code, saved.headers["location"]) == (303, "/people/bob?said=rights")
    assert await pages.grants("bob") == ("operator@bench", "viewer")
    same = await pages.save("bob", "viewer", "operator@bench")
    assert same.headers["location"] == "/people/bob?said=same"
    wrong = await pages.save("bob", "viewer", "admin@bench")
    assert wrong.status_code == 400
    assert 'value="admin" selected' in wrong.text
    assert (await pages.save("bob")).status_code == 303
    assert await pages.grants("bob") == ()
    assert [name for name, *_ in await pages.lines()].count("user.rights") == 2


async def test_nobody_overwrites_what_another_changed(pages: Pages) -> None:
    """The second one is told what holds now, and what they chose is still there."""
    await pages.send("/people", do="invite", name="bob", role="viewer", where="", life="3600")
    stamp = stamp_of(("viewer",))
    assert (await pages.save("bob", "engineer@bench", stamp=stamp)).status_code == 303
    late = await pages.save("bob", "operator", stamp=stamp)
    assert late.status_code == 409
    assert "what holds now: engineer@bench" in late.text
    assert 'value="operator" selected' in late.text
    assert await pages.grants("bob") == ("engineer@bench",)
    again = re.search(r'name="stamp" value="(\w+)"', late.text)
    assert again is not None
    assert (await pages.save("bob", "operator", stamp=again.group(1))).status_code == 303


async def test_one_does_not_lock_oneself_out_by_mistake(pages: Pages) -> None:
    """It is asked first; the last administrator stays one, and that is said plainly."""
    asked = await pages.save("anna", "operator")
    assert asked.status_code == 200
    assert "You would not be an administrator any more" in asked.text
    assert await pages.grants("anna") == ("admin",)
    gone = await pages.save("anna", "operator", sure="yes")
    assert (gone.status_code, gone.headers["location"]) == (303, "/")
    refused = await pages.client.get("/people", headers={"Accept": "text/html"})
    assert refused.status_code == 403
    ada = Pages(pages.hub, await pages.hub.person("ada"))
    last = await ada.save("ada", "operator", sure="yes")
    assert last.status_code == 409
    assert "ada is the last administrator" in last.text
    for do in ("disable", "remove"):
        answer = await ada.send("/people/ada", do=do)
        assert (answer.status_code, "the last administrator" in answer.text) == (409, True)
    assert await ada.grants("ada") == ("admin",)


async def test_an_account_is_disabled_enabled_and_removed(pages: Pages) -> None:
    """The page says first what that ends; whoever comes with it is out at once."""
    bob = await pages.hub.person("bob", ("viewer",))
    page = await pages.see("/people/bob")
    assert "It ends 1 session and 0 tokens now" in page
    off = await pages.send("/people/bob", do="disable")
    assert off.headers["location"] == "/people/bob?said=disabled"
    assert (await bob.get("/api/me")).status_code == 401
    assert "Enable the account" in await pages.see("/people/bob?said=disabled")
    assert (await pages.send("/people/bob", do="enable")).headers["location"] == "/people/bob?said=enabled"
    named = await pages.send("/people/bob", do="describe", title="Bob B.", note="on loan")
    assert named.status_code == 303
    assert "Bob B." in await pages.see("/people/bob")
    odd = await pages.send("/people/bob", do="describe", title="two\x07lines", note="still here")
    assert odd.status_code == 422
    assert 'value="still here"' in odd.text
    link = await pages.send("/people/bob", do="link")
    assert re.search(r"/login\?token=[\w-]+", link.text)
    assert (await pages.send("/people/bob", do="remove")).headers["location"] == "/people?said=removed"
    assert (await pages.client.get("/people/bob")).status_code == 404
    names = [name for name, *_ in await pages.lines()]
    assert names == ["user.disable", "user.enable", "user.changed", "link.made", "user.remove"]


async def test_sessions_and_tokens_are_ended(pages: Pages) -> None:
    """One, all, and one that is not there any more."""
    browsers = [await pages.hub.person("bob", ("viewer",)) for _ in range(3)]
    program = await pages.hub.program("bob", ("viewer",))
    people = pages.hub.site.people
    first = (await people.sessions.of("bob"))[0].id
    assert (await pages.send("/people/bob", do="end-session", id=first)).status_code == 303
    assert (await pages.send("/people/bob", do="end-session", id=first)).status_code == 404
    assert len(await people.sessions.of("bob")) == 2
    assert (await pages.send("/people/bob", do="end-sessions")).status_code == 303
    assert [(await each.get("/api/me")).status_code for each in browsers] == [401, 401, 401]
    token = (await people.tokens.of("bob"))[0].id
    assert (await pages.send("/people/bob", do="end-token", id=token)).status_code == 303
    assert (await program.get("/api/me")).status_code == 401
    assert "Token “test”." in await pages.see("/people/bob")


async def test_the_pages_say_what_they_are_asked_only(pages: Pages) -> None:
    """A text in the address is shown nowhere; a name that is not there has the nearest."""
    await pages.hub.knows("bob", ("viewer",))
    assert "you-won" not in await pages.see("/people?said=you-won")
    answer = await pages.client.get("/people/bobb", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "Did you mean bob?" in re.sub(r"<[^>]+>", "", answer.text)
    rights = await pages.see(f"/people/rights?who={EVIL}&place={EVIL}")
    assert "<script>alert" not in rights
    assert "Nothing fits" in rights
    ledger = await pages.see("/ledger?kind=people")
    assert "log-ins and people" in ledger
