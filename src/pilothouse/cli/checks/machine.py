"""The machine: its clock, its port, and what was installed on it."""

from __future__ import annotations

import errno
import socket
import sys
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pilothouse
from pilothouse.cli.checks.finding import Finding, Patient, look, skipped, well, wrong

_LATER_THAN_EVER = 4_102_444_800_000
"""The year 2100."""


def python(_patient: Patient) -> Finding:
    """Which Python and which Pilothouse run."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    return well("version", f"Pilothouse {pilothouse.__version__} on Python {version}")


def clock(patient: Patient) -> Finding:
    """Whether the wall clock can be right: not before this program was installed, not in a far future."""
    installed = int(Path(pilothouse.__file__).stat().st_mtime * 1000)
    told = (
        f"{datetime.fromtimestamp(patient.now / 1000, UTC):%Y-%m-%d %H:%M} UTC" if patient.now >= 0 else "before 1970"
    )
    if patient.now < installed - 86_400_000 or patient.now > _LATER_THAN_EVER:
        return wrong("clock", f"This machine believes it is {told}", "sudo timedatectl set-ntp true")
    return well("clock", told)


def assets(_patient: Patient) -> Finding:
    """Whether the third-party parts of the pages are there."""
    vendor = files("pilothouse.hub").joinpath("static", "vendor")
    there = vendor.is_dir() and any(True for _ in vendor.iterdir())
    if not there:
        return wrong("web assets", "Pages have no charts and no style: their parts are missing", "./run")
    return well("web assets", "there")


def port(patient: Patient) -> Finding:
    """Whether the port of the hub is free, or the hub's own."""
    wanted = patient.config.hub
    if patient.running:
        return skipped("port", "Pilothouse is running")
    if wanted.port == 0:
        return well("port", "any free one is taken")
    family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((wanted.host, wanted.port))
        except OSError as error:
            return _taken(wanted.host, wanted.port, error)
    return well("port", f"{wanted.port} on {wanted.host} is free")


def _taken(host: str, number: int, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        what = f"Port {number} on {host} is used by another program"
        return wrong("port", what, f"pilothouse up --port {number + 1}, or find it: ss -ltnp 'sport = :{number}'")
    if error.errno == errno.EACCES:
        return wrong("port", f"Port {number} is not for ordinary users", "pilothouse up --port 8470")
    return look("port", f"{host} cannot be listened on: {error.strerror or error}", "pilothouse up --host 127.0.0.1")
