"""What this node knows of the stands that its things belong to: who holds them, and that nobody does any more."""

from __future__ import annotations

from collections.abc import Callable

from pilothouse.agent.alarm import Alarm
from pilothouse.agent.uplink import Link
from pilothouse.bus import Stream, Subjects, Synced, streams
from pilothouse.bus.messages import StandLease
from pilothouse.clock import Clock
from pilothouse.errors import BadName, BusDown, TimedOut
from pilothouse.guard import Barred, Leases

OnExpired = Callable[[str, str], None]
"""Hears of each thing of this node whose stand's lease is over and that goes safe with it: thing, reason."""


class Leasing:
    """Hears the leases of all stands; an expiry is found by our own monotonic clock, also without a link."""

    def __init__(self, node: str, subjects: Subjects, clock: Clock, expired: OnExpired) -> None:
        self._node = node
        self._subjects = subjects
        self._clock = clock
        self._expired = expired
        self._leases = Leases()
        self._last: dict[str, StandLease] = {}
        self._alarm = Alarm(clock)
        self._synced = 0
        """Number of the link of which everything that was kept has come."""

    def bar(self, thing: str, who: str) -> Barred | None:
        """Why this person may not command this thing of ours; None = they may."""
        return self._leases.bar(f"{self._node}/{thing}", who, self._clock.mono())

    def heard(self, stand: StandLease, *, kept: bool) -> None:
        """A lease was written; `kept` = the bus may have had it for a while.

        What is kept may be any number of seconds old, and only wall clocks can tell: they are believed as far as they
        make it no longer than it was when it was written, and no shorter than over.
        """
        if self._last.get(stand.stand) == stand:
            return  # told again after a new link; its time runs on
        self._last[stand.stand] = stand
        age = (self._clock.now() - stand.time) / 1000 if kept else 0.0
        self._leases.heard(stand, self._clock.mono(), min(max(stand.left - age, 0.0), stand.left))
        self._alarm.ring()

    async def hear(self, bus: Link) -> None:
        """Listen for ever."""
        stream = streams(self._subjects.site)["lease"]
        async for heard in bus.watch(stream, [(self._subjects.stand(), StandLease)]):
            if isinstance(heard, Synced):
                self._synced = bus.links
            elif isinstance(heard[1], StandLease) and self._is_of(heard[0], heard[1]):
                if self._synced != bus.links:
                    self.heard(heard[1], kept=True)
                else:
                    await self._look(bus, stream, heard[0], heard[1])

    async def _look(self, bus: Link, stream: Stream, subject: str, heard: StandLease) -> None:
        """What is heard live may be the word of a hub that was too slow: believe what the bus keeps of it."""
        try:
            _, kept = await bus.confirmed(stream, subject, heard)
        except (BusDown, TimedOut):
            return  # it comes again with the next link
        if kept is not None and self._is_of(subject, kept):
            self.heard(kept, kept=False)

    async def run(self) -> None:
        """Find what has expired, for ever."""
        while True:
            for over in self._leases.expired(self._clock.mono()):
                if over.safe:
                    self._over(over.stand, over.things, over.holder)
            await self._alarm.wait(self._leases.next_look(self._clock.mono()))

    def _over(self, stand: str, things: tuple[str, ...], holder: str) -> None:
        reason = f"the lease of stand {stand} is over" + (f", {holder} held it" if holder else "")
        for address in things:
            node, _, thing = address.partition("/")
            if node == self._node:
                self._expired(thing, reason)

    def _is_of(self, subject: str, stand: StandLease) -> bool:
        try:
            return self._subjects.stand(stand.stand) == subject
        except BadName:
            return False
