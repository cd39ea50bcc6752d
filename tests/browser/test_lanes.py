"""Lanes on a node's page: what runs, what waits, and taking back what waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, expect

from support.browsing import Watched, person, window
from support.stack import Stack, wait_for

HERE = Path(__file__).parent
CONFIG = """
[node]
name = "pi"
[things.slow]
driver = "support.slow:Slow"
title = "Slow device"
done = "{done}"
[things.supply]
driver = "sim.supply"
title = "Bench power supply"
"""


class Site(NamedTuple):
    """A running Pilothouse with a slow device."""

    stack: Stack
    done: Path
    """Its being there ends the device's work."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of its own, whose agent finds the slow device."""
    folder = tmp_path_factory.mktemp("lanes")
    done = folder / "done"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(HERE.parent))
        with Stack(folder, config=CONFIG.replace("{done}", str(done))) as running:
            wait_for(lambda: len(running.call("GET", "/api/things")[1]["things"]) == 3, "three things")
            yield Site(running, done)


@pytest.fixture(scope="module")
def ann(site: Site, browser: Browser) -> dict[str, str]:
    """Somebody."""
    return person(site.stack, browser, "ann")


@pytest.fixture
def seen(site: Site, browser: Browser, ann: dict[str, str]) -> Iterator[Watched]:
    """Ann's window; the test fails when the page did something that no page may do."""
    context = window(browser, ann)
    made = Watched(context.new_page(), site.stack.url)
    yield made
    context.close()
    assert made.wrong == []


def in_thread(stack: Stack, answers: list[tuple[int, Any]], method: str, path: str, body: Any) -> threading.Thread:
    """A call that takes its time."""
    started = threading.Thread(target=lambda: answers.append(stack.call(method, path, body)))
    started.start()
    return started


def test_what_waits_is_shown_and_taken_back(seen: Watched, site: Site) -> None:
    """What runs, what waits and who asked; taken back it is never done. When all is over, one quiet line."""
    stack, answers = site.stack, list[tuple[int, Any]]()
    page = seen.open("/nodes/pi")
    expect(page.locator("#lanes")).to_contain_text("All lanes are idle")
    work = in_thread(stack, answers, "POST", "/api/things/pi/slow/actions/work", {"input": {}, "ttl": 60})
    try:
        lane = page.locator("#lanes .lane", has_text="Slow device")
        expect(lane.locator("li").first).to_contain_text("runs")
        body = {"value": 2.0, "ttl": 60}
        write = in_thread(stack, answers, "PUT", "/api/things/pi/slow/properties/level", body)
        waits = lane.locator("li:has(button)")
        expect(waits).to_contain_text("owner")
        (HERE / "screenshots").mkdir(exist_ok=True)
        page.locator("section", has=page.locator("lane-view")).last.screenshot(path=HERE / "screenshots" / "lanes.png")
        waits.get_by_role("button", name="Take back").click()
        expect(page.locator("lane-view > .say")).to_contain_text("was taken back; the device was not asked.")
        write.join(15)
        status, said = answers[0]
        assert (status, said["end"], said["why"]) == (409, "refused", "cancelled")
        expect(waits).to_have_count(0)
    finally:
        site.done.touch()
        work.join(15)
    expect(page.locator("#lanes")).to_contain_text("All lanes are idle")


def test_a_driver_that_hangs_heads_the_lanes(seen: Watched, site: Site) -> None:
    """Said with since when, and gone when it answers again."""
    page = seen.open("/nodes/pi")
    hang = {"input": {"kind": "hang", "seconds": 5}}
    assert site.stack.call("POST", "/api/things/pi/supply/actions/fail", hang)[0] == 200
    expect(page.locator("#lanes .lane.is-hung")).to_contain_text(
        "Hung: the device should have answered", timeout=15_000
    )
    expect(page.locator("#lanes")).to_contain_text("All lanes are idle", timeout=30_000)


def test_too_late_is_said(seen: Watched, site: Site) -> None:
    """A command that is over already cannot be taken back, and the page does not pretend."""
    seen.allowed.append("409")
    wait_for(lambda: site.stack.put("pi/supply.current_limit", 1.0)[0] == 200, "the supply to answer")
    done = site.stack.call("GET", "/api/ledger?thing=supply&limit=1")[1]["lines"][0]["id"]
    page = seen.open("/nodes/pi")
    page.evaluate(
        """(id) => {
            const button = document.createElement('button');
            Object.assign(button.dataset, {cancel: id, what: 'Writing current_limit'});
            button.textContent = 'Take back';
            document.querySelector('lane-view').append(button);
        }""",
        done,
    )
    page.get_by_role("button", name="Take back").click()
    expect(page.locator("lane-view > .say")).to_contain_text("Writing current_limit was not taken back:")
