"""A chart's data over REST: one day of 4 series at 1 Hz, as minimum and maximum a bucket."""

from __future__ import annotations

import time
from functools import partial

from bench.beside import in_turn, sqlite
from bench.figures import Figure, median, summed
from bench.load import Answers, Generator, Requests
from bench.nodes import Order, send
from bench.rows import minutes, readable
from bench.script import Scale, main
from bench.stack import CannotMeasure, Stack, folder, running

SERIES = 4
POINTS = 1000
DAY = 86_400
CONFIG = '[node]\nname = "bench"\nhost = false\n'
PATH = "/api/history?" + "&".join(f"series=past/load.p{n}" for n in range(SERIES))


def measure(scale: Scale) -> list[Figure]:
    """All figures of this script."""
    with running(CONFIG) as stack, Generator() as generator, folder() as beside:
        _fill(stack)
        database = beside / "day.db"
        sqlite("fill", database, SERIES, DAY)
        figures = []
        for span, target in (("-24h", 50.0), ("-15m", None)):
            path = f"{PATH}&from={span}&to=now&points={POINTS}"
            points = _points(stack, path)
            sides = in_turn(
                scale.rounds,
                partial(_asked, stack, generator, path, scale.of(20, 3)),
                lambda: sqlite("chart", database, SERIES, POINTS)["ms"],
            )
            day = target is not None
            figures.append(
                summed(
                    f"chart of 4 series at 1 Hz over {'one day' if day else 'the last 15 minutes'}, by REST",
                    "ms", sides[0], target=target,
                    reference=("plain SQL over the raw rows of a day, no HTTP", sides[1]) if day else ("", ()),
                    note=f"{points} points of data in the answer",
                )
            )  # fmt: skip
    return figures


def _fill(stack: Stack) -> None:
    """Send the day as a node would that comes back after a day without the bus; wait until it is in the record."""
    address = stack.bus
    send(
        Order(
            url=address["url"],
            user=address["user"],
            password=address["password"],
            node="past",
            series=SERIES,
            first=int(time.time() - DAY) * 1000,
            step=1000,
            count=DAY,
            late=True,
        )
    )
    stack.until("the day in the record", lambda: readable(stack, "past") == SERIES * DAY, limit=180)
    # The keeper rolls up what came late within seconds; a day is then drawn from minutes, as on any other day.
    whole = SERIES * (DAY // 60 - 1)
    stack.until("the roll-up of the day", lambda: minutes(stack) >= whole, limit=120)


def _points(stack: Stack, path: str) -> int:
    """Points with a value in the answer."""
    answer = stack.get(path)
    listed = answer["series"] if isinstance(answer, dict) else answer
    return sum(1 for one in listed for point in one["points"] if point[1] is not None)


def _asked(stack: Stack, generator: Generator, path: str, count: int) -> float:
    """Median milliseconds of `count` answers, one after the other."""
    host, port = stack.address
    answers: Answers = generator.requests(
        Requests(host=host, port=port, headers=stack.headers, paths=[path], count=count)
    )
    if set(answers.statuses) != {"200"}:
        raise CannotMeasure(f"{path} answered {answers.statuses}")
    return median(answers.latencies)


if __name__ == "__main__":
    main("chart", measure)
