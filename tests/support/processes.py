"""Processes of ours, started as `up` starts them, that end with a block."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def process(name: str, data: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A process of ours that ends with the block."""
    command = [sys.executable, "-m", f"pilothouse.{name}", "--data", str(data), "--parent", str(os.getpid()), *options]
    with (data / f"{name}.stderr").open("ab") as log:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"XDG_RUNTIME_DIR": str(data / "run")},
        )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()
