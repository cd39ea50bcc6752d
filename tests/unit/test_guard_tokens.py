"""Confirmations, stops and leases as the agent keeps them."""

from __future__ import annotations

from itertools import count
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.bus.messages import StandLease
from pilothouse.guard import Expired, Latches, Leases, Tokens
from pilothouse.guard.confirmations import LIVES, MOST, MOST_EACH, TRIES
from pilothouse.guard.latch import MOST as MOST_STOPS
from pilothouse.guard.latch import REMEMBERED

END = round(LIVES * 1000)


def tokens() -> Tokens:
    """Tokens that can be told apart."""
    numbers = count()
    return Tokens(lambda: f"t{next(numbers)}")


def give(book: Tokens, who: str = "ada", input: Any = True, *, two_person: bool = False, mono: int = 0) -> str:
    """A token for the heater."""
    return book.give(who, "bath", "property", "heater", input, two_person=two_person, mono=mono)


def use(
    book: Tokens,
    token: str,
    who: str = "ada",
    input: Any = True,
    *,
    two_person: bool = False,
    mono: int = 1,
    **more: str,
) -> str:
    """Use it for the heater, or for what `more` says."""
    target = {"thing": "bath", "kind": "property", "name": "heater"} | more
    return book.use(token, who, **target, input=input, two_person=two_person, mono=mono)


def test_a_token_is_good_once_for_its_command() -> None:
    """And then no more."""
    book = tokens()
    token = give(book)
    assert use(book, token) == ""
    assert "used already" in use(book, token)
    assert use(book, "") == "it needs a confirmation, and none came with it"


def test_real_tokens_are_long_and_all_different() -> None:
    """Nobody guesses one."""
    book = Tokens()
    made = {give(book, f"p{n}") for n in range(100)}
    assert len(made) == 100 and all(len(token) >= 32 for token in made)


def test_a_token_lives_a_minute() -> None:
    """By the agent's own clock."""
    book = tokens()
    one, two = give(book), give(book)
    assert use(book, one, mono=END - 1) == ""
    assert "more than a minute old" in use(book, two, mono=END)
    assert len(book) == 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"input": False}, "for another value"),
        ({"input": 1}, "for another value"),
        ({"who": "bob"}, "was given to ada"),
        ({"thing": "tank"}, "is for bath.heater"),
        ({"name": "pump"}, "is for bath.heater"),
        ({"kind": "action"}, "is for bath.heater"),
        ({"two_person": True}, "must come from somebody else"),
    ],
)
def test_a_token_fits_nothing_else(more: dict[str, Any], words: str) -> None:
    """It is not spent by that, but three such tries make it worthless."""
    book = tokens()
    token = give(book)
    assert words in use(book, token, **more)
    assert use(book, token) == ""
    token = give(book)
    for _ in range(TRIES):
        assert words in use(book, token, **more)
    assert "used already" in use(book, token)


def test_two_persons_are_two() -> None:
    """Whoever asked for the token cannot be the one who uses it; also when the rule has changed since."""
    book = tokens()
    assert "somebody else" in use(book, give(book, two_person=True), two_person=True)
    assert use(book, give(book, two_person=True), "bob", two_person=True) == ""
    assert "somebody else" in use(book, give(book, two_person=True))


def test_a_number_is_the_same_however_it_is_written() -> None:
    """20 and 20.0 are one wish; members of an object have no order."""
    book = tokens()
    assert use(book, give(book, input=20), input=20.0) == ""
    assert use(book, give(book, input={"a": [1.0, 2], "b": None}), input={"b": None, "a": [1, 2.0]}) == ""
    assert use(book, give(book, input=20), input=20.5) != ""


def test_tokens_are_bounded_in_all_and_for_each() -> None:
    """One person cannot push out those of the others."""
    book = tokens()
    hers = give(book, "ada")
    for _ in range(MOST_EACH * 3):
        last = give(book, "eve")
    assert len(book) == MOST_EACH + 1
    assert use(book, hers) == "" and use(book, last, "eve") == ""
    for number in range(MOST + 10):
        give(book, f"p{number}")
    assert len(book) == MOST
    give(book, mono=END)
    assert len(book) == 1


class Stop(NamedTuple):
    """A stop."""

    id: str


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcd"))))
def test_stops_hold_until_they_are_lifted_by_name(words: list[tuple[bool, str]]) -> None:
    """In any order, and however often: an id that was ever lifted holds no more, any other that was pressed does."""
    latches: Latches[Stop] = Latches()
    pressed: dict[str, None] = {}
    lifted: set[str] = set()
    for press, id in words:
        if press:
            new = id not in pressed and id not in lifted
            assert latches.press(Stop(id)) is new
            if new:
                pressed[id] = None
        else:
            assert latches.lift([id]) == ((Stop(id),) if id in pressed else ())
            pressed.pop(id, None)
            lifted.add(id)
        assert latches.records == tuple(map(Stop, pressed))
        assert latches.holds is bool(pressed)
        again = Latches(latches.records, latches.lifted)
        assert (again.records, set(again.lifted)) == (latches.records, lifted)


def test_stops_are_bounded_and_the_newest_hold() -> None:
    """Somebody who leans on the button does not fill the memory, and the stop holds on."""
    latches: Latches[Stop] = Latches()
    for number in range(100):
        latches.press(Stop(str(number)))
    assert [stop.id for stop in latches.records] == [str(number) for number in range(100 - MOST_STOPS, 100)]
    latches.lift(str(number) for number in range(100))
    assert not latches.holds and len(latches.lifted) == REMEMBERED


def stand(holder: str = "", **more: Any) -> StandLease:
    """The latest of a stand."""
    return StandLease(**{"stand": "bench", "things": ("pi/bath", "pi/pump"), "holder": holder} | more)


def test_a_stand_that_nobody_holds_is_everyones_unless_it_must_be_held() -> None:
    """Things of no stand are everyone's in any case."""
    leases = Leases()
    leases.heard(stand(), 0, 0)
    assert leases.bar("pi/bath", "ada", 1) is None
    leases.heard(stand(required=True), 0, 0)
    barred = leases.bar("pi/bath", "ada", 1)
    assert barred is not None and barred.text == "stand bench may only be used by who holds it, and nobody does"
    assert leases.bar("pi/lamp", "ada", 1) is None
    leases.forget("bench")
    assert leases.bar("pi/bath", "ada", 1) is None


def test_only_the_holder_may() -> None:
    """Others hear who holds it and how long."""
    leases = Leases()
    leases.heard(stand("ada", required=True), 1000, 60)
    assert leases.bar("pi/pump", "ada", 2000) is None
    barred = leases.bar("pi/pump", "bob", 2000)
    assert barred is not None and (barred.rule, barred.over_in) == ("lease", 59_000)
    assert barred.text == "stand bench is held by ada"
    assert leases.next_look(2000) == 61_000
    barred = leases.bar("pi/pump", "ada", 61_000)
    assert barred is not None, "it is over, also before anybody looked"


def test_a_lease_runs_out_once() -> None:
    """By the agent's own clock; what the bus repeats of it changes nothing, a new lease does."""
    leases = Leases()
    over = Expired("bench", ("pi/bath", "pi/pump"), safe=True, holder="ada")
    leases.heard(stand("ada"), 0, 60)
    assert leases.expired(59_999) == []
    leases.heard(stand("ada"), 50_000, 60)
    assert leases.expired(109_999) == []
    assert leases.expired(110_000) == [over]
    for again in (stand("ada"), stand(ended="expired", last="ada")):
        leases.heard(again, 111_000, 0)
        assert leases.expired(112_000) == []
        assert leases.next_look(112_000) is None
    leases.heard(stand("ada"), 120_000, 10)
    assert leases.expired(130_000) == [over]


def test_the_hub_may_know_first_that_a_lease_ran_out() -> None:
    """Also before this agent was there; giving it back is no running out."""
    leases = Leases()
    leases.heard(stand(ended="expired", last="ada", safe_on_expiry=False), 0, 0)
    assert leases.next_look(0) == 0
    assert [(one.holder, one.safe) for one in leases.expired(0)] == [("ada", False)]
    leases.heard(stand("bob"), 0, 60)
    leases.heard(stand(ended="released", last="bob"), 10, 0)
    assert leases.expired(100_000) == []
    leases.heard(stand("bob"), 0, 60)
    leases.heard(stand(ended="expired", last="bob"), 10, 0)
    leases.heard(stand("bob"), 20, 60)
    assert leases.expired(30) == [], "he has it again"
    leases.heard(stand(ended="expired", last="bob"), 40, 0)
    leases.heard(stand("eve"), 50, 60)
    assert [one.holder for one in leases.expired(60)] == ["bob"], "she begins with what is safe"


def test_stands_are_bounded() -> None:
    """A bus gone wild does not fill the memory."""
    leases = Leases()
    for number in range(1100):
        leases.heard(stand("ada", stand=f"s{number}"), 0, 60)
    assert len(leases.expired(60_000)) == 1000
