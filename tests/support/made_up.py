"""A made-up site for the tests of pages: two nodes, a bench, a host, and some lines of a ledger."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from msgspec.structs import asdict

from pilothouse.bus.messages import Described, Latch, Presence, State
from pilothouse.errors import NotThere
from pilothouse.hub.access import Visitor
from pilothouse.hub.allowed import Allowed
from pilothouse.hub.directory import Directory
from pilothouse.hub.posture import PLAIN
from pilothouse.hub.stand_view import StandView
from pilothouse.model import (
    ActionDescription,
    Address,
    Bar,
    EventDescription,
    Health,
    PropertyDescription,
    PropertyState,
    Quality,
    ThingDescription,
)
from pilothouse.record.rows import LaterTruth, Line, Lines, Wanted
from pilothouse.rights import Place, Rights, parse_grants
from pilothouse.testing import FakeClock

NOW = 1_700_000_000_000
MONO = 5_000_000
"""The hub's monotonic clock at NOW."""

EVIL = "<script>alert('x')</script>\"'&"
"""What a device may say at worst; it must be seen as it is, and do nothing."""


def relays(**more: Any) -> ThingDescription:
    """Two switches, a counter, a setpoint, an action with a form."""
    switch = {"schema": {"type": "boolean"}, "writable": True, "safe": False, "has_safe": True, "hazard": "Mains"}
    return ThingDescription(
        node="pi",
        name="relays",
        title="Relay board",
        doc="A board.\n\nWiring: USB.",
        driver="sim.relays",
        simulated=True,
        properties={
            "relay_1": PropertyDescription(name="relay_1", title="Relay 1", **switch),
            "relay_2": PropertyDescription(name="relay_2", title="Relay 2", **switch),
            "level": PropertyDescription(
                name="level",
                schema={"type": "number", "minimum": 0, "maximum": 30},
                unit="V",
                precision=2,
                minimum=0,
                maximum=30,
                writable=True,
            ),
            "mode": PropertyDescription(name="mode", schema={"enum": ["cv", "cc"]}, writable=True),
            "switched": PropertyDescription(name="switched", title="Switched", schema={"type": "integer"}),
        },
        actions={
            "fail": ActionDescription(
                name="fail",
                title="Fail",
                input={
                    "type": "object",
                    "properties": {
                        "kind": {"enum": ["hang", "drop"]},
                        "seconds": {"type": "number", "exclusiveMinimum": 0, "description": "seconds that it lasts"},
                        "hard": {"type": "boolean", "default": True},
                        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                        "more": {"type": "object"},
                    },
                    "required": ["kind", "seconds"],
                },
            )
        },
        events={"tripped": EventDescription(name="tripped", title="Tripped", doc="a fuse went")},
        **more,
    )


def host(node: str = "pi") -> ThingDescription:
    """Vitals of a node."""
    number = {"schema": {"type": "number"}, "unit": "%", "precision": 1}
    return ThingDescription(
        node=node,
        name="host",
        title="Host",
        driver="host",
        properties={
            "cpu": PropertyDescription(name="cpu", title="CPU", **number),
            "memory": PropertyDescription(name="memory", title="Memory", **number),
            "disk_free": PropertyDescription(name="disk_free", schema={"type": "integer"}, unit="By"),
            "disk_root": PropertyDescription(name="disk_root", title="Disk /", **number),
            "uptime": PropertyDescription(name="uptime", schema={"type": "integer"}, unit="s"),
            "about": PropertyDescription(name="about", schema={"type": "object"}),
            "throttled": PropertyDescription(
                name="throttled", title="Throttled", doc="slowed down now", schema={"type": "boolean"}
            ),
        },
    )


def directory() -> Directory:
    """Node "pi" is here with relays and host; node "away" was heard of a minute ago."""
    made = Directory()
    for description in (relays(), host(), host("away")):
        made.described(Described(node=description.node, epoch=7, thing=description.name, description=description))
    hear(made, "pi", ("relays", "host"))
    hear(made, "away", ("host",), now=NOW - 60_000)
    state(made, relay_1=True, relay_2=False, level=12.0, mode="cv", switched=3)
    state(
        made,
        "pi",
        "host",
        cpu=12.34,
        memory=50.0,
        disk_root=22.4,
        uptime=90_000,
        about={"os": "Debian"},
        throttled=False,
    )
    state(made, "away", "host", time=NOW - 60_000, cpu=1.0)
    made.tick(now=NOW, mono=MONO)
    return made


def hear(made: Directory, node: str, things: tuple[str, ...], *, now: int = NOW, offset: int = 0, **more: Any) -> None:
    """A presence, newer than those before; `offset` is how far the node's clock is ahead, milliseconds."""
    mono = MONO + now - NOW + next(_number)
    message = Presence(node=node, epoch=7, version="0.1.0", time=now + offset, mono=mono, things=things, **more)
    made.presence(message, now=now, mono=mono)


_number = iter(range(1, 1_000_000))


def state(
    made: Directory, node: str = "pi", thing: str = "relays", *, time: int = NOW, health: Health | None = None,
    quality: Quality = Quality.GOOD, wish: dict[str, Any] | None = None, more: dict[str, dict[str, Any]] | None = None,
    bars: dict[str, Bar] | None = None, **values: Any,
) -> None:  # fmt: skip
    """A state with these values; `more` holds further members of a property's state."""
    wish, more = wish or {}, more or {}
    properties = {
        name: PropertyState(
            **{
                "value": value,
                "time": time,
                "quality": quality,
                "wish": wish.get(name),
                "wish_time": time if name in wish else 0,
            }
            | more.get(name, {})
        )
        for name, value in values.items()
    }
    number = next(_number)
    made.state(
        State(
            node=node,
            epoch=7,
            thing=thing,
            time=time,
            health=health or Health(),
            properties=properties,
            bars=bars or {},
            number=number,
            seq=number,
        )
    )


def line(id: str = "0001", **more: Any) -> Line:
    """A line of the ledger."""
    given: dict[str, Any] = {
        "id": id, "node": "pi", "thing": "relays", "kind": "property", "name": "relay_1", "input": True,
        "who": "owner", "origin": "page", "made": NOW - 5000, "ttl": 5.0, "epoch": 7, "end": "confirmed",
        "took_ms": 3.2,
    }  # fmt: skip
    return Line(**(given | more))


LATER = LaterTruth(end="confirmed", detail="the relay closed", time=NOW)


class FakeLedger:
    """Lines, newest first, with the filters of the real one."""

    def __init__(self, lines: list[Line]) -> None:
        self.kept = lines
        self.asked: dict[str, Any] = {}

    async def lines(self, **asked: Any) -> list[Line]:
        """As the ledger's."""
        self.asked = asked
        limit = asked.get("limit", 100)
        wanted = {key: asked.get(key) for key in ("node", "thing", "end", "who")}
        found = [each for each in self.kept if all(v is None or getattr(each, k) == v for k, v in wanted.items())]
        return found[:limit]

    async def page(self, wanted: Wanted, *, before: str = "", limit: int = 100) -> Lines:
        """As the ledger's; of filters only those that compare."""
        self.asked = asdict(wanted)
        keys = ("node", "thing", "end", "who", "origin", "kind")
        found = [e for e in self.kept if all(self.asked[k] in (None, getattr(e, k)) for k in keys)]
        if before:
            found = found[[each.id for each in found].index(before) + 1 :]
        return Lines(lines=found[:limit], next=found[limit - 1].id if len(found) > limit else "")

    async def line(self, id: str) -> Line | None:
        """As the ledger's."""
        return next((each for each in self.kept if each.id == id), None)


def stand(**more: Any) -> StandView:
    """A stand with the relays, that bob holds for ten minutes more."""
    given: dict[str, Any] = {
        "stand": "bench", "title": "Bench 1", "things": ["pi/relays", "pi/gone"], "holder": "bob", "since": NOW - 5000,
        "until": NOW + 600_000, "length": 1800.0,
    }  # fmt: skip
    return StandView(**(given | more))


class FakeStands:
    """Stands that stay as they are."""

    def __init__(self, *views: StandView) -> None:
        self._views = {view.stand: view for view in views}

    def views(self) -> list[StandView]:
        """As the hub's."""
        return list(self._views.values())

    def view(self, name: str) -> StandView:
        """As the hub's."""
        if name not in self._views:
            raise NotThere(f"There is no stand {name!r}")
        return self._views[name]

    def of(self, address: Address) -> list[StandView]:
        """As the hub's."""
        return [view for view in self._views.values() if view.has(address)]


def latch(**more: Any) -> Latch:
    """A stop that somebody pressed a moment ago."""
    given: dict[str, Any] = {"id": "stop-0001", "kind": "hard", "time": NOW - 3000, "who": "bob", "origin": "page"}
    return Latch(**(given | more))


def site(lines: list[Line] | None = None, **more: Any) -> Any:
    """What page builders need of a Site."""
    up: dict[str, Any] = more.pop("up", {})
    given = {
        "clock": FakeClock(now=NOW),
        "directory": directory(),
        "holding": SimpleNamespace(latches=()),
        "stands": FakeStands(),
        "ledger": FakeLedger(lines if lines is not None else [line()]),
        "link_up": True,
        "node": "pi",
        "places": SimpleNamespace(data=Path("/data")),
        "posture": PLAIN,
        "title": "Home",
        "up_status": lambda: up,
        "url": "http://127.0.0.1:8470",
    }
    made = SimpleNamespace(**(given | more))
    made.place = lambda address: Place(address, frozenset(view.stand for view in made.stands.of(address)))
    return made


def visitor(who: str = "owner", *grants: str, **more: Any) -> Visitor:
    """Somebody who is logged in, an administrator unless other rights are given."""
    return Visitor(who, "page", Rights(parse_grants(grants or ("admin",)), **more))


def allowed(who: str = "owner", *grants: str, at: Any = None, **more: Any) -> Allowed:
    """What somebody may do on the pages of a site, an administrator unless other rights are given."""
    return Allowed(visitor(who, *grants, **more), site() if at is None else at)
