"""Report by exception: what is sent and what is not."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.agent.report import Reported, is_due, outside
from pilothouse.model import PropertyDescription, Quality
from pilothouse.model.sameness import differs, shows

numbers = st.floats(-1e6, 1e6) | st.integers(-(10**6), 10**6)


def prop(**more: object) -> PropertyDescription:
    """A property."""
    return PropertyDescription(name="x", schema={}, **more)  # type: ignore[arg-type]


@given(st.lists(numbers, min_size=1, max_size=50), st.floats(0, 1000))
def test_whoever_hears_only_reports_is_never_further_off_than_the_dead_band(values: list[float], band: float) -> None:
    """The last report stays within the dead band of every reading."""
    described = prop(dead_band=band, heartbeat=1e9)
    last: Reported | None = None
    for mono, value in enumerate(values):
        if is_due(last, value, Quality.GOOD, mono, described):
            last = Reported(value, Quality.GOOD, mono)
        assert last is not None
        assert abs(last.value - value) <= band  # type: ignore[operator]


@given(st.integers(1, 100), st.floats(0.1, 10), st.floats(1, 100))
def test_an_unchanged_value_comes_with_every_heartbeat(polls: int, every: float, heartbeat: float) -> None:
    """Never two heartbeats apart, never much sooner than one."""
    described = prop(every=every, heartbeat=max(every, heartbeat))
    sent: list[int] = []
    last: Reported | None = None
    for poll in range(polls):
        mono = round(poll * every * 1000)
        if is_due(last, 7, Quality.GOOD, mono, described):
            last = Reported(7, Quality.GOOD, mono)
            sent.append(mono)
    gaps = [b - a for a, b in itertools.pairwise(sent)]
    wanted = described.heartbeat * 1000
    assert all(wanted - every * 500 - 2 <= gap <= wanted + every * 500 + 2 for gap in gaps)


def test_bad_is_said_once_and_good_again_at_once() -> None:
    """Quality changes are always sent; a device that stays away is not news."""
    described = prop(heartbeat=10)
    assert is_due(Reported(1.0, Quality.GOOD, 0), None, Quality.BAD, 1, described)
    bad = Reported(None, Quality.BAD, 0)
    assert not is_due(bad, None, Quality.BAD, 10**9, described)
    assert is_due(bad, 1.0, Quality.GOOD, 1, described)
    assert is_due(Reported(1.0, Quality.GOOD, 0), 1.0, Quality.UNCERTAIN, 1, described)


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        (True, 1, True),
        (False, 0, True),
        (1, 1.0, False),
        ("a", "a", False),
        ([1, 2], [1, 2], False),
        ([1, True], [1, 1], True),
        ({"a": [1]}, {"a": [1]}, False),
        ({"a": 1}, {"b": 1}, True),
        (None, 0, True),
        (None, None, False),
        ([1], [1, 2], True),
        ("1", 1, True),
    ],
)
def test_what_is_different(new: object, old: object, expected: bool) -> None:
    """Kinds of value are told apart as JSON tells them apart."""
    assert differs(new, old) is expected  # type: ignore[arg-type]
    assert differs(old, new) is expected  # type: ignore[arg-type]


def test_a_readback_shows_a_wish_as_exactly_as_it_can() -> None:
    """Within precision or dead band; exactly, for everything else."""
    assert shows(3.14, 3.14159, prop(precision=2))
    assert not shows(3.13, 3.14159, prop(precision=2))
    assert shows(5.4, 5, prop(dead_band=0.5))
    assert not shows(5.6, 5, prop(dead_band=0.5))
    assert shows(0.1 + 0.2, 0.3, prop())
    assert not shows(1, True, prop())
    assert shows("on", "on", prop())
    assert not shows(None, 0.0, prop())


def test_outside_the_stated_range() -> None:
    """By more than the precision excuses."""
    assert outside(101, prop(maximum=100))
    assert not outside(100.04, prop(maximum=100, precision=1))
    assert outside(-1, prop(minimum=0))
    assert not outside(True, prop(maximum=0))
    assert not outside(5, prop())
