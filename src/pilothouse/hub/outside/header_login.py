"""Log-in by the headers of a trusted proxy: every request says who it is, so nothing is kept but for a moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pilothouse.clock import Clock
from pilothouse.errors import BadName, RecordError
from pilothouse.hub.outside.arriving import Arriving
from pilothouse.hub.outside.mapping import NoName, Outsider, checked_name, groups_in
from pilothouse.hub.outside.refusals import not_let_in
from pilothouse.hub.problems import WebError
from pilothouse.record.people_rows import Known
from pilothouse.rights import Rights, parse_grants

if TYPE_CHECKING:
    from pilothouse.hub.audit import Audit
    from pilothouse.record.people import People

log = logging.getLogger(__name__)
K = TypeVar("K")
V = TypeVar("V")

_REMEMBERED = 5_000
"""Milliseconds for which an answer stands, unless something about people changes before."""
_NOTED = 3_600_000
"""Milliseconds for which the same person from the same address is no news to the ledger."""
_MOST = 1000
"""People that are remembered."""


class _Seen(NamedTuple):
    """What somebody was told last."""

    groups: tuple[str, ...]
    told: Known | WebError
    until: int
    """Monotonic milliseconds."""
    revision: int
    """Of people, when it was looked up."""


class HeaderLogin:
    """Who a trusted proxy says that somebody is. Whether the proxy is one that is trusted is asked before."""

    def __init__(self, people: People, arriving: Arriving, audit: Audit, clock: Clock) -> None:
        self._people = people
        self._arriving = arriving
        self._audit = audit
        self._clock = clock
        self._seen: dict[str, _Seen] = {}
        self._noted: dict[tuple[str, str, bool], int] = {}
        self._one_at_a_time = asyncio.Lock()

    async def visitor_by_header(self, name: str, groups: Sequence[str], *, address: str) -> Known:
        """Who that is, and what they may. Raises WebError (403) for whom this hub does not take, and RecordError."""
        listed = groups_in(list(groups))
        told = self._remembered(name, listed)
        if told is None:
            async with self._one_at_a_time:  # a page asks for ten things at once
                told = self._remembered(name, listed) or await self._look_up(name, listed)
        await self._note(name, address, told)
        if isinstance(told, WebError):
            raise WebError(told.status, told.kind, told.what, why=told.why, remedy=told.remedy)
        return told

    def _remembered(self, name: str, groups: tuple[str, ...]) -> Known | WebError | None:
        seen = self._seen.get(name)
        if seen is None or seen.groups != groups or seen.revision != self._people.revision:
            return None
        return seen.told if self._clock.mono() < seen.until else None

    async def _look_up(self, name: str, groups: tuple[str, ...]) -> Known | WebError:
        told: Known | WebError
        revision = self._people.revision  # from before: what changes meanwhile is looked up again
        try:
            good = checked_name(name, "Have the proxy send a name in small letters; an e-mail address is one")
            person = await self._arriving.arrive(Outsider(good, good, groups), "proxy")
            told = Known(person.name, Rights(parse_grants(person.grants)), "", 0, "proxy")
        except (NoName, BadName) as error:
            told = not_let_in(error)
        except WebError as error:
            told = error
        until = self._clock.mono() + _REMEMBERED
        _keep(self._seen, name, _Seen(groups, told, until, revision))
        return told

    async def _note(self, name: str, address: str, told: Known | WebError) -> None:
        """A line in the ledger: each hour that somebody comes, and not for each of a thousand requests."""
        key, now = (name, address, isinstance(told, WebError)), self._clock.mono()
        if now - self._noted.get(key, -_NOTED) < _NOTED:
            return
        _keep(self._noted, key, now)
        who = name[:64]
        if isinstance(told, WebError):
            detail = f"Through the proxy: {told.what}."
            await self._audit.note_stranger("login.failed", thing=who, origin="page", address=address, detail=detail)
            return
        try:
            await self._audit.note(
                "login", thing=told.who, who=told.who, origin="page", address=address, detail="proxy"
            )
        except RecordError as error:
            # A full disk must not lock everybody out: it is tried again with the next request.
            self._noted.pop(key, None)
            log.error("a log-in through the proxy could not be written down: %s", error)


def _keep(into: dict[K, V], key: K, value: V) -> None:
    """As the newest; the oldest goes when there are too many."""
    into.pop(key, None)
    into[key] = value
    if len(into) > _MOST:
        del into[next(iter(into))]
