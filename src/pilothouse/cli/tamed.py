"""What a terminal obeys is taken out of what verbs print on it: words of devices and of other people stand there.

Only for a terminal. Programs that read our output get every sign as it is.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, TextIO

_OURS = "\n\t"
_TURNING = "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Signs that turn a line around, or end it."""
_OBEYED = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))} | {*_TURNING}
_TABLE = str.maketrans(dict.fromkeys(_OBEYED - {*_OURS}, "�"))


class Tamed:
    """A stream of text to a terminal. Escape sequences, bells and the like arrive as signs that can be seen."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text; gives how many of its signs there were."""
        self._stream.write(text.translate(_TABLE))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def tamed() -> Iterator[None]:
    """Standard output and standard error, as far as they are terminals, for the length of the block."""
    before = sys.stdout, sys.stderr
    try:
        sys.stdout, sys.stderr = (Tamed(each) if each.isatty() else each for each in before)
        yield
    finally:
        sys.stdout, sys.stderr = before
