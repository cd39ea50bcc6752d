"""The link to the bus: connecting, losing it, coming back, and what never happens meanwhile."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest
import uvloop

from pilothouse.bus import Bus, BusAddress, Kept, Stream, Subjects, jetstream, streams
from pilothouse.bus.messages import Command, End, Outcome, Presence
from pilothouse.clock import SystemClock
from pilothouse.errors import BadMessage, BadName, BusDown, NodeAway, TimedOut

SUBJECTS = Subjects("home")
COMMAND = SUBJECTS.command("pi", "fan", "on")


def presence(seq: int = 0, node: str = "pi") -> Presence:
    return Presence(node=node, epoch=1, version="1", time=0, mono=0, seq=seq)


def command(number: int = 0) -> Command:
    return Command(
        id=f"command-{number}",
        node="pi",
        epoch=1,
        thing="fan",
        kind="property",
        name="on",
        input=True,
        deadline=0,
        who="owner",
        origin="test",
    )


def outcome(asked: Command) -> Outcome:
    return Outcome(id=asked.id, node="pi", epoch=1, thing="fan", name="on", end=End.CONFIRMED)


class Agent:
    """Answers commands and remembers them."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def handle(self, subject: str, asked: Command) -> Outcome:
        self.done.append(asked.id)
        return outcome(asked)


async def test_request_is_answered(bus, connect):
    """A request reaches the handler at the other connection, and its answer comes back."""
    agent = await connect("agent")
    await agent.serve(SUBJECTS.command("pi"), Command, Agent().handle)
    answer = await bus.request(COMMAND, command(7), Outcome, 2.0)
    assert answer.id == "command-7"
    assert answer.end is End.CONFIRMED


async def test_nobody_there_is_said_at_once(bus):
    """Without a handler a request ends at once, not at its timeout."""
    with pytest.raises(NodeAway):
        await asyncio.wait_for(bus.request(COMMAND, command(), Outcome, 60.0), 5)


async def test_silence_is_a_timeout(bus, connect):
    """A handler that stays silent lets the asker's time run out."""

    async def silent(subject: str, asked: Command) -> None:
        return None

    agent = await connect("agent")
    await agent.serve(COMMAND, Command, silent)
    with pytest.raises(TimedOut):
        await bus.request(COMMAND, command(), Outcome, 0.05)


async def test_sending_while_down_fails_at_once_and_is_never_sent(bus, connect, bus_server, until):
    """What is refused while the bus is down does not come after it: not a message, not a request, not an append."""
    agent, other = Agent(), await connect("agent")
    heard = other.listen("ph.home.node.*", Presence)
    await other.serve(COMMAND, Command, agent.handle)
    bus_server.kill()
    await until(lambda: not bus.up, "the link is lost")
    began = time.monotonic()
    for number in range(50):
        with pytest.raises(BusDown):
            await bus.publish(SUBJECTS.presence("pi"), presence(number))
        with pytest.raises(BusDown):
            await bus.request(COMMAND, command(number), Outcome, 30.0)
        with pytest.raises(BusDown):
            await bus.append(SUBJECTS.ledger("pi"), outcome(command(number)), id=str(number))
    assert time.monotonic() - began < 5  # a hundred and fifty refusals, none of which waited
    assert bus.down_since is not None
    bus_server.start()
    await until(lambda: bus.up and other.up, "both links are back")
    assert bus.down_since is None
    answer = await _ask_until_there(bus, 1000)
    assert answer.id == "command-1000"
    await bus.publish(SUBJECTS.presence("pi"), presence(1000))
    assert (await asyncio.wait_for(anext(heard), 5))[1].seq == 1000
    assert set(agent.done) == {"command-1000"}
    ledger = [s async for s in _first_batch(bus)]
    assert ledger == []


async def _first_batch(bus: Bus):
    await bus.ensure_streams("home")
    async for stored in jetstream.scan(bus.replies, streams("home")["ledger"], ">"):
        yield stored


async def _ask_until_there(bus: Bus, number: int) -> Outcome:
    while True:
        try:
            return await bus.request(COMMAND, command(number), Outcome, 5.0)
        except NodeAway:
            await asyncio.sleep(0.01)


async def test_what_the_socket_did_not_take_is_dropped_with_the_link(bus, connect, bus_server, until):
    """A bus that stands still and is then given up gets nothing of what was still on our side of the socket."""
    other = await connect("other")
    big = msgspec.structs.replace(presence(), notes=("x" * 500_000,))
    bus_server.freeze()
    sent = 0

    async def fill() -> None:
        nonlocal sent
        while True:
            await bus.publish(SUBJECTS.presence("pi"), msgspec.structs.replace(big, seq=sent))
            sent += 1

    with pytest.raises(BusDown):
        await asyncio.wait_for(fill(), 30)
    assert 5 < sent < 60  # some megabytes fit into the buffers of the kernel and ours, no more
    held = bus.link._transport.waiting
    assert held > 0
    bus.link._lose("given up by the test")
    await bus.link._process_op_err(TimeoutError("given up by the test"))
    heard = other.listen("ph.home.node.*", Presence)
    bus_server.thaw()
    await until(lambda: bus.up, "the link is back")
    await bus.publish(SUBJECTS.presence("pi"), presence(9999))
    last = -1
    while last != 9999:
        last = (await asyncio.wait_for(anext(heard), 10))[1].seq
        assert last < sent - 2 or last == 9999, "something came out of our own buffer after the link was given up"


async def test_frozen_bus_is_noticed_and_its_requests_end(bus, connect, bus_server, until, monkeypatch):
    """A bus that stands still is given up by pings; the link comes back when it goes on."""
    monkeypatch.setitem(bus.link.options, "ping_interval", 0.1)
    await bus_server_restarted(bus, bus_server, until)
    bus_server.freeze()
    with pytest.raises(TimedOut):
        await bus.request(COMMAND, command(), Outcome, 0.05)
    await until(lambda: not bus.up, "given up")
    with pytest.raises(BusDown):
        await bus.request(COMMAND, command(), Outcome, 5)
    bus_server.thaw()
    await until(lambda: bus.up, "the link is back")


async def bus_server_restarted(bus, bus_server, until):
    """So that new settings of the link hold."""
    links = bus.links
    bus_server.restart()
    await until(lambda: bus.links > links and bus.up, "the link is back")


@pytest.mark.parametrize("kill", [False, True])
async def test_handlers_and_listeners_survive_a_restart(bus, connect, bus_server, until, kill):
    """After a restart, in order or by kill -9, everything that was subscribed is so again."""
    agent, other = Agent(), await connect("agent")
    await other.serve(COMMAND, Command, agent.handle)
    heard = other.listen("ph.home.node.*", Presence)
    for number in range(3):
        links = bus.links, other.links
        bus_server.restart(kill=kill)
        await until(lambda links=links: bus.links > links[0] and other.links > links[1], "back")
        await until(lambda: bus.up and other.up, "back")
        assert (await _ask_until_there(bus, number)).id == f"command-{number}"
        await bus.publish(SUBJECTS.presence("pi"), presence(number))
        assert (await asyncio.wait_for(anext(heard), 5))[1].seq == number
    assert len(agent.done) == 3


async def test_subscribing_while_down(bus, bus_server, until, connect):
    """What is subscribed while the link is down works once it is there."""
    other = await connect("other")
    bus_server.kill()
    await until(lambda: not bus.up and not other.up, "down")
    agent = Agent()
    subscription = await bus.serve(COMMAND, Command, agent.handle)
    gone = await bus.serve(SUBJECTS.command("pj"), Command, agent.handle)
    await gone.close()
    bus_server.start()
    await until(lambda: bus.up and other.up, "up")
    assert (await _ask_until_there(other, 1)).id == "command-1"
    await subscription.close()
    await bus.link.settle()
    with pytest.raises(NodeAway):
        await other.request(COMMAND, command(), Outcome, 5)


async def test_on_up_is_called_after_every_link(bus, bus_server, until):
    """A callback is called now if the link is up, and after every reconnect, when the streams are there again."""
    seen: list[bool] = []

    async def announce() -> None:
        await bus.append(SUBJECTS.presence("pi"), presence(), id=f"a-{len(seen)}")
        seen.append(bus.up)

    bus.on_up(announce)
    await until(lambda: seen, "called at once")
    bus_server.restart(kill=True)
    await until(lambda: len(seen) >= 2, "called again")
    await bus.link.settle()
    assert seen == [True, True]


async def test_on_up_straight_after_connecting(connect, until):
    """Once, not once for the link and once for being there."""
    seen: list[str] = []
    bus = await connect("early")

    async def note(what: str) -> None:
        seen.append(what)

    bus.on_up(lambda: note("a"))
    await until(lambda: bus._arrival.done(), "arrived")
    bus.on_up(lambda: note("b"))
    await bus.link.settle()
    assert seen == ["a", "b"]


async def test_close_ends_everything(bus, connect, until):
    """Iterators end, handlers are cancelled, nothing is left, closing twice is nothing."""
    other = await connect("other")
    started = asyncio.Event()

    async def slow(subject: str, asked: Command) -> None:
        started.set()
        await asyncio.sleep(60)

    await other.serve(COMMAND, Command, slow)

    async def all_of(feed) -> int:
        return len([item async for item in feed])

    tasks = [
        asyncio.create_task(all_of(other.listen("ph.home.>", Presence))),
        asyncio.create_task(all_of(other.watch(streams("home")["now"], [("ph.home.node.*", Presence)]))),
        asyncio.create_task(all_of(other.read(streams("home")["data"], after=0))),
    ]
    asking = asyncio.create_task(bus.request(COMMAND, command(), Outcome, 60))
    await asyncio.wait_for(started.wait(), 5)
    own = asyncio.create_task(other.request("ph.home.cmd.pi.fan.on", command(), Outcome, 60))
    await until(lambda: other.replies._waiting, "asked")
    await asyncio.wait_for(other.close(), 5)
    await other.close()
    counts = await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert counts[0] == 0
    with pytest.raises(BusDown):
        await own
    with pytest.raises(BusDown):
        await other.publish(SUBJECTS.presence("pi"), presence())
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def test_close_does_not_wait_for_a_frozen_bus(connect, bus_server):
    """Also when the socket is full of what it does not read."""
    for full in (False, True):
        bus = await connect("short")
        bus_server.freeze()
        if full:
            while not bus.link.crowded:
                bus.link.post(SUBJECTS.presence("pi"), b"x" * 500_000)
                bus.link._push()
        await asyncio.wait_for(bus.close(), 3)
        bus_server.thaw()


async def test_late_pong_does_no_harm(bus, bus_server):
    """An answer to a ping that nobody waits for any more leaves the link as it is."""
    bus_server.freeze()
    with pytest.raises(BusDown):
        await bus.link.settle(0.05)
    bus_server.thaw()
    await bus.link.settle()
    assert bus.up
    assert bus.links == 1


def test_same_under_uvloop(bus_server):
    """The hub's event loop: requests, a kill, the way back, a frozen bus, and a clean end."""

    async def scenario() -> None:
        bus = await Bus.connect(bus_server.address, name="uv", clock=SystemClock())
        await bus.ensure_streams("home")
        agent = Agent()
        await bus.serve(COMMAND, Command, agent.handle)
        assert (await bus.request(COMMAND, command(1), Outcome, 5)).id == "command-1"
        bus_server.kill()
        async with asyncio.timeout(10):
            while bus.up:
                await asyncio.sleep(0.005)
        with pytest.raises(BusDown):
            await bus.request(COMMAND, command(2), Outcome, 5)
        bus_server.start()
        await asyncio.wait_for(bus.until_up(), 10)
        assert (await _ask_until_there(bus, 3)).id == "command-3"
        bus_server.freeze()
        while not bus.link.crowded:
            bus.link.post(SUBJECTS.presence("pi"), b"x" * 500_000)
            bus.link._push()
        await bus.link._process_op_err(TimeoutError("given up by the test"))
        bus_server.thaw()
        await asyncio.wait_for(bus.until_up(), 10)
        await bus.close()
        assert agent.done == ["command-1", "command-3"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    uvloop.run(scenario())


async def test_feeds_end_their_subscription(bus, connect, until):
    """Cancelled, broken out of, closed or dropped: the bus hears that nobody listens any more."""
    other = await connect("other")
    subject = SUBJECTS.presence("pi")
    now = streams("home")["now"]

    async def somebody_listens() -> bool:
        await bus.link.settle()
        asking = asyncio.create_task(other.request(subject, presence(), Outcome, 60))
        await asyncio.sleep(0)
        await other.link.settle()  # "nobody there" would have come before this
        asking.cancel()
        (answer,) = await asyncio.gather(asking, return_exceptions=True)
        return not isinstance(answer, NodeAway)

    def feeds():
        yield bus.listen(subject, Presence)
        yield bus.watch(Stream("NONE", (), Kept.LAST, 0, 0), [(subject, Presence)])

    # The stream of last values listens too: without it only the feeds do.
    await delete_stream(bus, now)
    assert not await somebody_listens()
    for feed in feeds():
        assert await somebody_listens()
        task = asyncio.create_task(_read_on(feed))
        await until(lambda feed=feed: feed._box._waiter is not None, "it waits")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        del task
        assert not await somebody_listens(), "cancelled"
    for feed in feeds():
        await bus.publish(subject, presence())
        async for _ in feed:
            break
        del feed, _
        assert not await somebody_listens(), "broken out of"
    for feed in feeds():
        feed.close()
        assert not await somebody_listens(), "closed"
        assert [item async for item in feed] == []


async def _read_on(feed) -> None:
    async for _ in feed:
        pass


async def delete_stream(bus: Bus, stream: Stream) -> None:
    await bus.replies.one(f"$JS.API.STREAM.DELETE.{stream.name}", b"", 5)


async def test_wrong_password_and_wrong_server(bus_server):
    """Neither is given a link; the error says why; a server of another name never hears the password."""
    address = bus_server.address
    wrong = msgspec.structs.replace(address, password="wrong", file="")
    with pytest.raises(BusDown, match=r"(?i)authorization"):
        await Bus.connect(wrong, name="x", clock=SystemClock(), wait=3)
    other = msgspec.structs.replace(address, server_name="other", file="")
    with pytest.raises(BusDown, match="another server"):
        await Bus.connect(other, name="x", clock=SystemClock(), wait=0.5)
    nobody = BusAddress(url="nats://127.0.0.1:1")
    with pytest.raises(BusDown):
        await Bus.connect(nobody, name="x", clock=SystemClock(), wait=0.3)


async def test_something_else_listens(tmp_path):
    """A port where something else answers, hangs up or says nothing is no bus."""
    for greeting in (b"SSH-2.0-x\r\n", b"INFO nonsense\r\n", b"INFO\r\n", b"x" * 100_000, b""):

        async def greet(reader, writer, greeting=greeting):
            writer.write(greeting)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(BusDown):
            await Bus.connect(BusAddress(url=f"nats://127.0.0.1:{port}"), name="x", clock=SystemClock(), wait=0.3)
        server.close()
        await server.wait_closed()


async def test_bus_that_moves_is_followed(bus, bus_server, until):
    """When the bus comes back with another port and other credentials, the link finds it by its address file."""
    before = bus_server.address
    bus_server.stop()
    bus_server.start("--fresh")
    assert bus_server.address.password != before.password
    await until(lambda: bus.links == 2 and bus.up, "the link is back")


async def test_close_while_the_link_is_being_lost(connect, bus_server):
    """In whatever step of losing or getting it back: it closes, without a word."""
    for turns in range(12):
        bus = await connect("short")
        bus_server.restart(kill=True)
        for _ in range(turns):
            await asyncio.sleep(0)
        await bus.close()
        assert not bus.up


async def test_too_large_and_bad_subjects(bus):
    """Neither reaches the bus, which would end the connection over it."""
    with pytest.raises(BadMessage):
        await bus.publish(SUBJECTS.presence("pi"), msgspec.structs.replace(presence(), notes=("x" * 1_100_000,)))
    for subject in ("", "a b", "a\r\nPUB x 0\r\n"):
        with pytest.raises(BadName):
            await bus.publish(subject, presence())
    await bus.link.settle()
    assert bus.links == 1
