"""`pilothouse doctor`: what is wrong, and the line that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access
from pilothouse.cli.checks import ALL, Check, Finding, Patient, State
from pilothouse.cli.checks.finding import status_in, wrong
from pilothouse.cli.config_check import look
from pilothouse.cli.exits import Exit
from pilothouse.clock import SystemClock
from pilothouse.errors import ConfigError

_MARKS = {State.WELL: "ok", State.LOOK: "LOOK", State.WRONG: "WRONG", State.SKIPPED: "-"}


def doctor(*, config: Annotated[Path | None, Parameter(show_default=False)] = None, access: Access = HERE) -> int:
    """Look for what is wrong on this machine, and print the line that mends it.

    Changes nothing. Exit code 1 when something is wrong.

    For example:
        pilothouse doctor
        pilothouse doctor --data /var/lib/pilothouse --json

    Parameters
    ----------
    config:
        configuration file; default: pilothouse.toml in the data folder
    """
    findings = list(examine(_patient(config, access), ALL))
    ill = [one for one in findings if one.state is State.WRONG]
    if access.json:
        print(show.as_json({"ok": not ill, "findings": findings}))
    else:
        print("\n".join(_lines(findings)))
    return Exit.NOT_DONE if ill else Exit.FINE


def examine(patient: Patient, checks: Sequence[Check]) -> Iterator[Finding]:
    """Every finding of every check; a check that cannot look is a finding too."""
    for check in checks:
        try:
            found = check(patient)
        except OSError as error:
            yield wrong(check.__name__, f"It cannot be looked at: {error}", "Run the doctor as the user of Pilothouse")
            continue
        yield from found if isinstance(found, list) else [found]


def _patient(config: Path | None, access: Access) -> Patient:
    places = access.places
    try:
        checked = look(places.data, config)
    except ConfigError:
        checked = None
    up, hub = status_in(places.up_status), status_in(places.hub_status)
    return Patient(access=access, checked=checked, now=SystemClock().now(), up=up, hub=hub)


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    width = max(len(one.name) for one in findings)
    for one in findings:
        yield f"{_MARKS[one.state]:<5}  {one.name.ljust(width)}  {one.what}"
        if one.remedy:
            yield f"{'':<5}  {'':<{width}}  -> {one.remedy}"
    ill = sum(one.state is State.WRONG for one in findings)
    yield ""
    yield "All is well." if not ill else "One thing is wrong." if ill == 1 else f"{ill} things are wrong."
