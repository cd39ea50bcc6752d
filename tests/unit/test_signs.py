"""The sign of life: given by the agent, and missed by `up` only when `up` itself was running."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.agent.alive import Alive
from pilothouse.cli.signs import FROZEN, LOOK_EVERY, Silence, signs
from pilothouse.testing import FakeClock
from support.odd import soon


def silent_for(seconds: float, *, every: float = LOOK_EVERY) -> bool:
    """Whether that long a silence after one sign is a freeze."""
    silence, mono = Silence(), 1000
    silence.look(mono)
    silence.sign()
    found = False
    for _ in range(round(seconds / every)):
        mono += round(every * 1000)
        found = silence.look(mono)
    return found


def test_five_seconds_without_a_sign_are_a_freeze() -> None:
    """Less is not."""
    assert silent_for(FROZEN)
    assert not silent_for(FROZEN - LOOK_EVERY)


def test_nobody_is_frozen_before_the_first_sign() -> None:
    """An agent may take its time to start; nor is the one that comes after a frozen one."""
    silence = Silence()
    assert not any(silence.look(mono) for mono in range(0, 100_000, 500))
    silence.sign()
    silence.anew()
    assert not any(silence.look(mono) for mono in range(100_000, 200_000, 500))


def test_a_suspended_laptop_is_no_frozen_agent() -> None:
    """An hour in which we stood still ourselves counts for a second."""
    silence = Silence()
    silence.look(0)
    silence.sign()
    assert not silence.look(3_600_000)


@given(st.lists(st.tuples(st.sampled_from(["sign", "look", "anew"]), st.integers(0, 20_000)), max_size=40))
def test_a_freeze_is_five_seconds_of_looks_after_a_sign(steps: list[tuple[str, int]]) -> None:
    """Whatever comes in whatever order."""
    silence, mono, heard, seen, looked = Silence(), 0, False, 0, 0
    for what, passed in steps:
        mono += passed
        if what == "look":
            seen, looked = seen + min(mono - looked, 1000), mono
            assert silence.look(mono) == (heard and seen >= FROZEN * 1000)
        elif what == "sign":
            silence.sign()
            heard, seen = True, 0
        else:
            silence.anew()
            heard = False


@pytest.mark.parametrize("deep", ["", "a" * 60 + "/" + "b" * 60])
async def test_the_agents_sign_comes_in(tmp_path: Path, deep: str) -> None:
    """Every quarter of the time, over a socket; also from a folder whose path is too long for one."""
    folder, clock = tmp_path / deep, FakeClock()
    folder.mkdir(parents=True, exist_ok=True)
    with signs(folder) as heard:
        path = Path(heard.environment["NOTIFY_SOCKET"])
        assert len(str(path)) <= 107 and (path.parent == folder) == (not deep)
        giving = asyncio.create_task(Alive(clock, heard.environment).run())
        for _ in range(3):
            heard.anew()
            await clock.advance(FROZEN / 4)
            await soon(lambda: heard.silence._seconds is not None, "a sign")
        assert not heard.frozen(0) and heard.silence._seconds is not None
        giving.cancel()
        await asyncio.gather(giving, return_exceptions=True)
    assert not path.exists()
    assert not deep or not path.parent.exists()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/x"},
        {"WATCHDOG_USEC": "5000000"},
        {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "5000000", "WATCHDOG_PID": str(os.getpid() + 1)},
    ],
)
async def test_no_sign_where_none_is_wanted(environment: dict[str, str]) -> None:
    """Started by hand, or meant for another process: it ends at once."""
    await Alive(FakeClock(), environment).run()


@pytest.mark.parametrize("address", [lambda folder: f"{folder}/nobody", lambda folder: f"@{folder}/nobody"])
async def test_a_sign_that_nobody_hears_harms_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, address: Callable[[Path], str]
) -> None:
    """Said once in the log."""
    clock = FakeClock()
    wanted = {"NOTIFY_SOCKET": address(tmp_path), "WATCHDOG_USEC": "4000000"}
    with caplog.at_level(logging.WARNING):
        giving = asyncio.create_task(Alive(clock, wanted).run())
        await clock.advance(10)
    assert len(caplog.records) == 1 and "nobody hears the sign of life" in caplog.text
    giving.cancel()
    await asyncio.gather(giving, return_exceptions=True)
