"""Reading over REST: the state of everything, and /stats."""

from __future__ import annotations

from bench.beside import gunicorn, in_turn, serving
from bench.figures import Figure, percentile, summed
from bench.load import Answers, Generator, Requests
from bench.script import Scale, main
from bench.stack import CannotMeasure, Stack, running

THINGS = 26


def config() -> str:
    """26 simulated things of every kind, and the vitals of this machine for /stats."""
    kinds = ("relays", "supply", "bath", "valves", "sensor")
    tables = "".join(f'[things.thing_{n}]\ndriver = "sim.{kinds[n % 5]}"\n' for n in range(THINGS))
    return f'[node]\nname = "bench"\n{tables}'


def measure(scale: Scale) -> list[Figure]:
    """All figures of this script."""
    count = scale.of(4000, 200)
    with (
        running(config(), things=THINGS + 1) as stack,
        Generator() as generator,
        gunicorn("flask_state") as flask,
        serving("tornado_stats") as tornado,
    ):
        stack.until("/stats", lambda: stack.get("/stats"))
        size = len(stack.fetch("/api/things"))

        def ours(path: str) -> Answers:
            return _load(generator, stack, path, count)

        def other(port: int, path: str) -> Answers:
            order = Requests(host="127.0.0.1", port=port, paths=[path], connections=16, count=count)
            return _good(generator.requests(order), path)

        state = in_turn(scale.rounds, lambda: ours("/api/things"), lambda: other(flask.port, "/state"))
        stats = in_turn(scale.rounds, lambda: ours("/stats"), lambda: other(tornado.port, "/stats"))
    return [
        *_figures(
            "GET of the state of everything (26 things)", state, 2000, "Flask + gunicorn, a dictionary of 26 things",
            f"16 at once; {size:,} bytes an answer, every thing with all its properties",
        ),
        *_figures("GET /stats, sampled in the background", stats, 3000, "bare Tornado /stats", "16 at once"),
    ]  # fmt: skip


def _load(generator: Generator, stack: Stack, path: str, count: int) -> Answers:
    host, port = stack.address
    order = Requests(host=host, port=port, headers=stack.headers, paths=[path], connections=16, count=count)
    return _good(generator.requests(order), path)


def _good(answers: Answers, path: str) -> Answers:
    if set(answers.statuses) != {"200"}:
        raise CannotMeasure(f"{path} answered {answers.statuses}")
    return answers


def _figures(claim: str, sides: list[list[Answers]], target: float, name: str, note: str) -> list[Figure]:
    rates = [[len(one.latencies) / one.elapsed for one in side] for side in sides]
    slow = [[percentile(one.latencies, 99) for one in side] for side in sides]
    return [
        summed(claim, "/s", rates[0], sense="at least", target=target, reference=(name, rates[1]), note=note),
        summed(f"{claim}, p99", "ms", slow[0], reference=(name, slow[1]), note=note),
    ]


if __name__ == "__main__":
    main("read", measure)
