"""What was changed in the configuration stands in the ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pilothouse.config.site import BusConfig, Config, HubConfig, StandConfig, ThingConfig
from pilothouse.hub.config_audit import change_of, flattened, note_config
from pilothouse.record.ledger import Ledger
from pilothouse.record.rows import Line, Wanted
from pilothouse.testing import FakeClock

TEXTS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=60)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    """A ledger of its own."""
    opened = await Ledger.open(tmp_path / "main.db", FakeClock())
    yield opened
    await opened.close()


def site(ledger: Ledger, config: Config) -> Any:
    """As much of a site as is looked at."""
    return SimpleNamespace(clock=FakeClock(), config=config, ledger=ledger, node="pi")


async def lines(ledger: Ledger) -> list[Line]:
    """What the ledger says of it."""
    return (await ledger.page(Wanted(kind="people"))).lines


def test_only_what_somebody_set_is_compared() -> None:
    """So that a new version with new keys changes nothing."""
    assert dict(flattened(Config())) == {}
    config = Config(
        hub=HubConfig(port=80, behind_proxy=("10.0.0.1",)),
        things={"fan": ThingConfig(driver="sim.relays", settings={"pin": 17})},
        stands={"bench": StandConfig(things=("fan",), lease="10m")},
    )
    assert dict(flattened(config)) == {
        "hub.port": "80",
        "hub.behind_proxy": '["10.0.0.1"]',
        "things.fan.driver": "sim.relays",
        "things.fan.settings.pin": "17",
        "stands.bench.things": '["fan"]',
        "stands.bench.lease": "10m",
    }


def test_what_looks_like_a_secret_is_left_out() -> None:
    """Though none belongs into the configuration: names of files do."""
    settings = {
        "password": "hunter2",
        "api_key": "k",
        "mqtt_url": "mqtt://me:hunter2@host/x",
        "password_file": "/etc/p",
    }
    config = Config(
        bus=BusConfig(url="nats://ada:hunter2@host:4222", password_file="bus.password"),
        things={"fan": ThingConfig(driver="sim.relays", settings=settings)},
    )
    found = dict(flattened(config))
    assert "hunter2" not in str(found)
    assert found["bus.url"] == "nats://…@host:4222"
    assert found["bus.password_file"] == "bus.password"
    assert found["things.fan.settings.password_file"] == "/etc/p"
    assert found["things.fan.settings.api_key"] == "…"


async def test_a_change_is_told_once(ledger: Ledger) -> None:
    """The first start has nothing to compare with; a start without a change tells nothing."""
    config = Config(hub=HubConfig(port=80))
    await note_config(site(ledger, config))
    await note_config(site(ledger, config))
    assert await lines(ledger) == []
    changed = replace(config, hub=HubConfig(port=81, insecure=True))
    await note_config(site(ledger, changed))
    await note_config(site(ledger, changed))
    (line,) = await lines(ledger)
    assert (line.name, line.thing, line.who, line.origin) == ("config.changed", "pi", "owner", "start")
    assert line.input == {"hub.port": ["80", "81"], "hub.insecure": ["", "true"]}
    assert line.detail == "hub.insecure: unset → true; hub.port: 80 → 81."
    await note_config(site(ledger, config))
    assert len(await lines(ledger)) == 2


@given(TEXTS, TEXTS)
def test_a_line_is_bounded(before: dict[str, str], after: dict[str, str]) -> None:
    """However much was changed; and nothing is told when nothing was."""
    act = change_of(before, after, "pi", 0)
    assert (act is None) == (before == after)
    if act is not None:
        assert isinstance(act.input, dict)
        assert 0 < len(act.input) <= 40
        assert len(act.detail) < 400
