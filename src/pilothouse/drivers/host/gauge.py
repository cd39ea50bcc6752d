"""What a gauge is: one family of vitals, that says what there is on this machine and samples it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from pilothouse.model import PropertyDescription, Value, is_name, slug

NUMBER = {"type": "number"}


class Gauge(ABC):
    """One family of vitals. Lives on one sampler's thread; `find` is called before that thread starts."""

    every = 1.0
    """Seconds between samples."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.described: dict[str, PropertyDescription] = {}
        """Properties that only this machine has, filled by `find`; the others are declared by Host."""

    @abstractmethod
    def find(self) -> Collection[str]:
        """Names of all properties that it gives on this machine; none when the machine does not tell."""

    @abstractmethod
    def sample(self, mono: int) -> Mapping[str, Value]:
        """What is known now, `mono` in milliseconds; a name that is left out is not known.

        May raise anything: nothing of this gauge is known then.
        """


class Count(NamedTuple):
    """A counter at a time."""

    mono: int
    value: float


def rate(before: Count | None, after: Count) -> float | None:
    """Units a second between two looks at a counter; None when it was set back or no time has passed."""
    if before is None or after.mono <= before.mono or after.value < before.value:
        return None
    return (after.value - before.value) * 1000 / (after.mono - before.mono)


def read_text(path: Path) -> str | None:
    """A file of the kernel's without blanks and NULs around it; None when it is not there or does not tell."""
    try:
        return path.read_text(errors="replace").strip().strip("\0").strip()
    except OSError:
        return None


def read_number(path: Path) -> float | None:
    """The same as a finite number; None when it is none."""
    text = read_text(path)
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < float("inf") else None


def property_name(prefix: str, text: str, suffix: str, taken: Collection[str]) -> str:
    """A good name that is not taken: `prefix`, what can stay of `text`, `suffix`; numbered when need be."""
    middle = slug(f"x{text}")[1:].strip("_-").replace("-", "_") or "unnamed"
    for number in range(1, 1000):
        tail = suffix if number == 1 else f"_{number}{suffix}"
        name = f"{prefix}{middle[: 63 - len(prefix) - len(tail)]}{tail}"
        if name not in taken and is_name(name):
            return name
    raise ValueError(f"no name left for {text!r}")
