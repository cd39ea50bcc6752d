"""What somebody may not see does not exist for them: not by name, by id, by filter, by what is near, nor live."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator

import pytest

from support.attacks.callers import PEOPLE, SEES, TOKENS, never
from support.attacks.hearing import Heard, wait_for, words_in
from support.attacks.world import World

LOOKING = [*PEOPLE, *TOKENS, "guest"]
"""Everybody who is let in and is no machine."""
BLIND = [caller for caller in LOOKING if caller not in SEES["wombat"]]
"""Those of them for whom there is no wombat; "dugong" is as long a word, and nobody's."""
PATHS = [
    "/api/things/lab-wombat/bath-wombat",
    "/api/things/pi-heron/bath-wombat",
    "/api/things/lab-wombat/bath-wombat/description",
    "/api/things/lab-wombat/bath-wombat/properties/heater",
    "/api/things/lab-wombat/bath-wombat/properties/heater?explain",
    "/api/things/lab-wombat/bath-wombat/actions/heal",
    "/api/nodes/lab-wombat/lanes",
    "/api/stands/wet-wombat",
    "/api/ledger/command-wombat",
    "/api/ledger?node=lab-wombat",
    "/api/ledger?thing=bath-wombat",
    "/api/ledger?who=wombat",
    "/api/ledger?before=command-wombat",
    "/api/events?node=lab-wombat",
    "/api/events?thing=teller-wombat",
    "/api/history?series=lab-wombat/teller-wombat.said",
    "/api/history?series=lab-wombat/bath-wombat.temperature,pi-heron/relays-quokka.switched",
    "/api/live?things=lab-wombat/bath-wombat",
    "/things/lab-wombat/bath-wombat",
    "/nodes/lab-wombat",
    "/stands/wet-wombat",
    "/ledger/command-wombat",
    "/ledger?node=lab-wombat",
    "/ledger?q=wombat",
    "/ledger?before=command-wombat",
]
CALLS = [
    ("PUT", "/api/things/lab-wombat/bath-wombat/properties/heater", {"value": True}),
    ("POST", "/api/things/lab-wombat/bath-wombat/actions/heal", {"input": {}}),
    ("POST", "/api/confirmations", {"node": "lab-wombat", "thing": "bath-wombat", "name": "heater", "input": True}),
    ("POST", "/api/stands/wet-wombat/lease", {"do": "take"}),
    ("DELETE", "/api/commands/command-wombat", None),
    ("POST", "/stands/wet-wombat/lease", None),
]


def plain(world: World, caller: str, method: str, path: str, body: object) -> tuple[object, ...]:
    """All of an answer but the time and the word that was asked for."""
    answer = world.call(caller, method, path, **({} if body is None else {"json": body}))
    text = answer.text.replace("dugong", "wombat").replace("Dugong", "Wombat")
    text = re.sub(r'("time":|"from":|"to":|data-now="|datetime="|id: )[0-9]+', r"\1", text)
    head = {name: value for name, value in answer.headers.multi_items() if name not in ("date", "content-length")}
    return answer.status_code, head, text


@pytest.mark.parametrize("caller", BLIND)
def test_what_is_hidden_answers_as_what_is_not_there(world: World, caller: str) -> None:
    """Byte for byte, but for the name asked and the time: somebody who guesses names learns nothing."""
    for method, path, body in [*(("GET", path, None) for path in PATHS), *CALLS]:
        there = plain(world, caller, method, path, body)
        other = str(body).replace("wombat", "dugong") if body else ""
        nowhere = path.replace("wombat", "dugong")
        made_up = (
            None
            if body is None
            else {k: str(v).replace("wombat", "dugong") if isinstance(v, str) else v for k, v in body.items()}
        )
        assert there == plain(world, caller, method, nowhere, made_up), f"{caller}: {method} {path} {other}"


@pytest.mark.parametrize("caller", BLIND)
def test_the_nearest_name_is_none_that_is_hidden(world: World, caller: str) -> None:
    """A slip of a key away from a hidden name finds nothing of it."""
    for path in (
        "/api/things/lab-womba/bath-womba",
        "/api/things/pi-heron/sensor-numba",
        "/api/nodes/lab-womba/lanes",
        "/api/stands/wet-womba",
        "/things/lab-womba/bath-womba",
        "/things/pi-heron/sensor-numba",
        "/nodes/lab-womba",
        "/stands/wet-womba",
    ):
        answer = world.call(caller, "GET", path, headers={"Accept": "text/html"})
        assert answer.status_code == 404
        assert not words_in(answer, tuple(word for word in never(caller) if word not in path)), path


FILTERS = [
    "",
    "?limit=1",
    "?limit=2",
    "?kind=site",
    "?kind=action",
    "?end=confirmed",
    "?who=ada",
    "?q=for",
    "?q=o",
    "?who=wilma",
    "?thing=wet-wombat",
    "?origin=page",
    "?kind=people",
    "?name=tell",
    "?q=zebra",
]


@pytest.mark.parametrize("caller", LOOKING)
def test_the_ledger_shows_nothing_of_what_is_hidden(world: World, caller: str) -> None:
    """Under any filter, on any page of it, as JSON and as a page; `next` leads on and names nothing."""
    words = never(caller)
    for query in FILTERS:
        said = tuple(word for word in words if word not in query)
        for path in (f"/api/ledger{query}", f"/ledger{query}"):
            answer = world.call(caller, "GET", path, headers={"Accept": "text/html"})
            assert answer.status_code in (200, 400), (path, answer.text[:300])
            assert not words_in(answer, said), path
    hidden = {id for (id, thing) in world.rows("SELECT id, thing FROM command") if any(w in thing for w in words)}
    hidden |= (
        {id for (id,) in world.rows("SELECT id FROM command WHERE kind = 'people'")} if "zebra" in words else set()
    )
    before, read = "", set()
    while True:
        page = world.call(caller, "GET", f"/api/ledger?limit=2&before={before}").json()
        read |= {line["id"] for line in page["lines"]} | {page["next"]}
        before = page["next"]
        if not before:
            break
    assert not read & hidden, "an id of a line that is hidden was told"


@pytest.fixture
def streams(world: World) -> Iterator[dict[str, Heard]]:
    """An open stream of everybody who is let in."""
    with contextlib.ExitStack() as stack:
        heard = {caller: stack.enter_context(world.stream(caller)) for caller in LOOKING}
        for each in heard.values():
            each.wait(b"event: snapshot")
        yield heard


def all_hear(streams: Iterable[Heard]) -> None:
    """Wait until each has been sent a beat from now on, and so everything that was before it."""
    marks = [(each, each.text.count(b"event: beat") + 1) for each in streams]
    for each, count in marks:
        each.wait(b"event: beat", times=count)


def nothing_hidden_in(streams: dict[str, Heard]) -> None:
    """No stream holds a word that is hidden from whose it is."""
    for caller, each in streams.items():
        text = each.text.lower()
        assert not [word for word in never(caller) if word.encode() in text], caller


def test_a_stream_carries_what_may_be_seen_and_no_more(world: World, streams: dict[str, Heard]) -> None:
    """The snapshot and the changes of a while in which everything changes: commands, events, leases."""
    for address in ("pi-heron/teller-dingo", "pi-heron/sensor-numbat", "lab-wombat/teller-wombat"):
        word = address.rpartition("-")[2]
        for value in (f"{word} one", f"{word} two"):
            path = f"/api/things/{address}/properties/mood"
            assert world.call("ada", "PUT", path, json={"value": value}).status_code == 200
        assert world.call("ada", "POST", f"/api/things/{address}/actions/tell", json={"input": {}}).status_code == 200
    for who, stand in (("eva", "bench-ibis"), ("wilma", "wet-wombat")):
        for do in ("take", "release"):
            assert world.call(who, "POST", f"/api/stands/{stand}/lease", json={"do": do}).status_code == 200
    for caller, each in streams.items():
        for word in ("dingo", "numbat", "wombat"):
            if caller in SEES[word]:
                each.wait(f"{word} two".encode())
    all_hear(streams.values())
    nothing_hidden_in(streams)


def test_an_error_of_a_device_is_told_to_whom_it_concerns(world: World, streams: dict[str, Heard]) -> None:
    """What a device says when it fails, live, on pages and by REST: nobody reads of it who does not see the thing."""
    places = ("pi-heron/teller-dingo", "pi-heron/sensor-numbat", "lab-wombat/teller-wombat")
    for place in places:
        assert world.call("ada", "POST", f"/api/things/{place}/actions/sulk", json={"input": {}}).status_code == 200
    for word in ("dingo", "numbat", "wombat"):
        streams["ada"].wait(f"{word} sulks".encode())
    for caller in LOOKING:
        for path in ("/", "/api/things", "/nodes/pi-heron", "/stands"):
            answer = world.call(caller, "GET", path, headers={"Accept": "text/html"})
            said = tuple(word for word in never(caller) if word not in path)
            assert not words_in(answer, said), (caller, path)
    all_hear(streams.values())
    nothing_hidden_in(streams)
    wait_for(
        lambda: all(world.call("ada", "GET", f"/api/things/{p}").json()["health"]["ok"] for p in places), "all well"
    )


def test_the_stream_of_a_stand_asked_for_by_name_stays_hidden(world: World) -> None:
    """`things=` narrows a stream and opens nothing; no more does the number of an earlier stream."""
    asked: list[tuple[str, dict[str, str]]] = [
        ("?things=lab-wombat/teller-wombat", {}),
        ("?things=pi-heron/relays-quokka,lab-wombat/teller-wombat,pi-heron/sensor-numbat", {}),
        ("", {"Last-Event-ID": "0"}),
        ("", {"Last-Event-ID": "999999999"}),
        ("?things=lab-wombat/teller-wombat&things=&who=ada&for=", {"Last-Event-ID": "1"}),
    ]
    with contextlib.ExitStack() as stack:
        streams = [
            stack.enter_context(world.stream(caller, query, head))
            for query, head in asked
            for caller in ("vito", "guest", "token-bench", "nemo")
        ]
        for each in streams:
            each.wait(b"event: snapshot")
        path = "/api/things/lab-wombat/teller-wombat/properties/mood"
        assert world.call("ada", "PUT", path, json={"value": "wombat again"}).status_code == 200
        all_hear(streams)
        for each in streams:
            assert b"wombat" not in each.text.lower() and b"numbat" not in each.text.lower()
    assert world.call("vito", "GET", "/api/live?for=ada").status_code == 409


def test_vitals_of_a_machine_that_is_hidden_are_not_told(world: World) -> None:
    """`/stats` of the hub's own node gives nobody its name or figures who may not see its host."""
    for caller in ("wilma", "nora", "nemo"):
        for path in ("/stats", "/stats?interval=5"):
            told = world.call(caller, "GET", path)
            assert "heron" not in told.text, (caller, told.text)
            assert told.status_code in (403, 404) or told.json()["cpu"] is None
    for caller in ("vito", "guest", "rita"):
        told = world.call(caller, "GET", "/stats?interval=5").json()
        assert told["cpu"] is None and told["memory"]["total"] is None and told["uptime"] is None, caller


def test_a_stop_names_no_node_and_no_thing_that_is_hidden(world: World) -> None:
    """A stop concerns everybody, and is told to everybody; which other machines there are is not."""
    pressed = world.call("vito", "POST", "/api/stop", json={"reason": "smoke"})
    assert pressed.status_code == 200
    assert not words_in(pressed, never("vito"))
    for caller in LOOKING:
        for path in ("/api/stop", "/stop", "/", "/api/nodes", "/api/things"):
            answer = world.call(caller, "GET", path, headers={"Accept": "text/html"})
            assert not words_in(answer, never(caller)), (caller, path)
    page = world.call("vito", "POST", "/stop", data={"kind": "hard"}, headers={"Accept": "text/html"})
    assert page.status_code == 200 and not words_in(page, never("vito"))
