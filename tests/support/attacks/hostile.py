"""An agent that somebody else wrote: whatever it may say in words is an attack on whoever shows it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pilothouse.bus import Bus
from pilothouse.bus.address import read_address
from pilothouse.bus.messages import Call, Command, Confirmation, End, Happened, LaneView, Latch, Outcome, Why
from pilothouse.clock import SystemClock
from pilothouse.config.places import Places
from pilothouse.model import (
    ActionDescription,
    Bar,
    EventDescription,
    PropertyDescription,
    ThingDescription,
    new_id,
)
from support.scripted_agent import ScriptedAgent

NODE = "stranger"
TEXTS = {
    "script": "<script>pwn(1)</script>",
    "closing": "</script></style></title></textarea><script>pwn(2)</script>",
    "attribute": '" onmouseover="pwn(3)" autofocus onfocus="pwn(3)" x="',
    "quote": "' onclick='pwn(4)' y='",
    "image": "<img src=x onerror=pwn(5)><svg/onload=pwn(5)>",
    "address": "javascript:pwn(6)",
    "template": "{{7*7}}${7*7}<%= 7*7 %>#{7*7}{% raw %}[[7*7]]",
    "json": '\\"}]};pwn(7);//\u2028\u2029',
    "comment": "--><script>pwn(8)</script><!--]]><![CDATA[",
    "terminal": "\x1b[31mred\x1b]0;pwned\x07\x1b[2J\x9b5m\rpwn\nINFO pwn\x08\x00\x7f",
    "direction": "\u202egnp.evil\u2066\u200f\u061c\ufeff",
    "format": "%s%n{0}{0.__class__}[red]pwn[/red][link=http://evil.example]pwn[/link]",
}
"""By the name of the thing that says it everywhere."""
NAMES = (
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "innerHTML",
    "a b",
    "x]y",
    '"><script>pwn(9)</script>',
)
"""What it calls its properties, besides."""


class HostileAgent(ScriptedAgent):
    """One thing for each of TEXTS."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus, NODE, tuple(TEXTS))
        self._said = 0
        for thing, text in TEXTS.items():
            self.bars[thing] = {"out": Bar(rule="interlock", text=text, remedy=text)}
        self.scripts = {"out": self._refuse, "act": self._fail}
        self.confirmation = Confirmation(why=Why.INPUT, detail=TEXTS["script"], remedy=TEXTS["attribute"])

    def description(self, thing: str) -> ThingDescription:
        """Every word of it is the text of the thing."""
        text = TEXTS[thing]
        more: dict[str, Any] = {"title": text, "doc": text}
        member = {"type": "string", "title": text, "description": text, "default": text, "pattern": text}
        schemas: dict[str, dict[str, Any]] = {
            "out": {"type": "boolean", "description": text},
            "level": {"type": "number"},
            "choice": {"enum": [text, "other"]},
            "label": {"type": "string", "pattern": text},
            "lot": {"type": "object"},
        }
        names = (*schemas, *NAMES, text[:63])
        return ThingDescription(
            node=self.node,
            name=thing,
            driver=text,
            tags=(text,),
            properties={
                name: PropertyDescription(
                    name=name,
                    schema=schemas.get(name, {"type": "string"}),
                    unit=text if name == "level" else "",
                    writable=name in schemas,
                    hazard=text if name in schemas else "",
                    has_safe=name == "out",
                    safe=False if name == "out" else None,
                    interlocks=(text,),
                    exclusive=(text,),
                    **more,
                )
                for name in names
            },
            actions={
                "act": ActionDescription(
                    name="act",
                    hazard=text,
                    interlocks=(text,),
                    input={"type": "object", "properties": {"word": member, text[:63]: member}, "title": text},
                    **more,
                )
            },
            events={"told": EventDescription(name="told", **more), text[:63]: EventDescription(name=text[:63], **more)},
            **more,
        )

    async def say(self) -> None:
        """Everything that it can say by itself, once: values, errors, events, lanes, notes. The level counts it."""
        self._said += 1
        for thing, text in TEXTS.items():
            values = dict.fromkeys((*NAMES, text[:63], "choice", "label"), text)
            await self.read(
                {**values, "out": False, "level": self._said, "lot": {text: [text, {"__proto__": text}]}}, thing
            )
            await self.state(thing, error=text if thing in ("script", "attribute", "terminal", "direction") else "")
            happened = Happened(
                id=new_id(self.clock.now()),
                node=self.node,
                epoch=self.epoch,
                thing=thing,
                name="told",
                time=self.clock.now(),
                data={text: text},
            )
            await self.bus.publish(self.subjects.event(self.node, thing), happened)
        call = Call(
            thing="script",
            label=TEXTS["script"],
            since=1,
            id=TEXTS["quote"],
            name=TEXTS["attribute"],
            who=TEXTS["image"],
        )
        lane = LaneView(name=TEXTS["attribute"], things=tuple(TEXTS), hung_since=1, running=call, waiting=(call,))
        await self.say_lanes(lane)
        await self.presence(notes=tuple(TEXTS.values()))

    def obey_nothing(self) -> None:
        """Say that a stop holds which nobody pressed, in words of its own."""
        self.stops["forged"] = Latch(
            id="forged", kind="hard", time=1, who=TEXTS["script"], origin=TEXTS["quote"], reason=TEXTS["attribute"]
        )

    async def _refuse(self, command: Command) -> Outcome:
        text = TEXTS[command.thing]
        return self.outcome(command, End.REFUSED, Why.DEVICE, detail=text, remedy=text)

    async def _fail(self, command: Command) -> Outcome:
        text = TEXTS[command.thing]
        return self.outcome(command, End.FAILED, Why.DEVICE, detail=text, remedy=text, value={text: text})


@contextlib.contextmanager
def hostile_beside(data: Path) -> Iterator[None]:
    """The agent beside a running site, in a thread; says everything again and again while the block runs."""
    over = threading.Event()

    async def talk() -> None:
        address = read_address(Places(data).bus_address)
        assert address is not None
        bus = await Bus.connect(address, name="agent-stranger", clock=SystemClock())
        try:
            async with HostileAgent(bus) as agent:
                while not over.is_set():
                    await agent.say()
                    await asyncio.sleep(0.5)
        finally:
            await bus.close()

    thread = threading.Thread(target=asyncio.run, args=(talk(),), name="a hostile agent", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)
