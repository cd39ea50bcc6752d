"""Signs of life: old ones, doubles, jumps of wall clocks, machines that slept."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.bus.messages import Presence
from pilothouse.hub.pulse import Pulse

DAY = 86_400_000


def presence(mono: int, time: int, epoch: int = 1, **more: Any) -> Presence:
    """A presence of node "pi"."""
    return Presence(node="pi", epoch=epoch, version="1", mono=mono, time=time, **more)


def test_a_presence_on_its_way_is_fresh() -> None:
    """As long as wall clocks agree, from the first one on."""
    pulse = Pulse()
    assert pulse.beat(presence(50_000, 1_000_000), now=1_000_003, mono=9_000) == 3
    assert pulse.beat(presence(52_000, 1_002_000), now=1_002_001, mono=11_000) == 0
    assert pulse.ahead == 41_000 and pulse.seen == 11_000


def test_what_the_bus_kept_of_a_dead_node_is_old() -> None:
    """A hub that starts an hour later knows it."""
    assert Pulse().beat(presence(50_000, 1_000_000), now=1_000_000 + 3_600_000, mono=9_000) == 3_600_000


def test_what_waited_in_the_socket_of_a_frozen_hub_is_old() -> None:
    """By the monotonic clocks, whatever the wall clocks say."""
    pulse = Pulse()
    pulse.beat(presence(50_000, 1_000_000), now=1_000_000, mono=9_000)
    assert pulse.beat(presence(52_000, 1_002_000), now=1_000_000 - DAY, mono=71_000) == 60_000
    assert pulse.seen == 11_000


def test_a_double_and_an_older_one_say_nothing() -> None:
    """Also those of an older epoch."""
    pulse = Pulse()
    pulse.beat(presence(50_000, 1_000_000, epoch=2), now=1_000_000, mono=9_000)
    assert pulse.beat(presence(50_000, 1_000_000, epoch=2), now=1_000_000, mono=9_500) is None
    assert pulse.beat(presence(48_000, 998_000, epoch=2), now=1_000_000, mono=9_500) is None
    assert pulse.beat(presence(99_000, 1_001_000, epoch=1), now=1_001_000, mono=10_000) is None


def test_a_wall_clock_that_jumps_a_day_changes_nothing() -> None:
    """Neither the node's nor the hub's."""
    for node, hub in ((DAY, 0), (-DAY, 0), (0, DAY), (0, -DAY)):
        pulse = Pulse()
        pulse.beat(presence(50_000, 10 * DAY), now=10 * DAY, mono=9_000)
        age = pulse.beat(presence(52_000, 10 * DAY + 2_000 + node), now=10 * DAY + 2_000 + hub, mono=11_000)
        assert age == 0


def test_a_node_with_a_wrong_clock_is_there_with_its_second_presence() -> None:
    """And at once after its agent has started anew."""
    pulse = Pulse()
    assert pulse.beat(presence(50_000, 0), now=10 * DAY, mono=9_000) == 10 * DAY
    assert pulse.beat(presence(52_000, 2_000), now=10 * DAY + 2_000, mono=11_000) == 0
    assert pulse.beat(presence(54_000, 4_000, epoch=2), now=10 * DAY + 4_000, mono=13_000) == 0


def test_a_machine_that_slept_is_back_with_its_second_presence() -> None:
    """Its monotonic clock stood still; deadlines must not be made from how it was before."""
    pulse = Pulse()
    for step in range(5):
        pulse.beat(presence(50_000 + step * 2000, 0), now=0, mono=9_000 + step * 2000)
    slept = 600_000
    assert pulse.beat(presence(60_000, 0), now=0, mono=19_000 + slept) == slept
    assert pulse.beat(presence(62_000, 0), now=0, mono=21_000 + slept) == 0
    assert pulse.ahead == 62_000 - 21_000 - slept


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=40), st.integers(-(2**40), 2**40))
def test_a_deadline_is_never_later_than_it_should_be(delays: list[int], offset: int) -> None:
    """However long each presence was on its way."""
    pulse, mono = Pulse(), 1_000_000
    for delay in delays:
        mono += 2000
        pulse.beat(presence(mono + offset + 2**41, mono), now=mono + delay, mono=mono + delay)
    assert pulse.ahead <= offset + 2**41
