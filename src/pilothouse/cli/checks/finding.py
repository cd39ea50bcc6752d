"""What a check finds, and what it may look at."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from pilothouse.cli.access import Access
from pilothouse.cli.config_check import Checked
from pilothouse.config.places import Places
from pilothouse.config.site import Config


class State(StrEnum):
    """How it is."""

    WELL = "well"
    LOOK = "look"
    """Works, and a person should look at it."""
    WRONG = "wrong"
    SKIPPED = "skipped"
    """Could not be looked at, because of what another check found."""


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    """What was looked at, in one or two words."""
    state: State
    what: str
    """How it is, in one sentence."""
    remedy: str = ""
    """The line that mends it."""


class Patient(NamedTuple):
    """What checks may look at."""

    access: Access
    checked: Checked | None
    """The configuration; None when the named file is not there."""
    now: int
    """Unix milliseconds."""
    up: dict[str, Any]
    """What `pilothouse up` says of its processes; {} when it never ran here."""
    hub: dict[str, Any]
    """What the hub says of where it listens; {} when it never ran here."""

    @property
    def places(self) -> Places:
        """What lies in the data folder."""
        return self.access.places

    @property
    def config(self) -> Config:
        """The configuration, or the default where it cannot be used."""
        return self.checked.config if self.checked and self.checked.config else Config()

    @property
    def running(self) -> bool:
        """Whether `pilothouse up` or a hub runs on this data folder."""
        return alive(self.up) or alive(self.hub)


def alive(status: dict[str, Any]) -> bool:
    """Whether the process that wrote `status` is there."""
    pid = status.get("pid")
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # there, and somebody else's
    except OverflowError:
        return False
    return True


def status_in(path: Path) -> dict[str, Any]:
    """A status file; {} when it is not there or cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}


def well(name: str, what: str) -> Finding:
    """It is as it should be."""
    return Finding(name=name, state=State.WELL, what=what)


def look(name: str, what: str, remedy: str = "") -> Finding:
    """It works, and a person should look."""
    return Finding(name=name, state=State.LOOK, what=what, remedy=remedy)


def wrong(name: str, what: str, remedy: str) -> Finding:
    """It is wrong, and `remedy` mends it."""
    return Finding(name=name, state=State.WRONG, what=what, remedy=remedy)


def skipped(name: str, what: str) -> Finding:
    """It could not be looked at."""
    return Finding(name=name, state=State.SKIPPED, what=what)
