"""Debian's Chromium over the real stack: bus, agent, keeper, hub, and the simulated bench."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from support.browsing import Watched, person, window
from support.stack import Stack, wait_for

CONFIG = """
[node]
name = "pi"
[things.relays]
driver = "sim.relays"
title = "Relay board"
trace_file = "{trace}"
[things.supply]
driver = "sim.supply"
title = "Bench power supply"
[things.bath]
driver = "sim.bath"
title = "Water bath"
[things.valves]
driver = "sim.valves"
title = "Valves, pump and tank"
[things.sensor]
driver = "sim.sensor"
title = "Noisy sensor"
[stands.bench]
title = "Bench 1"
doc = "Bath, valves and tank."
things = ["bath", "valves"]
lease = "10m"
[stands.short]
things = ["sensor"]
lease = "100s"
"""
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """Not watched here: Chromium keeps helpers of its own; that the stack leaves nothing is seen when it ends."""


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running Pilothouse whose first readings are there."""
    with Stack(tmp_path_factory.mktemp("stack"), config=CONFIG) as running:
        wait_for(lambda: len(running.call("GET", "/api/things")[1]["things"]) == 6, "six things")
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("Chromium is not here; type: apt install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="package")
def session(stack: Stack, browser: Browser) -> dict[str, str]:
    """The cookie of anna, the administrator."""
    return person(stack, browser, "anna")


@pytest.fixture
def watched(stack: Stack, browser: Browser, session: dict[str, str]) -> Iterator[Watched]:
    """A window of 1280 x 800; the test fails when the page did something that no page may do."""
    context = window(browser, session)
    made = Watched(context.new_page(), stack.url)
    yield made
    context.close()
    assert made.wrong == []


@pytest.fixture
def bob(stack: Stack, browser: Browser) -> Iterator[Watched]:
    """Another person in another browser."""
    context = window(browser, person(stack, browser, "bob"))
    made = Watched(context.new_page(), stack.url)
    yield made
    context.close()
    assert made.wrong == []
