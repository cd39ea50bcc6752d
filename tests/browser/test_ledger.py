"""The ledger: narrowed by a form that works without JavaScript, older and newer, and the story of one command."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, expect

from support.browsing import Watched
from support.stack import Stack

ROWS = "table.ledger tbody tr"


def test_filters_and_chips(watched: Watched, stack: Stack) -> None:
    """Who, end and text together; a chip takes one away; nothing that fits says what to do."""
    stack.put("pi/supply.voltage_setpoint", 88, "far too much")
    stack.put("pi/sensor.offset", 0.25, "calibrated against ice")
    page = watched.open("/ledger")
    page.get_by_label("Text").fill("far too")
    page.get_by_label("End").select_option("refused")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url(re.compile("q=far"))
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator(ROWS)).to_contain_text("far too much")
    page.get_by_role("link", name="Without: refused").click()
    page.wait_for_url(lambda url: "end=" not in url and "q=far" in url)
    page.get_by_label("Who").fill("nobody-of-this-name")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#lines")).to_contain_text("No command fits these filters.")
    page.locator(".chips").get_by_role("link", name="Show all").click()
    expect(page.locator(ROWS).first).to_be_visible()


def test_days_are_whole_days_here(watched: Watched, stack: Stack) -> None:
    """Today has what was done now; tomorrow has nothing; what is no day is said."""
    stack.put("pi/sensor.offset", 0.0, "today")
    page = watched.open("/ledger")
    today = page.evaluate("new Date().toLocaleDateString('sv-SE')")
    page.get_by_label("From").fill(today)
    page.locator("input[name=until]").fill(today)
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url(re.compile("since="))
    expect(page.locator(ROWS).first).to_contain_text("today")
    page = watched.open("/ledger?since=2999-01-01")
    expect(page.locator("#lines")).to_contain_text("No command fits these filters.")
    page = watched.open("/ledger?since=soon")
    expect(page.locator("main")).to_contain_text("“soon” is no day")


def test_older_and_newer(watched: Watched, stack: Stack) -> None:
    """Fifty a page; Newer leads back the way one came."""
    for number in range(60):
        assert stack.put("pi/sensor.offset", number / 100, "page through")[0] == 200
    page = watched.open("/ledger?q=page+through")
    expect(page.locator(ROWS)).to_have_count(50)
    first = page.locator(ROWS).first.locator("td.what a").get_attribute("href")
    page.get_by_role("link", name="Older").click()
    page.wait_for_url(re.compile("before="))
    expect(page.locator(ROWS)).to_have_count(10)
    page.get_by_role("link", name="Newer").click()
    page.wait_for_url(lambda url: "before=" not in url)
    assert page.locator(ROWS).first.locator("td.what a").get_attribute("href") == first


def test_the_story_of_one_command(watched: Watched, stack: Stack) -> None:
    """From the list: asked for, taken, the device, confirmed; with times, who, why, and the thing."""
    status, said = stack.put("pi/sensor.offset", 0.75, "for the story")
    assert status == 200
    page = watched.open("/ledger")
    page.locator(f"{ROWS} a[href='/ledger/{said['id']}']").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Offset")
    steps = page.locator(".steps li")
    expect(steps.first).to_contain_text("for the story")
    expect(steps.last).to_contain_text("onfirmed")
    expect(steps.nth(2).locator(".after")).not_to_be_empty()
    expect(page.locator("main")).to_contain_text("pi/sensor.offset")
    page.get_by_role("link", name="Noisy sensor").click()
    page.wait_for_url("**/things/pi/sensor")


def test_a_command_that_is_not_there(watched: Watched) -> None:
    """404 with a sentence."""
    watched.allowed.append("404")
    page = watched.open("/ledger/nothing-of-this-id")
    expect(page.locator("main")).to_contain_text("The ledger has no command")


def test_the_filters_work_without_javascript(stack: Stack, browser: Browser, session: dict[str, str]) -> None:
    """It is a form that asks by GET."""
    stack.put("pi/supply.voltage_setpoint", 77, "no script")
    context = browser.new_context(java_script_enabled=False)
    try:
        context.add_cookies([session])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(stack.url + "/ledger")
        page.get_by_label("Text").fill("no script")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.locator(ROWS)).to_have_count(1)
        expect(page.locator(ROWS)).to_contain_text("77")
    finally:
        context.close()


def test_on_a_phone_the_filters_stand_behind_a_button(stack: Stack, browser: Browser) -> None:
    """So that the list is seen first."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    try:
        token = (stack.data / "token").read_text().strip()
        context.set_extra_http_headers({"Authorization": f"Bearer {token}"})
        page = context.new_page()
        page.goto(stack.url + "/ledger")
        expect(page.get_by_label("Who")).to_be_hidden()
        page.get_by_text("Narrow the list").click()
        expect(page.get_by_label("Who")).to_be_visible()
    finally:
        context.close()
