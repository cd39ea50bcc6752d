"""`pilothouse config check`: all mistakes at once, each with file, key and the nearest right one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pilothouse.cli.app import run


def test_no_file_is_the_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file the built-in demo is checked, and is good."""
    assert run(["config", "check", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        "The configuration is good: the built-in demo (node vitals and a simulated bench); "
        "5 things and the vitals of this machine\n"
    )


def test_every_mistake_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several files, several mistakes, one line each."""
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "pilothouse.toml").write_text('[hub]\nprot = 1\nport = "x"\n')
    (tmp_path / "conf.d" / "a.toml").write_text("[things.fan]\ndrivr = 1\n")
    assert run(["config", "check", "--data", str(tmp_path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert any("pilothouse.toml: hub.prot: " in line and "'port'" in line for line in lines)
    assert any(line.startswith("conf.d/a.toml: things.fan") for line in lines)


def test_what_only_drivers_know(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A driver that is not there, and a setting that it does not have."""
    path = tmp_path / "my.toml"
    path.write_text('[things.a]\ndriver = "sim.relay"\n[things.b]\ndriver = "sim.sensor"\nnois = 1\n')
    assert run(["config", "check", "--config", str(path), "--data", str(tmp_path), "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert len(told["mistakes"]) == 2
    assert "sim.relays" in told["mistakes"][0]
    assert "'noise'" in told["mistakes"][1]


def test_what_cannot_be_checked_here_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A condition on another node is no mistake, and nobody should think it was proven."""
    (tmp_path / "pilothouse.toml").write_text(
        '[node]\nname = "pi"\n[things.a]\ndriver = "sim.relays"\n'
        'interlocks.relay_1 = "requires shed/tank.level > 5"\n[stands.wet]\nthings = ["shed/tank"]\n'
    )
    assert run(["config", "check", "--data", str(tmp_path)]) == 0
    good, *notes = capsys.readouterr().out.splitlines()
    assert good.startswith("The configuration is good")
    assert notes == [
        "not checked here: things.a.interlocks.relay_1: shed/tank.level is on another node",
        "not checked here: stands.wet.things: shed/tank is on another node",
    ]
    assert run(["config", "check", "--data", str(tmp_path), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["notes"]) == 2


def test_a_wrong_condition_names_its_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the nearest right word."""
    (tmp_path / "pilothouse.toml").write_text(
        '[things.a]\ndriver = "sim.relays"\ninterlocks.relay_1 = "requires relay_2 = true"\n'
    )
    assert run(["config", "check", "--data", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "things.a.interlocks.relay_1: column 18: '=' has no meaning in a condition. Did you mean '=='?\n"
    )


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one sentence."""
    assert run(["config", "check", "--config", str(tmp_path / "no.toml")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[a", b"a = " + b"[" * 5000, b"\0"])
def test_garbage_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    """What is no TOML is said so, by file."""
    (tmp_path / "pilothouse.toml").write_bytes(content)
    assert run(["config", "check", "--data", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("pilothouse.toml: is not ")
    assert err.count("\n") == 1
