"""One sentence about what a form on the pages about people did, or why it did nothing.

After a change the browser is sent on with a code, never with a text: whoever makes up an address cannot make this
site say what they like.
"""

from __future__ import annotations

from typing import Literal

from litestar.response import Response
from msgspec import Struct

from pilothouse.errors import PilothouseError
from pilothouse.hub.problems import problem_of

SENTENCES = {
    "rights": "The rights are changed; they hold from now on.",
    "same": "Nothing was changed: these were the rights already.",
    "described": "It is written down.",
    "disabled": "The account is disabled. Sessions, tokens and links of it have ended.",
    "enabled": "The account is enabled again. Who has a password can log in now.",
    "removed": "The account is removed, with its sessions, tokens and links. The ledger keeps what was done with it.",
    "session-ended": "The session has ended.",
    "sessions-ended": "All sessions have ended.",
    "token-ended": "The token has ended.",
    "guest-ended": "The guest link has ended, and whoever came with it is out.",
}
"""What is said after each change."""


class Said(Struct, frozen=True, kw_only=True):
    """The sentence."""

    level: Literal["well", "warn", "bad"]
    """How it looks; each has a sign of its own."""
    text: str


def said_of(code: str) -> Said | None:
    """What a code says; None for none and for one that is made up."""
    return Said(level="well", text=SENTENCES[code]) if code in SENTENCES else None


def back(path: str, code: str) -> Response[bytes]:
    """Send the browser to a page, which then says what was done."""
    where = f"{path}?said={code}" if code else path
    return Response(b"", status_code=303, headers={"Location": where, "Cache-Control": "no-store"})


def refused(error: PilothouseError) -> tuple[Said, int]:
    """Why nothing was done, plainly, and the status that says so."""
    problem = problem_of(error)
    near = f"Did you mean {problem.nearest}?" if problem.nearest else ""
    remedy = "" if "GET /api" in problem.remedy else problem.remedy  # for programs
    what = error.what  # as it is: it may begin with somebody's name
    words = [part for part in (what, problem.cause, near, remedy) if part]
    text = " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in words)
    return Said(level="bad", text=text), problem.status
