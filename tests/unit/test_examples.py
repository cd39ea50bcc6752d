"""What lies in examples/ works as it stands."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from pilothouse.agent.build import check, make_things
from pilothouse.config.load import load
from pilothouse.config.site import Config
from pilothouse.model import Thing
from pilothouse.testing import FakeClock

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder in PYTHONPATH, as its README says."""
    monkeypatch.syspath_prepend(str(EXAMPLES))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The configuration of the examples."""
    return load(tmp_path, EXAMPLES / "pilothouse.toml")[0]


def test_the_configuration_has_no_mistake(config: Config) -> None:
    """Neither in its keys nor for its drivers; conf.d is read along."""
    assert check(config) == []
    assert set(config.things) == {"host", "soil", "soil_2", "water", "relays"}


def test_its_things_can_be_made(config: Config) -> None:
    """Every thing but the one that is not enabled; nothing is opened."""
    things = make_things(config, FakeClock())
    assert set(things) == {"host", "soil", "water", "relays"}
    assert vars(things["soil"])["offset"] == -0.3


@pytest.fixture
def probe(tmp_path: Path) -> Thing:
    """The driver with a folder as the kernel makes it."""
    for name, content in (("temperature", "21437\n"), ("resolution", "12\n"), ("eeprom_cmd", "")):
        (tmp_path / name).write_text(content)
    kind: type[Thing] = importlib.import_module("my_sensor").Probe
    return kind({"folder": str(tmp_path), "offset": 0.5})


def test_the_driver_reads_and_writes(probe: Any, tmp_path: Path) -> None:
    """As the agent calls it."""
    probe.open()
    assert probe.read(["temperature", "resolution"]) == {"temperature": 21.937, "resolution": 12}
    probe.write("resolution", 9)
    assert probe.read(["resolution"]) == {"resolution": 9}
    probe.save()
    assert (tmp_path / "eeprom_cmd").read_text() == "save"
    assert probe.resource() == "w1"


def test_the_driver_says_what_is_wrong(probe: Any, tmp_path: Path) -> None:
    """A probe without power tells no false 85 °C; one that is not there names the line to look with."""
    happened: list[str] = []
    probe.bind("soil", FakeClock(), lambda name, data: happened.append(name), lambda names: None)
    (tmp_path / "temperature").write_text("85000")
    with pytest.raises(OSError, match="not measured yet"):
        probe.read(["temperature"])
    assert happened == ["restarted"]
    probe.folder = str(tmp_path / "gone")
    with pytest.raises(OSError, match="ls /sys/bus/w1/devices"):
        probe.open()
