"""Bytes that are no message of ours, on every subject and as headers: counted, said once, and nothing else."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest

from pilothouse.bus import Subjects, Synced, streams
from pilothouse.bus.messages import LIMIT, VERSION, Message, Outcome, Presence
from pilothouse.bus.subjects import TABLE
from pilothouse.errors import BadMessage

SUBJECTS = Subjects("home")
SUBJECT_OF = {key: row.pattern.format(site="home", node="pi", thing="fan", name="on") for key, row in TABLE.items()}
GARBAGE = {
    "nothing": b"",
    "text": b"hello",
    "bytes": bytes(range(256)),
    "broken utf-8": b'{"v":1,"node":"\xff\xfe"}',
    "other json": b"[1,2,3]",
    "missing fields": b'{"v":1}',
    "wrong types": b'{"v":"one","node":5}',
    "newer": msgspec.json.encode({"v": VERSION + 1, "node": 7}),
    "deep": b"[" * 5000 + b"]" * 5000,
    "huge number": b'{"v":' + b"9" * 5000 + b"}",
    "nan": b'{"v":NaN}',
    "large": b"x" * LIMIT,
}


@pytest.mark.parametrize("row", TABLE)
async def test_garbage_on_every_subject(bus, connect, until, caplog, row):
    """A listener, a handler and a watcher each survive all of it, and then take what is good."""
    other, kind, subject = await connect("other"), TABLE[row].message, SUBJECT_OF[row]
    handled: list[Message] = []

    async def handle(_: str, message: Message) -> None:
        handled.append(message)

    feed = other.listen(subject, kind)
    subscription = await other.serve(subject, kind, handle)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            for data in GARBAGE.values():
                bus.link.post(subject, data)
        good = sample(kind)
        await bus.publish(subject, good)
        found = await asyncio.wait_for(anext(feed), 10)
    assert found == (subject, good)
    await until(lambda: handled == [good], "handled")
    assert other.bad == {subject: 2 * 2 * len(GARBAGE)}
    said = [record.message for record in caplog.records if subject in record.message]
    assert 1 <= len(said) <= 2 * len(GARBAGE)
    assert len(said) == len(set(said))
    assert other.links == bus.links == 1
    await subscription.close()


def sample(kind: type[Message]) -> Message:
    """The least message of a kind: every field that has to be there, with some value."""
    fields: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if not field.required:
            continue
        fields[field.name] = field.type
    plain = {name: _least(type_) for name, type_ in fields.items()}
    return msgspec.convert(plain, kind)


def _least(type_: Any) -> Any:
    choices = get_args(type_) if get_origin(type_) is Literal else ()
    for candidate in (*choices, "x", 1, 1.0, True, [], {}, "confirmed", _DESCRIPTION):
        try:
            msgspec.convert(candidate, type_)
        except (msgspec.ValidationError, TypeError):
            continue
        return candidate
    raise AssertionError(f"no value for {type_}")


_DESCRIPTION = {"node": "pi", "name": "fan"}


async def test_garbage_as_kept_values(bus, connect, until):
    """Garbage in the stream of last values does not keep a watcher from the good ones, nor from its mark."""
    now = streams("home")["now"]
    for number, data in enumerate(GARBAGE.values()):
        bus.link.post(SUBJECTS.presence(f"ghost-{number}"), data)
    good = Presence(node="pi", epoch=1, version="1", time=0, mono=0)
    await bus.append(SUBJECTS.presence("pi"), good, id="1")
    feed = (await connect("other")).watch(now, [("ph.home.node.*", Presence)])
    assert await asyncio.wait_for(anext(feed), 10) == (SUBJECTS.presence("pi"), good)
    assert await asyncio.wait_for(anext(feed), 10) == Synced()
    assert [message.node for _, message in await bus.last(now, "ph.home.node.*", Presence)] == ["pi"]


async def test_garbage_as_answer(bus, connect):
    """An answer that cannot be read is a BadMessage at whoever asked."""
    other = await connect("other")
    other.link.tap("ph.home.cmd.pi.fan.on", lambda d: other.link.post(d.reply, b"garbage"))
    await other.link.settle()
    with pytest.raises(BadMessage):
        await bus.request("ph.home.cmd.pi.fan.on", Presence(node="pi", epoch=1, version="", time=0, mono=0), Outcome, 5)
    assert sum(bus.bad.values()) == 1


HEADERS = [
    b"NATS/1.0",
    b"NATS/1.0\r\n\r\n",
    b"NATS/1.0 \xff\xfe\xfd\r\n\r\n",
    b"NATS/1.0 503\r\n\r\n",
    b"NATS/1.0 100 Idle Heartbeat\r\n\r\n",
    b"NATS/1.0\r\n\xff: \xff\r\n\r\n",
    b"garbage",
    b"\x00" * 20,
]


async def test_garbage_as_headers_and_subjects(bus, connect, until):
    """Headers and subjects that nats-py cannot decode do not end the reading of the connection."""
    other = await connect("other")
    feed = other.listen("ph.home.node.*", Presence)
    await other.link.settle()
    good = Presence(node="pi", epoch=1, version="1", time=0, mono=0)
    for header in HEADERS:
        bus.link._send(b"HPUB ph.home.node.x %d %d\r\n%b\r\n" % (len(header), len(header), header))
        bus.link._send(b"PUB ph.home.node.\xff\xfe 2\r\nhi\r\n")
    await bus.publish(SUBJECTS.presence("pi"), good)
    assert await asyncio.wait_for(anext(feed), 10) == (SUBJECTS.presence("pi"), good)
    assert other.links == bus.links == 1


async def test_more_subjects_of_garbage_than_are_counted(bus, connect, until):
    """The counts stay bounded however many subjects somebody invents."""
    other = await connect("other")
    feed = other.listen("ph.home.node.*", Presence)
    await other.link.settle()
    for number in range(2000):
        bus.link.post(f"ph.home.node.ghost-{number}", b"garbage")
    await bus.publish(SUBJECTS.presence("pi"), Presence(node="pi", epoch=1, version="1", time=0, mono=0))
    await asyncio.wait_for(anext(feed), 10)
    assert len(other.bad) <= 501
    assert sum(other.bad.values()) == 2000


async def test_a_listener_that_does_not_keep_up(bus, connect, until):
    """The oldest are dropped and counted, the newest are there."""
    other = await connect("other")
    feed = other.listen("ph.home.node.*", Presence, limit=10)
    await other.link.settle()
    for seq in range(100):
        await bus.publish(SUBJECTS.presence("pi"), Presence(node="pi", epoch=1, version="", time=0, mono=0, seq=seq))
    await until(lambda: feed.dropped == 90, "all came")
    assert [(await anext(feed))[1].seq for _ in range(10)] == list(range(90, 100))


async def test_more_than_a_handler_takes(bus, connect, until):
    """Beyond the limit messages are dropped and said, the link is not touched, and later ones are taken."""
    other, going = await connect("other"), asyncio.Event()

    async def handle(_: str, message: Presence) -> None:
        await going.wait()

    subscription = await other.serve("ph.home.node.*", Presence, handle, limit=5)
    for seq in range(20):
        await bus.publish(SUBJECTS.presence("pi"), Presence(node="pi", epoch=1, version="", time=0, mono=0, seq=seq))
    await until(lambda: subscription.dropped == 15, "dropped")
    assert any("more than 5" in sentence for sentence in other.problems)
    going.set()
    await until(lambda: subscription.running == 0, "done")


async def test_a_handler_that_fails(bus, connect, until, caplog):
    """Its error is logged, the next message is handled."""
    other, seen = await connect("other"), []

    async def handle(_: str, message: Presence) -> Presence:
        seen.append(message.seq)
        if message.seq == 0:
            raise ZeroDivisionError("a fault of ours")
        return message

    await other.serve(SUBJECTS.handover("pi"), Presence, handle)
    bad, good = (Presence(node="pi", epoch=1, version="", time=0, mono=0, seq=seq) for seq in (0, 1))
    await bus.publish(SUBJECTS.handover("pi"), bad)
    assert (await bus.request(SUBJECTS.handover("pi"), good, Presence, 5)).seq == 1
    assert seen == [0, 1]
    assert "a fault of ours" in caplog.text
