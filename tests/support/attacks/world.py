"""The site with two worlds, running: bus, keeper and two agents as processes, the hub in this process on a loop of its
own thread, so that tests call it as programs and browsers do, and look into it where they must.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
from litestar import Litestar
from litestar.routes import BaseRoute

from pilothouse.bus.address import read_address, write_address
from pilothouse.clock import SystemClock
from pilothouse.config.load import load
from pilothouse.config.places import Places
from pilothouse.hub import serving as hub
from pilothouse.hub.attempts import Attempts
from pilothouse.hub.listening import listen
from pilothouse.hub.site import Site
from pilothouse.record.passwords import LEAST, Passwords
from support.agents import AgentProcess
from support.attacks.callers import EVERYBODY, OUTSIDE, let_in, let_in_again, make_people
from support.attacks.hearing import Heard, wait_for
from support.people import PASSWORD
from support.processes import process

T = TypeVar("T")
TESTS = Path(__file__).resolve().parents[2]
TELLTALE = "support.attacks.telltale:Telltale"
HERON = f"""
[node]
name = "pi-heron"
[oidc]
issuer = "https://127.0.0.1:9/nobody-answers-there"
client_id = "pilothouse"
client_secret_file = "{{secret}}"
[things.relays-quokka]
driver = "sim.relays"
title = "Relays of the quokka"
doc = "A quokka is wired to it."
tags = ["quokka-tag"]
trace_file = "{{trace}}"
[things.relays-quokka.properties.relay_4]
confirm = "yes"
hazard = "The quokka jumps"
[things.teller-dingo]
driver = "{TELLTALE}"
title = "Teller of the dingo"
word = "dingo"
[things.sensor-numbat]
driver = "{TELLTALE}"
title = "Teller of the numbat"
doc = "A numbat is wired to it."
tags = ["numbat-tag"]
word = "numbat"
[stands.bench-ibis]
title = "Bench of the ibis"
doc = "Ask the ibis."
things = ["pi-heron/relays-quokka", "pi-heron/teller-dingo"]
lease = "20m"
[stands.wet-wombat]
title = "Wet bench of the wombat"
doc = "Ask the wombat."
things = ["lab-wombat/bath-wombat", "lab-wombat/valves-wombat", "lab-wombat/teller-wombat"]
lease = "20m"
"""
WOMBAT = f"""
[node]
name = "lab-wombat"
[things.bath-wombat]
driver = "sim.bath"
title = "Bath of the wombat"
doc = "A wombat sits in it."
tags = ["wombat-tag"]
[things.bath-wombat.properties.heater]
hazard = "Scalds the wombat"
[things.valves-wombat]
driver = "sim.valves"
title = "Valves of the wombat"
trace_file = "{{trace}}"
[things.teller-wombat]
driver = "{TELLTALE}"
title = "Teller of the wombat"
word = "wombat"
"""
SEEN, HIDDEN = "pi-heron/relays-quokka", "lab-wombat/valves-wombat"
"""A thing of each world that can be switched."""


class World:
    """A running site; `with World(folder) as world:`."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.trace = folder / "trace.jsonl"
        """What the relays and the valves really did."""
        self.site: Site
        self.app: Any = None
        """The application, as it serves: the doorway, and `routes` behind it."""
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._stack = contextlib.ExitStack()
        self._up = threading.Event()
        self._down: asyncio.Event
        self._failed: BaseException | None = None
        self._keys: dict[str, dict[str, str]] = {}
        self._client: httpx2.Client

    def __enter__(self) -> World:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        lab = self._folder / "lab"
        environment = self._stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("PYTHONPATH", str(TESTS), prepend=os.pathsep)
        secret = self._folder / "client-secret"
        secret.write_text("a secret that only the provider knows\n")
        secret.chmod(0o600)
        agents = [
            AgentProcess(self.data, config=HERON.replace("{secret}", str(secret)), trace=self.trace),
            AgentProcess(lab, config=WOMBAT, trace=self.trace),
        ]
        places = Places(self.data)
        self._stack.enter_context(process("bus", self.data))
        address = wait_for(lambda: read_address(places.bus_address), "the bus")
        Places(lab).bus_address.parent.mkdir(mode=0o700)
        write_address(Places(lab).bus_address, address)
        self._stack.enter_context(process("keeper", self.data))
        for agent in agents:
            agent.start()
            self._stack.callback(agent.end)
        thread = threading.Thread(target=self._serve, name="the hub", daemon=True)
        thread.start()
        self._stack.callback(thread.join, 20)
        self._stack.callback(self._end)
        self._up.wait(20)
        if self._failed is not None:
            raise self._failed
        self._client = httpx2.Client(base_url=self.url, timeout=20, trust_env=False)
        self._stack.callback(self._client.close)
        try:
            wait_for(self._whole, "all things")
        except AssertionError as error:
            raise AssertionError(f"{error}; {[agent.said() for agent in agents]}") from None
        self._tell()
        for caller in EVERYBODY:
            self.key(caller)  # so that no session or token is made in the midst of a test

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._hub())
            except BaseException as error:  # noqa: BLE001 - edge: of the thread; the test that waits is told
                self._failed = error
                self._up.set()

    async def _hub(self) -> None:
        self._down = asyncio.Event()
        config, _ = load(self.data, None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hub, "make_app", self._noting(hub.make_app))
            weak = Passwords(LEAST)
            async with hub.open_site(config, Places(self.data), SystemClock(), passwords=weak) as site:
                await make_people(site.people, await weak.hash(PASSWORD))
                async with hub.serving(site, listen("127.0.0.1", 0)):
                    self.site = site
                    self._up.set()
                    await self._down.wait()

    def _noting(self, make: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **more: Any) -> Any:
            self.app = make(*args, **more)
            return self.app

        return noted

    def _end(self) -> None:
        if self._up.is_set() and self._failed is None:
            self._loop.call_soon_threadsafe(self._down.set)

    def _whole(self) -> bool:
        directory = self.site.directory
        tellers = [each for each in directory.things() if "said" in each.properties]
        return (
            len(list(directory)) == 8
            and len(tellers) == 3
            and all(each.properties["said"].time for each in tellers)
            and all(node.life == "here" for node in directory.nodes())
            and len(self.site.stands.views()) == 2
        )

    def _tell(self) -> None:
        """Have something of every kind in the record: commands, events, acts, of both worlds."""
        for word, address in (
            ("dingo", "pi-heron/teller-dingo"),
            ("numbat", "pi-heron/sensor-numbat"),
            ("wombat", "lab-wombat/teller-wombat"),
        ):
            body = {"input": None, "reason": f"for the {word}"}
            key = {"Idempotency-Key": f"command-{word}"}
            answer = self.call("ada", "POST", f"/api/things/{address}/actions/tell", json=body, headers=key)
            assert answer.status_code == 200, answer.text
            body = {"value": f"{word} mood", "reason": f"for the {word}"}
            answer = self.call("ada", "PUT", f"/api/things/{address}/properties/mood", json=body)
            assert answer.status_code == 200, answer.text
        for who, stand in (("eva", "bench-ibis"), ("wilma", "wet-wombat")):
            for do in ("take", "release"):
                answer = self.call(who, "POST", f"/api/stands/{stand}/lease", json={"do": do, "reason": f"of {stand}"})
                assert answer.status_code == 200, answer.text
        wait_for(lambda: len(self.call("ada", "GET", "/api/events").json()["events"]) == 3, "the events")

    # what tests do

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the hub's loop and wait for it."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(30)

    @property
    def url(self) -> str:
        """Where the hub is."""
        return self.site.url

    def key(self, caller: str, *, new: bool = False) -> dict[str, str]:
        """Credentials of one of support.attacks.callers, kept until a new one is asked for."""
        assert caller in EVERYBODY, caller
        if new or caller not in self._keys:
            self._keys[caller] = self.do(let_in(self.site.people, caller))
        return self._keys[caller]

    @property
    def routes(self) -> Iterable[BaseRoute]:
        """All that the application answers."""
        inside: Litestar = self.app._inside
        return inside.routes

    def renew(self, caller: str) -> None:
        """See to it that credentials are good which a call before may have ended."""
        if caller in self._keys:
            self._keys[caller] = self.do(let_in_again(self.site.people, caller, self._keys[caller]))

    def headers(self, caller: str) -> dict[str, str]:
        """As `key`, with what a page of this hub sends besides."""
        key = self.key(caller)
        program = "Authorization" in key and caller not in OUTSIDE
        return key if program else {**key, "Origin": self.url}

    def call(self, caller: str, method: str, path: str, **more: Any) -> httpx2.Response:
        """One call of somebody, with no cookie but theirs and no redirect followed; of a stream, how it begins."""
        headers = {**self.headers(caller), **more.pop("headers", {})}
        self._client.cookies.clear()
        if path.startswith("/api/live"):
            return self._beginning(method, path, headers)
        return self._client.request(method, path, headers=headers, **more)

    def bare(self, method: str, path: str, *, headers: dict[str, Any], **more: Any) -> httpx2.Response:
        """One call with exactly these headers."""
        self._client.cookies.clear()
        return self._client.request(method, path, headers=headers, **more)

    def _beginning(self, method: str, path: str, headers: dict[str, str]) -> httpx2.Response:
        """An answer with all that a stream says before it waits for something to happen."""
        with self._client.stream(method, path, headers=headers) as answer:
            text = b""
            if answer.status_code == 200 and method == "GET":
                for piece in answer.iter_bytes():
                    text += piece
                    if b"\n\n" in text:
                        break
            else:
                text = answer.read()
        return httpx2.Response(answer.status_code, headers=answer.headers, content=text)

    @contextlib.contextmanager
    def stream(self, caller: str, query: str = "", head: dict[str, str] | None = None) -> Iterator[Heard]:
        """The live stream of somebody, read by a thread while the block runs."""
        with Heard.of(self.url, query, {**self.headers(caller), **(head or {})}) as heard:
            yield heard

    def asgi(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        scheme: str = "http",
        cookie: str = "",
        kind: str = "",
        origin: str = "",
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """One request that the server would have made of what came by TLS, or not."""
        given = {"host": "localhost", "cookie": cookie, "content-type": kind, "origin": origin}
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": scheme,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in given.items() if value],
            "client": ("127.0.0.1", 40000),
            "server": ("127.0.0.1", 443),
        }
        return self.do(_asked(self.app, scope, body))

    def page(self, caller: str, path: str, **more: Any) -> httpx2.Response:
        """A page, as a browser asks for it."""
        return self.call(caller, "GET", path, headers={"Accept": "text/html"}, **more)

    def calm(self) -> None:
        """Lift every stop, free every stand, forget tries to log in, so that the next test begins as the first did."""
        self.site.proving._attempts = Attempts()
        if self.site.holding.latches:
            assert self.call("ada", "POST", "/api/stop/lift", json={"reason": "next test"}).status_code == 200
        for stand in self.site.stands.views():
            if stand.holder:
                body = {"do": "take", "force": True, "reason": "next test"}
                self.call("ada", "POST", f"/api/stands/{stand.stand}/lease", json=body)
                self.call("ada", "POST", f"/api/stands/{stand.stand}/lease", json={"do": "release"})
                self._heard_by_the_agent(stand.things[0])

    def _heard_by_the_agent(self, thing: str) -> None:
        """Wait until the agent knows that the stand of a thing is free: it hears of it over the bus, a moment later."""
        path = f"/api/things/{thing}/actions/heal"
        wait_for(lambda: self.call("ada", "POST", path, json={}).status_code == 200, "the stand to be free")

    def traced(self) -> list[str]:
        """What the devices really did."""
        return self.trace.read_text().splitlines() if self.trace.exists() else []

    def rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """A question to the record itself."""
        with contextlib.closing(sqlite3.connect(f"file:{self.data}/record/main.db?mode=ro", uri=True)) as link:
            return link.execute(sql, arguments).fetchall()

    def state(self) -> dict[str, Any]:
        """All that a refused call must leave as it is: devices, stands, stops, people, and who did what.

        Lines of commands that were refused for want of rights, and of failed log-ins, are what refusals leave behind.
        """
        wait_for(lambda: not self.rows("SELECT 1 FROM command WHERE ended_as = ''"), "every end to be written")
        left = "NOT (kind <> 'people' AND why = 'rights') AND name NOT LIKE 'login%'"
        found: dict[str, Any] = {"trace": self.traced()}
        found["lines"] = self.rows(f"SELECT id, kind, name, thing, who, ended_as FROM command WHERE {left} ORDER BY id")
        for table in ("person", "granted", "token", "link", "guest"):
            columns = [
                name for (_, name, *_) in self.rows(f"PRAGMA table_info({table})") if name not in ("used", "seen")
            ]
            found[table] = sorted(self.rows(f"SELECT {', '.join(columns)} FROM {table}"), key=repr)
        found["sessions"] = sorted(self.rows("SELECT id, who, how FROM session"))
        found["stands"] = [(each.stand, each.holder, each.asks) for each in self.site.stands.views()]
        found["stops"] = [latch.id for latch in self.site.holding.latches]
        return found


async def _asked(app: Any, scope: dict[str, Any], body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    """One request to an application, without a wire."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    head = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
    return sent[0]["status"], head, b"".join(message.get("body", b"") for message in sent[1:])
