"""What the command line keeps of hubs that somebody has logged in to: a token each, and the authority that is trusted.

`$XDG_CONFIG_HOME/pilothouse/tokens.json` is {url: token}, for its owner's eyes only; authorities lie beside it.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from pilothouse.errors import BadValue, ConfigError
from pilothouse.process import write_atomically

_LIMIT = 1_000_000
_OTHERS = 0o077


def config_folder() -> Path:
    """The folder of this person's settings, as the desktop standard (XDG) names it."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "pilothouse"


def hub_key(url: str) -> str:
    """One spelling for all addresses of a hub; raises BadValue for what is none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        near = f"http://{url}" if re.fullmatch(r"[\w.-]+(:\d+)?", url) else "http://127.0.0.1:8470"
        raise BadValue(f"{url!r} is no address of a hub", nearest=near)
    host = f"[{host}]" if ":" in host else host
    shown = "" if port in (None, {"http": 80, "https": 443}[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{shown}{parts.path.rstrip('/')}"


class Kept:
    """What is kept in one folder. Every method raises ConfigError when that cannot be read or written."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or config_folder()
        self.path = self._folder / "tokens.json"
        """The file with the tokens."""

    def token(self, url: str) -> str:
        """The token for a hub, "" without one."""
        return self._read().get(hub_key(url), "")

    def keep(self, url: str, token: str) -> None:
        """Keep a token, instead of the one that was there."""
        with self._changing() as tokens:
            tokens[hub_key(url)] = token

    def forget(self, url: str) -> bool:
        """Forget the token for a hub; False when there was none."""
        if not self.token(url):
            return False
        with self._changing() as tokens:
            return tokens.pop(hub_key(url), None) is not None

    def authority(self, url: str) -> Path | None:
        """PEM file of the authority that is trusted for a hub, since somebody said so; None without one."""
        path = self._authority(url)
        return path if path.is_file() else None

    def trust(self, url: str, authority: bytes) -> Path:
        """Keep the authority that is trusted for a hub from now on; gives its file."""
        path = self._authority(url)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, authority, mode=0o600)
        except OSError as error:
            raise _unwritable(path, error) from None
        return path

    def _authority(self, url: str) -> Path:
        name = re.sub(r"[^a-z0-9.]+", "-", hub_key(url).partition("://")[2]).strip("-.")
        return self._folder / "authorities" / f"{name}.pem"

    @contextmanager
    def _changing(self) -> Iterator[dict[str, str]]:
        """The tokens, written back at the end; two who change them at once do it one after the other."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._folder, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                tokens = self._read()
                yield tokens
                content = msgspec.json.format(msgspec.json.encode(tokens, order="sorted")) + b"\n"
                write_atomically(self.path, content, mode=0o600)
            finally:
                os.close(lock)
        except OSError as error:
            raise _unwritable(self.path, error) from None

    def _read(self) -> dict[str, str]:
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & _OTHERS:
                    raise ConfigError(
                        f"{self.path} can be read by others on this machine",
                        why="whoever reads it acts in your name",
                        remedy=f"Type: chmod 600 {self.path}",
                    )
                return msgspec.json.decode(file.read(_LIMIT), type=dict[str, str])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not what was written there"
            remedy = "Move it away, and log in again: pilothouse login URL"
            raise ConfigError(f"{self.path} cannot be read", why=why or "", remedy=remedy) from None


def _unwritable(path: Path, error: OSError) -> ConfigError:
    why = error.strerror or str(error)
    return ConfigError(f"{path} cannot be written", why=why, remedy="Choose another folder with $XDG_CONFIG_HOME")
