"""Who may connect, and how many at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.config.edge import parse_networks
from pilothouse.hub.edge.bounds import Bounds, within_files
from pilothouse.hub.edge.crowd import Crowd, Seat, TurnedAway, origin_of

BOUNDS = Bounds(per_address=3, per_proxy=6, total=10, kept_for_us=2)


def enter(crowd: Crowd, address: str, times: int = 1) -> list[Seat | TurnedAway]:
    """What each of so many got."""
    return [crowd.enter(address) for _ in range(times)]


def test_one_address_has_its_number_and_others_have_theirs() -> None:
    """Whoever leaves makes room."""
    crowd = Crowd(BOUNDS)
    *seats, last = enter(crowd, "192.0.2.1", 4)
    assert all(isinstance(seat, Seat) for seat in seats) and last is TurnedAway.CROWDED
    assert isinstance(crowd.enter("192.0.2.2"), Seat)
    assert isinstance(seats[0], Seat)
    seats[0].leave()
    seats[0].leave()
    assert isinstance(crowd.enter("192.0.2.1"), Seat)
    assert crowd.enter("192.0.2.1") is TurnedAway.CROWDED


def test_ipv6_counts_by_network() -> None:
    """A machine has as many addresses in its network as it likes; an IPv4 one has the same in both forms."""
    crowd = Crowd(BOUNDS)
    for n in range(3):
        assert isinstance(crowd.enter(f"2001:db8::{n}"), Seat)
    assert crowd.enter("2001:db8::ffff") is TurnedAway.CROWDED
    assert isinstance(crowd.enter("2001:db8:0:1::1"), Seat)
    assert origin_of("::ffff:192.0.2.1") == origin_of("192.0.2.1") == "192.0.2.1"
    assert origin_of("fe80::1%eth0") == origin_of("fe80::2")


def test_everybody_may_be_behind_a_proxy() -> None:
    """It has a number of its own, as this machine has."""
    crowd = Crowd(BOUNDS, parse_networks(["10.0.0.1"]))
    assert enter(crowd, "10.0.0.1", 7)[-1] is TurnedAway.CROWDED
    assert crowd.total == 6
    assert isinstance(crowd.enter("127.0.0.1"), Seat)


def test_a_crowd_does_not_keep_this_machine_out() -> None:
    """Places are kept for whoever sits at it."""
    crowd = Crowd(BOUNDS)
    got = [crowd.enter(f"192.0.2.{n}") for n in range(20)]
    assert sum(isinstance(one, Seat) for one in got) == 8 and got[-1] is TurnedAway.FULL
    assert [type(one) for one in enter(crowd, "127.0.0.1", 2)] == [Seat, Seat]
    assert crowd.enter("::1") is TurnedAway.FULL


def test_past_the_proxy_only_this_machine_comes() -> None:
    """What would come past it would come without TLS."""
    crowd = Crowd(BOUNDS, parse_networks(["10.0.0.0/24"]), only_through=True)
    assert isinstance(crowd.enter("10.0.0.9"), Seat)
    assert isinstance(crowd.enter("127.0.0.1"), Seat)
    assert crowd.enter("10.0.1.9") is TurnedAway.BESIDE_PROXY


@given(st.lists(st.tuples(st.sampled_from(["127.0.0.1", "192.0.2.1", "10.0.0.1", "2001:db8::1"]), st.booleans())))
def test_seats_add_up(moves: list[tuple[str, bool]]) -> None:
    """Whoever comes and goes in any order: never more than the bounds, and nothing is left at the end."""
    crowd = Crowd(BOUNDS, parse_networks(["10.0.0.1"]))
    seats: list[Seat] = []
    for address, comes in moves:
        if comes:
            seat = crowd.enter(address)
            seats += [seat] if isinstance(seat, Seat) else []
        elif seats:
            seats.pop(0).leave()
        assert crowd.total == len(seats) <= BOUNDS.total
    for seat in seats:
        seat.leave()
    assert crowd.total == 0 and crowd.origins == 0


@pytest.mark.parametrize(("files", "total"), [(1024, 824), (20_000, 7000), (100, 100)])
def test_there_are_no_more_places_than_files(files: int, total: int) -> None:
    """Each connection is an open file."""
    assert within_files(Bounds(total=7000), files).total == total
