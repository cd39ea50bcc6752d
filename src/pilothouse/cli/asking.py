"""What a person types who logs in: on the terminal, a secret without echo; from a pipe, its first line.

Never out of arguments, which everybody on the machine can read.
"""

from __future__ import annotations

import sys
from getpass import getpass

from pilothouse.errors import BadValue

_LIMIT = 4096


def asked(what: str, option: str) -> str:
    """Words that are no secret; raises BadValue when nobody is there to ask, with the `option` that says them."""
    if not sys.stdin.isatty():
        raise BadValue(f"{what} is not known, and nobody can be asked here", remedy=f"Say it with: {option}")
    print(f"{what}: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline(_LIMIT).strip()


def secret(what: str) -> str:
    """A secret; raises BadValue when there is none."""
    if sys.stdin.isatty():
        found = getpass(f"{what}: ")
    else:
        try:
            found = sys.stdin.readline(_LIMIT).rstrip("\r\n")
        except UnicodeDecodeError:
            # Its own text would show a part of the secret.
            raise BadValue(f"{what} on standard input is no UTF-8 text") from None
    if not found:
        raise BadValue(f"{what} is empty, so nothing was done", remedy="Type it, or give it on standard input")
    return found
