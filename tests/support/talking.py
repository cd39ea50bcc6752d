"""A person at a real terminal: `pilothouse …` as a process whose input and output are a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import sys
from collections.abc import Mapping, Sequence
from subprocess import Popen

_LEFT_OUT = ("PILOTHOUSE_URL", "PILOTHOUSE_TOKEN_FILE", "PILOTHOUSE_CA", "PILOTHOUSE_DATA")


def talk(words: Sequence[str], answers: Sequence[tuple[str, str]], env: Mapping[str, str]) -> tuple[int, str]:
    """Type each answer once the terminal shows its prompt; gives the exit code and all that was shown."""
    main, end = pty.openpty()
    whole = {key: value for key, value in os.environ.items() if key not in _LEFT_OUT} | dict(env)
    shown = b""
    command = [sys.executable, "-m", "pilothouse.cli", *words]
    with Popen(command, stdin=end, stdout=end, stderr=end, env=whole, start_new_session=True) as process:
        os.close(end)
        try:
            for prompt, answer in answers:
                while not shown.endswith(f"{prompt} ".encode()):
                    shown += os.read(main, 1024)
                os.write(main, f"{answer}\n".encode())
                shown += b"\n"
            while True:
                shown += os.read(main, 1024)
        except OSError:  # the other end is closed
            pass
        code = process.wait()
    os.close(main)
    return code, shown.decode(errors="replace")
