"""What went wrong, as people and programs get it: one JSON shape (RFC 9457) with cause and remedy."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from msgspec import Struct

from pilothouse.errors import (
    BadMessage,
    BadName,
    BadValue,
    BusDown,
    NodeAway,
    NotThere,
    PilothouseError,
    RecordError,
    TimedOut,
)
from pilothouse.record.people_errors import LastAdmin, Taken
from pilothouse.rights import MayNot

MEDIA_TYPE = "application/problem+json"


class Problem(Struct, kw_only=True):
    """The body of every answer with a status of 400 or more."""

    type: str = "about:blank"
    """Which kind of problem, as a URN that stays the same: "urn:pilothouse:problem:not-there"."""
    title: str
    """The kind in a few words; the same for all problems of one type."""
    status: int
    """The HTTP status."""
    detail: str = ""
    """What happened, in one sentence."""
    cause: str = ""
    """Why it happened; "" when the detail says it all."""
    remedy: str = ""
    """What to do about it."""
    nearest: str = ""
    """The right thing that was probably meant; "" when nothing is close."""


class WebError(PilothouseError):
    """A request that the hub does not take; `status` is the HTTP status, `kind` the end of the problem's type."""

    def __init__(
        self, status: int, kind: str, what: str, *, why: str = "", remedy: str = "", nearest: str = ""
    ) -> None:
        super().__init__(what, why=why, remedy=remedy, nearest=nearest)
        self.status = status
        self.kind = kind
        self.headers: dict[str, str] = {}
        """More for the head of the answer, such as Retry-After."""


_KINDS: dict[type[PilothouseError], tuple[int, str]] = {
    NotThere: (404, "not-there"),
    BadName: (400, "bad-name"),
    BadValue: (422, "bad-value"),
    BadMessage: (400, "bad-message"),
    NodeAway: (503, "node-away"),
    BusDown: (503, "bus-down"),
    TimedOut: (504, "timed-out"),
    RecordError: (503, "record"),
    MayNot: (403, "rights"),
    Taken: (409, "taken"),
    LastAdmin: (409, "last-admin"),
}

TITLES = {
    "not-there": "Not there",
    "bad-name": "No good name",
    "bad-value": "The value cannot be taken",
    "bad-message": "The message cannot be read",
    "node-away": "The node is away",
    "bus-down": "No link to the bus",
    "timed-out": "No answer in time",
    "record": "The record does not answer",
    "bad-request": "The request cannot be read",
    "bad-query": "The question cannot be taken",
    "bad-json": "The body is no JSON",
    "bad-shape": "The body has the wrong shape",
    "bad-type": "The body has the wrong type",
    "too-large": "The body is too large",
    "rights": "You may not do that",
    "taken": "The name is taken",
    "last-admin": "The last administrator",
    "disabled": "The account is disabled",
    "too-often": "Too many tries",
    "log-in": "That does not let you in",
    "bad-proxy": "The proxy is not set up as it should be",
    "outside": "The log-in elsewhere did not work",
    "provider": "The identity provider cannot be used",
    "wrong-host": "Not an address of this hub",
    "wrong-origin": "Asked by another site",
    "locked": "Log in first",
    "other-person": "Somebody else is logged in",
    "method": "It cannot be asked in this way",
    "busy": "Too much at once",
    "key-reused": "The key belongs to another command",
    "broken": "The hub made a mistake",
    "not-confirmed": "The command was not confirmed",
    "lease": "The lease of the stand stands against it",
    "no-confirmation": "There is no token for this command",
    "not-waiting": "The command does not wait any more",
}
"""Title of every kind of problem; the reference page is made from it."""

_BY_STATUS = {400: "bad-request", 404: "not-there", 405: "method", 413: "too-large", 415: "bad-type", 422: "bad-shape"}
_REMEDIES = {
    404: "All calls are listed at /api/openapi.json",
    405: "The header Allow says how",
    413: "A body may have 1 MB",
}


def problem_of(error: PilothouseError) -> Problem:
    """An error of ours as a problem."""
    if isinstance(error, WebError):
        status, kind = error.status, error.kind
    else:
        status, kind = _KINDS.get(type(error), (500, "broken"))
    if isinstance(error, NotThere) and not error.remedy:
        error.remedy = "What is there: GET /api/things"
    return _problem(kind, status, error)


def problem_of_status(status: int, detail: str = "") -> Problem:
    """A refusal of the web framework, which only has a status and a word or two."""
    kind = _BY_STATUS.get(status, "broken" if status >= 500 else "bad-request")
    text = detail or HTTPStatus(status).phrase
    return _problem(kind, status, WebError(status, kind, text, remedy=_REMEDIES.get(status, "")))


def broken() -> Problem:
    """A mistake of ours; what it was is in the log, not in the answer."""
    error = WebError(
        500,
        "broken",
        "The hub made a mistake while it answered",
        remedy="Its log says which; please report it with that part of the log",
    )
    return problem_of(error)


def _problem(kind: str, status: int, error: PilothouseError) -> Problem:
    return Problem(
        type=f"urn:pilothouse:problem:{kind}",
        title=TITLES[kind],
        status=status,
        detail=_sentence(error.what),
        cause=_sentence(error.why),
        remedy=_sentence(error.remedy),
        nearest=error.nearest,
    )


def _sentence(text: str) -> str:
    """With a large first letter and a full stop, unless it ends in a line to type."""
    if not text:
        return ""
    text = text[:1].upper() + text[1:]
    return text if text[-1] in ".?!:)'\"}]>/" or text[-1].isdigit() else f"{text}."


def encode(problem: Struct) -> bytes:
    """The problem as JSON."""
    return msgspec.json.encode(problem)
