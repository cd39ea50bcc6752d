"""Where the command line gets a password from: a file, a terminal without echo, or a pipe. Never from its arguments,
which everybody on the machine can read.
"""

from __future__ import annotations

import sys
from getpass import getpass

from pilothouse.config.secret_file import read_secret
from pilothouse.errors import BadValue
from pilothouse.record.passwords import Passwords, check_password

_LIMIT = 4096


def new_password(name: str, file: str | None) -> str:
    """A good password for the person of this name, out of `file`, else asked for.

    Raises BadValue when it is none, ConfigError when the file cannot be read.
    """
    password = _asked(name) if file is None else read_secret(file, "The password")
    check_password(password, name)
    return password


async def hash_here(password: str) -> str:
    """What is stored of it, at the cost that fits this machine."""
    passwords = await Passwords.measured()
    try:
        return await passwords.hash(password)
    finally:
        await passwords.close()


def _asked(name: str) -> str:
    if not sys.stdin.isatty():
        return _piped()
    password = getpass(f"New password for {name}: ")
    if getpass("Once more: ") != password:
        raise BadValue("The two were not the same, so nothing was done", remedy="Try again")
    return password


def _piped() -> str:
    try:
        return sys.stdin.readline(_LIMIT).rstrip("\r\n")
    except UnicodeDecodeError:
        # Its own text would show a part of the password.
        raise BadValue("The password on standard input is no UTF-8 text") from None
