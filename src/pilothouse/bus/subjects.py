"""The one table of subjects: where everything travels, and what the bus keeps of it."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from pilothouse.bus import messages
from pilothouse.errors import BadName
from pilothouse.model.names import check_name


class Kept(StrEnum):
    """What the bus keeps of a subject."""

    NEVER = "never"
    LAST = "last value"
    TELEMETRY = "stream, limited, flushed lazily"
    DURABLE = "stream, limited, every message flushed"
    LEASE = "last value, every message flushed"


class Row(NamedTuple):
    """One row of the table; `{…}` in the pattern stand for names."""

    pattern: str
    carries: str
    kept: Kept
    message: type[messages.Message]
    reply: type[messages.Message] | None = None


TABLE: dict[str, Row] = {
    "presence": Row("ph.{site}.node.{node}", "a node says that it is there, every 2 s", Kept.LAST, messages.Presence),
    "description": Row("ph.{site}.td.{node}.{thing}", "a thing's description", Kept.LAST, messages.Described),
    "state": Row("ph.{site}.state.{node}.{thing}", "latest of all its properties", Kept.LAST, messages.State),
    "data": Row("ph.{site}.data.{node}", "batches of readings", Kept.TELEMETRY, messages.Batch),
    "event": Row("ph.{site}.event.{node}.{thing}", "events", Kept.DURABLE, messages.Happened),
    "command": Row(
        "ph.{site}.cmd.{node}.{thing}.{name}",
        "a command; nobody there = the node is away, answered at once",
        Kept.NEVER,
        messages.Command,
        messages.Outcome,
    ),
    "ledger": Row("ph.{site}.ledger.{node}", "outcomes of commands", Kept.DURABLE, messages.Outcomes),
    "handover": Row(
        "ph.{site}.handover.{node}",
        "a new agent asks the old one of its name to let go",
        Kept.NEVER,
        messages.Handover,
        messages.HandedOver,
    ),
    "stop": Row(
        "ph.{site}.stop",
        "stop-all, and its lifting; latched in the agents and in the record",
        Kept.NEVER,
        messages.StopOrder,
        messages.Stopped,
    ),
    "confirm": Row(
        "ph.{site}.confirm.{node}.{thing}.{name}",
        "somebody asks for the token of a command that needs one",
        Kept.NEVER,
        messages.AskConfirmation,
        messages.Confirmation,
    ),
    "cancel": Row(
        "ph.{site}.cancel.{node}",
        "a command that waits is taken back",
        Kept.NEVER,
        messages.Cancel,
        messages.Cancelled,
    ),
    "lanes": Row("ph.{site}.lanes.{node}", "what runs and waits on the lanes", Kept.LAST, messages.Lanes),
    "stand": Row("ph.{site}.stand.{name}", "who holds a stand", Kept.LEASE, messages.StandLease),
    "lease": Row("ph.{site}.lease.{name}", "who holds a lease on the bus", Kept.LEASE, messages.Held),
}


class Subjects:
    """Subjects of one site. Every method takes names or "*" and gives the subject; bad names raise BadName."""

    def __init__(self, site: str) -> None:
        self.site = check_name("site", site)

    def presence(self, node: str = "*") -> str:
        """Where `node` says that it is there."""
        return self._fill("presence", node=node)

    def description(self, node: str = "*", thing: str = "*") -> str:
        """Where a thing is described."""
        return self._fill("description", node=node, thing=thing)

    def state(self, node: str = "*", thing: str = "*") -> str:
        """Where a thing's latest values are."""
        return self._fill("state", node=node, thing=thing)

    def data(self, node: str = "*") -> str:
        """Where a node's batches of readings go."""
        return self._fill("data", node=node)

    def event(self, node: str = "*", thing: str = "*") -> str:
        """Where a thing's events go."""
        return self._fill("event", node=node, thing=thing)

    def command(self, node: str, thing: str = "*", name: str = "*") -> str:
        """Where commands to a thing go."""
        return self._fill("command", node=node, thing=thing, name=name)

    def ledger(self, node: str = "*") -> str:
        """Where a node's outcomes go."""
        return self._fill("ledger", node=node)

    def handover(self, node: str) -> str:
        """Where a node's agent is asked to let go."""
        return self._fill("handover", node=node)

    def stop(self) -> str:
        """Where all agents hear that they must stop."""
        return self._fill("stop")

    def confirm(self, node: str, thing: str = "*", name: str = "*") -> str:
        """Where confirmations are asked for."""
        return self._fill("confirm", node=node, thing=thing, name=name)

    def cancel(self, node: str) -> str:
        """Where a node's waiting commands are taken back."""
        return self._fill("cancel", node=node)

    def lanes(self, node: str = "*") -> str:
        """Where a node tells of its lanes."""
        return self._fill("lanes", node=node)

    def stand(self, name: str = "*") -> str:
        """Where it stands who holds a stand."""
        return self._fill("stand", name=name)

    def lease(self, name: str = "*") -> str:
        """Where a lease is held."""
        return self._fill("lease", name=name)

    @lru_cache(4096)  # noqa: B019 - a Subjects lives as long as its process; every command passes here
    def _fill(self, row: str, **names: str) -> str:
        for kind, name in names.items():
            if name != "*":
                check_name(kind, name)
        return TABLE[row].pattern.format(site=self.site, **names)

    @lru_cache(4096)  # noqa: B019 - a Subjects lives as long as its process; every command passes here
    def parse(self, subject: str) -> tuple[str, dict[str, str]]:
        """Which row of the table a subject of this site belongs to, and the names in it; raises BadName."""
        parts = subject.split(".")
        for key, row in TABLE.items():
            pattern = row.pattern.format(site=self.site, **{k: "{" + k + "}" for k in ("node", "thing", "name")}).split(
                "."
            )
            if len(pattern) != len(parts) or pattern[:3] != parts[:3]:
                continue
            names = dict(zip((p[1:-1] for p in pattern[3:]), parts[3:], strict=True))
            for kind, name in names.items():
                check_name(kind, name)
            return key, names
        raise BadName(f"{subject[:120]!r} is no subject of site {self.site!r}")


class Stream(NamedTuple):
    """A stream that the bus keeps; several rows of the table may share one."""

    name: str
    subjects: tuple[str, ...]
    kept: Kept
    max_bytes: int
    max_age: float
    """Seconds; 0 = no limit."""


def streams(site: str) -> dict[Kept | str, Stream]:
    """The streams of a site by short name: "now", "data", "event", "ledger", "lease"."""
    top = f"ph.{check_name('site', site)}"
    mib = 1024 * 1024
    day = 86400.0
    now = (f"{top}.node.*", f"{top}.td.*.*", f"{top}.state.*.*", f"{top}.lanes.*")
    held = (f"{top}.lease.*", f"{top}.stand.*")
    return {
        "now": Stream(f"PH_{site}_NOW", now, Kept.LAST, 64 * mib, 0),
        "data": Stream(f"PH_{site}_DATA", (f"{top}.data.*",), Kept.TELEMETRY, 256 * mib, day),
        "event": Stream(f"PH_{site}_EVENT", (f"{top}.event.*.*",), Kept.DURABLE, 32 * mib, 7 * day),
        "ledger": Stream(f"PH_{site}_LEDGER", (f"{top}.ledger.*",), Kept.DURABLE, 32 * mib, 7 * day),
        "lease": Stream(f"PH_{site}_LEASE", held, Kept.LEASE, mib, 0),
    }
