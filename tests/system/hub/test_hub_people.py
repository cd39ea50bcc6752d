"""People over REST on a real hub: added, given rights, let in by links, ended; and each change in the ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pilothouse.bus.messages import Described
from pilothouse.config.site import Config, NodeConfig, StandConfig
from pilothouse.record.rows import Wanted
from support import made_up

CONFIG = Config(
    node=NodeConfig(name="pi"),
    stands={"bench": StandConfig(things=("relays",), title="Bench 1"), "dark": StandConfig(things=("host",))},
)


@pytest.fixture
async def house(start_hub, tmp_path: Path) -> AsyncIterator[Any]:
    """A hub without a bus that knows two stands and two things; ada is an administrator who can come in."""
    async with start_hub(tmp_path / "data", CONFIG) as hub:
        for description in (made_up.relays(), made_up.host()):
            hub.site.directory.described(Described(node="pi", epoch=7, thing=description.name, description=description))
        await hub.knows("ada")
        yield hub


async def told(hub: Any, name: str) -> list[Any]:
    """The lines of the ledger of that name, the newest first."""
    return [line for line in (await hub.site.ledger.page(Wanted(kind="people"))).lines if line.name == name]


def kind_of(answer: httpx2.Response) -> tuple[int, str]:
    """Status and kind of a problem."""
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def test_somebody_is_added_changed_and_removed(house: Any) -> None:
    """Each change is a line with who, from where, and what was before."""
    made = await house.client.post("/api/people/bob", json={"title": "Bob", "rights": ["viewer", "operator@bench"]})
    assert made.status_code == 200
    assert made.json() == await _person(house, "bob")
    assert made.json()["rights"] == ["operator@bench", "viewer"]
    assert (made.json()["active"], made.json()["has_password"], made.json()["seen"]) == (True, False, 0)
    changed = await house.client.patch(
        "/api/people/bob", json={"rights": ["engineer@bench"], "title": "B", "note": "n"}
    )
    assert (changed.json()["rights"], changed.json()["title"], changed.json()["note"]) == (["engineer@bench"], "B", "n")
    assert (await house.client.patch("/api/people/bob", json={"rights": ["engineer@bench"]})).status_code == 200
    (line,) = await told(house, "user.rights")
    assert (line.thing, line.who, line.origin, line.input) == ("bob", "ada", "api", {"from": "127.0.0.1"})
    assert line.detail == "Rights: operator@bench, viewer → engineer@bench."
    assert [each.detail for each in await told(house, "user.changed")] == ["Title: “Bob” → “B”. Another note."]
    off = await house.client.patch("/api/people/bob", json={"active": False})
    assert off.json()["active"] is False
    on = await house.client.patch("/api/people/bob", json={"active": True})
    assert on.json()["active"] is True
    assert [each["name"] for each in (await house.client.get("/api/people")).json()["people"]] == ["ada", "bob"]
    assert (await house.client.delete("/api/people/bob")).json() == {"name": "bob"}
    assert kind_of(await house.client.get("/api/people/bob")) == (404, "not-there")
    for name in ("user.add", "user.disable", "user.enable", "user.remove"):
        assert [each.thing for each in await told(house, name)] == ["bob"], name


async def _person(house: Any, name: str) -> Any:
    return (await house.client.get(f"/api/people/{name}")).json()


async def test_bad_changes_change_nothing_and_say_why(house: Any) -> None:
    """With the nearest right thing, and no line in the ledger."""
    put, fix = house.client.post, house.client.patch
    assert kind_of(await put("/api/people/ada", json={})) == (409, "taken")
    assert (await put("/api/people/ada", json={})).json()["nearest"] == "ada-2"
    assert kind_of(await put("/api/people/Ada L", json={})) == (400, "bad-name")
    assert kind_of(await put("/api/people/rights", json={})) == (400, "bad-name"), "its page would be the matrix"
    answer = await put("/api/people/eve", json={"rights": ["admin@bench"]})
    assert (*kind_of(answer), answer.json()["nearest"]) == (400, "bad-name", "engineer@bench")
    assert kind_of(await put("/api/people/eve", json={"role": "admin"})) == (422, "bad-shape")
    assert kind_of(await put("/api/people/eve", json={"title": "x" * 101})) == (422, "bad-shape")
    assert kind_of(await put("/api/people/eve", content="{")) == (415, "bad-type")
    assert kind_of(await fix("/api/people/adda", json={"active": False})) == (404, "not-there")
    assert (await fix("/api/people/adda", json={})).json()["nearest"] == "ada"
    for change in ({"active": False}, {"rights": ["operator"]}):
        assert kind_of(await fix("/api/people/ada", json=change)) == (409, "last-admin")
    assert kind_of(await house.client.delete("/api/people/ada")) == (409, "last-admin")
    assert (await _person(house, "ada"))["rights"] == ["admin"]
    assert (await house.site.ledger.page(Wanted(kind="people"))).lines == []


async def test_a_link_is_told_once_and_lets_in_once(house: Any) -> None:
    """Whoever has it chooses a password; it stands in no list and no line. A disabled account gets none."""
    await house.client.post("/api/people/bob", json={"rights": ["viewer@bench"]})
    made = await house.client.post("/api/people/bob/link", json={"kind": "invite", "hours": 2})
    url = made.json()["url"]
    secret = url.rpartition("=")[2]
    assert url.startswith(house.url + "/login?token=")
    assert 7_100_000 < made.json()["expires"] - house.site.clock.now() <= 7_200_000
    for path in ("/api/people", "/api/people/bob", "/api/ledger", "/people", "/people/bob"):
        assert secret not in (await house.client.get(path)).text, path
    assert (await house.stranger.get(url)).status_code == 200
    assert await house.site.people.links.use(secret) is not None
    assert await house.site.people.links.use(secret) is None
    assert (await house.client.post("/api/people/bob/link")).status_code == 200, "a body is not needed"
    assert [each.detail[:18] for each in await told(house, "link.made")] == ["It sets a password"] * 2
    await house.client.patch("/api/people/bob", json={"active": False})
    assert kind_of(await house.client.post("/api/people/bob/link")) == (409, "disabled")
    assert kind_of(await house.client.post("/api/people/nobody-here/link")) == (404, "not-there")
    assert kind_of(await house.client.post("/api/people/bob/link", json={"kind": "first"})) == (422, "bad-shape")


async def test_sessions_and_tokens_of_others_are_ended(house: Any) -> None:
    """Whoever comes with one is out at once; an id of somebody else's ends nothing."""
    bob, program = await house.person("bob", ("viewer",)), await house.program("bob", ("viewer",))
    assert (await bob.get("/api/me")).status_code == 200
    (session,) = (await house.client.get("/api/people/bob/sessions")).json()["sessions"]
    (token,) = (await house.client.get("/api/people/bob/tokens")).json()["tokens"]
    for path in (f"/api/people/ada/sessions/{session['id']}", f"/api/people/ada/tokens/{token['id']}"):
        assert kind_of(await house.client.delete(path)) == (404, "not-there")
    assert (await bob.get("/api/me")).status_code == 200
    assert (await house.client.delete(f"/api/people/bob/sessions/{session['id']}")).status_code == 200
    assert (await bob.get("/api/me")).status_code == 401
    assert (await program.get("/api/things")).status_code == 200
    assert (await house.client.delete(f"/api/people/bob/tokens/{token['id']}")).status_code == 200
    assert (await program.get("/api/things")).status_code == 401
    assert [each.thing for each in await told(house, "session.ended")] == ["bob"]
    assert [each.detail for each in await told(house, "token.ended")] == ["Token “test”."]
    assert kind_of(await house.client.get("/api/people/bobb/tokens")) == (404, "not-there")


async def test_disabling_ends_all_that_is_open(house: Any) -> None:
    """And the line says how much that was."""
    bob, program = await house.person("bob", ("viewer",)), await house.program("bob", ("viewer",))
    assert (await house.client.patch("/api/people/bob", json={"active": False})).json()["sessions"] == 0
    assert (await bob.get("/api/me")).status_code == 401
    assert (await program.get("/api/things")).status_code == 401
    (line,) = await told(house, "user.disable")
    assert line.detail == "It ended 1 session and 1 token."


async def test_rights_hold_at_once(house: Any) -> None:
    """What somebody may see is there with the next request, and gone with the one after."""
    bob = await house.person("bob", ())
    assert (await bob.get("/api/things")).json()["things"] == []
    await house.client.patch("/api/people/bob", json={"rights": ["viewer@bench"]})
    assert [each["thing"] for each in (await bob.get("/api/things")).json()["things"]] == ["relays"]
    await house.client.patch("/api/people/bob", json={"rights": []})
    assert (await bob.get("/api/things")).json()["things"] == []


async def test_guests_look_on_until_the_link_ends(house: Any) -> None:
    """At their stand only; a stand that is not there is said with the nearest."""
    made = await house.client.post("/api/guests", json={"name": "visitors", "stand": "bench", "days": 1})
    url, guest = made.json()["url"], made.json()["guest"]
    assert (guest["name"], guest["where"], guest["made_by"]) == ("visitors", "bench", "ada")
    key = url.rpartition("=")[2]
    assert key not in (await house.client.get("/api/guests")).text
    async with httpx2.AsyncClient(base_url=house.url, headers={"Origin": house.url}, trust_env=False) as visitor:
        assert (await visitor.get(url)).status_code == 200
        assert (await visitor.post("/guest", data={"key": key})).status_code == 303
        assert [each["thing"] for each in (await visitor.get("/api/things")).json()["things"]] == ["relays"]
        assert (await visitor.get("/api/people")).status_code == 403
        assert (await house.client.get("/api/guests")).json()["guests"][0]["sessions"] == 1
        assert (await house.client.delete(f"/api/guests/{guest['id']}")).json() == {"id": guest["id"]}
        assert (await visitor.get("/api/things")).status_code == 401
    assert [each.thing for each in await told(house, "guest.made")] == ["visitors"]
    assert (await told(house, "guest.ended"))[0].detail == "For stand bench; it ended 1 session."
    assert kind_of(await house.client.delete(f"/api/guests/{guest['id']}")) == (404, "not-there")
    missed = await house.client.post("/api/guests", json={"name": "v", "stand": "bensh"})
    assert (*kind_of(missed), missed.json()["nearest"]) == (404, "not-there", "bench")
    for bad in (
        {"stand": "bench"},
        {"name": "v", "stand": "bench", "days": 400},
        {"name": "v", "stand": "bench", "x": 1},
    ):
        assert kind_of(await house.client.post("/api/guests", json=bad)) == (422, "bad-shape")


async def test_the_matrix_as_data(house: Any) -> None:
    """Every place with the role of each; what only administrators see is named."""
    await house.client.post("/api/people/bob", json={"rights": ["operator@bench"]})
    await house.client.post("/api/guests", json={"name": "visitors", "stand": "bench"})
    found = (await house.client.get("/api/rights")).json()
    assert [each["name"] for each in found["people"]] == ["ada", "bob", "guest:visitors"]
    roles = {(each["kind"], each["where"]): each["roles"] for each in found["places"]}
    assert roles["site", ""] == {"ada": "admin"}
    assert roles["stand", "bench"] == {"ada": "admin", "bob": "operator", "guest:visitors": "viewer"}
    assert roles["thing", "pi/relays"] == roles["stand", "bench"]
    assert found["unseen"] == ["pi/host"]


@pytest.mark.parametrize("rights", [("engineer",), ("viewer@bench",), ()])
async def test_nobody_else_may(rights: tuple[str, ...], house: Any) -> None:
    """Neither by REST nor by page, and a refusal names nobody."""
    bob = await house.person("bob", rights)
    page = {"Accept": "text/html"}
    for method, path in (
        ("GET", "/api/people"), ("GET", "/api/people/ada"), ("POST", "/api/people/eve"), ("PATCH", "/api/people/ada"),
        ("DELETE", "/api/people/ada"), ("POST", "/api/people/ada/link"), ("GET", "/api/people/ada/sessions"),
        ("DELETE", "/api/people/ada/sessions/x"), ("GET", "/api/people/ada/tokens"), ("GET", "/api/rights"),
        ("DELETE", "/api/people/ada/tokens/x"), ("GET", "/api/guests"), ("POST", "/api/guests"),
        ("DELETE", "/api/guests/x"),
    ):  # fmt: skip
        assert kind_of(await bob.request(method, path, json={} if method != "GET" else None)) == (403, "rights"), path
    for method, path in (
        ("GET", "/people"), ("POST", "/people"), ("GET", "/people/rights"), ("GET", "/people/ada"),
        ("POST", "/people/ada"), ("GET", "/people/nobody-here"),
    ):  # fmt: skip
        answer = await bob.request(method, path, headers=page)
        assert answer.status_code == 403, path
        assert "ada" not in answer.text
    reader = await house.program("ada", ("admin",), scope="operate")
    assert (await reader.get("/api/people")).status_code == 403, "a token is for less than its owner may"
    bench = await house.program("ada", ("admin",), only="bench")
    assert (await bench.get("/api/people")).status_code == 403
