"""What reaches a terminal of what a device says."""

from __future__ import annotations

import io
import sys

import pytest

from pilothouse.cli.tamed import Tamed, tamed


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        """It is."""
        return True


def test_nothing_that_a_terminal_obeys_reaches_it() -> None:
    """Escape sequences of both lengths, bells, carriage returns, and signs that turn a line around."""
    terminal = Terminal()
    print("a\x1b[31m\x1b]0;title\x07\x9b2J\rb\x08\x7f\x00\u202ec\u2066\u2028", file=Tamed(terminal))
    assert terminal.getvalue() == "a�[31m�]0;title��2J�b����c��\n"


def test_words_of_every_language_stay_as_they_are() -> None:
    """Lines, tabs, accents, scripts from right to left, pictures."""
    text = "Größe\t21.5 °C\n日本 – مرحبا שלום 😀…\n"
    terminal = Terminal()
    assert Tamed(terminal).write(text) == len(text)
    assert terminal.getvalue() == text


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_only_terminals_are_spared(stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read by a program arrives whole; afterwards the streams are those from before."""
    out, err = stream(), stream()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with tamed():
        print("\x1b")
        print("\x1b", file=sys.stderr)
        assert sys.stdout.isatty() is out.isatty()
    assert (sys.stdout, sys.stderr) == (out, err)
    shown = "�\n" if isinstance(out, Terminal) else "\x1b\n"
    assert (out.getvalue(), err.getvalue()) == (shown, shown)
