"""Stop without a hub: the order straight over the bus, and what each agent answers.

Whoever can read the address of the bus in the data folder may do it: no dead hub or keeper stands in the way.
"""

from __future__ import annotations

import asyncio
import getpass
import os
from typing import Literal

from pilothouse.bus import Bus, Subjects, load_address, streams
from pilothouse.bus.messages import Presence, StopOrder, Stopped
from pilothouse.client import StopDone, StoppedNode
from pilothouse.clock import Clock
from pilothouse.config.places import Places
from pilothouse.config.site import Config
from pilothouse.errors import BusDown, TimedOut
from pilothouse.model import new_id

Kind = Literal["hard", "end"]

LINK = 2.0
"""Seconds in which there must be a link to the bus."""
LOOK = 0.5
"""Seconds in which the bus must say which nodes there are; without, whoever answers is listened to."""
PATIENCE: dict[Kind, float] = {"hard": 2.5, "end": 13.0}
"""Seconds in which agents may answer: a safe end waits for what runs."""


async def press(places: Places, config: Config, kind: Kind, reason: str, clock: Clock) -> StopDone:
    """Tell every agent of the site to stop, and gather what they say; raises BusDown when nobody could be told."""
    address = await load_address(places, config.bus, clock, wait=0)
    subjects = Subjects(config.site.name)
    now = clock.now()
    order = StopOrder(kind=kind, id=new_id(now), time=now, who=_who(), origin="cli", reason=reason)
    async with await Bus.connect(address, name="pilothouse-stop", clock=clock, wait=LINK) as bus:
        # First of all, before it is known who must answer: doing it twice does nothing more.
        await bus.publish(subjects.stop(), order)
        here = await _here(bus, config.site.name, subjects)
        enough = len(here) or 1_000_000
        answers = await bus.ask_all(subjects.stop(), order, Stopped, PATIENCE[kind], enough=enough)
    nodes = [
        StoppedNode(node=one.node, outputs=one.outputs, mistakes=list(one.mistakes), took_ms=one.took_ms)
        for one in sorted(answers, key=lambda one: one.node)
    ]
    return StopDone(id=order.id, nodes=nodes, silent=sorted(here - {one.node for one in nodes}))


async def _here(bus: Bus, site: str, subjects: Subjects) -> set[str]:
    """Nodes that have said that they are there and not that they leave; none when the bus cannot tell."""
    try:
        async with asyncio.timeout(LOOK):
            kept = await bus.last(streams(site)["now"], subjects.presence(), Presence)
    except (BusDown, TimedOut, TimeoutError):
        return set()
    return {presence.node for _, presence in kept if presence.state == "here"}


def _who() -> str:
    """Who sits at this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())
