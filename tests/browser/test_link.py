"""The link to the hub: lost within 3 s and nobody misses it; back and right by itself."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from support.browsing import Watched, control, frozen, value
from support.stack import Stack, wait_for

WATCH_LINK = """
() => {
  window.words = [];
  const live = document.getElementById('link-state');
  new MutationObserver(() => window.words.push([live.dataset.link, performance.now()]))
    .observe(live, {attributes: true, attributeFilter: ['data-link']});
  window.lastChange = performance.now();
  new MutationObserver(() => { window.lastChange = performance.now(); })
    .observe(document.querySelector("live-value[series='pi/sensor.temperature'] .v"), {childList: true, subtree: true});
}
"""


def test_a_frozen_hub_is_noticed_and_forgiven(watched: Watched, stack: Stack) -> None:
    """Banner, grey values, disabled controls; then everything right again on the same page."""
    page = watched.open("/")
    page.evaluate("document.body.dataset.mark = 'same page'")
    page.evaluate(WATCH_LINK)
    relay = page.get_by_role("switch", name="Relay 4")
    expect(relay).to_be_enabled()
    with frozen(stack, "hub"):
        banner = page.locator("link-banner .banner")
        expect(banner).to_contain_text("Link to the hub lost", timeout=6000)
        assert silence(page) <= 3000
        expect(relay).to_be_disabled()
        expect(control(page, "pi/relays.relay_4")).to_have_attribute("title", "The link to the hub is lost.")
        expect(page.locator("html")).to_have_class(re.compile("link-lost"))
        first = value(page, "pi/sensor.temperature").inner_text()
    expect(banner).to_have_count(0)
    expect(relay).to_be_enabled()
    expect(value(page, "pi/sensor.temperature")).not_to_have_text(first)
    assert page.evaluate("document.body.dataset.mark") == "same page"


def silence(page: Page) -> float:
    """Milliseconds from the last change of a value to the word that the link is lost, by the page's own clock."""
    lost = page.evaluate("() => window.words.find(([link]) => link === 'lost')[1] - window.lastChange")
    return float(lost)


def test_a_killed_hub_is_back_without_a_reload(watched: Watched, stack: Stack) -> None:
    """`up` starts it anew, the page finds it by itself, and shows what changed meanwhile."""
    watched.allowed += [
        "ERR_CONNECTION_REFUSED",
        "ERR_INCOMPLETE_CHUNKED",
        "ERR_CONNECTION_RESET",
        "ERR_EMPTY_RESPONSE",
    ]
    page = watched.open("/things/pi/relays")
    page.evaluate("document.body.dataset.mark = 'same page'")
    stack.kill("hub")
    expect(page.locator("link-banner .banner")).to_be_visible()
    wait_for(lambda: answers(stack), "the new hub")
    assert stack.put("pi/relays.relay_4", True)[0] == 200
    expect(page.locator("link-banner .banner")).to_have_count(0)
    expect(page.get_by_role("switch", name="Relay 4")).to_have_attribute("aria-checked", "true")
    assert stack.put("pi/relays.relay_4", False)[0] == 200
    expect(page.get_by_role("switch", name="Relay 4")).to_have_attribute("aria-checked", "false")
    assert page.evaluate("document.body.dataset.mark") == "same page"


def answers(stack: Stack) -> bool:
    """Whether a hub is there and has heard of the node."""
    try:
        status, found = stack.call("GET", "/api/nodes")
    except (OSError, AssertionError):
        return False
    return status == 200 and [each["life"] for each in found["nodes"]] == ["here"]


def test_tabs_share_one_stream(watched: Watched) -> None:
    """Browsers allow six connections to a host: eight tabs all stay live."""
    pages = [watched.open("/")]
    for _ in range(7):
        page = watched.page.context.new_page()
        page.goto(watched.url + "/ledger")
        pages.append(page)
    for page in pages:
        expect(page.locator("#link-state")).to_have_attribute("data-link", "up")


def test_without_a_shared_worker_it_works_too(watched: Watched) -> None:
    """Some browsers on phones have none."""
    watched.page.add_init_script("delete window.SharedWorker")
    page = watched.open("/")
    first = value(page, "pi/sensor.temperature").inner_text()
    expect(value(page, "pi/sensor.temperature")).not_to_have_text(first)


def test_an_ended_session_is_said(watched: Watched, stack: Stack) -> None:
    """Logging out elsewhere: the page says how to come back in, and does not pretend to be live."""
    watched.allowed += ["401", "ERR_INCOMPLETE_CHUNKED", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE"]
    page = watched.open("/")
    page.context.clear_cookies()
    stack.kill("hub")
    expect(page.locator("link-banner .banner")).to_contain_text("You are logged out", timeout=15_000)
    expect(page.get_by_role("switch", name="Relay 1")).to_be_disabled()
