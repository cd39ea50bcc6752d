"""Secrets are planted wherever there can be one, the product is used, and all that comes out of it is searched.

A secret may stand in a file of mode 600 that is meant for it, and in the one answer that shows it. Nowhere else.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from pilothouse.bus.address import read_address
from pilothouse.config.places import Places
from support.attacks.hearing import Heard, wait_for
from support.attacks.planting import CONFIG, PASSWORDS, RELAY, Site, found_in, use
from support.processes import process
from support.stack import Stack


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Everything of it, used as people use it."""
    folder = tmp_path_factory.mktemp("planted")
    data, away = folder / "data", folder / "away"
    away.mkdir()
    with ExitStack() as open_now, pytest.MonkeyPatch.context() as patch:
        bus = open_now.enter_context(process("bus", away, "--verbose"))
        address = wait_for(lambda: read_address(Places(away).bus_address), "the bus")
        patch.setenv("SSL_CERT_FILE", str(data / "tls" / "ca.pem"))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        files = {"password_file": address.password, "client_secret_file": PASSWORDS["the client secret"]}
        for name, secret in files.items():
            (folder / name).write_text(f"{secret}\n")
            (folder / name).chmod(0o600)
        named = {name: str(folder / name) for name in files}
        data.mkdir(mode=0o700)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = CONFIG.format(url=address.url, user=address.user, port=port, **named)
        (data / "pilothouse.toml").write_text(config)
        stack = open_now.enter_context(Stack(folder, args=("--verbose",), port=port))
        trust = ssl.create_default_context(cafile=str(data / "tls" / "ca.pem"))
        made = Site(stack, {**PASSWORDS, "the bus's password": address.password}, {}, trust, away / "bus.stderr", [])
        wait_for(lambda: stack.call("GET", RELAY)[0] == 200, "the relays")
        use(made)
        assert bus.poll() is None
        yield made


def test_there_are_secrets_of_every_kind(site: Site) -> None:
    """That this searches for something."""
    assert len(site.secrets) >= 30 and all(len(secret) >= 16 for secret in site.secrets.values()), site.secrets.keys()


def test_no_answer_told_a_secret_that_it_was_not_there_to_tell(site: Site) -> None:
    """Errors, refusals and pages of all the slips; what was typed as a name stands in its field again."""
    for text in site.seen:
        assert not found_in(site, text, "a password typed as a name"), text[:500]


def test_no_log_and_no_output_has_a_secret(site: Site) -> None:
    """Of all processes, with --verbose; the link that was printed is there for it."""
    text = site.stack.text()
    assert not found_in(site, text, "the first link"), "the log of up"
    assert len(re.findall(re.escape(site.secrets["the first link"]), text)) <= 2, (
        "the first link is told again and again"
    )
    assert not found_in(site, site.bus_log.read_bytes()), "the log of the bus"


PAGES = """/ /account /people /people/ada /people/eve /people/rights /ledger /ledger?kind=people /stands /stands/bench
/things/pi/relays /nodes/pi /stop /api /login /ca.pem /healthz /stats"""
CALLS = """me people people/eve people/eve/sessions people/eve/tokens guests rights sessions tokens things nodes
things/pi/relays stands ledger?limit=1000 events stop openapi.json history?series=pi/relays.relay_1"""
PATHS = [*PAGES.split(), *(f"/api/{call}" for call in CALLS.split())]


@pytest.mark.parametrize("who", ["ada", "eve", "guest", "program", ""])
def test_no_page_and_no_answer_has_a_secret(site: Site, who: str) -> None:
    """Of anybody: not even one's own are shown again."""
    with site.client(who) as client:
        lines = client.get("/api/ledger?limit=1000")
        more = [f"/api/ledger/{line['id']}" for line in lines.json()["lines"]] if lines.status_code == 200 else []
        for path in (*PATHS, *more):
            answer = client.get(path, headers={"Accept": "text/html"})
            assert answer.status_code < 500, path
            assert not found_in(site, answer.content), (who, path)
            assert not found_in(site, str(answer.headers)), (who, path)


def test_no_line_of_the_stream_has_a_secret(site: Site) -> None:
    """While commands with confirmations end, people come and go, and stands change hands."""
    with Heard.of(site.stack.url, "", site.people["program"], verify=site.trust) as heard, site.client("ada") as client:
        heard.wait(b"event: snapshot")
        wanted = {"node": "pi", "thing": "relays", "name": "relay_1", "input": True}
        token = client.post("/api/confirmations", json=wanted).json()["token"]
        assert client.put(RELAY, json={"value": True, "confirmation": token}).status_code == 200
        assert client.put(RELAY, json={"value": False}).status_code == 200
        client.post("/api/stands/bench/lease", json={"do": "take"})
        client.post("/api/stands/bench/lease", json={"do": "release"})
        heard.wait(b"event: beat", times=2)
        assert token.encode() not in heard.text and not found_in(site, heard.text)


def test_no_list_of_processes_has_a_secret(site: Site) -> None:
    """What everybody on the machine may read, and what the owner's own programs may: arguments and environments."""
    assert site.stack.process is not None
    up = psutil.Process(site.stack.process.pid)
    family = [up, *up.children(recursive=True)]
    assert len(family) >= 4
    for one in family:
        assert not found_in(site, Path(f"/proc/{one.pid}/cmdline").read_bytes()), one
        assert not found_in(site, Path(f"/proc/{one.pid}/environ").read_bytes()), one


MEANT = {
    "token": {"the machine's token"},
    "tls": {"the key in"},
}
"""Files of the data folder that hold a secret, and which."""


def test_only_files_that_are_meant_for_it_hold_a_secret_and_only_for_their_owner(site: Site) -> None:
    """The record has hashes; status files, notes and configurations have none; a file with one has mode 600."""
    for path in sorted(site.stack.data.rglob("*")):
        if not path.is_file():
            continue
        found = found_in(site, path.read_bytes())
        meant = MEANT.get(path.relative_to(site.stack.data).parts[0], set())
        assert all(any(name.startswith(each) for each in meant) for name in found), (path, found)
        if found:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    others = [path for path in site.stack.data.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert not [path for path in others if found_in(site, path.read_bytes())]
    assert stat.S_IMODE(site.stack.data.stat().st_mode) & 0o077 == 0


VERBS = [
    tuple(words.split())
    for words in (
        "doctor",
        "doctor --json --verbose",
        "config check",
        "config check --json",
        "user list",
        "user list --json",
        "things --json --verbose",
        "ledger",
        "ledger --json",
        "lanes",
        "stand",
        "get pi/relays",
        "get pi/nothing --verbose",
        "--help",
    )
]


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_no_verb_prints_a_secret(site: Site, words: tuple[str, ...]) -> None:
    """Nor what is wrong with the configuration, nor with --verbose."""
    tail = () if words[0].startswith("--") else ("--data", str(site.stack.data))
    asked = [sys.executable, "-m", "pilothouse.cli", *words, *tail]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ))
    shown = done.stdout + done.stderr
    assert not found_in(site, shown), words


def test_a_configuration_that_is_wrong_is_not_read_aloud(site: Site, tmp_path: Path) -> None:
    """A secret that somebody wrote into the file itself, or into a file that everybody reads, is not printed."""
    secret = PASSWORDS["the client secret"]
    texts = [
        f'[bus]\nurl = "nats://x"\npassword = "{secret}"\n',
        f'[oidc]\nissuer = "https://x"\nclient_secret = "{secret}"\n',
        f'[oidc]\nissuer = "https://x"\nclient_id = "x"\nclient_secret_file = "/nowhere/{secret[:4]}"\n',
        f'[bus]\nurl = "nats://me:{secret}@host:1"\npassword_file = 3\n',
        f'[hub\npassword = "{secret}"\n',
    ]
    for text in texts:
        (tmp_path / "pilothouse.toml").write_text(text)
        for words in (("config", "check"), ("doctor",)):
            asked = [sys.executable, "-m", "pilothouse.cli", *words, "--data", str(tmp_path)]
            done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
            assert secret not in done.stdout + done.stderr, (text, words)


def test_things_of_ours_do_not_show_themselves(site: Site) -> None:
    """What a slip of a programmer would print: the objects that hold a secret hide it in their repr."""
    from pilothouse.hub.api.account import LogIn
    from pilothouse.hub.api.guests import MadeGuest
    from pilothouse.hub.api.tokens import MadeToken, WantedToken
    from pilothouse.hub.pages.login_forms import Typed
    from pilothouse.record.people_rows import GuestRow, TokenRow

    secret = PASSWORDS["a wrong password"]
    row = TokenRow(id="1", who="ada", name="x", scope="read", made=1, expires=2)
    guest = GuestRow(id="1", name="x", where="bench", made_by="ada", made=1, expires=2)
    empty = dict.fromkeys(Typed.__struct_fields__, secret)
    shown: list[Any] = [
        LogIn(name="ada", password=secret, token=WantedToken(name="x")),
        MadeToken(secret=secret, token=row),
        MadeGuest(url=secret, guest=guest),
        Typed(**empty),
        read_address(Places(site.bus_log.parent).bus_address),
    ]
    for each in shown:
        assert secret not in repr(each) and not found_in(site, repr(each)), type(each)
