"""Has every node obey the stops that hold, and no other: whatever was missed meanwhile, and whoever was away.

What nodes say they obey is compared with what holds every half second. Before a node is told anything the record is
asked, for another hub may have lifted or pressed what this one has not heard of.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from pilothouse.bus.messages import Latch
from pilothouse.errors import BusDown, RecordError
from pilothouse.hub.holding import Tell
from pilothouse.hub.site import Site
from pilothouse.hub.stops import Stops, order_of
from pilothouse.model import is_id

log = logging.getLogger(__name__)

LOOK = 0.5
"""Seconds between looks at what nodes obey."""
AGAIN = 2000
"""Milliseconds after which a node that was told something is told again at the earliest."""
_PATIENCE = 1.0
"""Seconds that the record may take to answer; a disk that hangs must not hold up what nodes are told."""
_AT_ONCE = 500
"""Stops that the record is asked about at once."""


class Obeying:
    """`run` until cancelled; `remember` once before, so that a hub without a bus knows what holds."""

    def __init__(self, site: Site, stops: Stops) -> None:
        self._site = site
        self._stops = stops
        self._remembered = False
        self._said = False

    async def remember(self) -> None:
        """Take from the record what holds and what was lifted; tried again when it does not answer."""
        held = [latch.id for latch in self._site.holding.latches]
        try:
            async with asyncio.timeout(_PATIENCE):
                lines = [*await self._stops.record.active(), *await self._stops.record.some(held)]
        except (RecordError, TimeoutError) as error:
            if not self._said:
                log.error("which stops hold is not known from the record: %s", error or "it does not answer")
            self._said, self._remembered = True, False
            return
        self._remembered = True
        for line in lines:
            if line.lifted_time:
                self._stops.let_go([line.latch.id])
            else:
                self._stops.hold(line.latch)

    async def run(self) -> None:
        """Have nodes obey what holds, and the record know of it."""
        site, stops = self._site, self._stops
        while True:
            try:
                async with asyncio.timeout(LOOK):
                    await stops.look.wait()
            except TimeoutError:
                pass
            stops.look.clear()
            linked = site.bus is not None and site.bus.up
            if not (linked and self._remembered):
                # Without a bus the record is where hubs side by side hear of one another.
                await self.remember()
            stops.write_soon()
            if linked:
                await self._reconcile()

    async def _reconcile(self) -> None:
        """Tell nodes that are here what they have missed, each at most every AGAIN."""
        holding, stops, mono = self._site.holding, self._stops, self._site.clock.mono()
        here = {node: held for node, held in stops.here().items() if mono - stops.told.get(node, -AGAIN) >= AGAIN}
        strange = holding.unknown(here)
        lacking = [latch.id for tell in holding.tell(here).values() for latch in tell.press]
        if strange or lacking:
            await self._ask_record(strange, lacking)
        for node, tell in holding.tell(here).items():
            stops.told[node] = mono
            try:
                await self._tell(node, tell)
            except BusDown as error:
                log.debug("node %s is told with the next link: %s", node, error)

    async def _ask_record(self, strange: Sequence[Latch], lacking: Sequence[str]) -> None:
        """Look what was done meanwhile; a stop that nobody knows was pressed elsewhere, and holds."""
        ids = sorted({latch.id for latch in strange} | set(lacking))[:_AT_ONCE]
        try:
            async with asyncio.timeout(_PATIENCE):
                lines = await self._stops.record.some(ids)
        except (RecordError, TimeoutError) as error:
            log.error("the record does not say which stops were lifted, so all hold: %s", error or "no answer")
            lines = []
        self._stops.let_go([line.latch.id for line in lines if line.lifted_time])
        for latch in strange:
            if is_id(latch.id):
                self._stops.hold(latch)

    async def _tell(self, node: str, tell: Tell) -> None:
        log.warning("node %s has missed %d stops and %d lifts; it is told", node, len(tell.press), len(tell.lift))
        for latch in tell.press:
            await self._stops.publish(order_of(latch, node))
        if tell.lift:
            await self._stops.publish(self._stops.lift_for(node, tell.lift))
