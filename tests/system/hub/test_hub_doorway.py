"""Who comes in and who does not; bodies, hosts and origins of every wrong kind."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from support.people import session_of

PATH = "/api/things/pi/bench/properties/on"


async def test_nothing_but_health_answers_a_stranger(lonely_hub) -> None:
    """401 with cause and remedy; a page for browsers, and not one byte of anything else."""
    hub = lonely_hub
    for path in ("/", "/api/things", "/api/live", "/api/openapi.json", "/stats", "/static/site.css", "/nonsense"):
        answer = await hub.stranger.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["content-type"] == "application/problem+json" and answer.json()["remedy"]
        assert answer.headers["www-authenticate"].startswith("Bearer")
    page = await hub.stranger.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 303 and page.headers["location"] == "/login"
    page = await hub.stranger.get("/things/pi/bath?x=1", headers={"Accept": "text/html"})
    assert page.status_code == 303 and page.headers["location"] == "/login?next=%2Fthings%2Fpi%2Fbath%3Fx%3D1"
    assert (await hub.stranger.get("/healthz")).status_code == 200
    assert (await hub.stranger.put(PATH, json={"value": 1})).status_code == 401


async def test_a_wrong_token_is_a_401(lonely_hub) -> None:
    """Also beside a good session: a token that is given must be right."""
    for header in ["Bearer wrong", "Bearer", "Basic abc", "Bearer " + "x" * 5000, "Bearer \xff"]:
        answer = await lonely_hub.stranger.get("/api/things", headers={"Authorization": header.encode("latin-1")})
        assert answer.status_code == 401, header


async def _session(hub) -> dict[str, str]:
    hub.stranger.cookies.set("ph_session", await session_of(hub.site.people, "grace"))
    return dict(hub.stranger.cookies)


async def test_logging_out_ends_the_session(lonely_hub) -> None:
    """The cookie opens nothing afterwards."""
    hub = lonely_hub
    cookie = await _session(hub)
    answer = await hub.stranger.post("/logout", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    hub.stranger.cookies.clear()
    answer = await hub.stranger.get("/api/things", headers={"Cookie": f"ph_session={cookie['ph_session']}"})
    assert answer.status_code == 401


async def test_another_site_cannot_command_in_my_name(hub, agent) -> None:
    """403 without a word of our own page; the page's own request passes and is told apart in the ledger."""
    await _session(hub)
    host = urlsplit(hub.url).netloc
    bad = [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": hub.url},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": f"http://{host}.evil.example"},
        {"Origin": "http://127.0.0.1:1"},
    ]
    for headers in bad:
        answer = await hub.stranger.put(PATH, json={"value": True}, headers=headers)
        assert answer.status_code == 403, headers
    assert agent.commands == []
    for headers in ({"Origin": hub.url}, {"Sec-Fetch-Site": "same-origin"}):
        answer = await hub.stranger.put(PATH, json={"value": True}, headers=headers)
        assert answer.status_code == 200, answer.text
    assert {(command.who, command.origin) for command in agent.commands} == {("grace", "page")}


async def test_only_own_hosts_and_addresses_pass(lonely_hub) -> None:
    """Before anything else, also for the open paths: 421 for names that somebody else may have led here."""
    for host in ("evil.example", "", "localhost.evil.example", "127.0.0.1.evil.example", "a b", "[::"):
        answer = await lonely_hub.client.get("/healthz", headers={"Host": host})
        assert answer.status_code in (400, 421), host
    for host in ("localhost:8470", "127.0.0.1", "[::1]:8470", "192.168.1.20:80", "LOCALHOST"):
        assert (await lonely_hub.client.get("/healthz", headers={"Host": host})).status_code == 200, host


async def test_every_answer_carries_the_policy(lonely_hub) -> None:
    """Also refusals; nothing may be framed, sniffed, or load from elsewhere."""
    for path in ("/healthz", "/api/things", "/nothing"):
        for client in (lonely_hub.client, lonely_hub.stranger):
            headers = (await client.get(path)).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"


async def _put(hub, body: bytes, kind: str = "application/json"):
    headers = {"Content-Type": kind} if kind else {}
    return await hub.client.put(PATH, content=body, headers=headers)


BODIES = [
    (b"", "application/json", 400),
    (b'{"value":', "application/json", 400),
    (b'{"value": NaN}', "application/json", 400),
    (b'{"value": Infinity}', "application/json", 400),
    (b'{"value": 1e999}', "application/json", 422),
    (b'{"value": "\xff\xfe"}', "application/json", 400),
    (b"\xff\xfe\x00", "application/json", 400),
    (b'{"value": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "application/json", 400),
    (b"[]", "application/json", 422),
    (b"null", "application/json", 422),
    (b"{}", "application/json", 422),
    (b'{"value": 1, "valeu": 2}', "application/json", 422),
    (b'{"value": 1, "ttl": 0}', "application/json", 422),
    (b'{"value": 1, "ttl": 1000}', "application/json", 422),
    (b'{"value": 1, "ttl": "5"}', "application/json", 422),
    (b'{"value": 1, "reason": 5}', "application/json", 422),
    (b'{"value": 1, "reason": "' + b"x" * 1001 + b'"}', "application/json", 422),
    (b'{"value": 1}', "", 415),
    (b'{"value": 1}', "text/plain", 415),
    (b"value=1", "application/x-www-form-urlencoded", 415),
    (b'{"value": 1}', "application/json; charset=latin-1", 415),
    (b'{"value": "' + b"x" * 1_100_000 + b'"}', "application/json", 413),
]


async def test_bad_bodies_have_honest_statuses(hub, agent) -> None:
    """A problem with detail each; no command, no line, and the hub goes on."""
    for body, kind, status in BODIES:
        answer = await _put(hub, body, kind)
        assert answer.status_code == status, (body[:40], kind, answer.text)
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["status"] == status and problem["title"] and problem["detail"]
    assert agent.commands == [] and await hub.site.ledger.lines() == []


async def test_large_values_within_the_limit_arrive(hub, agent) -> None:
    """10 kB of text, quotes, dots and all."""
    text = 'spaces . dots " quotes \\ \u2028 😀' * 300
    answer = await hub.set("pi/bench.label", text)
    assert answer.status_code == 200 and agent.commands[0].input == text


async def _flood(hub, how: str, piece: bytes) -> bytes:
    """Send pieces until there is an answer, at most 100; gives the answer's head."""
    parts = urlsplit(hub.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(
        f"PUT {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {hub.token}\r\n"
        f"Content-Type: application/json\r\n{how}\r\n\r\n".encode()
    )
    answer = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
    for _ in range(100):
        writer.write(piece)
        await writer.drain()
        if answer.done():
            break
    async with asyncio.timeout(10):
        head = await answer
    writer.close()
    return head


async def test_a_hundred_megabytes_are_turned_away(hub, agent) -> None:
    """With a length, at once; without one, as soon as it is too much. The hub goes on."""
    megabyte = b"x" * 1_000_000
    assert (await _flood(hub, "Content-Length: 100000000", megabyte)).startswith(b"HTTP/1.1 413")
    chunk = b"%x\r\n" % len(megabyte) + megabyte + b"\r\n"
    assert (await _flood(hub, "Transfer-Encoding: chunked", chunk)).startswith(b"HTTP/1.1 413")
    assert agent.commands == []
    assert (await hub.set("pi/bench.on", True)).status_code == 200
