"""Where everything lies in the data folder; no other module builds these paths."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


def default_data() -> Path:
    """`$PILOTHOUSE_DATA`, else the folder for user data that the desktop standard (XDG) names."""
    named = os.environ.get("PILOTHOUSE_DATA")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "pilothouse"


class Places(NamedTuple):
    """The data folder and what lies in it."""

    data: Path

    @property
    def config(self) -> Path:
        """The configuration, when the owner has written one."""
        return self.data / "pilothouse.toml"

    @property
    def bus(self) -> Path:
        """Folder of the embedded bus: its configuration, streams and address."""
        return self.data / "bus"

    @property
    def bus_address(self) -> Path:
        """How to reach the bus; mode 600, for it holds the password."""
        return self.bus / "address.json"

    @property
    def record(self) -> Path:
        """Folder of the record."""
        return self.data / "record"

    @property
    def ledger(self) -> Path:
        """Commands, outcomes, people: written by hubs and the keeper."""
        return self.record / "main.db"

    @property
    def history(self) -> Path:
        """Readings, events, descriptions: written by the one leading keeper."""
        return self.record / "history.db"

    @property
    def keeper_lock(self) -> Path:
        """Held by the one keeper that writes."""
        return self.record / "keeper.lock"

    @property
    def agent(self) -> Path:
        """Folder of the agent."""
        return self.data / "agent"

    @property
    def epoch(self) -> Path:
        """Number of the agent's last run."""
        return self.agent / "epoch"

    @property
    def stops(self) -> Path:
        """Stops that the agent obeys and that nobody has lifted: they outlive it."""
        return self.agent / "stops.json"

    @property
    def token(self) -> Path:
        """API token of the command line on this machine; mode 600."""
        return self.data / "token"

    @property
    def tls(self) -> Path:
        """Folder of the hub's own authority and certificate, made when TLS is first needed; mode 700."""
        return self.data / "tls"

    @property
    def authority(self) -> Path:
        """Certificate of the hub's own authority: what other machines are told to trust."""
        return self.tls / "ca.pem"

    @property
    def authority_key(self) -> Path:
        """Key of the authority; mode 600, and nobody else's business."""
        return self.tls / "ca.key"

    @property
    def own_certificate(self) -> Path:
        """What the hub shows, signed by its authority, together with its key; mode 600."""
        return self.tls / "hub.pem"

    @property
    def shown_certificate(self) -> Path:
        """The certificate that the hub of this machine shows right now, for programs of this machine."""
        return self.data / "run" / "hub-certificate.pem"

    @property
    def up_status(self) -> Path:
        """What `pilothouse up` says of its processes, for pages and `doctor`."""
        return self.data / "run" / "up.json"

    @property
    def keeper_status(self) -> Path:
        """What the leading keeper says of itself, for pages and `doctor`."""
        return self.data / "run" / "keeper.json"

    @property
    def hub_status(self) -> Path:
        """Where the hub of this machine listens, written by it: {"url", "pid", "posture"} (see hub.posture)."""
        return self.data / "run" / "hub.json"
