"""How a verb finds its hub: options that all verbs share, the hub's own note in the data folder, the token."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from cyclopts import Group, Parameter

from pilothouse.client import Client, NotAllowed, Unreachable
from pilothouse.client.kept import Kept
from pilothouse.client.trust import exactly, trusting
from pilothouse.config.places import Places, default_data
from pilothouse.errors import ConfigError
from pilothouse.process import is_running

Flag = Annotated[bool, Parameter(negative="", show_default=False)]
"""An option without a value."""


@Parameter(name="*", group=Group("Options of every verb", sort_key=10))
@dataclass(frozen=True, kw_only=True)
class Local:
    """Options of verbs that look at this machine only."""

    data: Path | None = None
    """Data folder; default: $PILOTHOUSE_DATA, else ~/.local/share/pilothouse."""
    json: Flag = False
    """Print JSON, for programs."""
    verbose: Flag = False
    """Say more when something goes wrong."""

    @property
    def places(self) -> Places:
        """What lies in the data folder."""
        return Places((self.data or default_data()).expanduser().absolute())


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Access(Local):
    """Options of verbs that ask a hub."""

    url: str | None = None
    """Address of the hub; default: $PILOTHOUSE_URL, else the hub of this machine."""
    token_file: Path | None = None
    """File with the API token; default: $PILOTHOUSE_TOKEN_FILE, else that of pilothouse login, else the machine's."""
    ca: Path | None = None
    """PEM file of the authority behind the hub's certificate; default: $PILOTHOUSE_CA, else those the system trusts."""

    @property
    def named_url(self) -> str:
        """The address that somebody gave; "" = the hub of this machine is meant."""
        return self.url or os.environ.get("PILOTHOUSE_URL", "")

    @property
    def means_this_machine(self) -> bool:
        """Whether the hub of this data folder is meant, by whatever name."""
        return not self.named_url or _is_own(self.named_url, own_hub(self.places))

    def trust(self, target: str) -> ssl.SSLContext | bool:
        """Whose certificates are believed when `target` is asked; raises ConfigError.

        The hub of this machine is known by its data folder: by its authority, or by the certificate that it shows.
        Others are known by the authority that somebody trusted at `pilothouse login`.
        """
        named = self.ca or os.environ.get("PILOTHOUSE_CA")
        if named:
            return trusting(Path(named).expanduser())
        if not target.startswith("https:"):
            return True
        posture = _note(self.places).get("posture") if _is_own(target, own_hub(self.places)) else None
        if posture == "own":
            return trusting(self.places.authority)
        if posture == "given":
            return exactly(self.places.shown_certificate)
        pinned = Kept().authority(target)
        return True if pinned is None else trusting(pinned)

    def connect(self, *, timeout: float = 10.0) -> Client:
        """A client of the hub; raises Unreachable when none is known, NotAllowed when there is no token for it.

        `timeout` is how many seconds an answer may take.
        """
        url = self.named_url
        own = own_hub(self.places)
        target = url or own
        if not target:
            raise Unreachable(
                f"No hub runs on {self.places.data}",
                remedy="Start one with: pilothouse up, or name another with --url URL or --data DIR",
            )
        named = self.token_file or os.environ.get("PILOTHOUSE_TOKEN_FILE")
        if named:
            return Client(target, read_token(Path(named).expanduser()), timeout=timeout, verify=self.trust(target))
        kept = Kept().token(target)
        if kept:
            return Client(target, kept, timeout=timeout, verify=self.trust(target))
        if not _is_own(target, own):
            # A token is only ever shown to the hub that gave it.
            raise NotAllowed(
                f"There is no token for {target}",
                remedy=f"Log in with: pilothouse login {target}, or name a file with one: --token-file FILE",
            )
        return Client(target, read_token(self.places.token), timeout=timeout, verify=self.trust(target))


HERE = Access()
"""Nothing given: the hub of this machine."""
HERE_ONLY = Local()
"""Nothing given: the usual data folder."""


def own_hub(places: Places) -> str:
    """Where the hub of this data folder says that it listens; "" when none does."""
    return str(_note(places).get("url", ""))


def _note(places: Places) -> dict[str, str | int]:
    """What the hub of this data folder says of itself; {} when there is none."""
    try:
        note = msgspec.json.decode(places.hub_status.read_bytes(), type=dict[str, str | int])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{places.hub_status} cannot be read", why=str(error), remedy="Start the hub again, or give --url URL"
        ) from None
    # What a hub that was killed left behind: by now anybody may listen there, and would be shown our token.
    pid = note.get("pid")
    return note if isinstance(pid, int) and is_running(pid) else {}


def read_token(path: Path) -> str:
    """The first line of a token file; raises ConfigError."""
    try:
        with path.open(encoding="ascii") as file:
            token = file.readline(4096).strip()
    except FileNotFoundError:
        remedy = "Start the hub once, which makes it: pilothouse up"
        raise ConfigError(f"There is no token in {path}", remedy=remedy) from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(
            f"The token in {path} cannot be read", why=why or "", remedy="Name another with --token-file FILE"
        ) from None
    if not token:
        raise ConfigError(f"The token file {path} is empty", remedy="Start the hub again, which makes a new one")
    return token


def _is_own(url: str, own: str) -> bool:
    host, port = _where(url)
    return own != "" and (host, port) == _where(own)


def _where(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return ("loopback" if host in ("localhost", "127.0.0.1", "::1") else host), parts.port
    except ValueError:
        return url, None
