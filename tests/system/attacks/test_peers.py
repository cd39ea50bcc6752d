"""What went wrong at others, as their issue threads and advisories tell: one test each, named after it."""

from __future__ import annotations

import ast
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nats
import pytest

from pilothouse.bus.address import read_address
from pilothouse.bus.subjects import TABLE
from pilothouse.cli.app import VERBS, run
from pilothouse.config.places import Places
from support.attacks.callers import SEES
from support.attacks.hearing import problem, wait_for, words_in
from support.attacks.markup import Page
from support.attacks.who_may import TABLE as ROUTES
from support.attacks.world import SEEN, World
from support.processes import process

SOURCE = Path(__file__).resolve().parents[3] / "src" / "pilothouse"
RELAY = f"/api/things/{SEEN}/properties/relay_1"


def test_glances_let_every_origin_read_with_a_star(world: World) -> None:
    """Its REST API answered `Access-Control-Allow-Origin: *`, with credentials."""
    for path in ("/api/things", "/stats", "/healthz", "/api/openapi.json", "/"):
        for caller in ("stranger", "vera", "token-read"):
            answer = world.call(caller, "GET", path, headers={"Origin": "http://evil.example"})
            assert "access-control-allow-origin" not in answer.headers, (caller, path)


def test_glances_had_no_password_unless_one_asked_for_it(world: World) -> None:
    """Whoever reached its port read everything, and pages of other sites did so by DNS rebinding."""
    for route, asks in ROUTES.items():
        if route.startswith("GET ") and "stranger" not in asks[0].may:
            answer = world.call("stranger", "GET", asks[0].path)
            assert answer.status_code in (303, 401), route
            assert not words_in(answer, tuple(SEES)), route


def test_glances_took_secrets_as_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    """They stood in the list of processes for everybody on the machine: here options name files, and nothing else."""
    waiting = [(), *((verb,) for verbs in VERBS.values() for verb in verbs)]
    seen = 0
    while waiting:
        words = waiting.pop()
        run([*words, "--help"])
        shown = "".join(capsys.readouterr())
        if words and "Commands:" in shown:
            waiting += [(*words, name) for name in re.findall(r"^  ([a-z-]+): ", shown, re.MULTILINE)]
        options = set(re.findall(r"--[a-z][a-z-]*", shown))
        seen += len(options)
        taken = {each for each in options if re.search("(password|secret|token|passwd|credential)(-|$)", each)}
        assert not {each for each in taken if not each.endswith(("-file", "-stdin"))}, (words, taken)
    assert seen > 100, "no help was read"


def calls_in_source() -> Iterator[tuple[str, ast.Call]]:
    """Every call in the product, with its file."""
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield f"{file.relative_to(SOURCE)}:{node.lineno}", node


def test_glances_ran_names_of_processes_in_a_shell() -> None:
    """A process or container with a clever name ran commands. Nothing of ours ever starts a shell."""
    for where, call in calls_in_source():
        name = ast.unparse(call.func)
        assert name not in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"), where
        assert not name.startswith("asyncio.create_subprocess_shell"), where
        for option in call.keywords:
            assert option.arg != "shell" or ast.unparse(option.value) != "True", where


def test_glances_names_in_folders_run_nothing(tmp_path: Path) -> None:
    """A data folder that is a command line is a folder."""
    folder = tmp_path / "a; touch pwned; $(touch pwned) `touch pwned` && touch pwned | x"
    folder.mkdir()
    (folder / "pilothouse.toml").write_text('[node]\nname = "$(touch pwned)"\n')
    for words in (("config", "check"), ("doctor",), ("things",)):
        asked = [sys.executable, "-m", "pilothouse.cli", *words, "--data", str(folder)]
        done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode != 0 and "Traceback" not in done.stderr
    assert not [*tmp_path.rglob("pwned")]


class Catcher(http.server.BaseHTTPRequestHandler):
    """A host that says it is a hub, and keeps what it is sent."""

    caught: list[str] = []

    def do_GET(self) -> None:
        """Note the head, and say nothing useful."""
        self.caught.append(str(self.headers))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"time":1,"things":[]}')

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - as the server calls them

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def catcher() -> Iterator[str]:
    """Its address."""
    Catcher.caught.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Catcher) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(5)


def test_glances_sent_its_password_to_servers_that_it_had_only_heard_of(catcher: str, tmp_path: Path) -> None:
    """The browser of its clients did, to whatever said it was one. Ours shows a token only to the hub that gave it."""
    data = tmp_path / "data"
    (data / "run").mkdir(parents=True)
    (data / "token").write_text("ph_planted-secret-of-this-machine\n")
    (data / "run" / "hub.json").write_text(json.dumps({"url": "http://127.0.0.1:1", "pid": 1}))
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    for words in (("things",), ("get", "pi/a.b"), ("set", "pi/a.b", "1"), ("stop",), ("ledger",)):
        asked = [sys.executable, "-m", "pilothouse.cli", *words, "--url", catcher, "--data", str(data)]
        subprocess.run(asked, capture_output=True, check=False, timeout=60, env=environment, input=b"")
    assert not [head for head in Catcher.caught if "planted-secret" in head]


def test_camels_changed_things_by_get(world: World) -> None:
    """A link, an image, a look ahead of a browser switched. No route that is got does anything."""
    before = world.state()
    for path in (
        f"{RELAY}?value=true",
        "/api/stop?kind=hard",
        "/stop?kind=hard",
        "/api/stands/bench-ibis/lease?do=take",
        "/stands/bench-ibis?do=take",
        f"/things/{SEEN}?relay_1=on",
        "/logout",
        "/people?do=invite&name=mallory&role=admin&life=3600",
        "/people/zed-zebra?do=disable",
        "/account/sessions?do=all",
        "/api/logout",
    ):
        assert world.call("ada", "GET", path).status_code < 500
    assert world.state() == before


def test_cockpit_and_others_show_what_nodes_serve(world: World) -> None:
    """A page of ours takes nothing from a node or another host: all of its addresses are this hub's own."""
    for path in (
        "/",
        f"/things/{SEEN}",
        "/nodes/pi-heron",
        "/stands",
        "/stands/bench-ibis",
        "/ledger",
        "/api",
        "/people",
    ):
        text = world.page("ada", path).text
        assert not Page(text).could_run(), path


def test_the_seed_left_its_debugger_open(world: World) -> None:
    """Flask's console answered to the whole network. Here is none, and no page tells what broke inside."""
    for path in (
        "/console",
        "/debug",
        "/_debug",
        "/?__debugger__=yes&cmd=resource&f=debugger.js",
        "/schema",
        "/docs",
        "/redoc",
        "/swagger",
        "/metrics",
        "/server-status",
        "/.env",
        "/.git/config",
        "/admin",
        "/phpinfo.php",
    ):
        for caller in ("stranger", "ada"):
            answer = world.call(caller, "GET", path)
            assert answer.status_code in (303, 401, 404) or (caller == "ada" and path.startswith("/?")), path
            assert "EVALEX" not in answer.text and "Traceback" not in answer.text


def test_the_seed_let_anybody_join(world: World) -> None:
    """Whoever spoke to its port was a node. The bus takes nobody without the password, and says nothing to them."""
    address = read_address(Places(world.data).bus_address)
    assert address is not None

    for wrong in (
        b"",
        b'{"user":"%s","pass":"wrong"}' % address.user.encode(),
        b'{"user":"%s","pass":""}' % address.user.encode(),
        b'{"user":"admin","pass":"admin"}',
        b'{"auth_token":"%s"}' % address.password.encode(),
    ):
        answer = knock(address.url, wrong)
        assert b"Authorization Violation" in answer or b"Authentication Timeout" in answer, answer
        assert b"MSG" not in answer and address.password.encode() not in answer
    right = b'{"user":"%s","pass":"%s"}' % (address.user.encode(), address.password.encode())
    assert b"PONG" in knock(address.url, right)


def knock(url: str, words: bytes) -> bytes:
    """What the bus says to somebody who comes with these credentials and wants to hear everything."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as link:
        link.sendall((b"CONNECT " + words + b"\r\n" if words else b"") + b"SUB > 1\r\nPING\r\n")
        answer = b""
        while b"PONG" not in answer and b"-ERR" not in answer and (piece := link.recv(65536)):
            answer += piece
    return answer


def test_a_garbage_line_left_a_ghost_in_the_seed(world: World) -> None:
    """Messages with names that are none, or that name another node than their subject, are no node and no thing."""
    address = read_address(Places(world.data).bus_address)
    assert address is not None
    names = {"site": "home", "node": "pi-heron", "thing": "relays-quokka", "name": "relay_1"}
    before = [each.node for each in world.site.directory.nodes()]

    async def shout() -> None:
        link = await nats.connect(address.url, user=address.user, password=address.password)
        for row in TABLE.values():
            subject = row.pattern.format(**names)
            for content in (b"garbage", b"{}", b'{"v":1,"node":"ghost"}', b'{"v":1,"node":"<script>","epoch":1}'):
                await link.publish(subject, content)
                await link.publish(subject.replace("pi-heron", "GHOST"), content)
        await link.flush()
        await link.close()

    world.do(shout())
    assert world.call("ada", "PUT", RELAY, json={"value": False}).status_code == 200
    assert [each.node for each in world.site.directory.nodes()] == before


def test_pioreactor_had_one_password_for_every_broker(tmp_path: Path) -> None:
    """And the seeds none. Each first start makes one that nobody can guess, and nobody but the owner can read."""
    found = []
    for name in ("one", "two"):
        data = tmp_path / name
        data.mkdir()
        with process("bus", data):
            address = wait_for(lambda data=data: read_address(Places(data).bus_address), "the bus")
        found.append(address.password)
        assert Places(data).bus_address.stat().st_mode & 0o077 == 0
    assert found[0] != found[1] and min(map(len, found)) >= 22


def test_the_lock_of_queueserver_blocked_the_halt(world: World) -> None:
    """Here whoever may see anything stops everything: with the stand leased to another, and the device hanging."""
    assert world.call("eva", "POST", "/api/stands/bench-ibis/lease", json={"do": "take"}).status_code == 200
    assert world.call("eva", "PUT", RELAY, json={"value": True}).status_code == 200
    body = {"input": {"kind": "hang", "seconds": 1.0}}
    assert world.call("eva", "POST", f"/api/things/{SEEN}/actions/fail", json=body).status_code == 200
    assert world.call("rita", "POST", "/api/stop").status_code == 200
    wait_for(lambda: '"relay_1", "value": false' in world.traced()[-1] or _off(world), "the relay to be off")


def _off(world: World) -> bool:
    last = [json.loads(line) for line in world.traced() if '"relay_1"' in line]
    return bool(last) and last[-1]["value"] is False


def test_home_assistant_asked_for_confirmation_on_its_pages_only(world: World) -> None:
    """Its API, scripts and agents went past it. Here the agent asks, whoever sends."""
    path = f"/api/things/{SEEN}/properties/relay_4"
    before = world.traced()
    for caller in ("ada", "emil", "token-administer", "machine"):
        answer = world.call(caller, "PUT", path, json={"value": True})
        assert answer.status_code == 428 and answer.json()["end"] == "refused", answer.text
    assert world.traced() == before


def test_home_assistant_hid_controls_and_refused_nothing(world: World) -> None:
    """Its rights were those of the page. Here the page shows no control that is refused, and the API refuses it."""
    page = world.page("vito", f"/things/{SEEN}").text
    assert 'role="switch"' not in page and "<form" not in page.partition("<main")[2].partition("</main")[0]
    assert world.call("vito", "PUT", RELAY, json={"value": True}).status_code == 403
    assert 'role="switch"' in world.page("olga", f"/things/{SEEN}").text


def test_thingsboard_said_delivered_to_what_was_offline(world: World) -> None:
    """And the seed answered ok to commands that it did not know. What is not done is never a 200."""
    for path, body in (
        (f"/api/things/{SEEN}/properties/nonsense", {"value": True}),
        ("/api/things/nowhere/relays/properties/relay_1", {"value": True}),
        (RELAY, {"value": "maybe"}),
        (RELAY, {"value": 2}),
    ):
        answer = world.call("ada", "PUT", path, json=body)
        assert answer.status_code in (404, 409, 422), answer.text


def test_apscheduler_unpickled_what_it_had_stored() -> None:
    """Data that is code, once somebody else wrote it. Ours is JSON, TOML and SQL; nothing is evaluated."""
    banned = {
        "eval",
        "exec",
        "compile",
        "pickle.loads",
        "pickle.load",
        "marshal.loads",
        "shelve.open",
        "yaml.load",
        "yaml.unsafe_load",
        "dill.loads",
        "jsonpickle.decode",
        "__import__",
        "os.execvp",
    }
    for where, call in calls_in_source():
        assert ast.unparse(call.func) not in banned, where
    for file in SOURCE.rglob("*.py"):
        assert not re.search(r"^\s*(import|from) (pickle|marshal|shelve|dill)\b", file.read_text(), re.MULTILINE), file


def test_litestar_believed_the_forwarded_host(world: World) -> None:
    """Its check of hosts took X-Forwarded-Host first, and a name that a pattern matched in its middle."""
    for headers in (
        {"Host": "evil.example", "X-Forwarded-Host": "localhost"},
        {"Host": "localhostXexample.com"},
        {"Host": "evil.localhost.example"},
        {"Host": "127x0x0x1"},
    ):
        answer = world.call("ada", "GET", "/api/things", headers=headers)
        assert answer.status_code == 421 and problem(answer)["type"].endswith("wrong-host")


def test_templates_of_peers_ran_what_names_said(world: World) -> None:
    """Jinja templates made from names (Glances' actions, dashboards): texts of ours are never templates."""
    for where, call in calls_in_source():
        name: Any = ast.unparse(call.func)
        assert not name.endswith((".from_string", "Template", "Markup")), where
    for template in (SOURCE / "hub" / "templates").glob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert "|safe" not in text.replace(" ", "") and "autoescape false" not in text, template.name
    shown = world.page("ada", "/ledger?q={{7*7}}&who=${7*7}&thing=<%25=7*7%25>").text
    assert "49" not in re.sub(r"[\w.:-]*49[\w.:-]+|[\w.:-]+49[\w.:-]*", "", shown) or "{{7*7}}" in shown
