"""Log-ins on their way to the provider."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from pilothouse.hub.outside.pending import LIFE, MOST, MOST_OF_ONE, Pending, Ticket
from pilothouse.testing import FakeClock


def test_a_state_works_once_in_its_own_browser():
    """Another browser neither gets in with it nor uses it up."""
    pending = Pending(FakeClock())
    mine, other = pending.begin("/a", "10.0.0.1"), pending.begin("/b", "10.0.0.2")
    assert pending.take(mine.state, other.browser) is None
    assert pending.take(mine.state, "") is None
    assert pending.take("", mine.browser) is None
    found = pending.take(mine.state, mine.browser)
    assert found is not None and found.next == "/a" and found.nonce == mine.begun.nonce
    assert pending.take(mine.state, mine.browser) is None
    assert pending.take(other.state, other.browser) is not None


def test_two_tabs_of_one_browser_may_log_in():
    """The cookie that came stays when it is ours; one that somebody made up, or that has run out, does not."""
    clock = FakeClock()
    pending = Pending(clock)
    first = pending.begin("/a", "10.0.0.1")
    second = pending.begin("/b", "10.0.0.1", first.browser)
    assert second.browser == first.browser and second.state != first.state
    assert pending.take(second.state, first.browser) is not None
    assert pending.take(first.state, first.browser) is not None
    assert pending.begin("/", "10.0.0.1", "made-up").browser != "made-up"
    third = pending.begin("/", "10.0.0.1")
    clock.tick(LIFE)
    assert pending.begin("/", "10.0.0.1", third.browser).browser != third.browser


def test_ten_minutes_and_no_longer():
    """Then it is gone, whoever brings it."""
    clock = FakeClock()
    pending = Pending(clock)
    early, late = pending.begin("/", "a"), pending.begin("/", "a")
    clock.tick(LIFE - 1)
    assert pending.take(early.state, early.browser) is not None
    clock.tick(1)
    assert pending.take(late.state, late.browser) is None
    assert len(pending) == 0


def test_one_address_cannot_push_the_others_out():
    """Its own oldest goes first."""
    pending = Pending(FakeClock())
    mine = pending.begin("/", "10.0.0.1")
    flood = [pending.begin("/", "10.0.0.2") for _ in range(MOST_OF_ONE * 3)]
    assert len(pending) == MOST_OF_ONE + 1
    assert pending.take(flood[0].state, flood[0].browser) is None
    assert pending.take(flood[-1].state, flood[-1].browser) is not None
    assert pending.take(mine.state, mine.browser) is not None


def test_there_are_never_more_than_so_many():
    """Whatever the addresses."""
    pending = Pending(FakeClock())
    for number in range(MOST + 50):
        pending.begin("/", f"address-{number}")
    assert len(pending) == MOST


def test_nothing_secret_is_shown():
    """Neither in a log nor in a trace."""
    ticket = Pending(FakeClock()).begin("/a", "10.0.0.1")
    for secret in (ticket.state, ticket.browser, ticket.begun.nonce, ticket.begun.verifier):
        assert secret not in repr(ticket) and secret not in repr(ticket.begun)


class PendingMachine(RuleBasedStateMachine):
    """Any order of beginning, coming back and waiting, against a list of what should be there."""

    tickets = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.pending = Pending(self.clock)
        self.open: list[tuple[Ticket, str, int]] = []

    def _current(self) -> list[tuple[Ticket, str, int]]:
        return [entry for entry in self.open if entry[2] > self.clock.mono()]

    @rule(target=tickets, address=st.sampled_from(["a", "b"]), times=st.integers(1, 8))
    def begin(self, address: str, times: int):
        """Some log-ins begin."""
        made = []
        for _ in range(times):
            ticket = self.pending.begin("/", address)
            self.open = self._current()
            own = [entry for entry in self.open if entry[1] == address]
            if len(own) == MOST_OF_ONE:
                self.open.remove(own[0])
            self.open.append((ticket, address, self.clock.mono() + LIFE * 1000))
            made.append(ticket)
        return multiple(*made)

    @rule(state=tickets, browser=tickets)
    def come_back(self, state: Ticket, browser: Ticket) -> None:
        """A state comes, perhaps in another browser than its own."""
        self.open = self._current()
        entry = next((entry for entry in self.open if entry[0] is state and state is browser), None)
        assert (self.pending.take(state.state, browser.browser) is not None) == (entry is not None)
        if entry is not None:
            self.open.remove(entry)

    @rule(seconds=st.sampled_from([1, 60, 300, LIFE]))
    def wait(self, seconds: int) -> None:
        """Time goes by."""
        self.clock.tick(seconds)

    @invariant()
    def bounded(self) -> None:
        """Nothing is kept for nobody."""
        assert len(self.pending) <= 2 * MOST_OF_ONE


TestPendingMachine = PendingMachine.TestCase
