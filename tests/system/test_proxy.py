"""Real reverse proxies before a real hub, set up as the how-to says."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from support.people import PASSWORD, session_at
from support.processes import process
from support.reverse_proxies import PASSWORD as AT_THE_PROXY
from support.reverse_proxies import Ports, free_ports, make_files, reverse_proxy
from support.stack import wait_for

BROWSER = "127.0.0.77"
"""Where our browser comes from; the proxy itself connects from 127.0.0.1."""
CONFIG = """
[node]
name = "pi"
[hub]
port = {hub}
public_url = "https://localhost:{proxy}"
behind_proxy = ["127.0.0.1"]
"""
LOG_IN = """
[proxy_login]
user_header = "X-Remote-User"
groups_header = "X-Remote-Groups"
[groups]
staff = ["viewer"]
admins = ["admin"]
"""


class Way(NamedTuple):
    """A hub with a proxy before it."""

    data: Path
    ports: Ports
    authority: Path

    @property
    def url(self) -> str:
        """How browsers come."""
        return f"https://localhost:{self.ports.proxy}"

    def browser(self, **more: Any) -> httpx2.Client:
        """A browser on another machine."""
        context = ssl.create_default_context(cafile=str(self.authority))
        transport = httpx2.HTTPTransport(verify=context, local_address=BROWSER)
        return httpx2.Client(base_url=self.url, transport=transport, timeout=20, trust_env=False, **more)

    def ledger(self) -> list[dict[str, Any]]:
        """What the hub wrote down, read on its own machine."""
        token = (self.data / "token").read_text().strip()
        answer = httpx2.get(
            f"http://127.0.0.1:{self.ports.hub}/api/ledger",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=20,
        )
        lines: list[dict[str, Any]] = answer.json()["lines"]
        return lines


@contextlib.contextmanager
def a_way(kind: str, folder: Path, *, log_in: bool = False) -> Iterator[Way]:
    """From a browser through the proxy to a hub."""
    data, ports = folder / "data", free_ports()
    data.mkdir()
    (data / "pilothouse.toml").write_text(CONFIG.format(hub=ports.hub, proxy=ports.proxy) + (LOG_IN if log_in else ""))
    files = make_files(folder)
    with process("hub", data) as hub, reverse_proxy(kind, folder, ports, files, log_in=log_in):
        assert hub.stdout is not None and "Pilothouse is at" in hub.stdout.readline(), (data / "hub.stderr").read_text()
        yield Way(data, ports, files.authority)


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """Through each of them, without a log-in of its own."""
    with a_way(request.param, tmp_path_factory.mktemp(request.param)) as way:
        session_at(way.data, "bob", ("admin",), password=True)
        yield way


@contextlib.contextmanager
def logged_in(way: Way, **headers: str) -> Iterator[httpx2.Client]:
    """A browser in which Bob has logged in."""
    with way.browser() as browser:
        form = {"name": "bob", "password": PASSWORD, "next": "/"}
        answer = browser.post("/login", data=form, headers={"Origin": way.url, **headers})
        assert answer.status_code == 303, answer.text
        yield browser


def test_log_in_works_and_its_cookie_is_for_tls_only(way: Way) -> None:
    """With the prefix that no other host and no plain page can set."""
    with way.browser() as browser:
        form = {"name": "bob", "password": PASSWORD}
        answer = browser.post("/login", data=form, headers={"Origin": way.url})
        cookie = answer.headers["set-cookie"]
        assert answer.status_code == 303 and cookie.startswith("__Host-ph_session=")
        assert "secure" in cookie.lower() and "domain" not in cookie.lower() and "path=/" in cookie.lower()
        page = browser.get("/")
        assert page.status_code == 200 and "text/html" in page.headers["content-type"]
        assert browser.post("/login", data=form, headers={"Origin": "https://evil.example"}).status_code == 403


def test_browsers_come_by_http2(way: Way) -> None:
    """More than six pages at once, on one connection."""
    context = ssl.create_default_context(cafile=str(way.authority))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", way.ports.proxy), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        assert secure.selected_alpn_protocol() == "h2"


def test_plain_http_is_led_to_https(way: Way) -> None:
    """By the proxy."""
    answer = httpx2.get(f"http://localhost:{way.ports.plain}/node/pi", trust_env=False)
    assert answer.status_code == 301 and answer.headers["location"] == f"{way.url}/node/pi"


def test_the_stream_arrives_as_it_is_sent(way: Way) -> None:
    """A snapshot and beats, while the stream is open: no buffer on the way waits until it is full."""
    with logged_in(way) as browser, browser.stream("GET", "/api/live") as stream:
        assert stream.status_code == 200
        names = (line.partition(": ")[2] for line in stream.iter_lines() if line.startswith("event: "))
        assert next(names) == "snapshot"
        assert [next(name for name in names if name == "beat") for _ in range(2)] == ["beat", "beat"]


def log_ins(way: Way) -> list[str]:
    """Where people came from, the latest first."""
    return [line["input"]["from"] for line in way.ledger() if line["name"] == "login"]


@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"X-Forwarded-For": "6.6.6.6"},
        {"X-Forwarded-For": "127.0.0.1, 127.0.0.1"},
        {"X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6", "Forwarded": "for=6.6.6.6"},
        {"X-Forwarded-For": "unknown, <script>"},
    ],
)
def test_the_ledger_has_the_address_of_the_browser(way: Way, forged: dict[str, str]) -> None:
    """And not what the browser says that it is."""
    before = len(log_ins(way))
    with logged_in(way, **forged):
        found = wait_for(lambda: log_ins(way) if len(log_ins(way)) > before else None, "the line of the log-in")
    assert found[0] == BROWSER


def test_another_host_is_refused(way: Way) -> None:
    """Whether the proxy sees it or the hub; and a forwarded one is never believed."""
    with way.browser() as browser:
        assert "ok" not in browser.get("/healthz", headers={"Host": "evil.example"}).text
        answer = browser.get("/login", headers={"X-Forwarded-Host": "evil.example", "Accept": "text/html"})
        assert answer.status_code == 200 and "evil.example" not in answer.text + str(answer.headers)
    direct = httpx2.get(f"http://127.0.0.1:{way.ports.hub}/healthz", headers={"Host": "evil.example"}, trust_env=False)
    assert direct.status_code == 421


def test_what_was_said_of_proto_by_a_browser_counts_for_nothing(way: Way) -> None:
    """The cookie stays one for TLS."""
    with logged_in(way, **{"X-Forwarded-Proto": "http"}) as browser:
        assert any(name.startswith("__Host-") for name in browser.cookies)


def test_a_header_log_in_that_is_not_configured_is_none(way: Way) -> None:
    """Whatever a browser sends, the proxy takes away; and the hub would not listen."""
    with way.browser() as browser:
        assert browser.get("/api/things", headers={"X-Remote-User": "bob"}).status_code == 401


def test_large_bodies_end_at_the_proxy(way: Way) -> None:
    """Or at the hub, which has the same bound."""
    with logged_in(way) as browser:
        answer = browser.post("/api/stop", content=b"x" * 1_200_000, headers={"Origin": way.url})
        assert answer.status_code == 413


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def known(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """Through each of them, who asks for a name and a password itself."""
    with a_way(request.param, tmp_path_factory.mktemp(request.param), log_in=True) as way:
        session_at(way.data, "eve", ("admin",))
        session_at(way.data, "bob", ("admin",))
        yield way


FORGED = [
    {},
    {"X-Remote-User": "eve"},
    {"x-remote-user": "bob", "X-Remote-Groups": "admins"},
    {"X_Remote_User": "eve"},
    {"X-Remote-Groups": "admins"},
]


@pytest.mark.parametrize("forged", FORGED)
def test_people_are_who_the_proxy_says(known: Way, forged: dict[str, str]) -> None:
    """Whatever their browsers say: Ada is Ada, and has the rights of no group that she names herself."""
    with known.browser(auth=("ada", AT_THE_PROXY)) as browser:
        answer = browser.get("/api/me", headers=forged)
        assert answer.status_code == 200, answer.text
        assert answer.json()["who"] == "ada"
        assert browser.get("/api/people", headers=forged).status_code in (403, 404)


def test_who_does_not_log_in_at_the_proxy_is_nobody(known: Way) -> None:
    """With the header, and without."""
    with known.browser() as browser:
        for headers in FORGED:
            assert browser.get("/api/me", headers=headers).status_code == 401
        assert browser.get("/api/me", auth=("ada", "wrong")).status_code == 401


def test_behind_a_proxy_that_does_not_strip_it_shows(known: Way) -> None:
    """Two headers are one too many; on the hub's own machine, past the proxy, one is what a proxy would send."""
    url = f"http://127.0.0.1:{known.ports.hub}/api/me"
    headers = [("X-Remote-User", "ada"), ("X-Remote-User", "eve")]
    answer = httpx2.get(url, headers=headers, trust_env=False)
    assert answer.status_code == 400 and "X-Remote-User" in json.dumps(answer.json())
