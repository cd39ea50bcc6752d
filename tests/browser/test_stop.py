"""Stop: on every page, in two quick presses or one that is held, seen by everybody at once, lifted with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browsing import AXE, Watched, control, frozen, serious_faults, silent, window
from support.stack import Stack, wait_for

SCREENSHOTS = Path(__file__).parent / "screenshots"


@pytest.fixture(autouse=True)
def lifted(stack: Stack) -> Iterator[None]:
    """Each test leaves a site that is not stopped."""
    yield
    if stack.call("GET", "/api/stop")[1]["stops"]:
        assert stack.call("POST", "/api/stop/lift", {"reason": "the test is over"})[0] == 200


def press(page: Page) -> None:
    """The button in the bar."""
    page.get_by_role("button", name="Stop", exact=True).click()


def off(stack: Stack) -> bool:
    """Whether the last that the relay board did was to open a relay."""
    return stack.traced()[-1]["value"] is False


def test_stop_is_seen_by_everybody_and_lifted_with_a_reason(watched: Watched, bob: Watched, stack: Stack) -> None:
    """Two presses; the relay is off, the other browser says so within a second, and nothing else is let through."""
    page, other = watched.open("/"), bob.open("/things/pi/relays")
    assert stack.put("pi/relays.relay_1", True)[0] == 200
    press(page)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Stop now")).to_be_focused()
    page.keyboard.press("Enter")
    expect(other.locator("stop-banner .stopped")).to_contain_text("by anna", timeout=1000)
    expect(dialog).to_contain_text("Node pi is safe")
    assert off(stack)
    expect(other.locator("stop-banner")).to_contain_text("Obeyed by pi.")
    expect(other.get_by_role("switch", name="Relay 1")).to_have_attribute("aria-checked", "false")
    expect(other.get_by_role("switch", name="Relay 2")).to_be_disabled()
    assert stack.put("pi/relays.relay_2", True)[0] == 409
    other.get_by_role("link", name="Lift …").click()
    dialog = other.get_by_role("dialog")
    dialog.get_by_role("button", name="Lift").click()
    expect(dialog).to_contain_text("Say why")
    expect(other.locator("stop-banner .stopped")).to_have_count(1)
    dialog.get_by_label("Why is it safe again?").fill("hose is mended")
    dialog.get_by_role("button", name="Lift").click()
    expect(dialog).to_have_count(0)
    expect(other.locator("stop-banner .stopped")).to_have_count(0)
    expect(page.locator("stop-banner .stopped")).to_have_count(0)
    expect(other.get_by_role("switch", name="Relay 2")).to_be_enabled()
    page.keyboard.press("Escape")
    page = watched.open("/ledger?kind=site")
    expect(page.locator("table.ledger")).to_contain_text("hose is mended")
    page = watched.open("/ledger?origin=stop")
    expect(page.locator("table.ledger tbody tr").first).to_contain_text("by itself: stop")


def test_a_press_that_is_held_stops_at_once(watched: Watched, stack: Stack) -> None:
    """No second press, no reading: a second on the button."""
    page = watched.open("/ledger")
    assert stack.put("pi/relays.relay_3", True)[0] == 200
    button = page.get_by_role("button", name="Stop", exact=True)
    button.hover()
    page.mouse.down()
    expect(page.get_by_role("dialog")).to_contain_text("Node pi is safe")
    page.mouse.up()
    expect(page.get_by_role("dialog").get_by_role("heading")).to_have_text("Stopped")
    assert off(stack)


def test_no_key_and_no_stray_click_stops(watched: Watched, stack: Stack) -> None:
    """Esc closes; a double click leaves the dialog open; Enter in the reason presses nothing; a short press is none."""
    page = watched.open("/")
    dialog = page.get_by_role("dialog")
    press(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Stop", exact=True).dblclick()
    expect(dialog).to_be_visible()
    dialog.get_by_label("Why").fill("no")
    dialog.get_by_label("Why").press("Enter")
    expect(dialog.get_by_role("button", name="Stop now")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert stack.call("GET", "/api/stop")[1]["stops"] == []


def test_stop_at_the_end_says_so(watched: Watched) -> None:
    """The second choice, with a reason that everybody reads."""
    page = watched.open("/nodes/pi")
    press(page)
    page.get_by_label("Why").fill("closing for the night")
    page.get_by_role("button", name="Let it end").click()
    banner = page.locator("stop-banner")
    expect(banner).to_contain_text("Stopped at the end")
    expect(banner).to_contain_text("“closing for the night”")
    # The same on a page that the server draws now.
    page = watched.open("/stop")
    expect(page.locator("stop-banner")).to_contain_text("“closing for the night”")


def test_stop_is_tried_though_the_link_is_lost(watched: Watched, stack: Stack) -> None:
    """It says what is not known and what helps, goes on trying, and gets through when the hub is back."""
    watched.allowed += ["ERR_", "Failed to load resource"]
    page = watched.open("/")
    with frozen(stack, "hub"):
        expect(page.locator("link-banner .banner")).to_be_visible(timeout=6000)
        press(page)
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Use the emergency stop at the bench.", timeout=8000)
    expect(dialog).to_contain_text("Node pi is safe", timeout=15_000)
    assert len(stack.call("GET", "/api/stop")[1]["stops"]) == 1


def test_a_node_that_is_away_is_named(watched: Watched, stack: Stack) -> None:
    """It does not obey yet, and everybody sees that; when it is back it does."""
    page = watched.open("/")
    with silent(stack):
        press(page)
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_contain_text("Use the emergency stop at the bench.")
        page.keyboard.press("Escape")
        expect(page.locator("stop-banner")).to_contain_text("Not yet by pi")
        expect(page.locator("#attention")).to_contain_text("Not yet obeyed by pi")
    expect(page.locator("stop-banner")).to_contain_text("Obeyed by pi.", timeout=15_000)
    wait_for(lambda: not stack.call("GET", "/api/stop")[1]["missing"], "the agent to obey")


def test_stop_and_lift_without_javascript(stack: Stack, browser: Browser, session: dict[str, str]) -> None:
    """Plain forms: what happened is said, and bad input loses nothing."""
    context = browser.new_context(java_script_enabled=False)
    try:
        context.add_cookies([session])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(stack.url + "/")
        press(page)
        page.wait_for_url(re.compile("/stop"))
        page.get_by_label("Why").fill("no script here")
        page.get_by_role("button", name="Stop now").click()
        expect(page.locator("main")).to_contain_text("Node pi is safe")
        expect(page.locator("stop-banner")).to_contain_text("“no script here”")
        page.get_by_label("Why is it safe again?").fill("mended")
        page.get_by_role("button", name="Lift the stop").click()
        expect(page.locator("main")).to_contain_text("The stop is lifted.")
        expect(page.locator("stop-banner .stopped")).to_have_count(0)
    finally:
        context.close()


def test_another_site_cannot_press_it(stack: Stack, browser: Browser, session: dict[str, str]) -> None:
    """Nothing that changes state without its origin; and opening the page commands nothing."""
    context = browser.new_context()
    try:
        context.add_cookies([session])  # type: ignore[list-item]
        answer = context.request.post(stack.url + "/stop", headers={"Origin": "http://evil.example"}, form={})
        assert answer.status == 403
        assert context.request.get(stack.url + "/stop").ok
        assert stack.call("GET", "/api/stop")[1]["stops"] == []
    finally:
        context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_people_see_while_it_holds(theme: str, stack: Stack, browser: Browser, session: dict[str, str]) -> None:
    """Banner, lease and dialogs: axe finds nothing serious, nothing sticks out on a phone, and pictures are taken."""
    if not AXE.exists():
        pytest.skip("axe-core is not here; type: python tools/assets.py --tests")
    assert stack.call("POST", "/api/stands/bench/lease", {"do": "take"})[0] == 200
    id = stack.put("pi/relays.relay_4", True, "for the picture")[1]["id"]
    assert stack.call("POST", "/api/stop", {"reason": "smoke at the bath"})[0] == 200
    context = window(browser, session, 360, theme)
    try:
        for name, path in {"stopped": "/", "stopped-stand": "/stands/bench", "story": f"/ledger/{id}"}.items():
            page = Watched(context.new_page(), stack.url).open(path)
            expect(page.locator("stop-banner .stopped")).to_be_visible()
            assert serious_faults(page) == [], name
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
            page.screenshot(path=SCREENSHOTS / f"{name}-360-{theme}.png", full_page=True)
        for name, button in {"lift-dialog": "Lift …", "stop-dialog": "Stop"}.items():
            page.locator("header.bar, stop-banner").get_by_text(button, exact=True).click()
            assert serious_faults(page) == [], name
            page.screenshot(path=SCREENSHOTS / f"{name}-360-{theme}.png")
            page.keyboard.press("Escape")
    finally:
        context.close()
        stack.call("POST", "/api/stands/bench/lease", {"do": "release"})


def test_the_button_is_large_enough_for_a_thumb(stack: Stack, browser: Browser, session: dict[str, str]) -> None:
    """On a phone it is in sight, with its word, on every page; and what runs is on top of everything when it holds."""
    context = window(browser, session, 360)
    try:
        page = Watched(context.new_page(), stack.url).open("/things/pi/relays")
        box = page.get_by_role("button", name="Stop", exact=True).bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["x"] + box["width"] <= 360
        page.mouse.wheel(0, 4000)
        expect(page.get_by_role("button", name="Stop", exact=True)).to_be_in_viewport()
        expect(control(page, "pi/relays.relay_1")).to_be_visible()
    finally:
        context.close()
