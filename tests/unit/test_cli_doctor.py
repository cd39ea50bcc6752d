"""`pilothouse doctor`: what it finds, and that each finding has the line that mends it."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.bus.address import BusAddress, write_address
from pilothouse.cli.access import Access
from pilothouse.cli.app import run
from pilothouse.cli.checks import (
    ALL,
    Finding,
    Patient,
    State,
    bus,
    folder,
    guard,
    hub,
    machine,
    processes,
    record,
    setup,
)
from pilothouse.cli.checks.finding import alive, status_in
from pilothouse.cli.config_check import Checked
from pilothouse.cli.doctor import examine
from pilothouse.config.site import BusConfig, Config, HubConfig, PropertyConfig, ThingConfig
from pilothouse.testing.hub import Answer, ScriptedHub, problem

NOW = 1_900_000_000_000
GONE = 2**22 + 1
"""A process number above the kernel's largest."""

Make = Callable[..., Patient]


@pytest.fixture
def patient(tmp_path: Path) -> Make:
    """Makes a machine to look at; nothing runs on it unless said."""
    tmp_path.chmod(0o700)

    def make(
        *, config: Config | None = None, mistakes: tuple[str, ...] = (), up: Any = None, hub: Any = None, url: str = ""
    ) -> Patient:
        checked = Checked(origin="a file", mistakes=list(mistakes), config=None if mistakes else config or Config())
        access = Access(data=tmp_path, url=url or None)
        return Patient(access=access, checked=checked, now=NOW, up=up or {}, hub=hub or {})

    return make


def running(**processes: Any) -> dict[str, Any]:
    """What `pilothouse up` says while it runs."""
    return {"pid": os.getpid(), "processes": processes}


def only(found: Finding | list[Finding]) -> Finding:
    """The one finding."""
    if isinstance(found, list):
        (found,) = found
    assert found.state is not State.WRONG or found.remedy, "what is wrong needs the line that mends it"
    return found


def test_the_folder(patient: Make, tmp_path: Path) -> None:
    """Not there yet, private and writable, open to others."""
    assert only(folder.folder(patient())).state is State.WELL
    tmp_path.chmod(0o755)
    assert only(folder.folder(patient())).remedy == f"chmod 700 {tmp_path}"
    missing = patient()._replace(access=Access(data=tmp_path / "none"))
    assert only(folder.folder(missing)).state is State.SKIPPED


@pytest.mark.parametrize(
    ("free", "state"), [(50_000_000, State.WRONG), (500_000_000, State.LOOK), (5_000_000_000, State.WELL)]
)
def test_the_room(patient: Make, monkeypatch: pytest.MonkeyPatch, free: int, state: State) -> None:
    """A full disk is wrong, a nearly full one wants a look."""
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": free}))
    assert only(folder.room(patient())).state is state


def test_the_token(patient: Make, tmp_path: Path) -> None:
    """Not made yet, gone while the hub runs, readable by others, as it should be."""
    assert only(folder.token(patient())).state is State.SKIPPED
    assert only(folder.token(patient(up=running()))).state is State.WRONG
    path = tmp_path / "token"
    path.write_text("x")
    path.chmod(0o644)
    assert only(folder.token(patient())).remedy == f"chmod 600 {path}"
    path.chmod(0o600)
    assert only(folder.token(patient())).state is State.WELL


def test_leftovers(patient: Make) -> None:
    """A note of a dead process matters when something else runs."""
    assert only(folder.leftovers(patient(up={"pid": GONE}))).state is State.WELL
    found = only(folder.leftovers(patient(up=running(), hub={"pid": GONE})))
    assert found.state is State.LOOK
    assert found.remedy.startswith("rm ")


def test_status_files(tmp_path: Path) -> None:
    """Missing, broken and strange files are no status; strange numbers are no process."""
    path = tmp_path / "up.json"
    assert status_in(path) == {}
    for content in ("", "[1]", "\udcff", '{"pid": '):
        path.write_bytes(content.encode("utf-8", "surrogateescape"))
        assert status_in(path) == {}
    assert [alive({"pid": pid}) for pid in (os.getpid(), GONE, 0, -1, "1", None, 2**80)] == [True] + [False] * 6


def test_the_configuration(patient: Make) -> None:
    """The first mistake, how many more, and the line that lists them."""
    assert only(setup.configuration(patient())).state is State.WELL
    found = only(setup.configuration(patient(mistakes=("x.toml: a: is not known", "b", "c"))))
    assert (found.state, found.remedy) == (State.WRONG, "pilothouse config check")
    assert "and 2 more" in found.what
    assert only(setup.configuration(patient()._replace(checked=None))).state is State.WRONG


@pytest.mark.parametrize(("now", "state"), [(0, State.WRONG), (-5, State.WRONG), (5 * 10**12, State.WRONG)])
def test_the_clock_when_it_cannot_be(patient: Make, now: int, state: State) -> None:
    """1970 and the far future are wrong; a Pi without a clock chip starts there."""
    assert only(machine.clock(patient()._replace(now=now))).state is state
    assert only(machine.clock(patient())).state is State.WELL


def test_the_port(patient: Make) -> None:
    """Free, taken, any; not looked at while Pilothouse has it."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        config = Config(hub=HubConfig(port=number))
        found = only(machine.port(patient(config=config)))
        assert found.state is State.WRONG
        assert f"--port {number + 1}" in found.remedy
        assert only(machine.port(patient(config=config, up=running()))).state is State.SKIPPED
    assert only(machine.port(patient(config=Config(hub=HubConfig(port=0))))).state is State.WELL
    strange = Config(hub=HubConfig(host="192.0.2.1", port=8470))
    assert only(machine.port(patient(config=strange))).state is State.LOOK


def test_processes(patient: Make) -> None:
    """Nothing runs; runs; falls again and again; stopped for good; started one by one."""
    assert "pilothouse up" in only(processes.processes(patient(up={"pid": GONE}))).remedy
    assert only(processes.processes(patient(hub={"pid": os.getpid()}))).state is State.SKIPPED
    agent = {"pid": 1, "since": NOW - 61_000, "restarts": 0, "state": "running", "note": ""}
    found = only(processes.processes(patient(up=running(agent=agent))))
    assert (found.state, found.what) == (State.WELL, "has run for 1 min")
    for change, state in (
        ({"restarts": 9, "note": "was killed"}, State.LOOK),
        ({"state": "waiting", "note": "ended with code 1"}, State.WRONG),
        ({"state": "stopped", "note": "another agent has taken over"}, State.WRONG),
    ):
        found = only(processes.processes(patient(up=running(agent=agent | change))))
        assert found.state is state
        assert str(change["note"]) in found.what


def test_the_bus_program(patient: Make) -> None:
    """The one that is installed; one that is none; not needed with a bus of one's own."""
    assert only(bus.program(patient())).state is State.WELL
    missing = Config(bus=BusConfig(server=sys.executable))
    assert only(bus.program(patient(config=missing))).state is State.WRONG
    own = Config(bus=BusConfig(url="nats://example.invalid:4222"))
    assert "not needed" in only(bus.program(patient(config=own))).what


def test_the_bus(patient: Make, tmp_path: Path) -> None:
    """Not running, no address, nobody there, there."""
    assert only(bus.answers(patient())).state is State.SKIPPED
    assert only(bus.answers(patient(up=running()))).state is State.WRONG
    (tmp_path / "bus").mkdir()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        url = f"nats://127.0.0.1:{server.getsockname()[1]}"
        write_address(tmp_path / "bus" / "address.json", BusAddress(url=url))
        assert only(bus.answers(patient(up=running()))).state is State.WRONG
        server.listen()
        assert only(bus.answers(patient(up=running()))).state is State.WELL
        both = Config(bus=BusConfig(url=f"nats://127.0.0.1:9, {url}"))
        assert only(bus.answers(patient(config=both))).state is State.WELL
    assert only(bus.answers(patient(config=Config(bus=BusConfig(url="nats://127.0.0.1:9"))))).state is State.WRONG


def test_the_record(patient: Make, tmp_path: Path) -> None:
    """Not there yet, whole, damaged, no database at all."""
    assert only(record.ledger(patient())).state is State.SKIPPED
    (tmp_path / "record").mkdir()
    path = tmp_path / "record" / "main.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE a (b)")
    connection.executemany("INSERT INTO a VALUES (?)", [(os.urandom(500),) for _ in range(100)])
    connection.commit()
    connection.close()
    assert only(record.ledger(patient())).state is State.WELL
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    path.write_bytes(content)
    found = only(record.ledger(patient()))
    assert found.state is State.WRONG
    assert "mv " in found.remedy
    path.write_bytes(b"this is no database" * 100)
    assert only(record.ledger(patient())).state is State.WRONG


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux lists who holds a lock")
def test_the_keeper(patient: Make, tmp_path: Path) -> None:
    """Whether somebody holds the lock, without taking it."""
    import fcntl

    assert only(record.keeper(patient())).state is State.SKIPPED
    assert only(record.keeper(patient(up=running()))).state is State.WRONG
    (tmp_path / "record").mkdir()
    with (tmp_path / "record" / "keeper.lock").open("w") as lock:
        assert only(record.keeper(patient(up=running()))).state is State.WRONG
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert only(record.keeper(patient(up=running()))).state is State.WELL
        (tmp_path / "run").mkdir()
        status = {"pid": os.getpid(), "state": "leading", "note": "", "lag": {"data": 500}}
        for change, state, said in (
            ({}, State.WELL, "500 messages behind"),
            ({"state": "waiting for disk", "note": "No space left"}, State.WRONG, "No space left"),
            ({"state": "waiting for bus"}, State.WRONG, "waiting for bus"),
            ({"state": "waiting for disk", "pid": GONE}, State.WELL, "writes the record"),
        ):
            (tmp_path / "run" / "keeper.json").write_text(json.dumps(status | change))
            found = only(record.keeper(patient(up=running())))
            assert (found.state, said in found.what) == (state, True)


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[ScriptedHub]:
    """A hub of this machine."""
    with ScriptedHub() as server:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "hub.json").write_text(json.dumps({"url": server.url, "pid": os.getpid()}))
        (tmp_path / "token").write_text("secret")
        server.answers["GET /api/stop"] = Answer(200, {"stops": [], "missing": []})
        server.answers["GET /api/stands"] = Answer(200, {"stands": []})
        yield server


def test_the_hub_and_its_site(patient: Make, scripted: ScriptedHub) -> None:
    """Nodes that are away, clocks that differ, notes, things that do not answer."""
    nodes = [
        {"node": "a", "life": "here", "things": ["x"]},
        {"node": "b", "life": "away", "since": NOW},
        {"node": "c", "life": "here", "clock_offset": -7_200_000},
        {"node": "d", "life": "here", "notes": ["took over"]},
    ]
    scripted.answers["GET /api/nodes"] = Answer(200, {"nodes": nodes})
    ill = {"node": "a", "thing": "x", "health": {"ok": False, "error": "no answer", "since": NOW}}
    well = {"node": "a", "thing": "y", "health": {"ok": True}}
    scripted.answers["GET /api/things"] = Answer(200, {"things": [ill, well]})
    found = {one.name: one for one in hub.hub(patient(hub={"pid": os.getpid()}))}
    assert {name: one.state.value for name, one in found.items()} == {
        "hub": "well", "node a": "well", "node b": "wrong", "node c": "look", "node d": "look", "thing a/x": "look",
    }  # fmt: skip
    assert "2 h behind" in found["node c"].what
    assert found["node a"].what == "here, 1 thing"


def test_stops_that_hold(patient: Make, scripted: ScriptedHub) -> None:
    """A stop wants a look; a node that does not obey it is wrong."""
    scripted.answers["GET /api/nodes"] = Answer(200, {"nodes": [{"node": "a", "life": "here"}]})
    scripted.answers["GET /api/things"] = Answer(200, {"things": []})
    stop = {"id": "x", "kind": "hard", "time": NOW, "who": "ada", "origin": "page", "reason": "smoke", "nodes": []}
    scripted.answers["GET /api/stop"] = Answer(200, {"stops": [stop], "missing": ["b"]})
    _, _, held, missing = hub.hub(patient(up=running()))
    assert (held.state, missing.state) == (State.LOOK, State.WRONG)
    assert held.what.startswith("ada pressed it at ")
    assert ": smoke; it holds" in held.what
    assert "pilothouse stop --lift" in held.remedy
    assert "Node b" in missing.what


def test_stands_of_what_is_not_there(patient: Make, scripted: ScriptedHub) -> None:
    """Wrong on a node that is here; only a look where the node itself is not known."""
    scripted.answers["GET /api/nodes"] = Answer(200, {"nodes": [{"node": "a", "life": "here"}]})
    scripted.answers["GET /api/things"] = Answer(200, {"things": [{"node": "a", "thing": "bath"}]})
    stands = [
        {"stand": "good", "things": ["a/bath"]},
        {"stand": "typo", "things": ["a/bath", "a/baht"]},
        {"stand": "far", "things": ["elsewhere/pump"]},
    ]
    scripted.answers["GET /api/stands"] = Answer(200, {"stands": stands})
    found = {one.name: one for one in hub.hub(patient(up=running()))}
    assert "stand good" not in found
    assert found["stand typo"].state is State.WRONG
    assert "did you mean 'a/bath'?" in found["stand typo"].remedy
    assert found["stand far"].state is State.LOOK


def test_what_can_hurt_has_a_safe_value(patient: Make) -> None:
    """A hazard without a safe value wants a look, and names the table in which to mend it."""

    def config(**own: Any) -> Config:
        offset = {"offset": PropertyConfig(hazard="It gets hot", **own)}
        return Config(things={"sensor": ThingConfig(driver="sim.sensor", properties=offset)})

    found = only(guard.hazards(patient(config=config())))
    assert (found.name, found.state) == ("sensor.offset", State.LOOK)
    assert "[things.sensor.properties.offset]" in found.remedy
    assert only(guard.hazards(patient(config=config(safe=0.0)))).state is State.WELL
    broken = Config(things={"sensor": ThingConfig(driver="sim.snesor")})
    assert only(guard.hazards(patient(config=broken))).state is State.SKIPPED
    assert only(guard.hazards(patient(mistakes=("bad",)))).state is State.SKIPPED


def test_the_hub_that_is_ill(patient: Make, scripted: ScriptedHub) -> None:
    """No bus, no record, no node, a token that it does not know, a stranger in its place."""
    scripted.answers["GET /healthz"] = Answer(200, {"status": "degraded", "bus": False, "record": True})
    scripted.answers["GET /api/nodes"] = Answer(200, {"nodes": []})
    first, second = hub.hub(patient(up=running()))
    assert (first.state, second.state) == (State.WRONG, State.WRONG)
    assert "no link to the bus" in first.what
    scripted.answers["GET /api/nodes"] = problem(401, "Who are you?")
    assert "Who are you" in only(hub.hub(patient(up=running()))).what
    scripted.answers["GET /healthz"] = Answer(200, b"<html>", "text/html")
    assert only(hub.hub(patient(up=running()))).state is State.WRONG


def test_the_hub_that_is_not_there(patient: Make, tmp_path: Path) -> None:
    """Nothing runs; it has not said where it is; nobody listens there."""
    assert only(hub.hub(patient())).state is State.SKIPPED
    assert only(hub.hub(patient(up=running()))).state is State.WRONG
    (tmp_path / "token").write_text("t")
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / "hub.json").write_text(json.dumps({"url": "http://127.0.0.1:9", "pid": os.getpid()}))
    found = only(hub.hub(patient(url="http://127.0.0.1:9")))
    assert found.state is State.WRONG
    assert "connection refused" in found.what


def test_a_check_that_cannot_look_is_a_finding(patient: Make) -> None:
    """A folder of another user must not end the doctor."""

    def locked(patient: Patient) -> Finding:
        raise PermissionError(13, "Permission denied", "/secret")

    (found,) = examine(patient(), [locked])
    assert found.state is State.WRONG
    assert "Permission denied" in found.what


def test_a_machine_on_which_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, one line a finding, and below what is wrong the line that mends it; JSON says the same."""
    data = tmp_path / "data"
    assert run(["doctor", "--data", str(data)]) == 1
    out = capsys.readouterr().out
    assert f"WRONG  processes        Pilothouse does not run on {data}\n" in out
    assert f"-> pilothouse up --data {data}\n" in out
    assert out.endswith("One thing is wrong.\n") or "web assets" in out
    assert run(["doctor", "--data", str(data), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert len(told["findings"]) == len(ALL)
    assert not data.exists(), "the doctor changes nothing"
