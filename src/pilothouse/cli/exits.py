"""Exit codes, and which error gives which."""

from __future__ import annotations

from enum import IntEnum

from pilothouse.client import NotConfirmed, Unreachable
from pilothouse.errors import BadName, BadValue, CannotStart, ConfigError, PilothouseError, TimedOut


class Exit(IntEnum):
    """What a shell gets."""

    FINE = 0
    """Done; for a command: confirmed."""
    NOT_DONE = 1
    """Refused or failed; for `doctor`: something is wrong."""
    USAGE = 2
    """The command line or the configuration cannot be used; nothing was tried."""
    UNREACHABLE = 3
    """The hub cannot be reached; nothing was done."""
    UNKNOWN = 4
    """The command expired, or nobody can say what became of it."""


def exit_of(error: PilothouseError) -> Exit:
    """The exit code for an error that ended a verb."""
    if isinstance(error, NotConfirmed):
        return Exit.UNKNOWN if error.outcome.end in ("expired", "unknown") else Exit.NOT_DONE
    if isinstance(error, TimedOut):
        return Exit.UNKNOWN
    if isinstance(error, Unreachable):
        return Exit.UNREACHABLE
    if isinstance(error, BadName | BadValue | ConfigError | CannotStart):
        return Exit.USAGE
    return Exit.NOT_DONE
