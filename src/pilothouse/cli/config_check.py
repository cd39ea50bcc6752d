"""`pilothouse config check`: every mistake in the configuration, not only the first."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from msgspec import Struct

from pilothouse.agent.build import HOST, examine
from pilothouse.cli import show
from pilothouse.cli.access import HERE_ONLY, Local
from pilothouse.cli.exits import Exit
from pilothouse.config.load import read
from pilothouse.config.site import Config


class Checked(Struct, frozen=True, kw_only=True):
    """What a look at the configuration found."""

    origin: str
    """Where it came from, in words."""
    mistakes: list[str]
    notes: list[str] = []
    """What could not be checked on this machine."""
    config: Config | None = None


def check(*, config: Annotated[Path | None, Parameter(show_default=False)] = None, local: Local = HERE_ONLY) -> int:
    """Look for mistakes in the configuration; starts nothing, touches no hardware.

    Names the file, the key and the nearest right one. Exit code 2 when there are mistakes.

    For example:
        pilothouse config check
        pilothouse config check --config bench.toml

    Parameters
    ----------
    config:
        configuration file; default: pilothouse.toml in the data folder
    """
    found = look(local.places.data, config)
    if local.json:
        told = {"ok": not found.mistakes, "from": found.origin, "mistakes": found.mistakes, "notes": found.notes}
        print(show.as_json(told))
    elif found.mistakes:
        print("\n".join(found.mistakes), file=sys.stderr)
    else:
        print(f"The configuration is good: {summary(found)}")
        for note in found.notes:
            print(f"not checked here: {note}")
    return Exit.USAGE if found.mistakes else Exit.FINE


def look(data: Path, file: Path | None = None) -> Checked:
    """Check the files, then what only the drivers know; raises ConfigError when the named file is not there."""
    config, origin, mistakes = read(data, file)
    if config is None or mistakes:
        return Checked(origin=origin, mistakes=[str(mistake) for mistake in mistakes])
    found = examine(config)
    return Checked(origin=origin, mistakes=found.mistakes, notes=found.notes, config=config)


def summary(found: Checked) -> str:
    """Where it came from and how many things it has."""
    assert found.config is not None
    enabled = {name for name, thing in found.config.things.items() if thing.enabled}
    host = HOST in enabled or (found.config.node.host and HOST not in found.config.things)
    things = len(enabled - {HOST})
    count = "one thing" if things == 1 else f"{things} things"
    return f"{found.origin}; {count}{' and the vitals of this machine' if host else ''}"
