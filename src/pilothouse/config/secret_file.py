"""A secret of the configuration, read from the file that the configuration names; never from the configuration itself.

A name without a slash is a credential of systemd (`LoadCredential=NAME:/path`) when the process was started with some.
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from pilothouse.errors import ConfigError

log = logging.getLogger(__name__)

_FOLDER = "CREDENTIALS_DIRECTORY"
"""Variable by which systemd tells a service where its credentials are."""
_LIMIT = 4096
"""Bytes that a secret may have."""


def read_secret(path_text: str, what: str) -> str:
    """The first line of the file, without space around it; `what` it is goes into errors: "The password of the bus".

    Raises ConfigError, which never has a word of the content. Others who may read the file are a warning in the log.
    """
    path, of_systemd = _where(path_text)
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            line = file.readline(_LIMIT + 1)
            secret = line.decode("utf-8").strip()
    except (OSError, ValueError) as error:
        # The text of a decoding error holds the bytes, that of an OSError only the path.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
        raise ConfigError(
            f"{what} cannot be read from {path}", why=reason, remedy=_remedy(path_text, of_systemd)
        ) from None
    if not secret or len(line) > _LIMIT:
        why = f"its first line has more than {_LIMIT} bytes" if secret else "its first line is empty"
        raise ConfigError(
            f"{what} cannot be read from {path}", why=why, remedy="Put the secret alone in its first line"
        )
    if mode & (stat.S_IRGRP | stat.S_IROTH) and not of_systemd:
        log.warning("%s may be read by others than its owner: chmod 600 %s", path, path)
    return secret


def _where(text: str) -> tuple[Path, bool]:
    """The path that is meant, and whether systemd gives it."""
    folder = os.environ.get(_FOLDER)
    if folder and "/" not in text:
        return Path(folder, text), True
    return Path(text).expanduser(), False


def _remedy(text: str, of_systemd: bool) -> str:
    if of_systemd:
        return f"Have the unit load it: LoadCredential={text}:/path/of/the/file"
    if "/" in text:
        return "Mend the path, or the rights of that file"
    return f"Mend the path, or start it by a systemd unit with LoadCredential={text}:/path/of/the/file"
