"""What the bus keeps: made, added to, watched and read across stops and kills of a real server."""

from __future__ import annotations

import asyncio
import shutil
from itertools import count
from typing import Any

import msgspec
import pytest

from pilothouse.bus import Kept, Subjects, Synced, jetstream, streams
from pilothouse.bus.messages import Batch, End, Outcome, Presence
from pilothouse.errors import BusDown, CannotStart, PilothouseError, TimedOut

SUBJECTS = Subjects("home")
NOW, DATA, LEDGER = (streams("home")[name] for name in ("now", "data", "ledger"))
ROWS = [("ph.home.node.*", Presence)]


def presence(seq: int = 0, node: str = "pi") -> Presence:
    return Presence(node=node, epoch=1, version="1", time=0, mono=0, seq=seq)


def outcome(number: int) -> Outcome:
    return Outcome(id=f"command-{number}", node="pi", epoch=1, thing="fan", name="on", end=End.CONFIRMED)


def batch(seq: int) -> Batch:
    return Batch(node="pi", epoch=1, seq=seq, readings=[])


async def settings(bus, stream) -> dict[str, Any]:
    answer = await bus.replies.one(f"$JS.API.STREAM.INFO.{stream.name}", b"", 5)
    return msgspec.json.decode(answer.data)["config"]


async def back_after(bus, bus_server, until, *, kill: bool = True) -> None:
    links = bus.links
    await asyncio.to_thread(bus_server.restart, kill=kill)
    await until(lambda: bus.links > links and bus.up, "the link is back")
    await until(lambda: bus._arrival is None or bus._arrival.done(), "the streams are back")


async def keep(bus, subject, message, id) -> int:
    """Append as a spool does: again with the same id until it is kept."""
    while True:
        try:
            return await bus.append(subject, message, id=id, timeout=1.0)
        except (BusDown, TimedOut):
            await asyncio.sleep(0.01)


# making them


async def test_streams_are_made_as_the_table_says(bus):
    """Memory and one a subject for last values, async only for telemetry, direct reads everywhere; twice is once."""
    await bus.ensure_streams("home")
    made = {key: await settings(bus, stream) for key, stream in streams("home").items()}
    assert made["now"]["storage"] == "memory"
    assert made["now"]["max_msgs_per_subject"] == made["lease"]["max_msgs_per_subject"] == 1
    assert {key for key, config in made.items() if config.get("persist_mode") == "async"} == {"data"}
    assert {key for key, config in made.items() if config["storage"] == "file"} == {"data", "event", "ledger", "lease"}
    assert all(config["allow_direct"] and config["discard"] == "old" for config in made.values())
    assert {key: config["max_bytes"] for key, config in made.items()} == {
        key: stream.max_bytes for key, stream in streams("home").items()
    }


async def test_limits_are_brought_up_to_date(bus):
    """A stream of an older Pilothouse gets the limits of this one, and keeps what it has."""
    await bus.append(SUBJECTS.ledger("pi"), outcome(1), id="1")
    old = LEDGER._replace(max_bytes=1024 * 1024, max_age=60.0)
    await jetstream.ensure(bus.replies, old)
    assert (await settings(bus, LEDGER))["max_bytes"] == 1024 * 1024
    await bus.ensure_streams("home")
    assert (await settings(bus, LEDGER))["max_bytes"] == LEDGER.max_bytes
    assert (await bus.stream_info(LEDGER)).messages == 1


async def test_too_little_room_is_said(bus):
    """A stream that does not fit is refused with what would help."""
    huge = LEDGER._replace(name="PH_home_HUGE", subjects=("ph.home.huge",), max_bytes=1 << 40)
    with pytest.raises(CannotStart, match=r"bus\.max_file"):
        await jetstream.ensure(bus.replies, huge)


async def test_all_streams_are_there_again_after_a_kill(bus, bus_server, until):
    """The stream in memory is gone with the server, and made again by whoever comes back first."""
    await bus.append(SUBJECTS.presence("pi"), presence(), id="1")
    await back_after(bus, bus_server, until)
    for stream in streams("home").values():
        await bus.stream_info(stream)
    assert (await bus.stream_info(NOW)).messages == 0


async def test_no_stream_is_bus_down(bus):
    """Reading from, or adding to, what nobody keeps says so at once."""
    nowhere = NOW._replace(name="PH_home_NOWHERE")
    with pytest.raises(BusDown):
        await bus.stream_info(nowhere)
    with pytest.raises(BusDown):
        await bus.last(nowhere, "ph.home.node.*", Presence)
    with pytest.raises(BusDown, match="no stream takes"):
        await bus.append("ph.elsewhere", presence(), id="1")
    with pytest.raises(PilothouseError):
        await bus.last(DATA, "ph.home.data.*", Batch)


# appending


async def test_the_same_id_is_kept_once_also_after_a_kill(bus, bus_server, until):
    """An append that is tried again, even at a server that was killed meanwhile, stands there once."""
    first = await bus.append(SUBJECTS.ledger("pi"), outcome(1), id="a")
    assert await bus.append(SUBJECTS.ledger("pi"), outcome(1), id="a") == first
    await back_after(bus, bus_server, until)
    assert await bus.append(SUBJECTS.ledger("pi"), outcome(1), id="a") == first
    assert (await bus.stream_info(LEDGER)).messages == 1


async def test_append_ends_when_the_link_does(bus, bus_server, until):
    """A kept or not kept that nobody will say any more is not waited for."""
    bus_server.freeze()
    asking = asyncio.create_task(bus.append(SUBJECTS.ledger("pi"), outcome(1), id="a", timeout=60))
    await until(lambda: bus.replies._waiting, "asked")
    bus_server.kill()
    with pytest.raises(BusDown):
        await asyncio.wait_for(asking, 5)


async def test_nothing_acknowledged_is_lost_by_kills(bus, bus_server, until):
    """Appending through three kill -9: every position that was acknowledged holds that message, each id once."""
    kept: dict[str, int] = {}
    done = asyncio.Event()

    async def write(writer: int) -> None:
        for number in count():
            if done.is_set():
                return
            id = f"{writer}-{number}"
            kept[id] = await keep(bus, SUBJECTS.ledger(f"pi{writer}"), msgspec.structs.replace(outcome(0), id=id), id)

    writers = [asyncio.create_task(write(writer)) for writer in range(8)]
    for _ in range(3):
        enough = len(kept) + 100
        await until(lambda enough=enough: len(kept) > enough, "some were kept")
        await back_after(bus, bus_server, until)
    done.set()
    await asyncio.gather(*writers)
    stored = {s.seq: msgspec.json.decode(s.data)["id"] async for s in jetstream.scan(bus.replies, LEDGER, ">")}
    assert {id: seq for seq, id in stored.items()} == kept
    assert len(stored) == len(kept)


# last values


async def test_last_values_of_more_subjects_than_one_answer_holds(bus):
    """Thousands of things are read in several answers, each with its newest value only."""
    for number in range(1300):
        for seq in (1, 2):
            await bus.publish(SUBJECTS.presence(f"node-{number}"), presence(seq, f"node-{number}"))
    await bus.link.settle()
    while (await bus.stream_info(NOW)).last < 2600:
        await asyncio.sleep(0.01)
    found = await bus.last(NOW, "ph.home.node.*", Presence)
    assert len(found) == 1300
    assert {message.seq for _, message in found} == {2}
    one = await bus.last(NOW, SUBJECTS.presence("node-7"), Presence)
    assert [message.node for _, message in one] == ["node-7"]


# watching


class Watcher:
    """Reads a watch in the background."""

    def __init__(self, bus) -> None:
        self.feed = bus.watch(NOW, ROWS)
        self.seen: dict[str, int] = {}
        self.synced = 0
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for item in self.feed:
            if isinstance(item, Synced):
                self.synced += 1
            else:
                self.seen[item[1].node] = item[1].seq


async def test_watch_gives_what_is_then_what_changes(bus, connect, until):
    """Kept values, the mark, then live ones; what cannot be read is counted and left out."""
    await bus.append(SUBJECTS.presence("a"), presence(1, "a"), id="1")
    bus.link.post(SUBJECTS.presence("ghost"), b"garbage")
    await bus.append(SUBJECTS.presence("b"), presence(2, "b"), id="2")
    feed = (await connect("other")).watch(NOW, ROWS)
    first = [await asyncio.wait_for(anext(feed), 5) for _ in range(3)]
    assert [item[1].node for item in first[:2]] == ["a", "b"]
    assert first[2] == Synced()
    await bus.publish(SUBJECTS.presence("a"), presence(3, "a"))
    live = await asyncio.wait_for(anext(feed), 5)
    assert live[1].seq == 3


async def test_watch_before_the_stream_is_there(bus_server, connect, until):
    """A watcher that comes first sees live values at once, and syncs as soon as somebody makes the stream."""
    early = await connect("early")
    watcher = Watcher(early)
    await early.link.settle()
    await early.publish(SUBJECTS.presence("a"), presence(1, "a"))
    await until(lambda: watcher.seen == {"a": 1}, "seen")
    assert watcher.synced == 0
    await (await connect("late")).ensure_streams("home")
    await until(lambda: watcher.synced == 1, "synced")


async def test_watch_is_not_blind_after_a_restart(bus, bus_server, connect, until):
    """After each kill: a new mark, and every change from the moment the link is there; nothing stays old."""
    other = await connect("other")
    watcher = Watcher(other)
    await until(lambda: watcher.synced == 1, "synced")
    for turn in range(3):
        await back_after(bus, bus_server, until)
        await keep(bus, SUBJECTS.presence("a"), presence(turn + 1, "a"), f"a{turn}")
        await until(lambda turn=turn: watcher.seen.get("a") == turn + 1, "the change came", seconds=2)
        await until(lambda turn=turn: watcher.synced >= turn + 2, "synced again", seconds=5)


async def test_live_is_never_overtaken_by_kept(bus, connect, until):
    """While a watch syncs, values change all the time; what it shows in the end is what is."""
    other = await connect("other")
    for turn in range(20):
        await bus.publish(SUBJECTS.presence("a"), presence(10 * turn, "a"))
        watcher = Watcher(other)
        for step in range(1, 10):
            await bus.publish(SUBJECTS.presence("a"), presence(10 * turn + step, "a"))
            await asyncio.sleep(0)
        await until(lambda w=watcher: w.synced == 1, "synced")
        await until(lambda w=watcher, t=turn: w.seen.get("a") == 10 * t + 9, "the newest stands")
        watcher.task.cancel()
        await asyncio.gather(watcher.task, return_exceptions=True)


async def test_watch_looks_a_second_time(bus, connect, until):
    """A message that slipped between subscription and snapshot is found by the second look."""
    other = await connect("other")
    watcher = Watcher(other)
    await until(lambda: watcher.synced == 1, "synced")
    (number,) = (n for n in other.link._sinks if other.link._subs[n]._subject == ROWS[0][0])
    sink, other.link._sinks[number] = other.link._sinks[number], lambda delivery: None
    await bus.append(SUBJECTS.presence("a"), presence(5, "a"), id="x")
    await other.link.settle()
    other.link._sinks[number] = sink
    await until(lambda: watcher.seen == {"a": 5}, "found", seconds=5)


async def test_slow_watcher_gets_the_newest(bus, connect, until):
    """A reader that comes late finds one value a subject, the newest, however many there were."""
    other = await connect("other")
    feed = other.watch(NOW, ROWS)
    assert await asyncio.wait_for(anext(feed), 5) == Synced()
    for seq in range(5000):
        await bus.publish(SUBJECTS.presence("a"), presence(seq, "a"))
    await bus.publish(SUBJECTS.presence("z"), presence(1, "z"))
    await until(lambda: len(feed._box) == 2, "both wait")
    assert (await anext(feed))[1].seq == 4999
    assert (await anext(feed))[1].node == "z"


# reading on from a position


class Reader:
    """Reads batches in the background, as the keeper does."""

    def __init__(self, bus, stream, *, after: int = 0, since: int = 0, size: int = 50) -> None:
        self.got: list[jetstream.Stored] = []
        self.sizes: list[int] = []
        self.feed = bus.read(stream, after=after, since=since, batch=size)
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for found in self.feed:
            self.got += found
            self.sizes.append(len(found))

    @property
    def numbers(self) -> list[int]:
        return [msgspec.json.decode(stored.data)["seq"] for stored in self.got]


async def test_read_goes_on_from_a_position(bus, until):
    """In order, in batches, from where it is told, and on when more comes."""
    for number in range(1, 121):
        await bus.append(SUBJECTS.data("pi"), batch(number), id=str(number))
    reader = Reader(bus, DATA, after=20)
    await until(lambda: len(reader.got) == 100, "all read")
    assert reader.numbers == list(range(21, 121))
    assert max(reader.sizes) == 50
    await bus.append(SUBJECTS.data("pi"), batch(121), id="121")
    await until(lambda: reader.numbers[-1] == 121, "what came later")
    assert reader.got[-1].seq == 121
    assert reader.got[-1].subject == SUBJECTS.data("pi")
    assert abs(reader.got[-1].time_ms - bus.clock.now()) < 60_000


async def test_read_leaves_nothing_out_across_kills(bus, bus_server, until):
    """Read while somebody writes and the server is killed under both: everything kept is read, in order."""
    done, kept = asyncio.Event(), []

    async def write() -> None:
        for number in count(1):
            if done.is_set():
                return
            kept.append(await keep(bus, SUBJECTS.data("pi"), batch(number), f"id-{number}"))

    reader, writer = Reader(bus, DATA), asyncio.create_task(write())
    for _ in range(3):
        enough = len(kept) + 200
        await until(lambda enough=enough: len(kept) > enough, "some were kept")
        await back_after(bus, bus_server, until)
    done.set()
    await writer
    await until(lambda: reader.numbers and reader.numbers[-1] == len(kept), "read to the end")
    firsts = list(dict.fromkeys(reader.numbers))
    assert firsts == list(range(1, len(kept) + 1))


async def write_and_go(connect, first: int, last: int) -> None:
    """Somebody appends, and is not there any more when the bus comes back without it."""
    writer = await connect("writer")
    for number in range(first, last + 1):
        await keep(writer, SUBJECTS.data("pi"), batch(number), f"a{number}")
    await writer.close()


async def shorter(bus, bus_server, until, connect, keep_first: int, then: int) -> None:
    """Prepare `go_back`, after which the data stream holds its first messages only."""
    await write_and_go(connect, 1, keep_first)
    folder = bus_server.places.bus / "streams" / "jetstream" / "$G" / "streams" / DATA.name
    links = bus.links
    bus_server.stop()
    shutil.copytree(folder, bus_server.places.data / "before")
    bus_server.start()
    await until(lambda: bus.links > links and bus.up, "back")
    await write_and_go(connect, keep_first + 1, then)


def go_back(bus_server) -> None:
    folder = bus_server.places.bus / "streams" / "jetstream" / "$G" / "streams" / DATA.name
    bus_server.stop()
    shutil.rmtree(folder)
    shutil.copytree(bus_server.places.data / "before", folder)
    bus_server.start()


async def test_read_notices_a_stream_that_lost_its_end(bus, bus_server, until, connect):
    """New messages under old numbers are read, not skipped."""
    reader = Reader(bus, DATA, size=10)
    await shorter(bus, bus_server, until, connect, 60, 100)
    await until(lambda: len(set(reader.numbers)) == 100, "all read")
    seen = len(reader.got)
    go_back(bus_server)
    other = await connect("other")
    for number in range(61, 131):
        await keep(other, SUBJECTS.data("pi"), batch(1000 + number), f"b{number}")
    await until(lambda: 1130 in reader.numbers, "the new end")
    new = [number for number in reader.numbers[seen:] if number > 1000]
    assert new == list(range(1061, 1131))


async def test_read_with_since_notices_it_also_when_it_starts(bus, bus_server, until, connect):
    """A keeper that was away while the bus lost the end of a stream is not misled by its own position."""
    await shorter(bus, bus_server, until, connect, 5, 10)
    at = (await jetstream.get(bus.replies, DATA, 10)).time_ms
    links = bus.links
    go_back(bus_server)
    await until(lambda: bus.links > links and bus.up, "back")
    for number in range(6, 21):
        await keep(bus, SUBJECTS.data("pi"), batch(1000 + number), f"b{number}")
    reader = Reader(bus, DATA, after=10, since=at)
    await until(lambda: len(reader.got) == 20, "all of it")
    assert reader.numbers == [1, 2, 3, 4, 5, *range(1006, 1021)]


async def test_read_of_a_stream_made_anew(bus, until, connect):
    """When the bus has lost the whole stream, reading begins at its new first message."""
    await write_and_go(connect, 1, 20)
    reader = Reader(bus, DATA, after=20)
    await bus.replies.one(f"$JS.API.STREAM.DELETE.{DATA.name}", b"", 5)
    await bus.ensure_streams("home")
    for number in range(1, 4):
        await bus.append(SUBJECTS.data("pi"), batch(100 + number), id=f"b{number}")
    await bus.link._process_op_err(ConnectionError("cut by the test"))
    await until(lambda: len(reader.got) >= 3, "read")
    assert reader.numbers == [101, 102, 103]


async def test_stream_info(bus):
    """Positions and the time of making, which tells a new stream from the old one."""
    empty = await bus.stream_info(DATA)
    assert (empty.last, empty.messages) == (0, 0)
    await bus.append(SUBJECTS.data("pi"), batch(1), id="1")
    full = await bus.stream_info(DATA)
    assert (full.first, full.last, full.created) == (1, 1, empty.created)
    assert DATA.kept is Kept.TELEMETRY
