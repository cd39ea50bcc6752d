"""Secrets of 256 random bits, and the hash that is all the record keeps of one.

A plain SHA-256 is enough, unlike for passwords: there is nothing to guess from.
"""

from __future__ import annotations

import hashlib
import secrets


def new_secret(prefix: str = "") -> str:
    """A secret that nobody guesses; letters, digits, '-' and '_'."""
    return prefix + secrets.token_urlsafe(32)


def new_row_id() -> str:
    """What names a session, token or link to people; it does not let in."""
    return secrets.token_hex(8)


def hash_of(secret: str) -> bytes:
    """What the record keeps of it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
