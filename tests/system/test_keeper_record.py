"""The keeper as a process: whatever is killed, filled or damaged, the record holds every reading once."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.bus import Bus, Subjects
from pilothouse.bus.messages import Batch, Described, End, Happened, Outcome, Outcomes, Presence
from pilothouse.clock import SystemClock
from pilothouse.errors import BusDown, TimedOut
from pilothouse.model import PropertyDescription, Reading, Series, ThingDescription
from pilothouse.record import History, Intent, Ledger

SUBJECTS = Subjects("home")
T0 = 1_700_000_000_000
PER_BATCH = 20


class Keepers:
    """Keeper processes on the data folder of one bus."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log = data / "keeper.stderr"
        self.running: list[subprocess.Popen[bytes]] = []
        (data / "run").mkdir(parents=True, exist_ok=True)

    def start(self, *, file_limit: int = 0) -> subprocess.Popen[bytes]:
        """Start one; `file_limit` is how large its files may grow until `lift` (a full disk, as far as it can tell)."""
        command = [sys.executable, "-m", "pilothouse.keeper", "--data", str(self.data), "--parent", str(os.getpid())]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"XDG_RUNTIME_DIR": str(self.data / "run")},
            )
        self.running.append(process)
        if file_limit:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (file_limit, resource.RLIM_INFINITY))
        return process

    def lift(self, process: subprocess.Popen[bytes]) -> None:
        """There is room again."""
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def end(self, process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> int:
        """Stop or kill one; gives its exit code."""
        process.send_signal(number)
        self.running.remove(process)
        return process.wait(10)

    def said(self) -> str:
        """What they wrote on standard error."""
        return self.log.read_text()

    def status(self) -> dict[str, Any]:
        """What the leading one says of itself."""
        path = self.data / "run" / "keeper.json"
        return json.loads(path.read_bytes()) if path.exists() else {}

    def ask(self, sql: str) -> Any:
        """One value out of history.db, None while it is not there."""
        path = self.data / "record" / "history.db"
        try:
            connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        except sqlite3.OperationalError:
            return None
        try:
            row = connection.execute(sql).fetchone()
            return None if row is None else row[0]
        except sqlite3.OperationalError:
            return None
        finally:
            connection.close()

    def readings(self) -> int:
        """Readings in the record."""
        return int(self.ask("SELECT count(*) FROM reading WHERE quality <> 3") or 0)

    def gaps(self) -> int:
        """Gap marks in the record."""
        return int(self.ask("SELECT count(*) FROM reading WHERE quality = 3") or 0)


@pytest.fixture
def keepers(bus_server: Any) -> Iterator[Keepers]:
    """No keeper yet, which writes at once when it is started; all are stopped at the end, and nothing is left."""
    made = Keepers(bus_server.places.data)
    (made.data / "pilothouse.toml").write_text("[keeper]\nflush = 0.1\nsettle = 0.1\n")
    yield made
    orderly = bool(made.running)
    for process in list(made.running):
        assert made.end(process) == 0, made.said()
    left = [path.name for path in (made.data / "run").iterdir() if path.name != "keeper.json"]
    assert left == [] or not orderly


def batch(seq: int, epoch: int = 1, *, late: bool = False) -> Batch:
    """Batch `seq` of a node that has read `PER_BATCH` properties each 10 ms."""
    readings = [Reading("host", f"p{i}", T0 + seq * 10, float(seq)) for i in range(PER_BATCH)]
    return Batch(node="pi", epoch=epoch, seq=seq, readings=readings, late=late)


async def send(bus: Bus, *seqs: int, epoch: int = 1) -> None:
    """Publish batches as a spool does: each again and again until the bus has it."""
    for seq in seqs:
        while True:
            try:
                await bus.append(SUBJECTS.data("pi"), batch(seq, epoch), id=f"pi-{epoch}-{seq}", timeout=1.0)
                break
            except (BusDown, TimedOut):
                await asyncio.sleep(0.01)


async def test_readings_events_and_outcomes_come_into_the_record(bus: Bus, keepers: Keepers, until: Any) -> None:
    """Everything that the bus carries, each where it belongs, and a hub can read it."""
    about = PropertyDescription(name="p0", schema={"type": "number"}, unit="Cel")
    thing = ThingDescription(node="pi", name="host", properties={"p0": about})
    await bus.publish(
        SUBJECTS.description("pi", "host"), Described(node="pi", epoch=1, thing="host", description=thing)
    )
    here = Presence(node="pi", epoch=1, version="0.1.0", time=T0, mono=1, things=("host",))
    await bus.publish(SUBJECTS.presence("pi"), here)
    await send(bus, 1, 2)
    event = Happened(id="event-0001", node="pi", epoch=1, thing="host", name="hot", time=T0, data=99)
    await bus.append(SUBJECTS.event("pi", "host"), event, id=event.id)
    clock = SystemClock()
    ledger = await Ledger.open(keepers.data / "record" / "main.db", clock)
    about_command = {"id": "command-1", "node": "pi", "thing": "host", "name": "p0"}
    await ledger.intend(Intent(kind="property", who="ada", origin="page", made=clock.now(), **about_command))
    outcome = Outcome(epoch=1, end=End.CONFIRMED, value=5, **about_command)
    odd = Outcome(id="..", node="pi", epoch=2**80, thing="x", name="y", end=End.FAILED)
    await bus.append(SUBJECTS.ledger("pi"), Outcomes(node="pi", outcomes=(outcome,)), id="command-1")
    await bus.append(SUBJECTS.ledger("pi"), Outcomes(node="pi", outcomes=(odd,)), id="z")

    keepers.start()
    history = await History.open_reader(keepers.data / "record" / "history.db", clock)
    await until(lambda: keepers.readings() == 2 * PER_BATCH, "the readings")
    await until(lambda: keepers.ask("SELECT count(*) FROM event") == 1, "the event")
    await until(lambda: keepers.ask("SELECT count(*) FROM thing") == 1, "the description")
    await until(lambda: keepers.ask("SELECT seq FROM position WHERE stream = 'event'") == 1, "the position")
    data = (await history.query([Series("pi", "host", "p0")], T0, T0 + 1000, 10))[0]
    assert (data.unit, [point[:2] for point in data.points]) == ("Cel", [(T0 + 10, 1.0), (T0 + 20, 2.0)])
    assert (await history.events())[0].data == 99
    (remembered,) = await history.directory()
    assert remembered.properties["p0"].value == 2.0

    async def ended() -> str:
        line = await ledger.line("command-1")
        assert line is not None
        return line.end

    for _ in range(1000):
        if await ended():
            break
        await asyncio.sleep(0.01)
    assert await ended() == "confirmed"
    assert len(await ledger.lines()) == 1
    await ledger.close()
    await history.close()


async def test_killed_again_and_again_under_load(bus: Bus, keepers: Keepers, until: Any) -> None:
    """kill -9 at any moment: every reading is there once, and no line is broken."""
    count = 1500
    sending = asyncio.create_task(send(bus, *range(1, count + 1)))
    for turn in range(6):
        keeper = keepers.start()
        start = keepers.readings()
        await until(lambda start=start: keepers.readings() > start or sending.done(), "some progress")
        await asyncio.sleep(0.03 * turn)
        assert keepers.end(keeper, signal.SIGKILL) == -signal.SIGKILL
    await sending
    keepers.start()
    await until(lambda: keepers.readings() >= count * PER_BATCH, "all readings")
    assert keepers.ask("SELECT max(seq) FROM position WHERE stream = 'data'") == count
    assert (keepers.readings(), keepers.gaps()) == (count * PER_BATCH, 0)
    assert keepers.ask("SELECT sum(value) FROM reading") == PER_BATCH * count * (count + 1) / 2


@pytest.mark.parametrize("kill", [False, True])
async def test_the_bus_goes_and_comes_under_load(
    bus: Bus, bus_server: Any, keepers: Keepers, until: Any, kill: bool
) -> None:
    """Stopped or killed -9: what the bus had taken or takes later comes into the record."""
    keepers.start()
    sending = asyncio.create_task(send(bus, *range(1, 1001)))
    for _ in range(2):
        start = keepers.readings()
        await until(lambda start=start: keepers.readings() > start or sending.done(), "some progress")
        await asyncio.to_thread(bus_server.restart, kill=kill)
    await sending
    await until(lambda: keepers.ask("SELECT max(time) FROM reading") == T0 + 10_000, "the last reading")
    if not kill:
        # A bus that is killed may lose what it had taken in its last moments, and the keeper had not read.
        await until(lambda: keepers.readings() == 1000 * PER_BATCH, "all readings")
        assert keepers.gaps() == 0


async def test_a_second_keeper_stands_by(bus: Bus, keepers: Keepers, until: Any) -> None:
    """It takes over the moment that the first is killed, and nothing is missing or double."""
    first = keepers.start()
    await send(bus, 1)
    await until(lambda: keepers.readings() == PER_BATCH, "the first to lead")
    second = keepers.start()
    await until(lambda: "standing by" in keepers.said(), "the second to say so")
    assert f"process {first.pid} writes" in keepers.said()
    await send(bus, 2, 3)
    await until(lambda: keepers.readings() == 3 * PER_BATCH, "the first to go on")
    keepers.end(first, signal.SIGKILL)
    await send(bus, 4)
    await until(lambda: keepers.readings() == 4 * PER_BATCH, "the second to take over")
    assert keepers.status()["pid"] == second.pid
    assert keepers.gaps() == 0


async def test_a_full_disk_loses_nothing(bus: Bus, keepers: Keepers, until: Any) -> None:
    """It says so, waits, and goes on when there is room."""
    keeper = keepers.start()
    await send(bus, 1)
    await until(lambda: keepers.readings() == PER_BATCH, "it to work")
    resource.prlimit(keeper.pid, resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    await send(bus, *range(2, 1001))
    await until(lambda: keepers.status().get("state") == "waiting for disk", "it to say that it waits")
    assert "df -h" in keepers.status()["note"]
    await send(bus, *range(1001, 1201))
    assert keepers.readings() < 1000 * PER_BATCH
    keepers.lift(keeper)
    await until(lambda: keepers.readings() == 1200 * PER_BATCH, "all readings", seconds=30)
    await until(lambda: keepers.status()["state"] == "leading", "it to say that it goes on")
    assert keepers.gaps() == 0
    assert keepers.said().count("cannot be written now") == 1


async def test_killed_while_the_disk_is_full(bus: Bus, keepers: Keepers, until: Any) -> None:
    """The next one takes everything from the bus."""
    keeper = keepers.start(file_limit=300_000)
    await send(bus, *range(1, 501))
    await until(lambda: keepers.status().get("state") == "waiting for disk", "it to wait")
    keepers.end(keeper, signal.SIGKILL)
    keepers.start()
    await until(lambda: keepers.readings() == 500 * PER_BATCH, "all readings")
    assert keepers.gaps() == 0


async def test_stopped_readings_come_later(bus: Bus, keepers: Keepers, until: Any) -> None:
    """What came while no keeper ran is taken at the next start; what it held when stopped is written."""
    (keepers.data / "pilothouse.toml").write_text("[keeper]\nflush = 0.1\nsettle = '1h'\n")
    await send(bus, 1, 2, 3)
    keeper = keepers.start()
    await until(lambda: keepers.readings() == 3 * PER_BATCH, "the first readings, whose series are new")
    await send(bus, 4)
    clock = SystemClock()
    history = await History.open_reader(keepers.data / "record" / "history.db", clock)

    async def shown() -> int:
        return len((await history.query([Series("pi", "host", "p0")], T0, T0 + 1000, 100))[0].points)

    while await shown() != 4:
        await asyncio.sleep(0.01)
    assert keepers.readings() == 3 * PER_BATCH, "it is seen, and the card was spared"
    assert keepers.end(keeper) == 0
    assert keepers.readings() == 4 * PER_BATCH
    assert await shown() == 4
    await history.close()


async def test_a_new_run_and_a_lost_batch_break_the_line(bus: Bus, keepers: Keepers, until: Any) -> None:
    """In the record as in the pure rules."""
    keepers.start()
    await send(bus, 1, 2, 4)
    await until(lambda: keepers.gaps() == PER_BATCH, "the hole")
    await send(bus, 3)
    await until(lambda: keepers.gaps() == 0, "the hole to be filled", seconds=20)
    await send(bus, 5, epoch=2)
    await until(lambda: keepers.gaps() == PER_BATCH, "the new run")


async def test_garbage_on_the_streams(bus: Bus, keepers: Keepers, until: Any) -> None:
    """Nothing that anybody puts on the bus stops the keeper."""
    for subject in ("ph.home.data.pi", "ph.home.data.Not-A-Name", "ph.home.event.pi.host", "ph.home.ledger.pi"):
        for data in (b"", b"\xff\xfe", b"{}", b"[" * 10_000, b'{"v":99}', b"x" * 1_000_000):
            await bus.replies.one(subject, data, 5)
    await bus.append(SUBJECTS.data("other"), batch(1), id="wrong-node")
    odd = [Reading("host", "p0", time, value) for time, value in ((-5, 1), (2**80, 1), (T0, 10**400), (T0 + 1, "\x00"))]
    await bus.append(SUBJECTS.data("pi"), Batch(node="pi", epoch=2**80, seq=1, readings=[]), id="odd-1")
    await bus.append(SUBJECTS.data("pi"), Batch(node="pi", epoch=1, seq=1, readings=odd), id="odd-2")
    keepers.start()
    await send(bus, 2)
    await until(lambda: keepers.readings() == PER_BATCH + 2, "the good readings")
    assert keepers.ask("SELECT count(DISTINCT node) FROM series") == 1


def test_a_damaged_record_is_not_deleted(tmp_path: Path) -> None:
    """One line that says what to type, exit code 2, and the file is as it was."""
    record = tmp_path / "record"
    record.mkdir()
    (record / "history.db").write_bytes(b"once a database" * 500)
    command = [sys.executable, "-m", "pilothouse.keeper", "--data", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    lines = [line for line in ended.stderr.splitlines() if "is damaged" in line]
    assert ended.returncode == 2 and len(lines) == 1
    assert f"mkdir -p {record}/damaged && mv {record}/history.db* {record}/damaged" in lines[0]
    assert "Traceback" not in ended.stderr
    assert (record / "history.db").read_bytes() == b"once a database" * 500


def test_it_stops_at_once_without_a_bus(tmp_path: Path) -> None:
    """SIGTERM while it waits for the bus."""
    command = [sys.executable, "-m", "pilothouse.keeper", "--data", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        path = tmp_path / "run" / "keeper.json"
        while not (path.exists() and b"waiting for bus" in path.read_bytes()):
            assert process.poll() is None
        process.terminate()
        assert process.wait(2) == 0
    assert json.loads(path.read_bytes())["state"] == "stopped"


@pytest.mark.parametrize("running", [True, False])
async def test_a_bus_that_lost_its_folder(
    bus: Bus, bus_server: Any, keepers: Keepers, until: Any, running: bool
) -> None:
    """Its streams count from 1 again; what the record has stays, and what is new comes in."""
    keeper = keepers.start()
    await send(bus, 1, 2, 3)
    await until(lambda: keepers.readings() == 3 * PER_BATCH, "the readings")
    if not running:
        keepers.end(keeper)
    await asyncio.to_thread(bus_server.stop)
    shutil.rmtree(bus_server.places.bus / "streams")
    await asyncio.to_thread(bus_server.start)
    await send(bus, 4, 5)
    if not running:
        keepers.start()
    await until(lambda: keepers.readings() == 5 * PER_BATCH, "the new readings")
    assert keepers.gaps() == 0


async def test_keepers_of_two_machines_on_one_bus(
    bus: Bus, bus_server: Any, keepers: Keepers, until: Any, tmp_path: Path
) -> None:
    """One writes; the other has its own record and stands by until the lease runs out."""
    password = tmp_path / "password"
    password.write_text(bus_server.address.password)
    config = f'[bus]\nurl = "{bus_server.address.url}"\nuser = "{bus_server.address.user}"\n'
    config += f'password_file = "{password}"\n[keeper]\nflush = 0.1\nsettle = 0.1\n'
    (keepers.data / "pilothouse.toml").write_text(config)
    other = Keepers(tmp_path / "other")
    (other.data / "pilothouse.toml").write_text(config)
    first = keepers.start()
    await send(bus, 1)
    await until(lambda: keepers.readings() == PER_BATCH, "the first to lead")
    second = other.start()
    await until(lambda: other.status().get("state") == "standing by", "the second to stand by")
    await send(bus, 2)
    await until(lambda: keepers.readings() == 2 * PER_BATCH, "the first to go on")
    assert other.readings() == 0
    keepers.end(first, signal.SIGKILL)
    await until(lambda: other.readings() == 2 * PER_BATCH, "the second to take over", seconds=20)
    assert other.end(second) == 0
