"""Passwords: what is stored of them, what a test of one says, what it may cost, and which are good enough."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from argon2 import Type, extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.errors import BadValue
from pilothouse.record.password_rules import LONGEST
from pilothouse.record.passwords import LADDER, LEAST, TARGET, Busy, Cost, Passwords, Verdict, check_password, dearest

GOOD = "four words in a row"
WRONG = Verdict(ok=False, rehash=False)
GIB = 1 << 30


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    """At the least cost."""
    made = Passwords(LEAST)
    yield made
    await made.close()


async def test_what_is_stored(passwords: Passwords) -> None:
    """Argon2id at no less than the least cost, with a salt of its own; nothing of the password."""
    first, second = await passwords.hash(GOOD), await passwords.hash(GOOD)
    assert first != second and GOOD not in first
    parameters = extract_parameters(first)
    assert (parameters.type, parameters.memory_cost, parameters.time_cost) == (Type.ID, 19 * 1024, 2)
    assert parameters.parallelism == 1 and parameters.salt_len >= 16 and parameters.hash_len >= 32


async def test_a_test(passwords: Passwords) -> None:
    """Right, wrong, of nobody, and of a hash that cannot be read."""
    stored = await passwords.hash(GOOD)
    assert await passwords.verify(stored, GOOD) == Verdict(ok=True, rehash=False)
    for password in ("", GOOD + " ", GOOD.upper(), GOOD * 100, "\ud800", "x\x00"):
        assert await passwords.verify(stored, password) == WRONG
    assert await passwords.verify("", GOOD) == WRONG


async def test_a_hash_that_cannot_be_read(passwords: Passwords, caplog: pytest.LogCaptureFixture) -> None:
    """Lets nobody in, and is a line in the log without any of it."""
    assert await passwords.verify("$argon2id$secret-nonsense", GOOD) == WRONG
    assert "could not be tested" in caplog.text and "secret-nonsense" not in caplog.text


async def test_nobodys_password_costs_as_much(passwords: Passwords) -> None:
    """The same work is done for a name that nobody has, and what is overlong is not worked through."""
    tested: list[str] = []
    whole = passwords._hasher.verify

    class Watched:
        """Tells which hash was tested."""

        def verify(self, stored: str, password: bytes) -> bool:
            """As it is."""
            tested.append(stored)
            assert len(password) <= LONGEST
            return whole(stored, password)

    passwords._hasher = Watched()  # type: ignore[assignment]
    await passwords.verify("", GOOD)
    await passwords.verify("$argon2id$any", "x" * 100_000)
    assert len(tested) == 2
    for stored in tested:
        parameters = extract_parameters(stored)
        assert Cost(parameters.memory_cost, parameters.time_cost) == passwords.cost


async def test_the_same_signs_are_the_same_password(passwords: Passwords) -> None:
    """However a keyboard puts them together."""
    assert (await passwords.verify(await passwords.hash("Brücke über Fluß"), "Bru\u0308cke u\u0308ber Fluß")).ok


async def test_dearer_hashes_replace_cheaper_ones(passwords: Passwords) -> None:
    """Never the other way round, and only when the password was right."""
    dear = Passwords(Cost(19 * 1024, 3))
    try:
        cheap_hash, dear_hash = await passwords.hash(GOOD), await dear.hash(GOOD)
        assert await dear.verify(cheap_hash, GOOD) == Verdict(ok=True, rehash=True)
        assert await dear.verify(cheap_hash, "wrong") == WRONG
        assert await passwords.verify(dear_hash, GOOD) == Verdict(ok=True, rehash=False)
    finally:
        await dear.close()


@pytest.mark.parametrize("cost", [Cost(8, 1), Cost(19 * 1024, 1), Cost(1024, 50)])
async def test_no_cost_is_below_the_least(cost: Cost) -> None:
    """Whatever is asked for."""
    made = Passwords(cost)
    assert made.cost == LEAST
    await made.close()


async def test_what_was_measured_is_used() -> None:
    """On this very machine."""
    measured = await Passwords.measured()
    try:
        assert measured.cost in LADDER
        parameters = extract_parameters(await measured.hash(GOOD))
        assert Cost(parameters.memory_cost, parameters.time_cost) == measured.cost
    finally:
        await measured.close()


async def test_too_many_at_once_are_told(passwords: Passwords) -> None:
    """A bounded number waits; the rest hears so at once, and later there is room again."""
    stored = await passwords.hash(GOOD)
    answers = await asyncio.gather(*(passwords.verify(stored, GOOD) for _ in range(40)), return_exceptions=True)
    busy = [answer for answer in answers if isinstance(answer, Busy)]
    assert len(busy) == 40 - 18 and answers.count(Verdict(ok=True, rehash=False)) == 18
    assert (await passwords.verify(stored, GOOD)).ok


async def test_who_gives_up_waiting_leaves_no_gap(passwords: Passwords) -> None:
    """Their room is free again, and the others get their answers."""
    stored = await passwords.hash(GOOD)
    tasks = [asyncio.create_task(passwords.verify(stored, GOOD)) for _ in range(18)]
    await asyncio.sleep(0)
    for task in tasks[1:]:
        task.cancel()
    assert (await tasks[0]).ok
    await asyncio.gather(*tasks, return_exceptions=True)
    # One that nobody waits for may still be at work.
    again = await asyncio.gather(*(passwords.verify(stored, GOOD) for _ in range(17)))
    assert all(verdict.ok for verdict in again)


async def test_the_event_loop_does_not_wait(passwords: Passwords) -> None:
    """The work is done in threads of its own, two at most."""
    used: set[str] = set()
    await asyncio.gather(*(passwords._run(lambda: used.add(threading.current_thread().name)) for _ in range(10)))
    assert used and used <= {"password_0", "password_1"}


async def test_after_closing_nobody_can_log_in() -> None:
    """It is said, closing twice does no harm, and what was asked before is done."""
    made = Passwords(LEAST)
    task = asyncio.create_task(made.hash(GOOD))
    await asyncio.sleep(0)
    await made.close()
    await made.close()
    assert (await task).startswith("$argon2id$")
    with pytest.raises(Busy, match="Nobody can log in now"):
        await made.hash(GOOD)


@given(per_work=st.floats(1e-9, 1e-4), memory=st.sampled_from([GIB // 2, GIB, 8 * GIB]))
def test_the_cost_fits_the_machine(per_work: float, memory: int) -> None:
    """As dear as a quarter of a second allows; on a small machine no more memory; measured briefly."""
    asked: list[Cost] = []

    def seconds(cost: Cost) -> float:
        asked.append(cost)
        return cost.work * per_work

    found = dearest(seconds, LADDER, memory=memory)
    possible = [cost for cost in LADDER if memory >= GIB or cost.memory == LEAST.memory]
    fitting = [cost for cost in possible if cost.work * per_work <= TARGET]
    assert found == (fitting[-1] if fitting else LEAST)
    assert len(asked) <= len(LADDER) and sum(cost.work * per_work for cost in asked[1:]) <= TARGET * len(LADDER)


def test_the_ladder_rises() -> None:
    """From the least on, in steps wide enough that a machine finds the same at each start."""
    assert LADDER[0] == LEAST
    assert all(second.work >= 1.5 * first.work for first, second in pairwise(LADDER))


def test_a_measurement_that_was_disturbed() -> None:
    """Is believed: it is better to cost too little than to let people wait for seconds."""
    times = iter([0.01, 0.9])
    assert dearest(lambda _: next(times), LADDER, memory=8 * GIB) == LEAST


@pytest.mark.parametrize(
    "password", [GOOD, "x7!kQ2#pW9", "aaaaabbbbcccd", "ada's own bench key", "größer als zehn", "abcdefg hij" * 18]
)
def test_good_passwords(password: str) -> None:
    """Length is enough; no kinds of signs are asked for."""
    check_password(password, "ada")


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "10 characters"),
        ("ninechars", "10 characters"),
        ("x" * 201, "200 characters"),
        ("long.enough.name", "is the name"),
        ("Long.Enough.NAME", "is the name"),
        ("long.enough.name123", "is the name"),
        ("long.enough.namelong.enough.name", "is the name"),
        ("Password123", "most common"),
        ("qwertyuiop", "most common"),
        ("pilothouse", "most common"),
        ("aaaaaaaaaaaa", "repeats"),
        ("abababababab", "repeats"),
        (" four words in a row", "blank"),
        ("four words in a row\t", "blank"),
    ],
)
def test_bad_passwords(password: str, said: str) -> None:
    """Are told why, and not repeated."""
    with pytest.raises(BadValue, match=said) as caught:
        check_password(password, "long.enough.name")
    assert not password or len(password) < 8 or password not in str(caught.value)


@given(st.text(max_size=250), st.sampled_from(["", "ada", "a"]))
def test_any_text_is_a_password_or_not(password: str, name: str) -> None:
    """No other error, and what passes has its length."""
    try:
        check_password(password, name)
    except BadValue:
        return
    assert 10 <= len(password) <= LONGEST
