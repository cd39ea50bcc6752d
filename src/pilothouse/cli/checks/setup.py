"""What was configured."""

from __future__ import annotations

from pilothouse.cli.checks.finding import Finding, Patient, well, wrong
from pilothouse.cli.config_check import summary


def configuration(patient: Patient) -> Finding:
    """Whether the configuration is free of mistakes."""
    checked = patient.checked
    if checked is None:
        return wrong("configuration", "The file named with --config is not there", "pilothouse config check")
    if checked.mistakes:
        more = len(checked.mistakes) - 1
        tail = f" (and {more} more)" if more else ""
        return wrong("configuration", f"{checked.mistakes[0]}{tail}", "pilothouse config check")
    return well("configuration", summary(checked))
