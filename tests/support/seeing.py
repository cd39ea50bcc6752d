"""A site without a bus and a record, and somebody who looks on, for tests of who sees what."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

from pilothouse.bus.messages import Call, Described, Lanes, LaneView, Presence, StandLease
from pilothouse.config.places import Places
from pilothouse.config.site import Config, NodeConfig
from pilothouse.hub.access import Visitor
from pilothouse.hub.directory import Change
from pilothouse.hub.live import Live
from pilothouse.hub.site import Site
from pilothouse.hub.streams import Again
from pilothouse.model import Address, PropertyDescription, ThingDescription
from pilothouse.record.history import History
from pilothouse.record.ledger import Ledger
from pilothouse.rights import Rights, parse_grants
from pilothouse.testing import FakeClock

_NUMBERS = count(1)
_NOT_HERE: Any = None


def a_site() -> Site:
    """With nothing in it; its record cannot be asked."""
    clock = FakeClock()
    return Site(
        config=Config(node=NodeConfig(name="pi")),
        places=Places(Path("/nowhere")),
        clock=clock,
        history=History(_NOT_HERE, clock),
        ledger=Ledger(_NOT_HERE, clock),
        people=_NOT_HERE,
        passwords=_NOT_HERE,
    )


def rights(*grants: str, **more: Any) -> Rights:
    """Rights from their texts."""
    return Rights(parse_grants(grants), **more)


def put_things(site: Site, node: str, things: Iterable[str]) -> list[Change]:
    """From now on a node has these things and no others, each with a property x, on one lane that is busy."""
    names, epoch = sorted(things), next(_NUMBERS)
    directory, now = site.directory, site.clock.now()
    mono, listed = site.clock.mono(), tuple(names)
    presence = Presence(node=node, epoch=epoch, version="1", time=now, mono=mono, things=listed, notes=listed)
    changes = [directory.presence(presence, now=now, mono=mono)]
    for name in names:
        x = PropertyDescription(name="x", schema={"type": "number"})
        described = ThingDescription(node=node, name=name, properties={"x": x})
        changes.append(directory.described(Described(node=node, epoch=epoch, thing=name, description=described)))
    calls = tuple(Call(thing=name, label=f"reading {name}", since=1) for name in names)
    lane = LaneView(name="wire", things=tuple(names), running=calls[0] if calls else None, waiting=calls[1:])
    changes.append(directory.told_lanes(Lanes(node=node, epoch=epoch, time=now, lanes=(lane,))))
    return changes


def put_stand(site: Site, name: str, things: Iterable[Address]) -> None:
    """From now on a stand has these things; with none there is no such stand."""
    lease = StandLease(stand=name, things=tuple(sorted(map(str, things))), length=60.0, time=site.clock.now())
    site.stands._hear(name, next(_NUMBERS), lease)


class Onlooker:
    """Somebody with an open stream, without a socket: `async with Onlooker(live, visitor) as one`."""

    def __init__(self, live: Live, visitor: Visitor, query: str = "", again: Again | None = None) -> None:
        self.visitor: Visitor | None = visitor
        """Whoever the log-in is of, as it stands now; None = it is over."""
        self.asked = 0
        """How often it was asked again."""
        self.reading = asyncio.Event()
        """Clear it, and they read nothing more."""
        self.reading.set()
        state = {"visitor": visitor, "again": again or self._again}
        self._scope = {"method": "GET", "query_string": query.encode(), "state": state}
        self._live = live
        self._bodies: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._waiting = b""
        self._gone = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    async def _again(self) -> Visitor | None:
        self.asked += 1
        return self.visitor

    async def __aenter__(self) -> Onlooker:
        self.task = asyncio.create_task(self._live.serve(self._scope, self._receive, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        self.reading.set()
        assert self.task is not None
        await asyncio.wait_for(self.task, 5)

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await self.reading.wait()
            self._bodies.put_nowait(message["body"])
            if not message["more_body"]:
                self._bodies.put_nowait(None)

    async def event(self) -> tuple[str, Any]:
        """The next event, (name, data); ("", None) when the stream has ended."""
        while b"\n\n" not in self._waiting:
            body = await asyncio.wait_for(self._bodies.get(), 5)
            if body is None:
                return "", None
            self._waiting += body
        block, _, self._waiting = self._waiting.partition(b"\n\n")
        fields = dict(line.split(": ", 1) for line in block.decode().splitlines() if not line.startswith(":"))
        return fields["event"], json.loads(fields["data"])

    async def until(self, name: str) -> Any:
        """Data of the next event of this name; nothing but beats may come before."""
        found, data = await self.event()
        while found == "beat":
            found, data = await self.event()
        assert found == name, (found, data)
        return data

    @property
    def quiet(self) -> bool:
        """Whether nothing waits to be read."""
        return self._bodies.empty() and not self._waiting
