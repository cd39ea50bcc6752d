"""Two hubs on one data folder, as processes: one key is done once at the device, whichever hub is asked or killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from pilothouse.clock import SystemClock
from pilothouse.record import Ledger
from support.agents import AgentProcess
from support.processes import process

KEY = "0192e4a0-key-two1"
RELAY = "/api/things/pi/relays/properties/relay_1"


class HubProcess:
    """A hub that runs, with a client that is let in."""

    def __init__(self, running: subprocess.Popen[str], data: Path) -> None:
        assert running.stdout is not None
        found = re.match(r"Pilothouse is at (\S+?)/?\n", running.stdout.readline())
        assert found, (data / "hub.stderr").read_text()
        self.running = running
        headers = {"Authorization": f"Bearer {(data / 'token').read_text().strip()}"}
        self.client = httpx2.AsyncClient(base_url=found.group(1), headers=headers, timeout=30, trust_env=False)

    async def switch(self, value: bool, key: str = KEY) -> httpx2.Response:
        """Set the relay."""
        return await self.client.put(RELAY, json={"value": value}, headers={"Idempotency-Key": key})

    async def knows_the_relays(self) -> None:
        """Wait until the node is here for this hub."""
        while True:
            answer = await self.client.get("/api/nodes")
            nodes = answer.json()["nodes"]
            here = [node for node in nodes if node["life"] == "here" and "relays" in node["things"]]
            if here and (await self.client.get(RELAY)).json().get("time"):
                return
            await asyncio.sleep(0.02)


class Pair:
    """Two hubs, an agent with simulated relays, and a keeper."""

    def __init__(self, hubs: list[HubProcess], agent: AgentProcess, data: Path) -> None:
        self.hubs = hubs
        self.agent = agent
        self.data = data

    def switched_on(self) -> int:
        """How often the relay was really switched on."""
        return sum(1 for _, name, value in self.agent.traced() if name == "relay_1" and value is True)

    async def line(self) -> dict[str, object]:
        """What the ledger says of the command."""
        ledger = await Ledger.open(self.data / "record" / "main.db", SystemClock())
        try:
            while (found := await ledger.line(KEY)) is None or not found.end:
                await asyncio.sleep(0.02)
            return {"end": found.end, "later": [truth.end for truth in found.later]}
        finally:
            await ledger.close()


@pytest.fixture
async def pair(bus_server) -> AsyncIterator[Pair]:
    """All of it on the bus of this test."""
    data = bus_server.places.data
    agent = AgentProcess(data)
    with contextlib.ExitStack() as stack:
        stack.enter_context(process("keeper", data))
        agent.start()
        stack.callback(agent.end)
        running = [stack.enter_context(process("hub", data, "--port", "0")) for _ in range(2)]
        hubs = [HubProcess(each, data) for each in running]
        try:
            async with asyncio.timeout(60):
                for hub in hubs:
                    await hub.knows_the_relays()
            yield Pair(hubs, agent, data)
        finally:
            for hub in hubs:
                await hub.client.aclose()


async def hang(hub: HubProcess, seconds: float) -> None:
    """Have the relays not answer for a while, so that a command is under way for as long."""
    body = {"input": {"kind": "hang", "seconds": seconds}}
    answer = await hub.client.post("/api/things/pi/relays/actions/fail", json=body)
    assert answer.status_code == 200, answer.text


async def test_one_key_at_both_hubs_at_once_is_done_once(pair: Pair) -> None:
    """Both are told the same end; one of them says that it is the other's."""
    answers = await asyncio.gather(*(hub.switch(True) for hub in pair.hubs for _ in range(3)))
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    assert len({(answer.json()["end"], answer.json()["asked"]) for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert pair.switched_on() == 1


async def test_a_key_sent_again_after_its_hub_was_killed_is_done_once(pair: Pair) -> None:
    """Killed -9 while the command is under way: the other hub waits for the first one's end and gives it."""
    first, second = pair.hubs
    await hang(first, 1.5)
    asked = asyncio.create_task(first.switch(True))
    ledger = await Ledger.open(pair.data / "record" / "main.db", SystemClock())
    while await ledger.line(KEY) is None:
        await asyncio.sleep(0.005)
    await ledger.close()
    again = asyncio.create_task(second.switch(True))
    first.running.send_signal(signal.SIGKILL)
    with pytest.raises(httpx2.TransportError):
        await asked
    answer = await again
    assert answer.status_code == 200 and answer.json()["end"] == "confirmed", answer.text
    assert answer.headers["idempotency-replayed"] == "true"
    assert pair.switched_on() == 1
    assert await pair.line() == {"end": "confirmed", "later": []}


async def test_a_key_sent_again_to_a_hub_that_was_started_anew_is_done_once(pair: Pair) -> None:
    """The record is what remembers, not the hub."""
    first = pair.hubs[0]
    assert (await first.switch(True)).status_code == 200
    assert await pair.line() == {"end": "confirmed", "later": []}
    first.running.kill()
    with process("hub", pair.data, "--port", "0") as running:
        anew = HubProcess(running, pair.data)
        await anew.knows_the_relays()
        answer = await anew.switch(True)
        assert answer.status_code == 200 and answer.headers["idempotency-replayed"] == "true", answer.text
        await anew.client.aclose()
    assert pair.switched_on() == 1


async def test_a_stop_at_one_hub_holds_at_both_and_after_both_were_killed(pair: Pair) -> None:
    """And the real agent obeys: its relay is off, and stays off until the lift."""
    first, second = pair.hubs
    assert (await first.switch(True)).status_code == 200
    pressed = (await first.client.post("/api/stop", json={"reason": "smoke"})).json()
    assert [node["node"] for node in pressed["nodes"]] == ["pi"] and pressed["silent"] == [], json.dumps(pressed)
    assert pair.agent.traced()[-1][2] is False
    refused = await second.switch(True, "0192e4a0-key-two2")
    assert refused.status_code == 409 and refused.json()["why"] == "stopped", refused.text
    for hub in pair.hubs:
        hub.running.kill()
    with process("hub", pair.data, "--port", "0") as running:
        anew = HubProcess(running, pair.data)
        (stop,) = (await anew.client.get("/api/stop")).json()["stops"]
        assert stop["id"] == pressed["id"]
        await anew.knows_the_relays()
        lifted = (await anew.client.post("/api/stop/lift", json={"reason": "mended"})).json()
        assert lifted["lifted"] == [stop["id"]] and lifted["silent"] == [], lifted
        assert (await anew.switch(True, "0192e4a0-key-two3")).status_code == 200
        await anew.client.aclose()
