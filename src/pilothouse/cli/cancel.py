"""`pilothouse cancel`: take back a command that waits for its device."""

from __future__ import annotations

from pilothouse.cli import show
from pilothouse.cli.access import HERE, Access


def cancel_(id: str, /, *, reason: str | None = None, access: Access = HERE) -> None:
    """Take back a command that waits; it ends as refused, and is never done.

    What the device was already asked for cannot be taken back: that is said,
    with exit code 1.

    For example:
        pilothouse cancel 019a9c5e-7a34-7c7e-b7e5-2f1d1c3a9b10
        pilothouse cancel 019a9c5e-7a34-7c7e-b7e5-2f1d1c3a9b10 --reason "wrong valve"

    Parameters
    ----------
    id:
        the command; see what waits with: pilothouse lanes
    reason:
        why, for the ledger
    """
    with access.connect() as hub:
        answer = hub.cancel(id, reason=reason or "")
    print(show.as_json(answer) if access.json else answer.detail or f"{id} is taken back and will never be done.")
