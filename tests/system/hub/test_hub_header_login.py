"""Log-in by a header of a trusted proxy, through the whole hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from pilothouse.config.site import Config, HubConfig, NodeConfig, ProxyLoginConfig

LOGIN = ProxyLoginConfig(user_header="X-Remote-User", groups_header="X-Remote-Groups")
PUBLIC = "https://pilot.example"


def _config(proxy: str) -> Config:
    return Config(
        node=NodeConfig(name="pi"),
        hub=HubConfig(behind_proxy=(proxy,), public_url=PUBLIC),
        proxy_login=LOGIN,
        groups={"lab": ("viewer",), "it": ("admin",)},
    )


@pytest.fixture
async def hub(start_hub, tmp_path) -> AsyncIterator[Any]:
    """A hub that believes a proxy on this machine."""
    async with start_hub(tmp_path / "data", _config("127.0.0.1")) as hub:
        yield hub


def _as(name: str, groups: str = "", **more: str) -> dict[str, str]:
    """Headers as the proxy sends them."""
    return {"X-Remote-User": name, "X-Remote-Groups": groups, "X-Forwarded-Proto": "https", **more}


@pytest.fixture
def stranger(hub):
    """A client that brings nothing of its own; the hub's address is the public one here, so it says where it is."""
    hub.stranger.base_url = f"http://127.0.0.1:{hub.port}"
    return hub.stranger


async def test_the_proxy_says_who_it_is(hub, stranger):
    """And their groups; the next request may say something else."""
    answer = await stranger.get("/api/me", headers=_as("lovelace", "lab, others"))
    assert answer.status_code == 200 and answer.json()["who"] == "lovelace"
    assert (await stranger.get("/people", headers=_as("lovelace", "lab"))).status_code == 403
    assert (await stranger.get("/people", headers=_as("lovelace", "it"))).status_code == 200
    assert (await stranger.get("/api/me", headers=_as("grace"))).json()["who"] == "grace"
    assert (await stranger.get("/api/me")).status_code == 401


async def test_nobody_else_says_it(start_hub, tmp_path):
    """From another address the header is worth nothing, whatever else is written into it."""
    async with start_hub(tmp_path / "data", _config("192.0.2.7")) as hub:
        hub.stranger.base_url = f"http://127.0.0.1:{hub.port}"
        for more in ({}, {"X-Forwarded-For": "192.0.2.7"}, {"X-Real-IP": "192.0.2.7"}, {"Forwarded": "for=192.0.2.7"}):
            assert (await hub.stranger.get("/api/me", headers=_as("lovelace", "it") | more)).status_code == 401
        assert await hub.site.people.persons.get("lovelace") is None


async def test_a_page_of_another_site_cannot_act_in_their_name(hub, stranger):
    """The header comes with every request, like a cookie; so it takes the same word of our own page."""
    for origin in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await stranger.post("/api/stop", json={"kind": "hard"}, headers=_as("lovelace", "it", **origin))
        assert answer.status_code == 403 and answer.json()["type"].endswith("wrong-origin")


async def test_a_token_and_a_session_go_before_the_header(hub, stranger):
    """A program behind the proxy is itself; a token that is wrong is not helped by the header."""
    as_owner = _as("lovelace", "it", Authorization=f"Bearer {hub.token}")
    assert (await stranger.get("/api/me", headers=as_owner)).json()["who"] == "ada"
    wrong = _as("lovelace", "it", Authorization="Bearer wrong")
    assert (await stranger.get("/api/me", headers=wrong)).status_code == 401


@pytest.mark.parametrize("name", ["Ada Lovelace", "owner", "x" * 80, "ada"])
async def test_a_name_that_cannot_be_theirs_is_refused(hub, stranger, name):
    """Bad ones, reserved ones, and that of an own account (the owner of the test's token)."""
    answer = await stranger.get("/api/me", headers=_as(name, "it"))
    assert answer.status_code in (400, 403) and answer.json()["detail"]


async def test_two_names_are_none(hub, stranger):
    """A browser's own header beside the proxy's, where the proxy adds instead of replacing."""
    headers = [("X-Remote-User", "lovelace"), ("X-Remote-User", "grace"), ("X-Remote-Groups", "it")]
    assert (await stranger.get("/api/me", headers=headers)).status_code == 400
