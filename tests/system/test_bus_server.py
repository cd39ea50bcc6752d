"""The embedded server: found, prepared, kept to itself, ended with its parent, and refused with a clear line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psutil
import pytest

from pilothouse.bus import Subjects, server, streams
from pilothouse.bus.address import read_address
from pilothouse.bus.messages import Presence
from pilothouse.config.places import Places
from pilothouse.config.site import BusConfig
from pilothouse.errors import BusDown, CannotStart, TimedOut


def presence() -> Presence:
    return Presence(node="pi", epoch=1, version="1", time=0, mono=0)


def run(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`pilothouse bus` where it is to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "pilothouse.bus", "--data", str(data), *options],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def fake_program(path: Path, version: str) -> Path:
    path.write_text(f"#!/bin/sh\necho nats-server: v{version}\n")
    path.chmod(0o755)
    return path


# finding it


def test_program_from_config_then_path_then_package(tmp_path, monkeypatch):
    """The configured one wins; one in PATH is passed over when it is too old."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert server.find_program(BusConfig()).found == "package"
    fake_program(tmp_path / "nats-server", "2.9.10")
    assert server.find_program(BusConfig()).found == "package"
    fake_program(tmp_path / "nats-server", "2.14.0")
    assert server.find_program(BusConfig()).found == "PATH"
    own = fake_program(tmp_path / "own", "3.0.1")
    assert server.find_program(BusConfig(server=str(own)))[1:] == ((3, 0, 1), "config")


@pytest.mark.parametrize("version", ["2.9.10", "2.13.9", "garbage"])
def test_configured_program_that_does_not_do(tmp_path, version):
    """One that was named is refused with its version, never replaced by another."""
    own = fake_program(tmp_path / "own", version)
    with pytest.raises(CannotStart, match=r"2\.14") as caught:
        server.find_program(BusConfig(server=str(own)))
    assert str(own) in str(caught.value)
    with pytest.raises(CannotStart):
        server.find_program(BusConfig(server=str(tmp_path / "missing")))


# what it is while it runs


def test_it_keeps_to_itself(bus_server):
    """Loopback only, one port, below the ephemeral ones; no password in sight; files for the owner only."""
    process = psutil.Process(bus_server.pid)
    listening = [c.laddr for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", bus_server.port)]
    assert 20_000 <= bus_server.port < 32_000
    assert "nats-server" in process.name()  # no process of ours around it
    password = bus_server.address.password
    assert len(password) >= 24
    assert password not in " ".join(process.cmdline()) + json.dumps(process.environ())
    for name in ("address.json", "nats.conf"):
        assert (bus_server.places.bus / name).stat().st_mode & 0o777 == 0o600
    assert password not in repr(bus_server.address)
    assert password not in bus_server.said()


async def test_limits_and_flushing(bus, bus_server):
    """Memory and file limits come from the configuration; every message is flushed."""
    answer = await bus.replies.one("$JS.API.INFO", b"", 5)
    assert b'"max_memory":' in answer.data
    settings = (bus_server.places.bus / "nats.conf").read_text()
    assert "sync_interval: always" in settings
    assert f"max_memory_store: {BusConfig().max_memory}" in settings
    assert f"max_file_store: {BusConfig().max_file}" in settings
    assert bus.link._server_info["max_payload"] > 1024 * 1024
    assert bus.link._server_info["server_name"] == bus_server.address.server_name


def test_it_ends_in_order(bus_server):
    """SIGTERM ends it at once with code 0."""
    began = time.monotonic()
    assert bus_server.stop() == 0
    assert time.monotonic() - began < 5


def test_it_dies_with_its_parent(tmp_path):
    """When the process that started it is killed -9, the server is gone too."""
    starter = (
        "import os, subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-m', 'pilothouse.bus', '--data', sys.argv[1], "
        "'--parent', str(os.getpid())], start_new_session=True)\n"
        "print(p.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", starter, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_until(lambda: "nats-server" in name_of(pid), "it became the server")
        parent.kill()
    wait_until(lambda: not psutil.pid_exists(pid) or name_of(pid) == "", "it is gone")


def name_of(pid: int) -> str:
    """Name of a process; "" when it is gone or a zombie."""
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else process.name()
    except psutil.NoSuchProcess:
        return ""


def wait_until(ask, what: str, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not ask():
        assert time.monotonic() < end, what
        time.sleep(0.01)


async def test_reload_on_sighup(bus, bus_server, connect, until):
    """A user added to its file may log in after SIGHUP; what it may not do is told in `problems`; one that is taken
    out loses the link, and has it again when put back."""
    path = bus_server.places.bus / "nats.conf"
    before = path.read_text()
    added = before.replace(
        "users: [",
        'users: [{user: "guest", password: "guest-secret", permissions: {publish: ["ph.home.node.guest", "_INBOX.>"],'
        ' subscribe: ["_INBOX.>", "ph.home.node.*"]}}, ',
    )
    path.write_text(added)
    os.kill(bus_server.pid, signal.SIGHUP)
    address = msgspec.structs.replace(bus_server.address, user="guest", password="guest-secret", file="")
    guest = await connect("guest", address=address)
    assert bus.links == 1  # those who were there never noticed
    await guest.publish("ph.home.node.guest", presence())
    await guest.publish("ph.home.node.pi", presence())
    await until(lambda: guest.problems, "told")
    assert any("ph.home.node.pi" in sentence for sentence in guest.problems)
    with pytest.raises(TimedOut):
        await guest.request("ph.home.cmd.pi.fan.on", presence(), Presence, 0.05)
    assert guest.up
    path.write_text(before)
    os.kill(bus_server.pid, signal.SIGHUP)
    await until(lambda: not guest.up, "taken out")
    with pytest.raises(BusDown):
        await guest.publish("ph.home.node.guest", presence())
    path.write_text(added)
    os.kill(bus_server.pid, signal.SIGHUP)
    await until(lambda: guest.up, "put back")


# starting again


def test_port_and_credentials_stay(bus_server):
    """Over a restart and over kill -9; new ones only on request."""
    before = bus_server.address
    bus_server.restart()
    assert bus_server.address == before
    bus_server.restart(kill=True)
    assert bus_server.address == before
    bus_server.stop()
    bus_server.start("--fresh")
    after = bus_server.address
    assert after.password != before.password
    assert after.server_name != before.server_name


def test_port_that_somebody_else_took(bus_server):
    """The bus moves, says so, and keeps what it had."""
    before = bus_server.port
    bus_server.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", before))
        other.listen()
        bus_server.start()
        assert bus_server.port != before
    assert f"port {before} of the bus is taken" in bus_server.said()


def test_broken_address_file_is_replaced(bus_server):
    """Garbage in address.json leads to new credentials, not to an error."""
    bus_server.stop()
    for garbage in ("", "garbage", "{}", '{"url": "nats://10.0.0.1:1"}', '{"url": 5}'):
        bus_server.places.bus_address.write_text(garbage)
        bus_server.start()
        assert bus_server.address.password
        bus_server.stop()


def test_two_on_one_folder(bus_server, monkeypatch):
    """The second ends with one line; the first goes on."""
    second = run(bus_server.places.data)
    assert second.returncode == 2
    assert "Another bus runs" in second.stderr
    assert psutil.pid_exists(bus_server.pid)


def test_folder_that_cannot_be_written(tmp_path):
    """One line and exit code 2."""
    (tmp_path / "bus").write_text("a file where the folder should be")
    failed = run(tmp_path)
    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1
    assert "cannot be written" in failed.stderr


def test_external_bus(tmp_path):
    """A site with a bus of its own needs no embedded one, and is told so."""
    (tmp_path / "pilothouse.toml").write_text('[bus]\nurl = "nats://example.org:4222"\n')
    failed = run(tmp_path)
    assert failed.returncode == 2
    assert "nats://example.org:4222" in failed.stderr


DAMAGES = {
    "meta.inf": b"garbage",
    "meta.sum": b"0000",
}


@pytest.mark.parametrize("name", [*DAMAGES, "missing", "msgs"])
async def test_damaged_stream_is_named_and_not_touched(bus, bus_server, name):
    """It does not start over a damaged stream, which the server would leave out or write over; it says what to do."""
    await bus.append(Subjects("home").ledger("pi"), presence(), id="1")
    bus_server.stop()
    ledger = streams("home")["ledger"].name
    folder = bus_server.places.bus / "streams" / "jetstream" / "$G" / "streams" / ledger
    if name == "missing":
        (folder / "meta.inf").unlink()
    elif name == "msgs":
        for file in (folder / "msgs").iterdir():
            file.unlink()
        (folder / "msgs").rmdir()
    else:
        (folder / name).write_bytes(DAMAGES[name])
    kept = sorted(path.name for path in folder.rglob("*"))
    failed = run(bus_server.places.data)
    assert failed.returncode == 2
    assert ledger in failed.stderr
    assert f"mv '{folder}'" in failed.stderr
    assert sorted(path.name for path in folder.rglob("*")) == kept
    folder.rename(bus_server.places.bus / "aside")
    bus_server.start()
    assert bus_server.process.poll() is None


def test_last_words_are_told(bus_server):
    """When the server could not run last time, the next start says why."""
    bus_server.stop()
    jetstream = bus_server.places.bus / "streams" / "jetstream"
    for path in sorted(jetstream.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    jetstream.rmdir()
    jetstream.write_text("not a folder")
    assert bus_server.launch().wait(15) == 1
    jetstream.unlink()
    bus_server.start()
    assert "could not run last time: Can't start JetStream" in bus_server.said()


def test_address_file_gone(tmp_path):
    """No file, no address."""
    assert read_address(Places(tmp_path).bus_address) is None
