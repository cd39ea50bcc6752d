"""`pilothouse stop` with every hub dead: straight over a real bus, to agents that follow a script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from pilothouse.bus import Bus, BusAddress, Subjects
from pilothouse.bus.messages import Presence, StopOrder, Stopped
from pilothouse.cli import stop_by_bus
from pilothouse.clock import SystemClock
from pilothouse.config.site import BusConfig, Config
from pilothouse.errors import BusDown

SUBJECTS = Subjects("home")


class ScriptedAgent:
    """Answers a stop as it is told; `orders` is what it heard."""

    def __init__(self, bus: Bus, node: str, mistakes: tuple[str, ...] = ()) -> None:
        self.orders: list[StopOrder] = []
        self._bus, self._node, self._mistakes = bus, node, mistakes

    async def start(self) -> None:
        """Say that it is there, and listen."""
        presence = Presence(node=self._node, epoch=1, version="0", time=1, mono=1)
        await self._bus.publish(SUBJECTS.presence(self._node), presence)
        await self._bus.serve(SUBJECTS.stop(), StopOrder, self._stop)

    async def _stop(self, subject: str, order: StopOrder) -> Stopped:
        self.orders.append(order)
        return Stopped(node=self._node, epoch=1, stops=(order.id,), outputs=2, mistakes=self._mistakes, took_ms=3.0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that never answers is not waited for as long as people would."""
    monkeypatch.setitem(stop_by_bus.PATIENCE, "hard", 0.3)


Press = Callable[..., Awaitable[stop_by_bus.StopDone]]


@pytest.fixture
def press(bus_server: object) -> Press:
    """Presses stop with the data folder of this bus."""

    async def pressed(config: Config | None = None) -> stop_by_bus.StopDone:
        places = bus_server.places  # type: ignore[attr-defined]
        return await stop_by_bus.press(places, config or Config(), "hard", "smoke", SystemClock())

    return pressed


async def test_every_agent_hears_it_and_answers(bus: Bus, connect: Callable[..., Awaitable[Bus]], press: Press) -> None:
    """One id for all, with who and why; the answers come back by node."""
    bench, shed = ScriptedAgent(bus, "bench"), ScriptedAgent(await connect("shed"), "shed", ("bath may not be safe",))
    await bench.start()
    await shed.start()
    done = await press()
    assert [(node.node, node.mistakes) for node in done.nodes] == [("bench", []), ("shed", ["bath may not be safe"])]
    assert done.silent == []
    assert {order.id for order in bench.orders + shed.orders} == {done.id}
    assert (bench.orders[0].kind, bench.orders[0].reason, bench.orders[0].origin) == ("hard", "smoke", "cli")
    assert bench.orders[0].who


@pytest.mark.usefixtures("quick")
async def test_a_node_that_is_silent_is_named(bus: Bus, press: Press) -> None:
    """It said that it is there, and does not answer; one that has left is not expected to."""
    await ScriptedAgent(bus, "bench").start()
    for node, state in (("frozen", "here"), ("gone", "leaving")):
        presence = Presence(node=node, epoch=1, version="0", time=1, mono=1, state=state)  # type: ignore[arg-type]
        await bus.publish(SUBJECTS.presence(node), presence)
    await bus.prove(5.0)
    done = await press()
    assert ([node.node for node in done.nodes], done.silent) == (["bench"], ["frozen"])


@pytest.mark.usefixtures("quick")
async def test_without_streams_whoever_answers_is_heard(connect: Callable[..., Awaitable[Bus]], press: Press) -> None:
    """A bus that has lost all it kept still carries a stop."""
    agent = ScriptedAgent(await connect("bench"), "bench")
    await agent.start()
    done = await press()
    assert [node.node for node in done.nodes] == ["bench"]
    assert agent.orders


async def test_no_bus(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said within the time that a person waits."""
    monkeypatch.setattr(stop_by_bus, "LINK", 0.2)
    nowhere = BusAddress(url="nats://127.0.0.1:9")
    with pytest.raises(BusDown):
        await press(Config(bus=BusConfig(url=nowhere.url)))
