"""`pilothouse bus`: prepares the embedded bus, then becomes nats-server."""

from __future__ import annotations

import argparse
import os
import sys

from pilothouse.bus.server import prepare
from pilothouse.config.launch import parse
from pilothouse.errors import CannotStart


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fresh", action="store_true", help="take a new port and new credentials")


def main() -> None:
    """Prepare, and become the server; exit code 2 and one line when that cannot be."""
    launch = parse("bus", "The embedded bus of this machine.", extra=_options)
    if launch.config.bus.url:
        remedy = "Take bus.url out of the configuration for an embedded one."
        print(f"pilothouse bus: This site uses the bus at {launch.config.bus.url}. {remedy}", file=sys.stderr)  # noqa: T201
        raise SystemExit(2)
    try:
        command = prepare(launch.places, launch.config.bus, fresh=launch.args.fresh, verbose=launch.verbose)
    except CannotStart as error:
        print(f"pilothouse bus: {error}", file=sys.stderr)  # noqa: T201 - the one line that people get
        raise SystemExit(2) from None
    # A soft limit: Go's garbage collector works harder near it, instead of growing with what it could throw away.
    limit = launch.config.bus.max_memory + 64 * 1024 * 1024
    os.execve(command[0], command, os.environ | {"GOMEMLIMIT": str(limit)})  # noqa: S606 - becomes it on purpose


if __name__ == "__main__":
    main()
