"""A terminal at a machine whose hub follows a script: runs `pilothouse …` in this process."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pilothouse.cli.app import run

Say = Callable[..., tuple[int, str, str]]
"""Takes words; gives exit code, standard output, standard error."""


def terminal(url: str, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs words on the machine with this data folder, whose hub listens at `url`; "" = none ever ran."""
    for name in ("PILOTHOUSE_URL", "PILOTHOUSE_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(data / "config"))
    (data / "run").mkdir()
    if url:
        (data / "run" / "hub.json").write_text(json.dumps({"url": url, "pid": 1}))
    (data / "token").write_text("secret\n")

    def run_with(*words: str) -> tuple[int, str, str]:
        code = run([*words, "--data", str(data)])
        return code, *capsys.readouterr()

    return run_with


class Keyboard(io.StringIO):
    """Standard input of somebody who sits there and types this."""

    def isatty(self) -> bool:
        """It is a terminal."""
        return True
