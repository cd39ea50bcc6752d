"""`pilothouse link`: a new log-in link that works once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from pilothouse.cli.app import run
from pilothouse.clock import SystemClock
from pilothouse.config.places import Places
from pilothouse.record.people import People


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A data folder with a record in it."""
    places = Places(tmp_path)

    async def make() -> None:
        await (await People.open(places.ledger, SystemClock())).close()

    asyncio.run(make())
    return places


def test_the_link_lets_one_browser_in(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    """What it prints can be redeemed, once, and stands alone on its line."""
    assert run(["link", "--data", str(places.data)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("http://127.0.0.1:8470/login?token=")
    secret = out.strip().partition("token=")[2]

    async def redeem() -> list[bool]:
        people = await People.open(places.ledger, SystemClock())
        try:
            return [await people.redeem(secret) is not None for _ in range(2)]
        finally:
            await people.close()

    assert asyncio.run(redeem()) == [True, False]


def test_the_address_is_the_hubs(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    """The running hub knows its port; the configuration knows how browsers reach it, and has the last word."""
    places.hub_status.parent.mkdir()
    places.hub_status.write_text('{"url": "http://127.0.0.1:9000/", "pid": 1}')
    assert run(["link", "--data", str(places.data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["url"].startswith("http://127.0.0.1:9000/login?token=")
    places.config.write_text('[hub]\npublic_url = "https://bench.example/"\n')
    assert run(["link", "--data", str(places.data)]) == 0
    assert capsys.readouterr().out.startswith("https://bench.example/login?token=")


@pytest.mark.parametrize("life", ["soon", "-5m", "nan", ""])
def test_a_life_that_is_none(places: Places, capsys: pytest.CaptureFixture[str], life: str) -> None:
    """Exit code 2 and an example."""
    assert run(["link", "--data", str(places.data), f"--life={life}"]) == 2
    assert "24h" in capsys.readouterr().err


def test_no_record_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong folder must not become a record by asking for a link."""
    assert run(["link", "--data", str(tmp_path / "typo")]) == 2
    assert "pilothouse up" in capsys.readouterr().err
    assert not (tmp_path / "typo").exists()
