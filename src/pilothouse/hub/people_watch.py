"""Sees to it that an open stream ends with the log-in that it was opened with, and shows no more than that may see.

People are changed here, by other hubs and by the command line. Each change makes everybody be asked about again; and so
that an open page counts as use of its session, and an expired one is noticed, everybody is asked about now and then.
"""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

from pilothouse.errors import RecordError
from pilothouse.hub.access import Visitor
from pilothouse.hub.live import Live
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import Site
from pilothouse.hub.streams import Stream
from pilothouse.rights import Rights

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between looks at the time, and at what other processes changed."""
_LONGEST = 60_000
"""Milliseconds after which somebody is asked about again at the latest."""

_Key = tuple[str, str, str]
"""What streams share that were opened with the same log-in: who, how, and the id of the session or token."""


class _Asked(NamedTuple):
    """What was found when somebody was asked about last."""

    revision: int
    """Of people, as it was then."""
    next: int
    """When they are asked about again, Unix milliseconds."""
    rights: Rights


class PeopleWatch:
    """Watches the people behind the streams of one hub. `run` goes on until cancelled."""

    def __init__(self, site: Site, live: Live) -> None:
        self._site = site
        self._live = live
        self._look = asyncio.Event()
        self._asked: dict[_Key, _Asked] = {}
        self._record_ok = True

    async def run(self) -> None:
        """Look at once when people change here, and every TICK."""
        on_change = self._site.people.on_change
        on_change.append(self._look.set)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tick())
                group.create_task(self._watch())
        finally:
            on_change.remove(self._look.set)

    async def _tick(self) -> None:
        while True:
            await self._site.clock.sleep(TICK)
            try:
                await self._site.people.refresh()
            except RecordError as error:
                self._cannot(error)
            self._look.set()

    async def _watch(self) -> None:
        while True:
            await self._look.wait()
            self._look.clear()
            try:
                await self._look_at_all()
                self._record_ok = True
            except RecordError as error:
                # Nobody was shown the door by the record, and it is asked again with the next tick.
                self._cannot(error)

    async def _look_at_all(self) -> None:
        groups: dict[_Key, list[Stream]] = {}
        for stream in self._live.streams:
            groups.setdefault(_key(stream.visitor), []).append(stream)
        self._asked = {key: asked for key, asked in self._asked.items() if key in groups}
        for key, streams in groups.items():
            if self._is_due(self._asked.get(key), streams):
                await self._ask(key, streams)

    def _is_due(self, asked: _Asked | None, streams: list[Stream]) -> bool:
        # Whoever comes in was asked about at the door, but perhaps just before a change.
        if asked is None or asked.revision != self._site.people.revision:
            return True
        return self._site.clock.now() >= asked.next or any(each.visitor.rights != asked.rights for each in streams)

    async def _ask(self, key: _Key, streams: list[Stream]) -> None:
        """Ask about whoever these streams are for, and make each of them true."""
        revision = self._site.people.revision
        again = next((stream.again for stream in streams if stream.again is not None), None)
        if again is None:
            return
        try:
            visitor = await again()
        except WebError as error:
            log.info("%s is not let in any more: %s", key[0], error)
            visitor = None
        if visitor is None or _key(visitor) != key:
            log.info("the log-in of %s is over; %d streams end", key[0], len(streams))
            for stream in streams:
                self._live.dismiss(stream)
            return
        self._asked[key] = _Asked(revision, _next(visitor, self._site.clock.now()), visitor.rights)
        for stream in streams:
            if stream.visitor.rights != visitor.rights and not stream.viewer.closed:
                self._live.turn(stream, visitor)

    def _cannot(self, error: RecordError) -> None:
        if self._record_ok:
            self._record_ok = False
            log.warning("who may still look on is not known: %s", error)


def _key(visitor: Visitor) -> _Key:
    return visitor.who, visitor.how, visitor.id


def _next(visitor: Visitor, now: int) -> int:
    """Half of what is left: so use is noticed well before it is missed, and the end within a tick."""
    if not visitor.expires:
        return now + _LONGEST
    return now + min(_LONGEST, (visitor.expires - now) // 2)
