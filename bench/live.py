"""Live stream: from a reading at the device to bytes at the viewers; what a viewer costs the hub.

The clock runs from the moment the driver reads the device (its value is that moment) to the frame at a viewer's socket;
how long a change waits for the next poll is the poll period's business and not in it. Readings that go into one frame
count by the oldest of them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from bench.beside import Served, in_turn, serving
from bench.figures import Figure, percentile, slope, summed
from bench.load import Generator, Seen, Watch
from bench.meter import memory, processor_seconds
from bench.script import Scale, main
from bench.stack import CannotMeasure, Stack, running

THINGS = 26
TORNADO = "bare Tornado broadcaster of the same frames"


class Side:
    """A live stream under test, ours or the reference's."""

    def __init__(self, host: str, port: int, path: str, headers: dict[str, str], pid: int) -> None:
        self.host, self.port, self.path, self.headers, self.pid = host, port, path, headers, pid

    @classmethod
    def ours(cls, stack: Stack) -> Side:
        """The hub."""
        host, port = stack.address
        return cls(host, port, "/api/live", stack.headers, stack.pids()["hub"])

    @classmethod
    def reference(cls, served: Served) -> Side:
        """The broadcaster."""
        return cls("127.0.0.1", served.port, "/live", {}, served.pid)

    def watch(self, generator: Generator, viewers: int, seconds: float) -> Seen:
        """What `viewers` see in a window of `seconds`."""
        generator.watch(Watch(host=self.host, port=self.port, path=self.path, headers=self.headers, viewers=viewers))
        try:
            # The first second after connecting is the stampede's, not the steady state's.
            generator.window(0.7)
            return generator.window(seconds)
        finally:
            generator.leave()


def config(things: int, every: float) -> str:
    """`things` devices whose reading is its own time, read every `every` seconds."""
    tables = "".join(
        f'[things.thing_{n}]\ndriver = "bench.devices:Stamp"\n[things.thing_{n}.properties.at]\nevery = {every}\n'
        for n in range(things)
    )
    return f'[node]\nname = "bench"\nhost = false\n{tables}'


def measure(scale: Scale) -> list[Figure]:
    """All figures of this script."""
    return [*_calm(scale), *_crowd(scale)]


def _calm(scale: Scale) -> list[Figure]:
    """26 things at 1 Hz."""
    seconds = scale.of(6, 2)
    figures: list[Figure] = []
    with (
        running(config(THINGS, 1.0), things=THINGS) as stack,
        serving("tornado_stream", "1.0", str(THINGS)) as served,
        Generator() as generator,
    ):
        ours, theirs = Side.ours(stack), Side.reference(served)
        for viewers in (1, 100, scale.of(1000, 200)):
            seen = in_turn(
                scale.rounds,
                partial(ours.watch, generator, viewers, seconds),
                partial(theirs.watch, generator, viewers, seconds),
            )
            claim = f"reading at a device → bytes at the viewer, 26 things at 1 Hz, {viewers:,} viewers"
            promised = {50: 20.0, 99: 80.0} if viewers == 100 else {}
            figures += _latencies(claim, seen, promised, viewers)
        figures.append(_processor(scale, ours, theirs, generator))
    return figures


def _crowd(scale: Scale) -> list[Figure]:
    """One thing at 10 Hz, so that each viewer gets ten updates a second."""
    viewers, seconds = scale.of(1000, 200), scale.of(6, 2)
    with (
        running(config(1, 0.1), things=1) as stack,
        serving("tornado_stream", "0.1", "1") as served,
        Generator() as generator,
    ):
        ours, theirs = Side.ours(stack), Side.reference(served)
        sizes = [_sizes(side, generator, viewers) for side in (ours, theirs)]
        seen = in_turn(
            scale.rounds,
            partial(ours.watch, generator, viewers, seconds),
            partial(theirs.watch, generator, viewers, seconds),
        )
    claim = f"{viewers:,} viewers of one hub process, 10 updates/s each"
    rates = [[one.frames / viewers / seconds for one in side] for side in seen]
    return [
        *_latencies(claim, seen, {99: 250.0}, viewers),
        summed(
            f"{claim}: updates that each got", "/s", rates[0], sense="at least", target=9.5,
            reference=(TORNADO, rates[1]), note="the device is read 10 times a second; 5 % are left to the noise",
        ),
        summed(
            "memory of the hub per viewer", "KiB", sizes[0], target=60, reference=(TORNADO, sizes[1]),
            note="slope of the resident memory over 0, a third, two thirds and all viewers",
        ),
    ]  # fmt: skip


def _latencies(claim: str, seen: Sequence[Sequence[Seen]], promised: dict[int, float], viewers: int) -> list[Figure]:
    for side, name in zip(seen, ("hub", "reference"), strict=True):
        if any(not one.latencies for one in side):
            raise CannotMeasure(f"the {name} sent {viewers} viewers no reading in a whole window")
    lost = sum(one.lost for one in seen[0])
    frames = sum(one.frames for one in seen[0])
    readings = sum(one.readings for one in seen[0])
    note = f"{readings / max(frames, 1):.1f} readings a frame" + (f"; {lost} viewers were dropped" if lost else "")
    figures = []
    for share in (50, 99):
        ours, theirs = ([percentile(one.latencies, share) for one in side] for side in seen)
        figures.append(
            summed(f"{claim}, p{share}", "ms", ours, target=promised.get(share), reference=(TORNADO, theirs), note=note)
        )
    return figures


def _sizes(side: Side, generator: Generator, viewers: int) -> list[float]:
    """KiB of resident memory per viewer; one number, since memory that was taken once is not given back."""
    points = []
    for count in (0, viewers // 3, 2 * viewers // 3, viewers):
        if count:
            order = Watch(host=side.host, port=side.port, path=side.path, headers=side.headers, viewers=count)
            generator.watch(order)
        time.sleep(1.5)
        points.append((float(count), memory(side.pid).resident / 1024))
    generator.leave()
    return [slope(points)]


def _processor(scale: Scale, ours: Side, theirs: Side, generator: Generator) -> Figure:
    """Percent of a core with 20 viewers of 26 things at 1 Hz."""
    seconds = scale.of(10, 3)

    def used(side: Side) -> float:
        order = Watch(host=side.host, port=side.port, path=side.path, headers=side.headers, viewers=20)
        generator.watch(order)
        time.sleep(1.0)
        before, began = processor_seconds(side.pid), time.monotonic()
        time.sleep(seconds)
        share = 100 * (processor_seconds(side.pid) - before) / (time.monotonic() - began)
        generator.leave()
        return share

    shares = in_turn(scale.rounds, lambda: used(ours), lambda: used(theirs))
    return summed(
        "processor time of the hub for 20 viewers of 26 things at 1 Hz", "% of a core", shares[0],
        target=2.0, reference=(TORNADO, shares[1]),
    )  # fmt: skip


if __name__ == "__main__":
    main("live", measure)
