"""The overview: a stranger sees what is well, and switches something."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from support.browsing import Watched, control, silent
from support.stack import Stack, wait_for


def test_all_is_well_and_quiet(watched: Watched) -> None:
    """One sentence says that all is well, the node is alive, its things are said to be simulated."""
    page = watched.open("/")
    expect(page.locator("#attention")).to_contain_text("All well. 1 node and 6 things answer.")
    expect(page.locator(".life")).to_have_text("alive")
    expect(page.locator(".tile")).to_have_count(5)
    expect(page.locator(".tile .tag")).to_have_count(5)


def test_vitals_move_in_place(watched: Watched) -> None:
    """Values change with no action and no reload, and the sparklines are drawn."""
    page = watched.open("/")
    page.evaluate("document.body.dataset.mark = 'same page'")
    value = page.locator("live-value[series='pi/sensor.temperature'] .v")
    first = value.inner_text()
    expect(value).not_to_have_text(first)
    expect(page.locator("spark-line path.line").first).to_have_attribute("d", re.compile("^M"))
    assert page.evaluate("document.body.dataset.mark") == "same page"


def test_a_relay_is_switched_and_confirmed(watched: Watched, stack: Stack) -> None:
    """It asks, for a relay may switch mains; the switch moves when the device says so; the ledger shows it."""
    page = watched.open("/")
    relay = page.get_by_role("switch", name="Relay 1")
    expect(relay).to_have_attribute("aria-checked", "false")
    relay.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("May switch mains voltage")
    dialog.get_by_label("Why").fill("tea")
    dialog.get_by_role("button", name="Turn on").click()
    expect(relay).to_have_attribute("aria-checked", "true")
    expect(control(page, "pi/relays.relay_1").locator(".say")).to_contain_text("confirmed")
    expect(page.locator("#commands")).to_contain_text("tea")
    assert stack.traced()[-1]["value"] is True
    relay.click()  # its safe value needs no question
    expect(relay).to_have_attribute("aria-checked", "false")


def test_no_means_no(watched: Watched, stack: Stack) -> None:
    """Cancel, Esc and a click beside the question command nothing."""
    page = watched.open("/")
    before = stack.call("GET", "/api/ledger")[1]["lines"]
    for leave in ("cancel", "esc", "beside"):
        page.get_by_role("switch", name="Relay 2").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        if leave == "cancel":
            dialog.get_by_role("button", name="Cancel").click()
        elif leave == "esc":
            page.keyboard.press("Escape")
        else:
            page.mouse.click(5, 5)
        expect(dialog).to_have_count(0)
    assert stack.call("GET", "/api/ledger")[1]["lines"] == before


def test_a_device_that_fails_heads_the_page(watched: Watched, stack: Stack) -> None:
    """What needs attention comes first, with the device's words, and goes when it is mended; no reload."""
    page = watched.open("/")
    stack.call("POST", "/api/things/pi/sensor/actions/fail", {"input": {"kind": "drop", "seconds": 4}})
    attention = page.locator("#attention li.is-bad")
    expect(attention).to_contain_text("Noisy sensor")
    expect(page.locator("#health-pi-sensor .trouble")).to_be_visible()
    expect(page.locator("live-value[series='pi/sensor.temperature'] .mark")).to_contain_text("cannot be read")
    expect(page.locator("#attention")).to_contain_text("All well.", timeout=30_000)
    expect(page.locator("#health-pi-sensor .trouble")).to_have_count(0)


def test_the_node_falls_silent_and_comes_back(watched: Watched, stack: Stack) -> None:
    """A frozen agent is away within seconds: said on top, on its card, controls disabled with the reason."""
    page = watched.open("/")
    relay = page.get_by_role("switch", name="Relay 3")
    expect(relay).to_be_enabled()
    with silent(stack):
        expect(page.locator(".life")).to_contain_text("away", timeout=9000)
        expect(page.locator("#attention")).to_contain_text("Nothing was heard from it")
        expect(relay).to_be_disabled()
        expect(control(page, "pi/relays.relay_3")).to_have_attribute("title", "Node pi is away.")
    expect(page.locator(".life")).to_have_text("alive", timeout=15_000)
    expect(relay).to_be_enabled(timeout=15_000)
    wait_for(lambda: stack.put("pi/relays.relay_3", False)[0] == 200, "the agent to answer")
