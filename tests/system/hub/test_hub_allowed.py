"""What pages offer and what the hub does agree: every control of every page is pressed, and none is refused for rights;
what a page leaves out is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from pilothouse.config.site import Config, NodeConfig, StandConfig
from support.controls import controls_of

CONFIG = Config(
    node=NodeConfig(name="pi"),
    stands={"wet": StandConfig(things=("bench",), title="Wet"), "dry": StandConfig(things=("lab/bench",), title="Dry")},
)
PAGES = (
    "/",
    "/nodes/pi",
    "/nodes/lab",
    "/things/pi/bench",
    "/things/lab/bench",
    "/stands/wet",
    "/stands/dry",
    "/stop",
    "/ledger",
    "/api",
)
ALL = {
    f"set {node}/bench.{name}" for node in ("pi", "lab") for name in ("on", "level", "label")
} | {f"call {node}/bench.run" for node in ("pi", "lab")} | {
    "lease wet take", "lease dry take", "press stop", "lift stops", "people", "account",
}  # fmt: skip
"""All that can be done while nobody holds a stand."""


@pytest.fixture
async def site(bus_server, start_hub, start_agent, until) -> AsyncIterator[Any]:
    """A hub with a thing on each of two nodes, each in a stand of its own."""
    async with contextlib.AsyncExitStack() as stack:
        hub = await stack.enter_async_context(start_hub(bus_server.places.data, CONFIG))
        await until(lambda: hub.site.link_up and hub.site.stands._brought, "the stands are brought")
        for node in ("pi", "lab"):
            await stack.enter_async_context(start_agent(node=node))
        there = hub.site.directory
        await until(lambda: [view.life for view in there.nodes()] == ["here", "here"], "two nodes")
        await until(lambda: len(list(there)) == 2, "two things")
        yield hub


async def pressed(client: httpx2.AsyncClient, control: str) -> int:
    """The status of what a control sends."""
    verb, _, what = control.partition(" ")
    address, _, name = what.partition(".")
    if verb == "set":
        value: Any = {"on": True, "level": 5, "label": "a"}[name]
        return (await client.put(f"/api/things/{address}/properties/{name}", json={"value": value})).status_code
    if verb == "call":
        return (await client.post(f"/api/things/{address}/actions/{name}", json={"input": {}})).status_code
    if verb == "lease":
        stand, _, do = what.partition(" ")
        status = (await client.post(f"/api/stands/{stand}/lease", json={"do": do})).status_code
        await client.post(f"/api/stands/{stand}/lease", json={"do": "release"})
        return status
    if control == "press stop":
        return (await client.post("/stop", data={"kind": "hard"})).status_code
    if control == "lift stops":
        return (await client.post("/stop/lift", data={"reason": "all is well"})).status_code
    path = {"people": "/people", "account": "/account"}[control]
    return (await client.get(path, headers={"Accept": "text/html"})).status_code


async def offered(client: httpx2.AsyncClient) -> set[str]:
    """All controls of all pages that can be seen."""
    found: set[str] = set()
    for path in PAGES:
        page = await client.get(path, headers={"Accept": "text/html"})
        assert page.status_code in (200, 404)
        found |= controls_of(page.text)
    return found & ALL


@pytest.mark.parametrize(
    ("rights", "number"),
    [
        (("admin",), 14),
        (("engineer",), 13),
        (("operator",), 12),
        (("viewer",), 2),
        (("operator@wet",), 7),
        (("engineer@wet", "viewer@dry"), 7),
        (("operator@lab/*",), 6),
        ((), 1),
    ],
    ids=lambda value: " ".join(value) or "nobody" if isinstance(value, tuple) else "",
)
async def test_what_is_offered_is_done_and_nothing_else(site, rights: tuple[str, ...], number: int) -> None:
    """A stop holds while pages are drawn for the last two, so that lifting is offered as well."""
    bob = await site.person("bob", rights)
    found = await offered(bob)
    assert (await site.client.post("/api/stop", json={})).status_code == 200
    found |= await offered(bob)
    assert len(found) == number, found
    for control in sorted(ALL, key=lambda each: each == "lift stops"):
        status = await pressed(bob, control)
        assert (status in (403, 404)) == (control not in found), (control, status)
    left = (await site.client.get("/api/stop")).json()["stops"]
    assert (left == []) == ("lift stops" in found)


async def test_explain_says_that_it_is_for_want_of_rights(site) -> None:
    """Before anything else, with the role that it takes and who gives it."""
    viewer = await site.person("vera", ("viewer",))
    for what in ("properties/on", "actions/run"):
        said = (await viewer.get(f"/api/things/pi/bench/{what}?explain")).json()
        assert not said["may"]
        assert said["why_not"][0]["rule"] == "rights"
        assert said["why_not"][0]["text"] == "You may look; switching takes the role operator here."
        assert said["why_not"][0]["remedy"]
    operator = await site.person("otto", ("operator@wet",))
    assert (await operator.get("/api/things/pi/bench/properties/on?explain")).json()["may"]
    assert (await operator.get("/api/things/lab/bench/properties/on?explain")).status_code == 404


async def test_a_stop_says_nothing_of_nodes_that_are_hidden(site, until) -> None:
    """Not by its answer, not by which stops hold, not by its page; that there are others is said."""
    operator = await site.person("otto", ("operator@wet",))
    told = (await operator.post("/api/stop", json={"reason": "smoke"})).json()
    assert [each["node"] for each in told["nodes"]] == ["pi", "(1 other)"]
    await until(lambda: all(view.stops for view in site.site.directory.nodes()), "both obey")
    holds = (await operator.get("/api/stop")).json()
    assert (holds["stops"][0]["nodes"], holds["missing"]) == (["pi", "(1 other)"], [])
    page = await operator.post("/stop", data={"kind": "hard"}, headers={"Accept": "text/html"})
    assert "Node (1 other) is safe" in page.text
    assert "Node lab" not in page.text
    assert ", lab" not in page.text
    nobody = await site.person("nina", ())
    assert (await nobody.get("/api/stop")).json()["stops"] == []


async def test_log_ins_are_in_the_ledger_of_administrators_only(site) -> None:
    """As a kind of its own, on the page and over REST."""
    anna, vera = await site.person("anna"), await site.person("vera", ("viewer",))
    await site.site.audit.note("user.rights", thing="vera", who="anna", origin="page", address="10.9.8.7", detail="x")
    page = await anna.get("/ledger?kind=people", headers={"Accept": "text/html"})
    assert "Rights changed" in page.text
    assert "from 10.9.8.7" in page.text
    assert len((await anna.get("/api/ledger?kind=people")).json()["lines"]) == 1
    assert (await vera.get("/api/ledger?kind=people")).json()["lines"] == []
    for path in ("/ledger", "/ledger?kind=people", "/"):
        assert "10.9.8.7" not in (await vera.get(path, headers={"Accept": "text/html"})).text
