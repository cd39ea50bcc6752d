"""How often a log-in may be tried."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pilothouse.hub.attempts import PACES, Attempts, OwnPlaces, TooOften, Try, network

NAMES = st.sampled_from(["ada", "bob", "nobody", "x" * 500])
ADDRESSES = st.sampled_from(["10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2", "2001:db8:1::1", ""])


def hammer(attempts: Attempts, name: str, address: str, now: int, *, own: bool = False) -> int:
    """Try until it is refused; gives how many tries were let through."""
    done = 0
    while isinstance(attempts.begin(name, address, now, own=own), Try):
        done += 1
        assert done < 100
    return done


def test_five_tries_at_an_account_come_at_once_and_then_more_and_more_slowly() -> None:
    """1, 2, 4 … seconds, and never more than a minute."""
    attempts, now, waits = Attempts(), 0, []
    assert hammer(attempts, "ada", "10.0.0.1", now) == 5
    for number in range(9):
        # From another address each time, so that only the account counts.
        refused = attempts.begin("ada", f"10.0.1.{number}", now)
        assert isinstance(refused, TooOften)
        assert refused.kind == "account"
        waits.append(refused.wait)
        now += refused.wait
        assert isinstance(attempts.begin("ada", f"10.0.1.{number}", now), Try)
    assert waits[:6] == [1000, 2000, 4000, 8000, 16_000, 32_000]
    assert all(16_000 < wait <= 60_000 for wait in waits[6:])  # by now what was first is forgotten


def test_ten_tries_from_an_address_come_at_once() -> None:
    """Whatever names are tried; then up to five minutes are between two."""
    attempts, now = Attempts(), 0
    for number in range(10):
        assert isinstance(attempts.begin(f"name-{number}", "10.0.0.1", now), Try)
    waits = []
    for number in range(12):
        refused = attempts.begin(f"other-{number}", "10.0.0.1", now)
        assert isinstance(refused, TooOften)
        assert refused.kind == "address"
        waits.append(refused.wait)
        now += refused.wait
        assert isinstance(attempts.begin(f"other-{number}", "10.0.0.1", now), Try)
    assert waits[:9] == [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000]
    assert all(64_000 < wait <= 300_000 for wait in waits[9:])


def test_a_stranger_does_not_keep_the_owner_out() -> None:
    """The owner comes from where the account was logged in before, and is let through at once."""
    attempts = Attempts()
    hammer(attempts, "ada", "203.0.113.9", 0)
    assert isinstance(attempts.begin("ada", "10.0.0.7", 1), TooOften)
    assert isinstance(attempts.begin("ada", "10.0.0.7", 1, own=True), Try)


def test_who_has_one_account_cannot_guess_at_others_for_ever() -> None:
    """A log-in that succeeds does not wipe out the other tries of its address."""
    attempts = Attempts()
    for number in range(10):
        attempts.begin(f"victim-{number}", "203.0.113.9", 0)
        own = attempts.begin("mallory", "203.0.113.9", 0, own=True)
        assert isinstance(own, Try)
        attempts.succeeded(own)
    assert isinstance(attempts.begin("victim-11", "203.0.113.9", 0), TooOften)


def test_the_first_refused_try_is_told_once() -> None:
    """One line for the ledger a siege, not one a try; how many there were stands in the next that is let through."""
    attempts, now, told = Attempts(), 0, 0
    hammer(attempts, "ada", "10.0.0.1", now)
    refused_since = 1
    for _ in range(300):
        now += 500
        found = attempts.begin("ada", f"10.1.{now % 250}.1", now)
        if isinstance(found, TooOften):
            told += found.first
            refused_since += 1
        else:
            assert found.refused == refused_since
            refused_since = 0
    assert told == 0  # `hammer` met the first one
    now += 3_600_000
    hammer(attempts, "bob", "10.0.0.9", now)
    assert hammer(attempts, "ada", "10.9.9.9", now) == 5
    again = attempts.begin("ada", "10.9.9.8", now)
    assert isinstance(again, TooOften)
    assert not again.first


def test_what_was_long_ago_is_forgotten() -> None:
    """After a quiet while everything is as at first."""
    attempts = Attempts()
    hammer(attempts, "ada", "10.0.0.1", 0)
    assert hammer(attempts, "ada", "10.0.0.1", 3_600_000) == 5


def test_a_try_that_was_not_looked_at_is_taken_back() -> None:
    """A record that is down, or a busy hub, makes nobody wait."""
    attempts = Attempts()
    for _ in range(50):
        tried = attempts.begin("ada", "10.0.0.1", 0)
        assert isinstance(tried, Try)
        attempts.taken_back(tried)


def test_a_whole_ipv6_network_counts_as_one_address() -> None:
    """One machine may choose from 2^64 of them; an IPv4 address is the same in both notations."""
    assert network("2001:db8::1") == network("2001:db8::ffff:1%eth0")
    assert network("2001:db8::1") != network("2001:db8:0:1::1")
    assert network("::ffff:10.0.0.1") == network("10.0.0.1") != network("10.0.0.2")
    assert network("") == ""
    assert len(network("nonsense" * 100)) == 64


@given(st.lists(st.tuples(NAMES, ADDRESSES, st.integers(0, 400_000), st.booleans()), max_size=80))
def test_nobody_is_locked_out_for_good(tries: list[tuple[str, str, int, bool]]) -> None:
    """Whoever waits as long as they are told, and nobody else tries meanwhile, may try; and it is never long."""
    attempts, now = Attempts(), 0
    for name, address, later, own in tries:
        now += later
        found = attempts.begin(name, address, now, own=own)
        if isinstance(found, TooOften):
            assert 0 < found.wait <= PACES[found.kind].longest
            now += found.wait
            second = attempts.begin(name, address, now, own=own)
            if isinstance(second, TooOften):  # the other of the two counts stood against it, too
                assert second.kind != found.kind
                assert isinstance(attempts.begin(name, address, now + second.wait, own=own), Try)
                now += second.wait


@given(st.lists(st.tuples(NAMES, ADDRESSES, st.integers(0, 30_000)), max_size=300))
def test_a_guesser_gets_so_many_tries_and_no_more(tries: list[tuple[str, str, int]]) -> None:
    """However many addresses there are: at one account, the free ones, a few on the way, and one a minute."""
    attempts, now, done = Attempts(), 0, dict.fromkeys(["ada", "bob", "nobody", "x" * 500], 0)
    for name, address, later in tries:
        now += later
        done[name] += isinstance(attempts.begin(name, address, now), Try)
    pace = PACES["account"]
    on_the_way = 6  # 1, 2, 4, 8, 16, 32 s
    for count in done.values():
        # Each minute forgets one try, which may then be made once more.
        assert count <= pace.free + on_the_way + 2 * now / pace.longest + 1


class Siege(RuleBasedStateMachine):
    """Strangers and owners try in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts = Attempts(most=8)
        self.now = 0
        self.own_tries = 0

    @rule(name=NAMES, address=ADDRESSES)
    def a_stranger_tries(self, name: str, address: str) -> None:
        """And is let through or told when to come again."""
        found = self.attempts.begin(name, address, self.now)
        assert isinstance(found, Try) or found.wait > 0

    @rule()
    def the_owner_mistypes(self) -> None:
        """From the own desk: only the own tries count there, whatever strangers do."""
        found = self.attempts.begin("ada", "10.0.0.1", self.now, own=True)
        if isinstance(found, Try):
            self.own_tries += 1
        else:
            assert self.own_tries >= 5
            assert found.wait <= 60_000

    @rule()
    def the_owner_comes_in(self) -> None:
        """And starts afresh."""
        found = self.attempts.begin("ada", "10.0.0.1", self.now, own=True)
        if isinstance(found, Try):
            self.attempts.succeeded(found)
            self.own_tries = 0

    @rule(seconds=st.integers(0, 600))
    def time_passes(self, seconds: int) -> None:
        """Some of it."""
        self.now += seconds * 1000

    @invariant()
    def memory_is_bounded(self) -> None:
        """However many names and addresses strangers make up."""
        assert len(self.attempts) <= 8


TestSiege = Siege.TestCase


def test_places_are_remembered_within_bounds() -> None:
    """Some addresses of some accounts, the latest of each."""
    places = OwnPlaces(most=2, each=2)
    assert not places.knows("ada")
    places.add("ada")
    assert places.knows("ada")
    assert ("ada", "10.0.0.1") not in places
    places.add("ada", "10.0.0.1", "10.0.0.2", "10.0.0.3")
    assert ("ada", "10.0.0.1") not in places
    assert ("ada", "10.0.0.3") in places
    assert ("bob", "10.0.0.3") not in places
    places.add("bob", "2001:db8::1")
    assert ("bob", "2001:db8::2") in places
    places.add("cyd", "10.0.0.1")
    assert not places.knows("ada")
