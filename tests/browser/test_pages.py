"""Every page, at every width, in both themes: whole, quiet on the console, nothing from elsewhere; with a picture."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browsing import AXE, Watched, serious_faults, window
from support.people import session_at
from support.stack import Stack

HERE = Path(__file__).parent
SHOWN = json.loads((HERE.parent / "fixtures" / "shown.json").read_text(encoding="utf-8"))
PAGES = {
    "overview": "/",
    "node": "/nodes/pi",
    "thing-relays": "/things/pi/relays",
    "thing-supply": "/things/pi/supply",
    "thing-host": "/things/pi/host",
    "stands": "/stands",
    "stand": "/stands/bench",
    "ledger": "/ledger",
    "stop": "/stop",
    "api": "/api",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_all_pages_at(width: int, theme: str, stack: Stack, browser: Browser, session: dict[str, str]) -> None:
    """Nothing sticks out sideways, targets are large enough for a thumb, and a picture is taken."""
    (HERE / "screenshots").mkdir(exist_ok=True)
    context = window(browser, session, width, theme)
    try:
        for name, path in PAGES.items():
            watched = Watched(context.new_page(), stack.url)
            page = watched.open(path)
            if page.locator("live-chart").count():
                page.locator("live-chart canvas").first.wait_for()
            page.evaluate("document.fonts.ready")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            if width == 360:
                assert small_targets(page) == [], name
            page.screenshot(path=HERE / "screenshots" / f"{name}-{width}-{theme}.png", full_page=width != 1920)
            assert watched.wrong == [], name
            page.close()
    finally:
        context.close()


def small_targets(page: Page) -> list[str]:
    """What a thumb could miss: buttons, switches and fields that are less than 40 px high."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('button, main select, main input:not([type=checkbox])')]
            .filter((element) => element.checkVisibility() && !element.closest('.say') && !element.matches('.as-link'))
            .filter((element) => element.getBoundingClientRect().height < 40)
            .map((element) => element.outerHTML.slice(0, 120))"""
    )
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_accessible(path: str, theme: str, stack: Stack, browser: Browser, session: dict[str, str]) -> None:
    """axe finds nothing serious."""
    if not AXE.exists():
        pytest.skip("axe-core is not here; type: python tools/assets.py --tests")
    context = window(browser, session, 1280, theme)
    try:
        page = Watched(context.new_page(), stack.url).open(path)
        assert serious_faults(page) == []
    finally:
        context.close()


def test_the_ledger_narrows_and_goes_on(watched: Watched, stack: Stack) -> None:
    """Filter by end; a command given elsewhere appears by itself."""
    stack.put("pi/supply.voltage_setpoint", 99, "too much")
    page = watched.open("/ledger")
    page.get_by_label("End").select_option("refused")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url(re.compile("end=refused"))
    rows = page.locator("table.ledger tbody tr")
    expect(rows.first).to_contain_text("refused")
    expect(page.locator("table.ledger .is-confirmed")).to_have_count(0)
    page = watched.open("/ledger")
    stack.put("pi/sensor.offset", 0.5, "from a program")
    expect(rows.first).to_contain_text("from a program")
    expect(rows.first).to_contain_text("Noisy sensor")


def test_search_goes_there(watched: Watched) -> None:
    """`/`, a few letters, Enter; Esc closes it."""
    page = watched.open("/")
    page.keyboard.press("/")
    search = page.get_by_role("combobox", name="Search")
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    expect(search).to_have_count(0)
    page.get_by_role("button", name="Search").click()
    search.fill("tank lev")
    page.keyboard.press("Enter")
    page.wait_for_url("**/things/pi/valves#p-tank_level")


def test_letters_go_to_pages(watched: Watched) -> None:
    """g l, g o; and no letter does anything while somebody types."""
    page = watched.open("/")
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/ledger")
    page.get_by_label("Who").fill("g")
    page.get_by_label("Who").press("o")
    expect(page.get_by_label("Who")).to_have_value("go")
    page.get_by_label("Who").blur()
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url(watched.url + "/")


def test_the_theme_is_kept(watched: Watched) -> None:
    """The switch changes it, and the next page has it from its first paint."""
    page = watched.open("/")
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    watched.open("/ledger")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_it_reads_without_javascript(stack: Stack, browser: Browser, session: dict[str, str]) -> None:
    """Every value, name and command is in what the server sent."""
    context = browser.new_context(java_script_enabled=False)
    try:
        context.add_cookies([session])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(stack.url + "/things/pi/bath")
        expect(page.locator("live-value[series='pi/bath.temperature'] .v")).to_have_text(re.compile(r"\d"))
        expect(page.get_by_role("switch", name="Heater")).to_be_disabled()
        expect(page.get_by_text("Without JavaScript")).to_be_visible()
    finally:
        context.close()


def test_who_is_not_logged_in_is_told_how(stack: Stack, browser: Browser) -> None:
    """They are led to the log-in, and back to where they wanted to go; it looks like a page, and loads nothing."""
    session_at(stack.data, "berta", password=True)  # somebody who can log in by one
    context = browser.new_context()
    try:
        watched = Watched(context.new_page(), stack.url)
        answer = watched.page.goto(stack.url + "/ledger?who=bob")
        assert answer is not None
        assert answer.status == 200
        assert watched.page.url == stack.url + "/login?next=%2Fledger%3Fwho%3Dbob"
        expect(watched.page.get_by_label("Password")).to_be_visible()
        assert watched.page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") != "none"
        (HERE / "screenshots").mkdir(exist_ok=True)
        watched.page.screenshot(path=HERE / "screenshots" / "locked-1280-light.png")
        assert [each for each in watched.wrong if "favicon" not in each] == []
    finally:
        context.close()


def test_what_is_not_there_is_said_with_the_nearest(watched: Watched) -> None:
    """404 as a page of the site."""
    watched.allowed.append("404")
    page = watched.open("/nodes/pii")
    expect(page.get_by_role("heading", name="Not there")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Did you mean pi?")


def test_the_browser_formats_as_the_server_does(watched: Watched) -> None:
    """One table for both."""
    page = watched.open("/ledger")
    found = page.evaluate(
        """async (table) => {
            const { shown } = await import('/static/js/format.js');
            return table.map(({value, ...rules}) => shown(value, rules));
        }""",
        SHOWN,
    )
    assert found == [row["shown"] for row in SHOWN]


def test_the_first_page_is_light(stack: Stack, browser: Browser, session: dict[str, str]) -> None:
    """At most 150 kB over the wire without charts, also on a browser that has nothing yet."""
    context = window(browser, session)
    try:
        page = context.new_page()
        sizes: dict[str, int] = {}
        page.on("requestfinished", lambda request: sizes.update({request.url: request.sizes()["responseBodySize"]}))
        Watched(page, stack.url).open("/")
        page.wait_for_load_state("load")
        assert sum(size for url, size in sizes.items() if "/api/" not in url) <= 150_000, sizes
    finally:
        context.close()
