"""The number of a run: grows whatever the clock and the disk do."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.agent.epoch import LARGEST, begin, following
from pilothouse.agent.handover import DataLock, begin_epoch
from pilothouse.errors import CannotStart
from pilothouse.testing import FakeClock


@given(st.lists(st.integers(-(10**13), 10**13), min_size=2))
def test_it_always_grows(clocks: list[int]) -> None:
    """Also with a clock that jumps by years."""
    epochs = [0]
    for now in clocks:
        epochs.append(following(epochs[-1], now))
    assert all(b > a for a, b in itertools.pairwise(epochs))


def test_it_is_kept(tmp_path: Path) -> None:
    """From the clock at first; one more with a clock that stands."""
    path = tmp_path / "agent" / "epoch"
    assert begin(path, 1_700_000_000_000) == 1_700_000_000
    assert begin(path, 0) == 1_700_000_001
    assert begin(path, 1_800_000_000_999) == 1_800_000_000


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"x" * 1000, b"-5", str(LARGEST + 1).encode()])
def test_a_damaged_file_is_begun_anew_from_the_clock(tmp_path: Path, damage: bytes) -> None:
    """Power cuts damage files."""
    path = tmp_path / "epoch"
    path.write_bytes(damage)
    assert begin(path, 1_700_000_000_000) == 1_700_000_000


def test_a_number_that_cannot_be_kept_is_no_start(tmp_path: Path) -> None:
    """Else the same number might come twice."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotStart, match="cannot be"):
        begin(tmp_path / "file" / "epoch", 0)


def test_agents_that_start_at_once_get_different_numbers(tmp_path: Path) -> None:
    """In one folder."""
    numbers: list[int] = []
    threads = [
        threading.Thread(target=lambda: numbers.append(begin_epoch(tmp_path, tmp_path / "epoch", 10**12)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(numbers)) == 8


async def test_one_agent_holds_a_data_folder(tmp_path: Path) -> None:
    """The next waits, as long as it likes."""
    clock = FakeClock()
    one, two = DataLock(tmp_path / "a" / "lock"), DataLock(tmp_path / "a" / "lock")
    assert one.take() and one.take()
    assert not two.take()
    assert not await two.wait(clock, 0)
    one.release()
    assert await two.wait(clock, 0)
    two.release()
    two.release()
