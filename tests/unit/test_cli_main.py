"""`main`: verbs that become another process do so before the command line is imported."""

from __future__ import annotations

import os
import sys

import pytest

from pilothouse import cli
from pilothouse.cli import PROCESSES, main
from pilothouse.cli.app import VERBS


class Became(BaseException):
    """What `exec` was called with; nothing after it runs."""


@pytest.fixture(autouse=True)
def no_exec(monkeypatch: pytest.MonkeyPatch) -> None:
    """This test goes on after `exec`."""

    def become(program: str, words: list[str]) -> None:
        raise Became(program, words)

    monkeypatch.setattr(os, "execv", become)


@pytest.mark.parametrize("verb", PROCESSES)
def test_a_process_gets_its_options_as_they_are(verb: str) -> None:
    """Same program, same options, same process number: what systemd watches stays the same."""
    with pytest.raises(Became) as caught:
        main([verb, "--data", "a b", "--anything"])
    assert caught.value.args == (
        sys.executable,
        [sys.executable, "-m", f"pilothouse.{verb}", "--data", "a b", "--anything"],
    )


@pytest.mark.parametrize("verb", PROCESSES)
def test_help_of_a_process_has_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Help comes from the command line, with an example, and starts nothing."""
    assert main([verb, "--help"]) == 0
    assert f"pilothouse {verb} --data" in capsys.readouterr().out


def test_the_list_of_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    """No verb is as good as --help; every verb has its line."""
    assert main([]) == 0
    out = capsys.readouterr().out
    for verb in (verb for group in VERBS.values() for verb in group):
        assert f"  {verb}: " in out


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """One line."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip()


def test_it_reads_the_words_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without words of a test it takes those of the process."""
    monkeypatch.setattr(sys, "argv", ["pilothouse", "keeper"])
    with pytest.raises(Became):
        cli.main()


@pytest.mark.parametrize("verb", PROCESSES)
def test_options_before_the_verb_are_a_mistake(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The verb comes first; what is meant is not guessed."""
    assert main(["--data", "x", verb]) == 2
    assert capsys.readouterr().err.startswith("pilothouse: ")
