"""The processes that `pilothouse up` keeps running."""

from __future__ import annotations

from typing import Any

from pilothouse.cli import show
from pilothouse.cli.checks.finding import Finding, Patient, alive, look, skipped, well, wrong

_MANY = 3


def processes(patient: Patient) -> list[Finding]:
    """How each of them does; one finding when nothing runs."""
    if not alive(patient.up):
        if alive(patient.hub):
            return [skipped("processes", "Started one by one, not by pilothouse up")]
        places = patient.places
        return [wrong("processes", f"Pilothouse does not run on {places.data}", f"pilothouse up --data {places.data}")]
    known: dict[str, dict[str, Any]] = patient.up.get("processes", {})
    return [_process(name, status, patient) for name, status in known.items()]


def _process(name: str, status: dict[str, Any], patient: Patient) -> Finding:
    state, note, restarts = status.get("state", ""), status.get("note", ""), status.get("restarts", 0)
    since = status.get("since", 0)
    label = f"{name} process"
    if state == "stopped":
        again = f"pilothouse {name} --data {patient.places.data}"
        return wrong(label, f"It has stopped: {note}" if note else "It has stopped", again)
    if state != "running":
        again = f"pilothouse {name} --data {patient.places.data} --verbose"
        return wrong(label, f"It falls and is started again: {note}", f"See why: {again}")
    lasted = show.length((patient.now - since) / 1000)
    if restarts > _MANY:
        return look(label, f"It has run for {lasted}, and fell {_times(restarts)}: {note}")
    return well(label, f"has run for {lasted}" + (f", fell {_times(restarts)}" if restarts else ""))


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
