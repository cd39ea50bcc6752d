"""Stands: what belongs together, and who holds it. The truth is one message a stand on the bus, changed by
compare-and-set, so that hubs side by side never give a stand to two.

What is heard live is only a hint to look: the bus delivers also those messages that it then refuses to keep.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pilothouse.bus import Bus, Subjects, Synced, WrongRevision, streams
from pilothouse.bus.messages import StandLease
from pilothouse.errors import BusDown, NotThere, TimedOut, nearest
from pilothouse.hub import lease_acts
from pilothouse.hub.lease_acts import Do, LeaseWish
from pilothouse.hub.stand_messages import configured, lease_of, message_of, settings
from pilothouse.hub.stand_view import StandView, view_of
from pilothouse.model import Address, is_name
from pilothouse.model import stands as rules

if TYPE_CHECKING:
    from pilothouse.hub.site import Site

log = logging.getLogger(__name__)

_TICK = 0.5
"""Seconds between looks whether a lease is over."""
_TRIES = 30
"""How often a change is tried that somebody else's changes come between."""
_RENEW_BELOW = 0.8
"""Part of its length below which a lease is extended by use; so the bus is not written to with every command."""
_Decide = Callable[[rules.Lease, int], rules.Lease]


class _Heard(NamedTuple):
    """A stand as the bus keeps it."""

    seq: int
    lease: StandLease
    ends: int
    """When the lease is over, by this hub's monotonic clock in milliseconds; 0 while nobody holds it."""
    link: int
    """Number of the link on which it was heard last; on another one positions may count from 1 again."""


class Stands:
    """All stands of the site, those of the configuration and those that only the bus knows of."""

    def __init__(self, site: Site) -> None:
        self.told: Callable[[set[str]], None] = lambda names: None
        """Told the names of stands that changed."""
        self.shape = 0
        """Grows whenever a stand comes or goes, or a thing comes to belong to one or no longer does."""
        self._site = site
        self._subjects = Subjects(site.config.site.name)
        self._stream = streams(site.config.site.name)["lease"]
        self._configured = configured(site.config, site.node)
        self._heard: dict[str, _Heard] = {}
        self._by_thing: dict[Address, tuple[str, ...]] = {}
        self._indexed: dict[str, list[str]] = {}
        """The things of each stand, as they were when they were looked at last."""
        self._locks: dict[str, asyncio.Lock] = {}
        self._extending: set[str] = set()
        self._brought = False
        self._synced = 0
        """Number of the link of which everything kept was heard; what is heard on it from then on is new."""
        self._index()

    # what is asked

    def views(self) -> list[StandView]:
        """All stands by name."""
        names = {*self._configured, *(name for name, heard in self._heard.items() if heard.lease.things)}
        return [self._view(name) for name in sorted(names)]

    def view(self, name: str) -> StandView:
        """One stand; raises NotThere with the nearest name."""
        heard = self._heard.get(name)
        if name not in self._configured and (heard is None or not heard.lease.things):
            there = [view.stand for view in self.views()]
            raise no_stand(name, there, why="" if there else "the configuration has no table [stands.NAME]")
        return self._view(name)

    def names_of(self, address: Address) -> tuple[str, ...]:
        """Names of the stands that a thing belongs to."""
        return self._by_thing.get(address, ())

    def of(self, address: Address) -> list[StandView]:
        """The stands that a thing belongs to."""
        return [self._view(name) for name in self._by_thing.get(address, ())]

    def _view(self, name: str) -> StandView:
        heard = self._heard.get(name)
        lease = heard.lease if heard else self._configured[name]
        over = heard is not None and heard.ends != 0 and self._site.clock.mono() >= heard.ends
        return view_of(lease, self._site.config.stands.get(name), over=over)

    # what is done

    async def act(self, name: str, do: Do, wish: LeaseWish) -> StandView:
        """Change a lease as somebody wants it, and write it into the ledger; the stand as it is then.

        Raises NotThere, LeaseRefused, BusDown (nothing was changed) or TimedOut (nobody can say).
        """
        self.view(name)
        changed = await self._change(name, lambda lease, now: lease_acts.decide(do, lease, wish, now))
        await lease_acts.note(self._site, wish, *changed)
        return self.view(name)

    def used(self, address: Address, who: str) -> None:
        """Somebody has commanded a thing: that extends their lease of its stand. Costs a command one look-up."""
        names = self._by_thing.get(address)
        if names is not None:
            for name in names:
                self._extend_if_due(name, who)

    def _extend_if_due(self, name: str, who: str) -> None:
        heard, bus = self._heard.get(name), self._site.bus
        if heard is None or heard.lease.holder != who or name in self._extending or bus is None or bus.closed:
            return
        left = heard.ends - self._site.clock.mono()
        if left > heard.lease.length * 1000 * _RENEW_BELOW:
            return
        self._extending.add(name)
        bus.spawn(self._extend(name, who))

    async def _extend(self, name: str, who: str) -> None:
        try:
            await self._change(name, lambda lease, now: rules.extend(lease, who, now))
        except (rules.LeaseRefused, BusDown, TimedOut) as error:
            log.debug("the lease of stand %s was not extended by use: %s", name, error)
        finally:
            self._extending.discard(name)

    # the bus

    async def run(self, bus: Bus) -> None:
        """Follow the stands of the bus, bring the configuration there, and end what is over; until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(bus))
            group.create_task(self._watch_time())

    async def _follow(self, bus: Bus) -> None:
        async for found in bus.watch(self._stream, [(self._subjects.stand(), StandLease)]):
            if isinstance(found, Synced):
                self._synced = bus.links
                self._forget({name for name, heard in self._heard.items() if heard.link != bus.links})
                await self._bring()
                continue
            subject, message = found
            name = subject.rpartition(".")[2]
            if isinstance(message, StandLease) and is_name(name):
                await self._look(bus, name, message)

    async def _look(self, bus: Bus, name: str, heard: StandLease) -> None:
        try:
            seq, message = await bus.confirmed(self._stream, self._subjects.stand(name), heard)
            self._hear(name, seq, message)
            if self._brought and message is not None and not message.things and name in self._configured:
                await self._bring_one(name)
        except (BusDown, TimedOut) as error:
            log.debug("stand %s comes again with the next link: %s", name, error)

    def _hear(self, name: str, seq: int, message: StandLease | None) -> None:
        """Take what the bus keeps of a stand, unless something newer is known."""
        known, bus = self._heard.get(name), self._site.bus
        link = bus.links if bus is not None else 0
        if message is None or message.stand != name or (known and known.link == link and known.seq >= seq):
            return
        if known is not None and known.lease == message:
            self._heard[name] = known._replace(seq=seq, link=link)
            return
        self._heard[name] = _Heard(seq, message, self._ends(message), link)
        self._index()
        self.told({name})

    def _forget(self, names: set[str]) -> None:
        """The bus came back without these."""
        for name in names:
            del self._heard[name]
        if names:
            self._index()
            self.told(names)

    def _ends(self, lease: StandLease) -> int:
        """When it is over by our monotonic clock: told live it has all that was left, else wall clocks must do."""
        if not lease.holder:
            return 0
        clock, bus = self._site.clock, self._site.bus
        left = lease.left * 1000
        if bus is None or bus.links != self._synced:
            left = min(left, max(0.0, left - (clock.now() - lease.time)))
        return clock.mono() + int(left)

    def _index(self) -> None:
        views = self.views()
        indexed = {view.stand: view.things for view in views}
        if indexed == self._indexed:
            return
        self._indexed = indexed
        self.shape += 1
        found: dict[Address, tuple[str, ...]] = {}
        for view in views:
            for thing in view.things:
                node, _, name = thing.partition("/")
                address = Address(node, name)
                found[address] = (*found.get(address, ()), view.stand)
        self._by_thing = found

    async def _change(self, name: str, decide: _Decide) -> tuple[rules.Lease, rules.Lease, int]:
        """Change a lease by compare-and-set; gives it as it was, as it is, and when that was decided.

        What `decide` raises goes through.
        """
        async with self._locks.setdefault(name, asyncio.Lock()):
            for _ in range(_TRIES):
                bus = self._link()
                subject = self._subjects.stand(name)
                seq, message = await bus.latest(self._stream, subject, StandLease)
                if message is None or message.stand != name:
                    message = self._configured.get(name) or StandLease(stand=name, things=())
                else:
                    self._hear(name, seq, message)
                mono, now = self._site.clock.mono(), self._site.clock.now()
                before = self._lease(message, now=now, mono=mono)
                after = decide(before, now)
                if after == before or await self._put(bus, subject, message_of(message, after, now), seq):
                    return before, after, now
        raise TimedOut(f"Stand {name} was not changed", why="others change it all the time", remedy="Try it again")

    def _link(self) -> Bus:
        bus = self._site.bus
        if bus is None or not bus.up:
            raise BusDown(
                "The hub has no link to the bus",
                why="who holds a stand is kept there, and nothing was changed",
                remedy="It is tried again by itself; commands are still refused by the agents as the lease stood",
            )
        return bus

    async def _put(self, bus: Bus, subject: str, message: StandLease, after: int) -> bool:
        """Have the bus keep it; False when somebody else was faster."""
        try:
            seq = await bus.replace(subject, message, after=after)
        except WrongRevision:
            return False
        except TimedOut:
            seq, kept = await bus.latest(self._stream, subject, StandLease)
            if kept != message:
                raise
        self._hear(message.stand, seq, message)
        return True

    def _lease(self, message: StandLease, *, now: int, mono: int) -> rules.Lease:
        """A message as the rules want it, with its end by the clock of this hub."""
        heard = self._heard.get(message.stand)
        ends = heard.ends if heard is not None and heard.lease == message else self._ends(message)
        until = now + ends - mono if message.holder else 0
        return lease_of(message, until)

    # time

    async def _watch_time(self) -> None:
        while True:
            await self._site.clock.sleep(_TICK)
            mono = self._site.clock.mono()
            for name in [name for name, heard in self._heard.items() if heard.ends and mono >= heard.ends]:
                await self._expire(name)

    async def _expire(self, name: str) -> None:
        """Write down that a lease is over. The hub whose write stands tells the ledger; the others find it written."""
        try:
            before, after, now = await self._change(name, rules.expire)
        except (BusDown, TimedOut) as error:
            log.debug("that the lease of stand %s is over is written later: %s", name, error)
            return
        if after != before:
            await lease_acts.note_expired(self._site, before, now)

    # the configuration

    async def _bring(self) -> None:
        """Bring to the bus what the configuration says of stands, all of it once, later what the bus has lost.

        A stand that this configuration does not have (any longer) and that nobody holds is everyone's again. Another
        hub that has it brings it back when it hears of that.
        """
        names = self._configured.keys() - self._heard.keys()
        if not self._brought:
            names = self._configured.keys() | self._heard.keys()
        try:
            for name in sorted(names):
                await self._bring_one(name)
            self._brought = True
        except (BusDown, TimedOut) as error:
            log.info("the stands of the configuration are brought with the next link: %s", error)

    async def _bring_one(self, name: str) -> None:
        wanted = self._configured.get(name)
        async with self._locks.setdefault(name, asyncio.Lock()):
            for _ in range(_TRIES):
                bus, subject = self._link(), self._subjects.stand(name)
                seq, message = await bus.latest(self._stream, subject, StandLease)
                self._hear(name, seq, message)
                kept = message if message is not None and message.stand == name else StandLease(stand=name, things=())
                if seq and (settings(kept) == settings(wanted) if wanted else kept.holder or not kept.things):
                    return
                now = self._site.clock.now()
                lease = self._lease(kept, now=now, mono=self._site.clock.mono())
                new = message_of(wanted or StandLease(stand=name, things=()), lease, now)
                if await self._put(bus, subject, new, seq):
                    return


def no_stand(name: str, there: Sequence[str], *, why: str = "") -> NotThere:
    """The error for a stand that is not among those that are `there`."""
    remedy = "What is there: GET /api/stands"
    return NotThere(f"There is no stand {name[:63]!r}", why=why, remedy=remedy, nearest=nearest(name, there))
