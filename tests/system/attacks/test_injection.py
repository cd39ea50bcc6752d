"""A device, or an agent of somebody else's, whose every word is an attack: pages, REST, stream, terminal and logs show
it as text, or not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from pilothouse.bus import Bus
from pilothouse.bus.address import read_address
from pilothouse.clock import SystemClock
from pilothouse.config.places import Places
from support.attacks.hearing import wait_for
from support.attacks.hostile import NAMES, NODE, TEXTS, HostileAgent
from support.attacks.markup import Page
from support.attacks.world import SEEN, World

PAGES = ["/", f"/nodes/{NODE}", "/ledger", "/stop", "/stands", "/api", "/people", "/people/rights", "/account"]
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
"""Signs that a terminal obeys, or that turn a line around; tab and line feed are ours."""
IGNORED = re.compile(r"[\x00\s\ufeff]+")


@pytest.fixture(scope="module")
def hostile(running: World) -> Iterator[HostileAgent]:
    """The agent, heard by the hub and in the record, with a command of each kind that it has answered."""
    made: list[HostileAgent] = []

    async def start() -> None:
        address = read_address(Places(running.data).bus_address)
        assert address is not None
        bus = await Bus.connect(address, name="agent-stranger", clock=SystemClock())
        agent = HostileAgent(bus)
        await agent.__aenter__()
        await agent.say()
        made.append(agent)

    async def end() -> None:
        await made[0].presence(leaving=True)
        await made[0].die()
        await made[0].bus.close()
        directory = running.site.directory
        for thing in [each for each in directory if each.node == NODE]:
            del directory._things[thing]
        await asyncio.sleep(0)

    running.do(start())
    try:
        wait_for(lambda: len([a for a in running.site.directory if a.node == NODE]) == len(TEXTS), "its things")
        wait_for(lambda: said(running), "its values")
        for thing in TEXTS:
            path = f"/api/things/{NODE}/{thing}"
            reason = {"reason": TEXTS[thing]}
            running.call("ada", "PUT", f"{path}/properties/out", json={"value": True, **reason})
            running.call("ada", "POST", f"{path}/actions/act", json={"input": {"word": TEXTS[thing]}, **reason})
            running.call("ada", "PUT", f"{path}/properties/label", json={"value": TEXTS[thing], **reason})
        wait_for(
            lambda: len(running.call("ada", "GET", f"/api/events?node={NODE}").json()["events"]) >= len(TEXTS), "events"
        )
        yield made[0]
    finally:
        running.do(end())


def said(world: World) -> bool:
    """Whether all of its values are known."""
    views = [view for view in world.site.directory.things() if view.node == NODE]
    return all(view.properties["label"].time for view in views)


def all_pages(world: World) -> list[str]:
    """Every page that shows something of it."""
    ids = [id for (id,) in world.rows("SELECT id FROM command WHERE node = ?", NODE)]
    return [
        *PAGES,
        *(f"/things/{NODE}/{thing}" for thing in TEXTS),
        *(f"/ledger/{id}" for id in ids),
        f"/ledger?node={NODE}",
        f"/things/{NODE}/nothing",
        "/nothing",
    ]


def test_no_word_of_a_device_becomes_part_of_a_page(world: World, hostile: HostileAgent) -> None:
    """No element, attribute, script or address is made from data; what is said is read as it was said."""
    for path in all_pages(world):
        answer = world.page("ada", path)
        assert answer.status_code in (200, 404), (path, answer.status_code)
        page = Page(answer.text)
        assert not page.could_run(), path
        assert not [
            each for each in page.elements if each.name in ("svg/onload", "img") and "x" in each.attributes.values()
        ]
    for thing, text in TEXTS.items():
        shown = IGNORED.sub("", Page(world.page("ada", f"/things/{NODE}/{thing}").text).words)
        if not CONTROL.search(text):
            assert IGNORED.sub("", text) in shown, f"{thing}: its words are not shown as they are"


def test_no_word_is_computed(world: World, hostile: HostileAgent) -> None:
    """Neither templates nor formats: seven times seven stays what it is."""
    words = Page(world.page("ada", f"/things/{NODE}/template").text).words
    assert "{{7*7}}" in words and not re.search(r"(?<![\d.:T-])49(?![\d.:])", words)
    words = Page(world.page("ada", f"/things/{NODE}/format").text).words
    assert "{0.__class__}" in words and "%s%n" in words


def test_rest_gives_words_back_as_json_and_nothing_else(world: World, hostile: HostileAgent) -> None:
    """Typed, not sniffed, and without a raw sign that ends a line; keys that other languages take for their own too."""
    for path in (
        "/api/things",
        "/api/nodes",
        f"/api/nodes/{NODE}/lanes",
        f"/api/events?node={NODE}",
        f"/api/ledger?node={NODE}",
        *(f"/api/things/{NODE}/{thing}{tail}" for thing in TEXTS for tail in ("", "/description")),
    ):
        answer = world.call("ada", "GET", path)
        assert answer.status_code == 200, path
        assert "json" in answer.headers["content-type"] and answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(rb"[\x00-\x09\x0b-\x1f]", answer.content), path
        assert json.loads(answer.content)
    whole = world.call("ada", "GET", f"/api/things/{NODE}/script").json()
    assert whole["properties"]["__proto__"]["value"] == TEXTS["script"]
    assert set(NAMES) <= set(whole["properties"])
    for name in NAMES:
        answer = world.call("ada", "GET", f"/api/things/{NODE}/script/properties/{quote(name, safe='')}")
        assert answer.status_code in (200, 404), name


def test_a_frame_of_the_stream_is_one_event(world: World, hostile: HostileAgent) -> None:
    """No value ends a line or a frame, and none begins an event of its own."""
    with world.stream("ada") as heard:
        heard.wait(b"event: snapshot")
        world.do(hostile.say())
        heard.wait(b"event: change")
        heard.wait(b"event: beat", times=2)
        text = heard.text
    for frame in text.split(b"\n\n")[:-1]:
        lines = frame.split(b"\n")
        assert all(
            re.fullmatch(rb"(id: \d+|event: (snapshot|change|beat|[a-z-]+)|data: .*|retry: \d+|: .*)", line)
            for line in lines
        )
        assert not [line for line in lines if b"\r" in line]
        data = [line for line in lines if line.startswith(b"data: ")]
        assert len(data) <= 1 and all(json.loads(line[6:]) for line in data)


def terminal(world: World, *words: str) -> str:
    """What a verb prints on the terminal of a person, on both its outputs."""
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
    where = ("--url", world.url, "--token-file", str(world.data / "its-token"))
    ours, theirs = pty.openpty()
    asked = [sys.executable, "-m", "pilothouse.cli", *words, *where]
    running = subprocess.Popen(asked, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal says that nobody writes to it any more
        while piece := os.read(ours, 65536):
            shown += piece
    os.close(ours)
    running.wait(60)
    return shown.decode(errors="surrogateescape")


def test_a_terminal_obeys_no_word_of_a_device(world: World, hostile: HostileAgent) -> None:
    """No escape, bell, carriage return or sign that turns a line around reaches the terminal; nor is markup read."""
    token = world.key("token-administer")["Authorization"].partition(" ")[2]
    obeyed: dict[str, set[str]] = {}
    file = Path(world.data / "its-token")
    file.write_text(token)
    file.chmod(0o600)
    for words in (
        ("things",),
        ("get", f"{NODE}/terminal"),
        ("get", f"{NODE}/terminal.label"),
        ("get", f"{NODE}/direction"),
        ("get", f"{NODE}/format"),
        ("ledger", "--node", NODE),
        ("lanes", NODE),
        ("set", f"{NODE}/terminal.out", "true"),
        ("set", f"{NODE}/direction.out", "true"),
        ("do", f"{NODE}/terminal.act"),
        ("confirm", f"{NODE}/terminal.out", "true"),
        ("history", f"{NODE}/terminal.label"),
        ("stand",),
    ):
        shown = terminal(world, *words)
        assert "Traceback" not in shown, (words, shown[-500:])
        if found := set(CONTROL.findall(shown.replace("\r\n", "\n"))):
            obeyed[" ".join(words)] = found
    assert not obeyed, "these verbs print what a terminal obeys"


def test_names_that_look_like_paths_of_a_page_lead_nowhere(world: World, hostile: HostileAgent) -> None:
    """Links of a page that are made from data lead to pages of this hub, and each is written as one path."""
    for path in all_pages(world):
        for element in Page(world.page("ada", path).text).elements:
            href = element.attributes.get("href", "")
            assert not re.search(r"[\s<>\"'\\]", href), (path, href)


def test_words_of_people_are_no_better(world: World) -> None:
    """Titles, notes, reasons, names of tokens and guests: somebody with few rights writes to somebody with many."""
    people = world.site.people
    for number, text in enumerate(TEXTS.values()):
        clean = "".join(sign for sign in text if sign.isprintable() or sign == " ")[:60]
        name = f"word-{number}"
        if world.do(people.persons.get(name)) is None:
            world.do(people.persons.add(name, grants=("operator@bench-ibis",)))
        for setting in (people.persons.set_title(name, clean), people.persons.set_note(name, clean)):
            world.do(setting)
        world.do(people.tokens.make(name, clean or "x", "read", life=60))
        world.do(people.sessions.start(name, "password", address=text[:100], agent=text[:100]))
        path = f"/api/things/{SEEN}/properties/relay_2"
        assert world.call("olga", "PUT", path, json={"value": False, "reason": text}).status_code == 200
        assert world.call(
            "eva", "POST", "/api/stands/bench-ibis/lease", json={"do": "take", "reason": text}
        ).status_code in (200, 423)
        world.call("olga", "POST", "/api/stands/bench-ibis/lease", json={"do": "ask", "note": text[:200]})
    try:
        world.call("eva", "POST", "/api/stop", json={"reason": TEXTS["script"] + TEXTS["attribute"]})
        for path in (
            "/",
            "/stop",
            "/people",
            "/people/rights",
            "/people/word-0",
            "/people/word-2",
            "/ledger",
            "/stands",
            "/stands/bench-ibis",
            f"/things/{SEEN}",
            "/ledger?kind=people",
            "/ledger?kind=site",
        ):
            answer = world.page("ada", path)
            assert answer.status_code == 200, path
            assert not Page(answer.text).could_run(), path
    finally:
        for number in range(len(TEXTS)):
            world.do(people.persons.remove(f"word-{number}"))


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_what_is_typed_comes_back_as_text(world: World, text: str) -> None:
    """Queries and forms whose answer shows them again: filters, log-in, forms that were refused."""
    for path in (
        "/ledger",
        "/login",
        "/people",
        "/people/rights",
        "/account",
        "/stands/bench-ibis",
        "/guest",
        "/nothing",
    ):
        names = (
            "q",
            "who",
            "node",
            "thing",
            "since",
            "until",
            "next",
            "token",
            "said",
            "done",
            "place",
            "name",
            "key",
            "before",
        )
        answer = world.bare(
            "GET", path, headers={**world.key("ada"), "Accept": "text/html"}, params=dict.fromkeys(names, text)
        )
        assert answer.status_code < 500 and not Page(answer.text).could_run(), path
        stranger = world.bare("GET", path, headers={"Accept": "text/html"}, params=dict.fromkeys(names, text))
        assert stranger.status_code < 500 and not Page(stranger.text).could_run(), path
    for caller, path, fields in (
        ("ada", "/people", {"do": "invite"}),
        ("ada", "/people", {"do": "guest"}),
        ("ada", "/people", {"do": text}),
        ("ada", "/people/zed-zebra", {"do": "rights", "role": text}),
        ("ada", "/people/zed-zebra", {"do": text}),
        ("ada", "/account/tokens", {"scope": text}),
        ("ada", "/stands/bench-ibis/lease", {"do": text}),
        ("ada", "/stop/lift", {"reason": ""}),
        ("stranger", "/login", {}),
        ("stranger", "/login", {"token": "wrong"}),
        ("stranger", "/guest", {}),
    ):
        form = {
            **dict.fromkeys(("name", "title", "where", "life", "reason", "note", "to", "next", "days", "stops"), text),
            **fields,
        }
        headers = {**world.headers(caller), "Accept": "text/html"}
        answer = world.bare("POST", path, headers=headers, data=form)
        assert 400 <= answer.status_code < 500, (path, answer.status_code)
        assert not Page(answer.text).could_run(), path
