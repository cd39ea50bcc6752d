"""The "Never" list, held against a real Pilothouse whose processes are killed and frozen at random under load.

`./test` runs the short form. The long one, by hand: `pytest tests/system/faults --minutes 30`, and a run again with
`--seed N`, as the failed one says.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import SystemRandom

import pytest

from support.faults.run import Run, report
from support.faults.verdict import judge

SHORT = 45.0
"""Seconds of trouble in the short form."""
ONE = 90.0
"""Seconds of trouble of one run in the long form; each has a seed and a folder of its own."""


@pytest.mark.timeout(0)
def test_never_whatever_is_killed(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the list happens, for as long as was asked for."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]) + os.pathsep + os.environ.get("PYTHONPATH", ""))
    minutes = request.config.getoption("--minutes")
    seed = request.config.getoption("--seed")
    end = time.monotonic() + 60 * minutes
    number = 0
    while True:
        this = seed if seed is not None else SystemRandom().randrange(1_000_000)
        folder = tmp_path / str(number)
        folder.mkdir()
        seen = Run(folder, this, ONE if minutes else SHORT).go()
        print(report(seen, this))
        wrong = judge(seen)
        assert not wrong, f"seed {this}, folder {folder}:\n" + "\n".join(wrong[:20])
        assert any(attempt.end == "confirmed" for attempt in seen.attempts), "nothing worked at all"
        number += 1
        if seed is not None or time.monotonic() >= end:
            return
