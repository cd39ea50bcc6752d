"""The command line: `pilothouse VERB …`; one file a verb.

`main` stays light: a process that is started through it (`pilothouse agent`) must not pay for the command line.
"""

from __future__ import annotations

import os
import sys

PROCESSES = ("agent", "hub", "keeper", "bus")
"""Verbs that become another process, `python -m pilothouse.VERB`, with the same options."""


def main(argv: list[str] | None = None) -> int:
    """Do what the command line says; gives the exit code (see `cli.exits`)."""
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] in PROCESSES and {"--help", "-h"}.isdisjoint(words):
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", f"pilothouse.{words[0]}", *words[1:]])  # noqa: S606 - no shell is meant
    # Here, so that the lines above cost no import of them.
    from pilothouse.cli.app import run
    from pilothouse.cli.tamed import tamed

    with tamed():
        return run(words)
