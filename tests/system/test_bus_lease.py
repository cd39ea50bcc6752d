"""A lease is held by one at a time, whatever is killed."""

from __future__ import annotations

import asyncio

from pilothouse.bus import Lease


def lease(bus, holder: str, ttl: float = 0.6) -> Lease:
    return Lease(bus, "home", "keeper", holder, ttl)


async def test_one_at_a_time(bus, connect):
    """While one holds it nobody else gets it; given back it is free at once."""
    first, second = lease(bus, "a"), lease(await connect("other"), "b")
    assert await first.acquire()
    assert await first.acquire()
    assert not await second.acquire()
    await first.release()
    assert first.lost.is_set()
    assert await second.acquire()
    assert not await first.acquire()
    await second.release()


async def test_many_at_once(bus, connect):
    """Of ten that try in the same moment, one gets it."""
    leases = [lease(await connect(f"c{number}"), f"h{number}") for number in range(10)]
    got = await asyncio.gather(*(each.acquire() for each in leases))
    assert sum(got) == 1
    for each in leases:
        await each.release()


async def test_renewed_while_held(bus, connect, until):
    """Held for longer than its time to live, it stays with its holder."""
    first, second = lease(bus, "a", 0.3), lease(await connect("other"), "b", 0.3)
    assert await first.acquire()
    began = first._seq
    await until(lambda: first._seq >= began + 5, "renewed five times")
    assert not await second.acquire()
    assert first.held
    await first.release()


async def test_holder_that_dies(bus, connect, until):
    """Its lease is free when the time to live has passed by the clock of whoever waits, not before."""
    holder = await connect("holder")
    first, second = lease(holder, "a"), lease(bus, "b")
    assert await first.acquire()
    await holder.close()  # without giving it back, as a killed process would
    assert not await second.acquire()
    began = bus.clock.mono()
    async with asyncio.timeout(10):
        async with second:
            assert bus.clock.mono() - began >= 550
            assert second.held


async def test_cut_off_holder_knows_before_another_can_have_it(bus, connect, bus_server, until):
    """A holder without a link says "lost" in time; across a kill of the bus there are never two."""
    first, second = lease(bus, "a", 1.0), lease(await connect("other"), "b", 1.0)
    assert await first.acquire()
    assert not await second.acquire()
    bus_server.kill()
    await until(first.lost.is_set, "known to be lost", seconds=5)
    assert not first.held
    bus_server.start()
    async with asyncio.timeout(10):
        async with second:
            assert not first.held


async def test_short_outage_does_not_cost_the_lease(bus, bus_server, until):
    """A restart of the bus within the time to live leaves the lease with its holder."""
    first = lease(bus, "a", 20.0)
    assert await first.acquire()
    bus_server.restart(kill=True)
    await until(lambda: bus.links == 2 and bus.up, "back")
    first._renewing.cancel()
    assert await first._write(first._holder, first._seq)
    assert first.held
    await first.release()


async def test_garbage_in_its_place(bus):
    """Garbage holds nothing for ever, and is waited out like a holder."""
    await bus.link.settle()
    bus.link.post("ph.home.lease.keeper", b"garbage")
    await bus.link.settle()
    first = lease(bus, "a", 0.3)
    async with asyncio.timeout(10):
        async with first:
            assert first.held
    assert sum(bus.bad.values()) >= 1
