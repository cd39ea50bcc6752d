"""Whether a name and a password are somebody's, as often as it may be tried.

Unknown name, wrong password, disabled account, account without a password: the same answer after the same work.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from pilothouse.clock import Clock
from pilothouse.errors import BadName, RecordError
from pilothouse.hub.attempts import Attempts, OwnPlaces, TooOften, Try
from pilothouse.hub.audit import STRANGER, Audit
from pilothouse.hub.problems import WebError
from pilothouse.record.passwords import Busy, Passwords
from pilothouse.record.people import People
from pilothouse.record.people_rows import Person
from pilothouse.rights import check_person

Origin = Literal["page", "api"]
Refusal = Literal["log-in", "password"]
_SAID: dict[Refusal, tuple[str, str]] = {
    "log-in": (
        "This name and this password do not let you in",
        "Check both. An administrator can give you a link for a new password",
    ),
    "password": ("This is not your password", "Type the one that you logged in with; nothing was changed"),
}


class Proved(NamedTuple):
    """Somebody who knows their password."""

    name: str
    proof: str
    """Hash that it was tested against, for `sessions.start`: no secret to the record, and never shown."""


class Asker(NamedTuple):
    """Who types a password."""

    address: str
    """From where."""
    origin: Origin
    """Through what."""
    who: str = STRANGER
    """Who is logged in already."""


class Proving:
    """Tests passwords for the log-in page, for programs, and for whoever changes theirs."""

    def __init__(self, people: People, passwords: Passwords, audit: Audit, clock: Clock) -> None:
        self._people = people
        self._passwords = passwords
        self._audit = audit
        self._clock = clock
        self._attempts = Attempts()
        self._places = OwnPlaces()

    async def prove(self, name: str, password: str, asker: Asker, *, refusal: Refusal = "log-in") -> Proved:
        """Raises WebError: 401 (403 for "password") when it is not so, 429 when it was tried too often, 503 when too
        many try at once.

        `refusal` is what is said when it is not so. Raises RecordError.
        """
        name = _possible(name)
        tried = await self._begin(name, asker)
        try:
            person = await self._people.persons.get(name)
            stored = await self._people.persons.password_hash(name)
            verdict = await self._passwords.verify(stored, password)
        except (Busy, RecordError) as error:
            self._attempts.taken_back(tried)
            raise _busy(error) if isinstance(error, Busy) else error from None
        if not verdict.ok:
            await self._failed(tried, person, asker)
            raise not_proved(refusal)
        self._attempts.succeeded(tried)
        self._places.add(name, asker.address)
        return Proved(name, await self._renewed(name, stored, password) if verdict.rehash else stored)

    async def _begin(self, name: str, asker: Asker) -> Try:
        if not self._places.knows(name):
            # Asked for names that nobody has, too: then nobody can tell which those are.
            self._places.add(name, *(row.address for row in await self._people.sessions.of(name)))
        own = (name, asker.address) in self._places
        found = self._attempts.begin(name, asker.address, self._clock.mono(), own=own)
        if isinstance(found, Try):
            return found
        if found.first:
            await self._locked(found, name, asker)
        raise too_often(found.wait)

    async def _locked(self, refused: TooOften, name: str, asker: Asker) -> None:
        if refused.kind == "address":
            thing, of = "", "from this address"
        else:
            person = await self._people.persons.get(name)
            thing, of = (person.name, "as this person") if person else ("", "as somebody who is not here")
        detail = f"Too many tries {of}: they are refused for {_span(refused.wait)}, and for longer with each."
        await self._audit.note_stranger("login.locked", thing=thing, detail=detail, **asker._asdict())

    async def _failed(self, tried: Try, person: Person | None, asker: Asker) -> None:
        detail = _why(person)
        if tried.refused:
            detail += f" Before it, {tried.refused} tries were refused, for they came too early."
        # Never a name that nobody has: people type their password there by mistake.
        thing = person.name if person else ""
        await self._audit.note_stranger("login.failed", thing=thing, detail=detail, **asker._asdict())

    async def _renewed(self, name: str, stored: str, password: str) -> str:
        """The hash at today's cost, once it is in the record."""
        try:
            fresh = await self._passwords.hash(password)
            return fresh if await self._people.persons.renew_hash(name, old=stored, new=fresh) else stored
        except (Busy, RecordError):
            return stored  # the next log-in renews it


def not_proved(refusal: Refusal = "log-in") -> WebError:
    """What is said when it is not so, whatever the reason."""
    what, remedy = _SAID[refusal]
    return WebError(401 if refusal == "log-in" else 403, "log-in", what, remedy=remedy)


def too_often(wait: int) -> WebError:
    """The refusal of a try that came too early; `wait` in milliseconds."""
    error = WebError(
        429,
        "too-often",
        "There were too many tries to log in",
        remedy=f"Try again in {_span(wait)}; a one-time link works meanwhile",
    )
    error.headers = {"Retry-After": str(math.ceil(wait / 1000))}
    return error


def _possible(typed: str) -> str:
    """The name as accounts have it: telephones begin with a large letter. "" for what can be nobody's."""
    name = typed.strip().lower()
    try:
        return check_person(name)
    except BadName:
        return ""


def _busy(error: Busy) -> WebError:
    refused = WebError(503, "busy", error.what, why=error.why, remedy=error.remedy)
    refused.headers = {"Retry-After": "3"}
    return refused


def _why(person: Person | None) -> str:
    """What an administrator reads about a try that failed."""
    if person is None:
        return "Nobody of the name that was typed is here."
    if not person.active:
        return "The account is disabled."
    if person.source:
        return "Their password is not kept here: they log in elsewhere."
    return "The password was wrong." if person.has_password else "They have no password yet."


def _span(wait: int) -> str:
    """ "1 s", "32 s", "5 min": never shorter than it is."""
    seconds = math.ceil(wait / 1000)
    return f"{seconds} s" if seconds < 100 else f"{math.ceil(seconds / 60)} min"
