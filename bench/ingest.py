"""Readings from a node's bus message to a row of the record, sustained; counted exactly in the database."""

from __future__ import annotations

import time

from bench.beside import in_turn, sqlite
from bench.figures import Figure, median, summed
from bench.nodes import Order, finished, started
from bench.rows import has_last, readable, recorded
from bench.script import Scale, main
from bench.stack import CannotMeasure, Stack, folder, running

SERIES = 20
LIMIT = 180.0
"""Seconds that one round may take until all its rows are there."""

CONFIG = '[node]\nname = "bench"\nhost = false\n'


def measure(scale: Scale) -> list[Figure]:
    """All figures of this script."""
    count = scale.of(500_000, 20_000)
    with running(CONFIG) as stack, folder() as beside:
        rounds = Rounds(stack, count)
        sides = in_turn(
            scale.rounds,
            rounds.one,
            lambda: sqlite("insert", beside / f"{time.monotonic_ns()}.db", count),
        )
        # What is lost or too much shows at the end, in the record itself, when everything has stopped.
        stack.stop()
        held = recorded(stack)
    ours = [one["rate"] for one in sides[0]]
    raw = [one["rate"] for one in sides[1]]
    sent = count * len(rounds.nodes)
    bus = median([one["bus"] for one in sides[0]])
    return [
        summed(
            "readings end to end, agent's protocol → bus → keeper → SQLite", "/s", ours,
            sense="at least", target=100_000,
            reference=("raw SQLite insert of as many rows, 1,000 a transaction", raw),
            note=f"{count:,} readings a round in messages of 1,000, until SQL finds the last of each series; the bus "
            f"took them at {bus:,.0f}/s meanwhile",
        ),
        Figure(
            claim="readings missing from the record or in it twice", unit="", sense="exactly", target=0,
            measured=abs(sent - held), rounds=1, note=f"{sent:,} sent, {held:,} in the database", wrong=sent != held,
        ),
    ]  # fmt: skip


class Rounds:
    """Every round is a new node, so that each starts from nothing."""

    def __init__(self, stack: Stack, count: int) -> None:
        self.stack = stack
        self.count = count
        self.nodes: list[str] = []

    def one(self) -> dict[str, float]:
        """Send `count` readings and wait until all are rows: readings a second in the record, and on the bus."""
        node = f"load_{len(self.nodes)}"
        self.nodes.append(node)
        address = self.stack.bus
        ticks = self.count // SERIES
        first = int(time.time() * 1000) - ticks
        process = started(
            Order(
                url=address["url"],
                user=address["user"],
                password=address["password"],
                node=node,
                series=SERIES,
                first=first,
                step=1,
                count=ticks,
            )
        )
        sent = finished(process)
        deadline = sent.began + LIMIT
        while not has_last(self.stack, node, first + ticks - 1):
            if time.monotonic() > deadline:
                held = readable(self.stack, node)
                raise CannotMeasure(f"{held:,} of {self.count:,} readings were in the record after {LIMIT:g} s")
            time.sleep(0.02)
        elapsed = time.monotonic() - sent.began
        return {"rate": self.count / elapsed, "bus": self.count / sent.elapsed}


if __name__ == "__main__":
    main("ingest", measure)
