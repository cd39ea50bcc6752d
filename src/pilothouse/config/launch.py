"""How every process of ours starts: the same options, the same first steps, the same words when it cannot."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pilothouse.config.load import load
from pilothouse.config.places import Places, default_data
from pilothouse.config.site import Config
from pilothouse.errors import CannotStart, PilothouseError
from pilothouse.process import die_with_parent, log_to_stderr


class Launch(NamedTuple):
    """What a process knows when it begins."""

    places: Places
    config: Config
    config_from: str
    """Where the configuration came from, in words."""
    verbose: bool
    args: argparse.Namespace


def parse(
    process: str,
    does: str,
    argv: Sequence[str] | None = None,
    extra: Callable[[argparse.ArgumentParser], None] | None = None,
) -> Launch:
    """Read the command line of `process`, tie it to its parent, set up its log, load the configuration.

    Ends the process with exit code 2 and one clear line when something is wrong.
    """
    parser = argparse.ArgumentParser(prog=f"pilothouse {process}", description=does)
    parser.add_argument("--data", type=Path, default=None, help=f"data folder (default: {default_data()})")
    parser.add_argument("--config", type=Path, default=None, help="configuration file (default: in the data folder)")
    parser.add_argument("--parent", type=int, default=0, help="end when the process of this number ends")
    parser.add_argument("--verbose", action="store_true", help="say more in the log")
    if extra is not None:
        extra(parser)
    args = parser.parse_args(argv)
    if args.parent:
        die_with_parent(args.parent)
    log_to_stderr(process, verbose=args.verbose)
    places = Places((args.data or default_data()).expanduser().absolute())
    try:
        make_folder(places.data)
        config, origin = load(places.data, args.config)
    except PilothouseError as error:
        print(f"pilothouse {process}: {error}", file=sys.stderr)  # noqa: T201 - the one line that people get
        raise SystemExit(2) from None
    return Launch(places, config, origin, args.verbose, args)


def make_folder(path: Path) -> None:
    """Make the data folder, private to its owner; raises CannotStart when it cannot be written."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        # All processes of `up` try this at once, each with a file of its own.
        probe = path / f".writable.{os.getpid()}"
        probe.write_bytes(b"pilothouse")
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"The data folder {path} cannot be written",
            why=error.strerror or str(error),
            remedy="Make room, mend its rights, or give another folder with --data DIR",
        ) from None
