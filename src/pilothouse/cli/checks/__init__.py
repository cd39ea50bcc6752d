"""What `pilothouse doctor` looks at, in this order; each check is a small function that changes nothing."""

from collections.abc import Callable, Sequence

from pilothouse.cli.checks import bus, folder, guard, hub, machine, processes, record, setup, tls
from pilothouse.cli.checks.finding import Finding, Patient, State

Check = Callable[[Patient], Finding | list[Finding]]

ALL: Sequence[Check] = (
    machine.python,
    machine.clock,
    folder.folder,
    folder.room,
    setup.configuration,
    guard.hazards,
    machine.port,
    tls.way_in,
    processes.processes,
    bus.program,
    bus.answers,
    folder.token,
    hub.hub,
    record.keeper,
    record.ledger,
    record.history,
    machine.assets,
    folder.leftovers,
)

__all__ = ["ALL", "Check", "Finding", "Patient", "State"]
