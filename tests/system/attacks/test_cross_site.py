"""Other sites in the same browser, other names for this machine, and headers that say what is not so."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from support.attacks.callers import SEES
from support.attacks.hearing import problem, words_in
from support.attacks.who_may import TABLE, Ask
from support.attacks.world import SEEN, World

UNSAFE = [(route.partition(" ")[0], ask) for route, asks in TABLE.items() for ask in asks[:1] if route[:4] != "GET "]
GETS = [ask for route, asks in TABLE.items() for ask in asks if route[:4] == "GET "]
RELAY = f"/api/things/{SEEN}/properties/relay_1"


def foreign(url: str) -> list[dict[str, str]]:
    """What the headers of a request are that another site made a browser send, or that nobody can tell."""
    host = urlsplit(url).netloc
    name, _, port = host.partition(":")
    return [
        {},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://evil.example"},
        {"Origin": f"http://{host}.evil.example"},
        {"Origin": f"http://evil.example/{host}"},
        {"Origin": f"http://evil.example#{host}"},
        {"Origin": f"http://evil.example@{name}"},
        {"Origin": f"http://{host}@evil.example"},
        {"Origin": f"http://{name}:1"},
        {"Origin": f"ftp://{host}"},
        {"Origin": f"file://{host}"},
        {"Origin": f"{url} http://evil.example"},
        {"Origin": f"http://localhost:{port}"},
        {"Origin": url, "Sec-Fetch-Site": "cross-site"},
        {"Origin": url, "Sec-Fetch-Site": "same-site"},
        {"Origin": url, "Sec-Fetch-Site": "nonsense"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": ""},
        {"Referer": f"{url}/"},
        {"X-Requested-With": "XMLHttpRequest"},
    ]


@pytest.mark.parametrize(("method", "ask"), UNSAFE, ids=[f"{method} {ask.path}" for method, ask in UNSAFE])
def test_another_site_can_do_nothing_in_my_name(world: World, method: str, ask: Ask) -> None:
    """With the session of an administrator: 403 for every unsafe route, in every form in which a page can send it."""
    cookie = world.key("ada")
    before = world.state()
    for headers in foreign(world.url):
        for body in (
            {"json": ask.json} if ask.json is not None else {"data": ask.form or {}},
            {"content": b'{"value": true}', "headers": {"Content-Type": "text/plain"}},
            {"files": {"reason": ("a.txt", b"x")}},
        ):
            sent = {**cookie, **headers, **body.get("headers", {})}  # type: ignore[dict-item]
            more = {name: given for name, given in body.items() if name != "headers"}
            answer = world.bare(method, ask.path, headers=sent, **more)
            assert answer.status_code in (400, 403), (headers, answer.status_code, answer.text[:200])
    assert world.state() == before


def test_the_same_page_by_another_scheme_is_another_site(world: World) -> None:
    """What answers at https://localhost is not this hub, which answers at http://localhost."""
    headers = {**world.key("ada"), "Host": "localhost", "Origin": "https://localhost"}
    assert world.bare("PUT", RELAY, headers=headers, json={"value": True}).status_code == 403


def test_nothing_is_changed_by_getting_it(world: World) -> None:
    """Every GET, as an administrator: devices, stands, stops, people and the ledger stay as they are."""
    before = world.state()
    for ask in GETS:
        answer = world.call("ada", "GET", ask.path)
        assert answer.status_code < 500 or answer.status_code in ask.well
        for tail in ("?_method=DELETE", "?_method=POST&do=take&value=true", "?method=PUT"):
            world.call("ada", "GET", ask.path.partition("?")[0] + tail)
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        for method in ("GET", "POST"):
            for path in (RELAY, "/api/stop", "/api/stands/bench-ibis/lease", "/api/commands/command-dingo"):
                if (method, path) == ("POST", "/api/stop"):
                    continue
                for pretended in ("PUT", "POST", "DELETE"):
                    world.call("ada", method, path, headers={name: pretended})
    assert world.state() == before


def test_no_other_origin_may_read_anything(world: World) -> None:
    """No header of CORS on any answer or preflight, whoever asks, for whatever origin."""
    for origin in ("http://evil.example", "null", world.url, "https://dash.example", "*"):
        for ask in GETS:
            for caller in ("ada", "stranger", "token-administer"):
                answer = world.call(caller, "GET", ask.path, headers={"Origin": origin})
                assert not [name for name in answer.headers if name.startswith("access-control")], (origin, ask.path)
        for path in (RELAY, "/api/things", "/", "/nonsense"):
            asked = {"Origin": origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x"}
            answer = world.call("ada", "OPTIONS", path, headers=asked)
            assert not [name for name in answer.headers if name.startswith("access-control")], (origin, path)


def test_a_named_origin_reads_with_a_token_and_no_other_does(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only that origin, only the API, never with the browser's own session, never "*"."""
    monkeypatch.setattr(world.app, "_origins", frozenset({"https://dash.example"}))
    named = {"Origin": "https://dash.example"}
    answer = world.call("token-read", "GET", "/api/things", headers=named)
    assert answer.headers["access-control-allow-origin"] == "https://dash.example"
    assert "origin" in answer.headers["vary"].lower()
    assert "access-control-allow-credentials" not in answer.headers
    for origin in (
        "http://dash.example",
        "https://dash.example.evil.example",
        "https://evil.example",
        "https://dash.example:8443",
        "https://DASH.example",
        "null",
        "https://dash.example, https://evil.example",
    ):
        for path in ("/api/things", "/", "/api/nothing"):
            answer = world.call("token-read", "GET", path, headers={"Origin": origin})
            assert "access-control-allow-origin" not in answer.headers, (origin, path)
    for path in ("/", "/stats", "/healthz", "/login", "/static/js/app.js", "/%61pi", "//api/things"):
        assert "access-control-allow-origin" not in world.call("token-read", "GET", path, headers=named).headers, path
    refused = world.bare("PUT", RELAY, headers={**world.key("ada"), **named}, json={"value": True})
    assert refused.status_code == 403
    asked = {**named, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    preflight = world.call("stranger", "OPTIONS", RELAY, headers=asked)
    assert preflight.headers["access-control-allow-origin"] == "https://dash.example"
    assert "access-control-allow-credentials" not in preflight.headers


HOSTS = [
    "evil.example",
    "evil.example:8470",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.example#localhost",
    "localhost@evil.example",
    "evil.example:80@localhost",
    "xn--lcalhost-1bg",
    "0",
    "2130706433",
    "127.1",
    "localhost evil.example",
    "localhost,evil.example",
    "[::1]evil.example",
    "localhost%00.evil.example",
    "localhost/evil.example",
    "localhost\\evil.example",
    "evil.example?localhost",
    "localhost:abc",
]


@pytest.mark.parametrize("host", HOSTS)
def test_a_name_that_somebody_led_here_opens_nothing(world: World, host: str) -> None:
    """DNS rebinding: with a good session or token, pages, REST, files and the stream say nothing; nothing is done."""
    before = world.state()
    for caller in ("ada", "token-administer", "stranger"):
        for path in ("/", "/api/things", "/static/js/app.js", "/healthz", "/login", "/api/live"):
            answer = world.call(caller, "GET", path, headers={"Host": host, "Origin": f"http://{host}"})
            assert answer.status_code in (400, 421), (caller, path, answer.status_code)
            assert not words_in(answer, tuple(SEES))
            assert "set-cookie" not in answer.headers
        put = world.call(caller, "PUT", RELAY, headers={"Host": host, "Origin": f"http://{host}"}, json={"value": True})
        assert put.status_code in (400, 421)
    assert world.state() == before


FORGED = [
    {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"},
    {"Forwarded": 'for=203.0.113.9;host="evil.example";proto=https'},
    {"X-Forwarded-For": "203.0.113.9"},
    {"X-Real-IP": "203.0.113.9", "X-Client-IP": "203.0.113.9", "True-Client-IP": "203.0.113.9"},
    {"X-Original-URL": "/api/people", "X-Rewrite-URL": "/api/people"},
    {"X-Forwarded-Prefix": "/evil.example"},
    {"X-Host": "evil.example", "X-Original-Host": "evil.example", "X-Forwarded-Server": "evil.example"},
    {"X-Remote-User": "ada", "Remote-User": "ada", "X-Forwarded-User": "ada", "X-WEBAUTH-USER": "ada"},
    {"X-Auth-Request-User": "ada", "X-Auth-Request-Groups": "admin", "X-Remote-Groups": "admin"},
    {"X-Forwarded-Scheme": "https", "Front-End-Https": "on", "X-Url-Scheme": "https"},
]


@pytest.mark.parametrize("headers", FORGED, ids=[next(iter(each)) for each in FORGED])
def test_what_a_proxy_would_say_is_not_believed_from_others(world: World, headers: dict[str, str]) -> None:
    """No proxy is named in the configuration: an answer is the same with them as without, and they log nobody in."""
    for path in ("/api/things", "/login", "/", "/api/me"):
        stranger = world.call("stranger", "GET", path, headers=headers)
        plain = world.call("stranger", "GET", path)
        assert (stranger.status_code, stranger.headers.get("location")) == (
            plain.status_code,
            plain.headers.get("location"),
        )
    for path in ("/", f"/api/things/{SEEN}/description", "/api", "/account", "/login?next=/stands"):
        answer = world.call("vito", "GET", path, headers={**headers, "Accept": "text/html"})
        assert "evil.example" not in answer.text + str(answer.headers), path
        assert answer.headers.get("strict-transport-security") is None
        assert "__Host-" not in answer.headers.get("set-cookie", "")
    assert world.call("vito", "GET", "/api/ledger", headers=headers).json()["lines"]
    refused = world.call("vito", "PUT", RELAY, headers=headers, json={"value": True})
    assert refused.status_code == 403 and problem_or_end(refused) == "rights"


def problem_or_end(answer: object) -> str:
    """Why a command was refused, as an answer of either form says."""
    told = answer.json()  # type: ignore[attr-defined]
    return str(told.get("why") or problem(answer)["type"].rpartition(":")[2])  # type: ignore[arg-type]


def test_every_answer_forbids_frames_scripts_and_guesses(world: World) -> None:
    """On each route, for whoever is let in and for strangers: the policy, without "unsafe", and no cache between."""
    for ask in GETS:
        for caller in ("ada", "guest", "stranger"):
            answer = world.call(caller, "GET", ask.path, headers={"Accept": "text/html"})
            policy = answer.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy and "form-action" in policy
            assert "unsafe" not in policy and "*" not in policy and "http:" not in policy, ask.path
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer")
            if not ask.path.startswith("/static"):
                assert "no-store" in answer.headers["cache-control"], ask.path
            assert "server" not in answer.headers and "x-powered-by" not in answer.headers
