"""Each question of the fault suite finds what it asks for, and finds nothing where all is well."""

from __future__ import annotations

from typing import Any

import pytest

from support.faults.seen import Attempt, Look, Move, Pressed, Seen, Trouble
from support.faults.verdict import NEVER, judge

WELL = Seen(
    attempts=[
        Attempt("a", "counter.level", 1, 1000, 1010, "confirmed"),
        Attempt("b", "counter.level", 2, 1100, 1200, "refused", "stop"),
        Attempt("c", "counter.level", 3, 1300, 9000, "unknown"),
        Attempt("d", "valves.valve_a", True, 1400, 1500, "confirmed"),
        Attempt("e", "valves.valve_b", True, 1450, 1500, "refused"),
        Attempt("f", "counter.level", 4, 1600, 9999, ""),
    ],
    moves=[
        Move(1005, "counter.level", 1),
        Move(1310, "counter.level", 3),
        Move(1450, "valves.valve_a", True),
        Move(2500, "valves.valve_a", False),
        Move(2600, "valves.valve_b", True),
        Move(2700, "valves.valve_b", False),
    ],
    troubles=[Trouble(2000, "agent", "kill"), Trouble(3000, "hub", "freeze", 1.0)],
    looks=[Look(1000, "here", 800, 25_000), Look(9000, "away", 60_000, 25_000), Look(9500, "here", None, 25_000)],
    stops=[Pressed(5000, 6000)],
    ledger={
        "a": {"end": "confirmed", "later": []},
        "b": {"end": "refused", "later": []},
        "c": {"end": "unknown", "later": [{"end": "confirmed"}]},
        "d": {"end": "confirmed", "later": []},
        "e": {"end": "refused", "later": []},
        "f": {"end": "refused", "later": []},
    },
    kept=[(1000, 20.5), (2000, 20.6)],
    history=[(1000, 20.5), (2000, 20.6), (3000, 20.7)],
)


def attempt(**changes: Any) -> Attempt:
    """One that was confirmed, with changes."""
    return Attempt("x", "counter.level", 9, 7000, 7010, "confirmed")._replace(**changes)


def test_nothing_is_found_where_all_is_well() -> None:
    """A run in which everything ended honestly passes every question."""
    assert judge(WELL) == []


LINE = {"end": "confirmed", "later": []}
NINE = Move(7005, "counter.level", 9)
BAD: dict[str, dict[str, Any]] = {
    "confirmed_and_not_done": {"attempts": [attempt()], "moves": []},
    "done_twice": {"attempts": [attempt()], "moves": [NINE, NINE]},
    "done_though_refused": {"attempts": [attempt(end="expired")], "moves": [NINE]},
    "done_unasked": {"attempts": [], "moves": [NINE]},
    "together": {"moves": [Move(1, "valves.valve_b", True), Move(2, "valves.valve_a", True)]},
    "left_on_after_a_kill": {
        "moves": [Move(1900, "relays.relay_1", True), Move(2600, "relays.relay_1", True)],
        "troubles": [Trouble(2000, "agent", "kill")],
    },
    "on_while_stopped": {"moves": [Move(5500, "relays.relay_1", True)]},
    "missing_in_the_ledger": {"attempts": [attempt()], "ledger": {}},
    "confirmed_in_the_ledger_and_not_done": {"attempts": [attempt(end="")], "ledger": {"x": LINE}, "moves": []},
    "old_as_fresh": {"looks": [Look(1, "here", 40_000, 25_000)]},
    "lost_readings": {"history": [(1000, 20.5)]},
}


@pytest.mark.parametrize("question", NEVER)
def test_a_question_finds_what_it_asks_for(question: str) -> None:
    """Every question can fail."""
    assert NEVER[question](WELL._replace(**BAD[question]))


@pytest.mark.parametrize(
    ("line", "told"),
    [({"end": "", "later": []}, "confirmed"), ({"end": "failed", "later": []}, "confirmed")],
    ids=["open", "other"],
)
def test_the_ledger_must_say_what_was_told(line: dict[str, Any], told: str) -> None:
    """A line that is open, or that says something else than the client was told, is found."""
    seen = WELL._replace(attempts=[attempt(end=told)], ledger={"x": line}, moves=[NINE])
    assert NEVER["missing_in_the_ledger"](seen)


def test_the_ledger_must_not_say_refused_of_what_was_done() -> None:
    """A line that says refused, while the device took the value, is found though nobody was told anything."""
    seen = WELL._replace(attempts=[attempt(end="")], ledger={"x": {"end": "refused", "later": []}}, moves=[NINE])
    assert NEVER["confirmed_in_the_ledger_and_not_done"](seen)
