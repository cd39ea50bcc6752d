"""The Python client: what it asks, what it understands, and how it says what went wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx2
import pytest

from pilothouse.client import Client, NotAllowed, NotConfirmed, Problem, Unreachable, live
from pilothouse.errors import BadName, BadValue, NotThere, PilothouseError, TimedOut
from pilothouse.model import Quality
from pilothouse.testing.hub import ScriptedHub, problem

URL = "http://hub.test:8470"


def client(answer: Callable[[httpx2.Request], httpx2.Response]) -> Client:
    """A client whose requests go to `answer`."""
    return Client(URL, "secret", transport=httpx2.MockTransport(answer))


def ask(status: int, body: object, **headers: str) -> tuple[Client, list[httpx2.Request]]:
    """A client that gets one answer, and what it asked."""
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx2.Response(status, content=content, headers={"content-type": "application/json", **headers})

    return client(answer), seen


def test_a_property_is_read_with_the_token_and_typed() -> None:
    """The token goes along; fields have their types; unknown fields are ignored."""
    hub, seen = ask(200, {"value": 21.5, "time": 5, "quality": "bad", "unit": "Cel", "age_ms": 12, "new": 1})
    with hub:
        now = hub.get("greenhouse/air.temperature")
    assert (now.value, now.quality, now.unit, now.age_ms) == (21.5, Quality.BAD, "Cel", 12)
    assert seen[0].url.path == "/api/things/greenhouse/air/properties/temperature"
    assert seen[0].headers["authorization"] == "Bearer secret"


def test_nodes_and_things_are_typed() -> None:
    """Lists come as typed structs; things can be narrowed to a node."""
    things = [{"node": "a", "thing": "x", "health": {"ok": False, "error": "no answer"}, "properties": {}}]
    things.append({"node": "b", "thing": "y", "health": {}, "properties": {"on": {"value": True, "time": 3}}})
    hub, _ = ask(200, {"time": 1, "nodes": [{"node": "a", "life": "here"}], "things": things})
    with hub:
        assert [node.life for node in hub.nodes()] == ["here"]
        assert [thing.address for thing in hub.things("b")] == ["b/y"]
        assert hub.things()[0].health.error == "no answer"
        assert hub.things()[1].properties["on"].value is True


def test_a_write_carries_value_reason_ttl_and_an_id() -> None:
    """A command has an id of its own, so that a proxy that repeats it does not do it twice."""
    hub, seen = ask(200, {"id": "i", "end": "confirmed", "value": True, "took_ms": 2.5})
    with hub:
        ended = hub.set("greenhouse/fan.on", True, reason="warm", ttl=2)
    assert (ended.end, ended.value, ended.took_ms) == ("confirmed", True, 2.5)
    assert seen[0].method == "PUT"
    assert json.loads(seen[0].content) == {"value": True, "reason": "warm", "ttl": 2}
    assert len(seen[0].headers["idempotency-key"]) == 36


def test_an_action_is_posted_with_its_input_and_the_callers_id() -> None:
    """The caller's own id is the idempotency key."""
    hub, seen = ask(200, {"end": "confirmed", "value": {"passed": 3}})
    with hub:
        assert hub.do("bench/bath.self_test", {"long": True}, id="mine-0001").value == {"passed": 3}
    assert (seen[0].method, seen[0].url.path) == ("POST", "/api/things/bench/bath/actions/self_test")
    assert json.loads(seen[0].content)["input"] == {"long": True}
    assert seen[0].headers["idempotency-key"] == "mine-0001"


@pytest.mark.parametrize(
    ("status", "end"), [(409, "refused"), (502, "failed"), (504, "expired"), (504, "unknown"), (503, "refused")]
)
def test_a_command_that_is_not_confirmed_raises_with_its_outcome(status: int, end: str) -> None:
    """What, why and remedy are the hub's; the whole outcome hangs on the error."""
    body = {"end": end, "id": "x", "detail": "No.", "cause": "so", "remedy": "Wait", "nearest": "5", "value": None}
    hub, _ = ask(status, body, **{"content-type": "application/problem+json"})
    with hub, pytest.raises(NotConfirmed) as caught:
        hub.set("a/b.c", 1)
    error = caught.value
    assert (error.what, error.why, error.remedy, error.nearest) == ("No.", "so", "Wait", "5")
    assert (error.outcome.end, error.outcome.id) == (end, "x")


@pytest.mark.parametrize(
    ("status", "kind"), [(401, NotAllowed), (403, NotAllowed), (404, NotThere), (400, Problem), (500, Problem)]
)
def test_problems_become_errors_of_their_kind(status: int, kind: type[PilothouseError]) -> None:
    """An RFC 9457 answer is an error with what, why, remedy and nearest."""
    body = {"title": "t", "detail": "There is no 'fann'", "remedy": "r", "nearest": "fan"}
    hub, _ = ask(status, body, **{"content-type": "application/problem+json"})
    with hub, pytest.raises(kind) as caught:
        hub.get("a/b.c")
    assert str(caught.value) == "There is no 'fann'. Did you mean 'fan'? r."


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (200, b"<html>", "text/html"),
        (502, b"<html>", "text/html"),
        (200, b"[1", "application/json"),
        (302, b"", "text/plain"),
        (500, b"\xff", "application/json"),
        (200, b'{"value":1,"time":"x"}', "text/plain"),
    ],
)
def test_an_answer_that_no_hub_gives_is_said_plainly(status: int, body: bytes, content_type: str) -> None:
    """Another server, a proxy, broken JSON: one sentence, no traceback."""
    hub, _ = ask(status, body, **{"content-type": content_type})
    with hub, pytest.raises(Problem) as caught:
        hub.get("a/b.c")
    assert "hub" in str(caught.value)
    assert caught.value.remedy


def test_a_stranger_who_refuses_is_about_the_token() -> None:
    """A 401 without a problem document still names the token."""
    hub, _ = ask(401, b"no", **{"content-type": "text/plain"})
    with hub, pytest.raises(NotAllowed, match="token"):
        hub.nodes()


def test_no_hub_there_is_unreachable() -> None:
    """Nobody listens: Unreachable, also for a command, for nothing was done."""
    with Client("http://127.0.0.1:9", "t") as hub:
        with pytest.raises(Unreachable, match="connection refused"):
            hub.nodes()
        with pytest.raises(Unreachable):
            hub.set("a/b.c", 1)


def test_a_link_that_breaks_under_a_command_is_unknown() -> None:
    """The hub may have got it: nobody can say, and the id is told."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("slow", request=request)

    with client(answer) as hub, pytest.raises(TimedOut, match="its id is mine-0001"):
        hub.set("a/b.c", 1, id="mine-0001")
    with client(answer) as hub, pytest.raises(Unreachable, match="did not answer in time"):
        hub.get("a/b.c")


@pytest.mark.parametrize("value", [float("nan"), [1, float("inf")], {"a": -float("inf")}])
def test_no_nan_is_sent(value: object) -> None:
    """JSON would turn a NaN into null, which is another value."""
    hub, seen = ask(200, {})
    with hub, pytest.raises(BadValue):
        hub.set("a/b.c", value)  # type: ignore[arg-type]
    assert not seen


@pytest.mark.parametrize("name", ["a b/c.d", "a/b", "a/b.c d", "../../x/y.z", "a/b.c/../d", "", "A/b.c"])
def test_bad_names_are_not_asked_for(name: str) -> None:
    """A name that breaks the grammar never becomes a path."""
    hub, seen = ask(200, {})
    with hub, pytest.raises(BadName):
        hub.get(name)
    assert not seen


@pytest.mark.parametrize("url", ["127.0.0.1:8470", "ftp://x", "http://", "", "nonsense"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """The error shows how one looks."""
    with pytest.raises(BadValue) as caught:
        Client(url)
    assert caught.value.nearest.startswith("http://")


def test_ledger_and_history_ask_what_they_are_told() -> None:
    """Filters that are not given are not sent."""
    hub, seen = ask(
        200,
        {
            "lines": [{"id": "i", "end": "unknown", "later": [{"end": "confirmed", "time": 4}]}],
            "series": [{"series": "a/b.c", "points": [[1, 0.5, 2, 1.5], [2, None, None, None]], "values": [[3, "x"]]}],
        },
    )
    with hub:
        assert hub.ledger(thing="fan", limit=3)[0].later[0].end == "confirmed"
        found = hub.history(["a/b.c", "a/b.d"], "-1d", 1234, points=9)[0]
    assert found.points[1] == (2, None, None, None)
    assert found.values == [(3, "x")]
    assert dict(seen[0].url.params) == {"thing": "fan", "limit": "3"}
    assert dict(seen[1].url.params) == {"series": "a/b.c,a/b.d", "from": "-1d", "to": "1234", "points": "9"}


@pytest.fixture
def scripted() -> Iterator[ScriptedHub]:
    """A hub that follows a script, over real HTTP."""
    with ScriptedHub() as hub:
        yield hub


def test_watch_gives_a_snapshot_then_changes_and_comes_back(scripted: ScriptedHub) -> None:
    """After a cut link: Lost, a pause, and a fresh snapshot, with no help."""
    thing = {"node": "a", "thing": "b", "health": {"ok": True}, "properties": {"c": {"value": 1, "time": 5}}}
    snapshot = ("snapshot", {"time": 6, "nodes": [], "things": [thing]})
    change = ("change", {"time": 7, "values": [["a", "b", "c", 7, 2.5, "good"]]})
    scripted.streams = [[snapshot, ("beat", {"time": 8}), change], [snapshot, ("news", {}), change]]
    pauses: list[float] = []
    kinds = []
    with Client(scripted.url, "secret") as hub:
        for frame in live.follow(hub._http, ["a/b"], pause=pauses.append):
            kinds.append(type(frame).__name__)
            if len(kinds) == 5:
                break
    assert kinds == ["Snapshot", "Change", "Lost", "Snapshot", "Change"]
    assert pauses == [0.25]
    assert scripted.asked[0].query == {"things": ["a/b"]}
    assert scripted.asked[1].headers["authorization"] == "Bearer secret"


def test_watch_says_that_the_link_is_lost_once_and_waits_longer_each_time() -> None:
    """A hub that is away for long gives one Lost, not a stream of them."""
    snapshot = b'event: snapshot\ndata: {"time": 1}\n\n'
    answers = [200, 0, 0, 503, 200]
    pauses: list[float] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        status = answers.pop(0)
        if not status:
            raise httpx2.ConnectError("[Errno 111] Connection refused", request=request)
        return httpx2.Response(status, content=snapshot, headers={"content-type": "text/event-stream"})

    with client(answer) as hub:
        frames = live.follow(hub._http, [], pause=pauses.append)
        kinds = [type(next(frames)).__name__ for _ in range(3)]
        frames.close()  # type: ignore[attr-defined]
    assert kinds == ["Snapshot", "Lost", "Snapshot"]
    assert pauses == [0.25, 0.5, 1.0, 2.0]


def test_watch_raises_when_the_first_link_does_not_work(scripted: ScriptedHub) -> None:
    """A wrong token and a missing hub are errors at once, not something to wait for."""
    scripted.answers["GET /api/live"] = problem(401, "Who are you?")
    with Client(scripted.url, "old") as hub, pytest.raises(NotAllowed, match="Who are you"):
        next(hub.watch())
    with Client("http://127.0.0.1:9", "t") as hub, pytest.raises(Unreachable):
        next(hub.watch())


def test_a_frame_that_is_nonsense_is_a_problem(scripted: ScriptedHub) -> None:
    """Half a version apart: said, not guessed."""
    scripted.streams = [[("snapshot", {"time": "yesterday"})]]
    with Client(scripted.url, "t") as hub, pytest.raises(Problem, match="does not understand"):
        next(hub.watch())


def test_health_needs_no_token(scripted: ScriptedHub) -> None:
    """`health` is what anybody may ask."""
    with Client(scripted.url) as hub:
        assert hub.health().status == "ok"
    assert "authorization" not in scripted.asked[0].headers
