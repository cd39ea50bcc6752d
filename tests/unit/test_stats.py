"""Vitals: averages over a staircase, and null for what nobody reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.hub.directory import ThingView
from pilothouse.hub.problems import WebError
from pilothouse.hub.stats import Averages, parse_interval, stats_of
from pilothouse.model import Health, PropertyState, Quality

NOW = 1_795_000_000_000


def test_a_mean_weighs_values_by_how_long_they_held() -> None:
    """1 s of 0, then 3 s of 40."""
    averages = Averages()
    averages.add(0, 0.0)
    averages.add(1000, 40.0)
    assert averages.mean(4000, 4) == 30.0
    assert averages.mean(4000, 2) == 40.0
    assert averages.mean(4000, 60) == 30.0, "only what is known counts"
    assert averages.mean(1000, 0.1) == 0.0


def test_without_samples_there_is_no_mean() -> None:
    """And a time without a reading does not count."""
    averages = Averages()
    assert averages.mean(1000, 5) is None
    averages.add(0, 10.0)
    averages.add(1000, None)
    assert averages.mean(2000, 2) == 10.0
    assert averages.mean(9000, 1) is None


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.floats(0, 100)), min_size=1, max_size=200),
    st.floats(0.1, 60),
    st.integers(0, 100_000),
)
def test_a_mean_lies_between_the_lowest_and_the_highest(
    steps: list[tuple[int, float]], interval: float, rest: int
) -> None:
    """Whatever came when; and old samples are dropped."""
    averages, mono = Averages(), 0
    for wait, value in steps:
        mono += wait
        averages.add(mono, value)
    mean = averages.mean(mono + rest, interval)
    values = [value for _, value in steps]
    assert mean is not None and min(values) - 0.01 <= mean <= max(values) + 0.01


def test_samples_of_more_than_a_minute_ago_are_dropped() -> None:
    """But the one that holds at the window's beginning stays."""
    averages = Averages()
    for second in range(600):
        averages.add(second * 1000, float(second))
    assert len(averages._steps) <= 62
    assert averages.mean(599_000, 60) == pytest.approx(568.5)


@pytest.mark.parametrize("text", ["0.1", "60", "5", " 5 ", "1e1"])
def test_good_intervals(text: str) -> None:
    """Seconds from 0.1 to 60."""
    assert 0.1 <= parse_interval(text) <= 60


@given(st.one_of(st.text(max_size=20), st.floats().map(str)))
def test_any_other_interval_is_a_400(text: str) -> None:
    """NaN, infinities, text, too much, too little."""
    try:
        seconds = parse_interval(text)
    except WebError as error:
        status, remedy = error.status, error.remedy
    else:
        status, remedy = 400, str(0.1 <= seconds <= 60 or "")
    assert status == 400 and remedy


def _host(**values: PropertyState) -> ThingView:
    return ThingView(node="pi", thing="host", health=Health(), properties=values)


def test_what_the_machine_does_not_tell_is_null() -> None:
    """A sensor that is absent, was never read, or cannot be read."""
    host = _host(
        cpu=PropertyState(value=3.5, time=NOW - 100),
        temperature=PropertyState(value=None, time=NOW, quality=Quality.BAD),
        memory_total=PropertyState(),
        uptime=PropertyState(value=100, time=NOW - 5000),
    )
    stats = stats_of(host, "pi", now=NOW, interval=None, mean=None)
    assert stats.cpu == 3.5 and stats.temperature is None and stats.memory.total is None
    assert stats.uptime == 105, "it goes on between two readings"
    assert stats.sampled_at == NOW - 100


def test_an_absent_node_gives_nothing_that_looks_fresh() -> None:
    """All null."""
    stats = stats_of(None, "pi", now=NOW, interval=5.0, mean=12.0)
    assert (stats.cpu, stats.temperature, stats.uptime, stats.sampled_at) == (None, None, None, None)
