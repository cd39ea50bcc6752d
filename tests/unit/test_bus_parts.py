"""Mailboxes, feeds, leases, addresses and the memory of what was acknowledged: the parts that need no server."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.bus import BusAddress, Feed, load_address
from pilothouse.bus.address import read_address, write_address
from pilothouse.bus.feed import Fifo, Latest
from pilothouse.bus.jetstream import configured
from pilothouse.bus.lease import Seen, may_take
from pilothouse.bus.recent import KEPT_FOR, LIMIT_BYTES, Appended, Recent
from pilothouse.bus.subjects import streams
from pilothouse.config.places import Places
from pilothouse.config.site import BusConfig
from pilothouse.errors import BusDown, ConfigError
from pilothouse.testing import FakeClock

PUTS = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers()), max_size=40)


@given(PUTS, st.integers(1, 8))
def test_fifo_keeps_the_newest_in_order(puts, limit):
    """What is left is the end of what was put, and the rest is counted."""
    box = Fifo(limit)
    for key, item in puts:
        box.put(key, item)
    assert [box.pop() for _ in range(len(box))] == puts[-limit:]
    assert box.dropped == max(0, len(puts) - limit)


@given(PUTS)
def test_latest_keeps_the_newest_of_each(puts):
    """One item a key, the newest, in the order in which keys came."""
    box = Latest(100)
    for key, item in puts:
        box.put(key, item)
    assert [box.pop() for _ in range(len(box))] == list(dict(puts).items())
    assert box.dropped == 0


@given(PUTS, st.integers(1, 4))
def test_latest_is_bounded(puts, limit):
    """Never more keys than its limit, and the newest is always there."""
    box = Latest(limit)
    for key, item in puts:
        box.put(key, item)
        assert len(box) <= limit
    if puts:
        assert puts[-1] in [box.pop() for _ in range(len(box))]


async def test_feed_waits_and_ends():
    """It gives what comes, leaves out what is None, and ends when its mailbox is closed."""
    box, ended = Fifo(10), []
    feed = Feed(box, lambda key, item: None if item < 0 else item, lambda: ended.append(1))
    reading = asyncio.create_task(anext(feed))
    await asyncio.sleep(0)
    box.put("a", -1)
    box.put("a", 5)
    assert await reading == 5
    box.put("a", 6)
    box.close()
    assert [item async for item in feed] == [6]
    assert ended == [1]
    feed.close()
    assert ended == [1]


async def test_feed_that_is_cancelled_ends():
    """A cancelled reader ends its feed."""
    ended = []
    feed = Feed(Fifo(10), lambda key, item: item, lambda: ended.append(1))
    reading = asyncio.create_task(anext(feed))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert ended == [1]
    assert [item async for item in feed] == []


@given(st.integers(0, 100), st.floats(0.1, 100), st.integers(0, 10**6), st.integers(0, 10**6))
def test_may_take(seq, ttl, since, passed):
    """Free when nobody holds it, or nobody has renewed it for its whole time to live."""
    assert may_take(Seen(seq, "", ttl, since), since + passed)
    assert may_take(Seen(seq, "a", ttl, since), since + passed) == (passed >= ttl * 1000)


@given(st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, LIMIT_BYTES // 3)), max_size=20))
def test_recent_is_bounded(steps):
    """In bytes and in time, the newest last; and it gives what a lost link may have taken."""
    recent, now, added = Recent(), 0, []
    for step, size in steps:
        now += step
        added.append(Appended(now, "s", b"x" * size, str(len(added))))
        recent.add(added[-1])
    kept = recent.before(0)
    assert kept == added[len(added) - len(kept) :]
    assert sum(len(item.data) for item in kept) <= LIMIT_BYTES
    assert all(item.at >= now - KEPT_FOR * 1000 for item in kept)
    assert recent.before(now + int(KEPT_FOR * 1000) + 1) == []


def test_only_telemetry_is_flushed_lazily():
    """The settings that decide about what a power cut costs."""
    lazy = {key for key, stream in streams("home").items() if configured(stream).get("persist_mode") == "async"}
    assert lazy == {"data"}


async def test_address_of_an_embedded_bus(tmp_path):
    """Waited for until it is written, and no longer than asked."""
    places, clock = Places(tmp_path), FakeClock()
    waiting = asyncio.create_task(load_address(places, BusConfig(), clock, wait=5))
    await clock.advance(1)
    assert not waiting.done()
    places.bus.mkdir()
    address = BusAddress(url="nats://127.0.0.1:1", user="u", password="secret", server_name="s")
    write_address(places.bus_address, address)
    assert places.bus_address.stat().st_mode & 0o777 == 0o600
    await clock.advance(1)
    found = await waiting
    assert (found.url, found.password, found.file) == (address.url, "secret", str(places.bus_address))
    assert "secret" not in repr(found)


async def test_address_that_never_comes(tmp_path):
    """The error names the file and the line to type."""
    clock = FakeClock()
    waiting = asyncio.create_task(load_address(Places(tmp_path), BusConfig(), clock, wait=5))
    await clock.until_asleep()
    await clock.advance(6)
    with pytest.raises(BusDown, match="pilothouse bus"):
        await waiting


async def test_address_of_an_external_bus(tmp_path):
    """From the configuration; the password is the first line of its file."""
    file = tmp_path / "password"
    config = BusConfig(url="nats://a:1, nats://b:2", user="u", password_file=str(file))
    with pytest.raises(ConfigError, match="password"):
        await load_address(Places(tmp_path), config, FakeClock())
    file.write_text("secret\nsecond line\n")
    address = await load_address(Places(tmp_path), config, FakeClock())
    assert address.urls == ["nats://a:1", "nats://b:2"]
    assert (address.user, address.password) == ("u", "secret")


@pytest.mark.parametrize("content", [b"", b"garbage", b"{}", b"\xff", b'{"url": 5}'])
def test_address_file_of_garbage(tmp_path, content):
    """Is as none."""
    (tmp_path / "address.json").write_bytes(content)
    assert read_address(tmp_path / "address.json") is None
