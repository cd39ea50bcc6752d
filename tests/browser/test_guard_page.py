"""Why not, before the press; confirmations; a device changed by hand; what the agent switches by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browsing import Watched, control, person, window
from support.stack import Stack, wait_for

HERE = Path(__file__).parent
AXE = HERE.parent / "fixtures" / "fetched" / "axe-core" / "axe.min.js"
WISHES = json.loads((HERE.parent / "fixtures" / "wishes.json").read_text(encoding="utf-8"))
CONFIG = """
[node]
name = "pi"
[exclusive]
valves = ["valves.valve_a", "valves.valve_b"]
[things.relays]
driver = "sim.relays"
title = "Relay board"
trace_file = "{trace}"
[things.relays.properties.relay_1]
max_on = 2.0
[things.relays.properties.relay_2]
min_off = 3600
[things.relays.properties.relay_3]
confirm = "yes"
[things.relays.properties.relay_4]
confirm = "two-person"
[things.bath]
driver = "sim.bath"
title = "Water bath"
[things.bath.interlocks]
setpoint = "requires valves.pump == true"
heater = "requires valves.pump == true"
[things.valves]
driver = "sim.valves"
title = "Valves, pump and tank"
[stands.tank]
things = ["valves"]
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running Pilothouse with rules."""
    with Stack(tmp_path_factory.mktemp("guarded"), config=CONFIG) as running:
        wait_for(lambda: len(running.call("GET", "/api/things")[1]["things"]) == 4, "four things")
        yield running


@pytest.fixture(scope="module")
def ann(guarded: Stack, browser: Browser) -> dict[str, str]:
    """Somebody."""
    return person(guarded, browser, "ann")


@pytest.fixture
def seen(guarded: Stack, browser: Browser, ann: dict[str, str]) -> Iterator[Watched]:
    """Ann's window; the test fails when the page did something that no page may do."""
    context = window(browser, ann)
    made = Watched(context.new_page(), guarded.url)
    yield made
    context.close()
    assert made.wrong == []


@pytest.fixture(autouse=True)
def safe(guarded: Stack) -> Iterator[None]:
    """Everything is off after a test."""
    yield
    for series in ("bath.heater", "valves.pump", "valves.valve_a", "valves.valve_b"):
        assert guarded.put(f"pi/{series}", False)[0] == 200
    for number in (1, 2, 3, 4):
        assert guarded.put(f"pi/relays.relay_{number}", False)[0] == 200


def test_an_interlock_disables_with_its_sentence_and_lifts_live(seen: Watched, guarded: Stack) -> None:
    """The switch cannot be pressed, and says why and what would lift it; it opens without a reload."""
    page = seen.open("/things/pi/bath")
    heater = page.get_by_role("switch", name="Heater")
    why = control(page, "pi/bath.heater").locator(".why")
    expect(heater).to_be_disabled()
    expect(why).to_contain_text("valves.pump")
    expect(heater).to_have_attribute("aria-describedby", why.get_attribute("id") or "none")
    assert guarded.put("pi/valves.pump", True)[0] == 200
    expect(heater).to_be_enabled()
    expect(why).to_be_hidden()
    assert guarded.put("pi/valves.pump", False)[0] == 200
    expect(heater).to_be_disabled()


def test_a_switch_that_is_on_can_be_turned_off_whatever_stands_against_it(seen: Watched, guarded: Stack) -> None:
    """Of two valves that exclude each other one is open: the other is barred, this one can be closed."""
    page = seen.open("/things/pi/valves")
    assert guarded.put("pi/valves.valve_a", True)[0] == 200
    one, other = (page.get_by_role("switch", name=name, exact=True) for name in ("Valve a", "Valve b"))
    expect(other).to_be_disabled()
    expect(control(page, "pi/valves.valve_b").locator(".why")).to_contain_text("valve_a")
    expect(one).to_be_enabled()
    one.click()
    expect(one).to_have_attribute("aria-checked", "false")
    expect(other).to_be_enabled()


def test_a_number_says_why_not_and_goes_to_its_safe_value(seen: Watched, guarded: Stack) -> None:
    """The form stays usable, another value than the safe one is not sent; one press goes there."""
    assert guarded.put("pi/valves.pump", True)[0] == 200
    assert guarded.put("pi/bath.setpoint", 30)[0] == 200
    page = seen.open("/things/pi/bath")
    holder = control(page, "pi/bath.setpoint")
    to_safe = holder.get_by_role("button", name="To safe value")
    expect(to_safe).to_be_enabled()
    to_safe.click()
    expect(page.locator("live-value[series='pi/bath.setpoint'] .v")).to_have_text("20.0")
    expect(to_safe).to_be_hidden()
    assert guarded.put("pi/valves.pump", False)[0] == 200
    expect(holder.locator(".why")).to_contain_text("valves.pump")
    before = guarded.call("GET", "/api/ledger?thing=bath")[1]["lines"]
    field = holder.get_by_label("New Setpoint")
    field.fill("40")
    field.press("Enter")
    expect(holder.locator(".say")).to_contain_text("only its safe value")
    assert guarded.call("GET", "/api/ledger?thing=bath")[1]["lines"] == before
    field.fill("20")
    field.press("Enter")
    expect(holder.locator(".say")).to_contain_text("confirmed")


def test_a_refusal_after_the_press_is_said_too(seen: Watched, guarded: Stack) -> None:
    """The page could not know yet: the agent's sentence with its remedy stands under the control."""
    seen.allowed.append("409")
    page = seen.open("/things/pi/bath")
    holder = control(page, "pi/bath.heater")
    heater = page.get_by_role("switch", name="Heater")
    expect(heater).to_be_disabled()
    page.evaluate(
        """() => {
            const control = document.querySelector("property-control[series='pi/bath.heater']");
            control.allow = () => {};
            control.bar = null;
            control.toggle.disabled = false;
        }"""
    )
    heater.click()
    page.get_by_role("dialog").get_by_role("button", name="Turn on").click()
    expect(holder.locator(".say.is-refused")).to_contain_text("valves.pump")
    expect(heater).to_have_attribute("aria-checked", "false")


def test_a_bar_that_ends_by_itself_counts_down(seen: Watched) -> None:
    """How long it still has to stay off."""
    page = seen.open("/things/pi/relays")
    line = control(page, "pi/relays.relay_2").locator(".why")
    expect(line.locator(".left")).to_have_text(re.compile(r"^Over in \d+ (s|min|h)\.$"))
    expect(page.get_by_role("switch", name="Relay 2")).to_be_disabled()


def test_a_stop_bars_all_but_the_way_to_safety(seen: Watched, guarded: Stack) -> None:
    """Said once above the controls; what is on can still be turned off; lifted, all opens again without a reload."""
    assert guarded.put("pi/valves.pump", True)[0] == 200
    page = seen.open("/things/pi/relays")
    relay, said = page.get_by_role("switch", name="Relay 1"), page.locator("thing-bar .why").first
    expect(relay).to_be_enabled()
    assert guarded.call("POST", "/api/stop", {"reason": "smoke"})[0] == 200
    expect(relay).to_be_disabled()
    expect(said).to_contain_text("Stop was pressed by")
    expect(said).to_contain_text("smoke")
    expect(page.get_by_role("button", name="All off")).to_be_disabled()
    page.reload()
    expect(relay).to_be_disabled()
    assert guarded.call("POST", "/api/stop/lift", {"reason": "aired"})[0] == 200
    expect(relay).to_be_enabled()
    expect(said).to_be_hidden()


def test_somebody_elses_lease_is_said_with_who_and_until_when(seen: Watched, guarded: Stack) -> None:
    """Whoever holds the stand may; the others see it before they press, and may still turn off what is on."""
    assert guarded.put("pi/valves.valve_a", True)[0] == 200
    page = seen.open("/things/pi/valves")
    pump = page.get_by_role("switch", name="Pump")
    expect(pump).to_be_enabled()
    assert guarded.call("POST", "/api/stands/tank/lease", {"do": "take"})[0] == 200
    expect(pump).to_be_disabled()
    said = page.locator("thing-bar .why").first
    expect(said).to_contain_text(re.compile(r"Stand tank is held by owner until \d\d:\d\d"))
    valve = page.get_by_role("switch", name="Valve a", exact=True)
    expect(valve).to_be_enabled()
    valve.click()
    expect(valve).to_have_attribute("aria-checked", "false")
    assert guarded.call("POST", "/api/stands/tank/lease", {"do": "release"})[0] == 200
    expect(pump).to_be_enabled()


def test_rules_are_shown_in_words(seen: Watched) -> None:
    """Closed at first, plain when opened."""
    page = seen.open("/things/pi/relays")
    row = page.locator("#p-relay_1")
    rules = row.locator("details.rules")
    expect(rules.locator("ul")).to_be_hidden()
    rules.locator("summary").click()
    expect(rules).to_contain_text("It is on for at most 2 s, then goes to off by itself.")
    expect(rules).to_contain_text("stop is pressed")


def test_max_on_turns_it_off_and_the_page_says_why(seen: Watched) -> None:
    """How long it may still be on; then it is off, and the last command tells the rule and leads to its story."""
    page = seen.open("/things/pi/relays")
    relay = page.get_by_role("switch", name="Relay 1")
    relay.click()
    page.get_by_role("dialog").get_by_role("button", name="Turn on").click()
    expect(relay).to_have_attribute("aria-checked", "true")
    expect(page.locator("live-left[series='pi/relays.relay_1']")).to_contain_text("goes to off by itself in")
    expect(relay).to_have_attribute("aria-checked", "false")
    own = page.locator("#commands li").first
    expect(own).to_contain_text("guard: ")
    expect(own).to_contain_text("by itself: on for too long")
    expect(own.locator("a.what")).to_have_attribute("href", re.compile("^/ledger/"))


def test_wish_taken_and_shown_are_one_calm_line(seen: Watched, guarded: Stack) -> None:
    """Confirmed while they agree; said plainly when somebody switches at the device itself."""
    page = seen.open("/things/pi/relays")
    line = page.locator("live-wish[series='pi/relays.relay_3']")
    relay = page.get_by_role("switch", name="Relay 3")
    relay.click()
    page.get_by_role("dialog").get_by_role("button", name="Turn on").click()
    expect(relay).to_have_attribute("aria-checked", "true")
    expect(line).to_contain_text("confirmed")
    assert guarded.call("POST", "/api/things/pi/relays/actions/all_off", {"input": {}})[0] == 200
    expect(line).to_contain_text("it shows off")
    expect(line).to_have_class("is-differs")
    page.reload()
    expect(line).to_contain_text("it shows off")


def test_a_confirmation_is_fetched_after_the_question(seen: Watched, guarded: Stack) -> None:
    """The question says what will happen, from what to what; a program that does not ask for it is refused."""
    status, said = guarded.put("pi/relays.relay_3", True)
    assert (status, said["end"]) == (428, "refused")
    page = seen.open("/things/pi/relays")
    relay = page.get_by_role("switch", name="Relay 3")
    relay.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("mains")
    expect(dialog.locator(".change")).to_contain_text("off")
    with page.expect_response("**/api/confirmations"):
        dialog.get_by_role("button", name="Turn on").click()
    expect(relay).to_have_attribute("aria-checked", "true")
    expect(control(page, "pi/relays.relay_3").locator(".say")).to_contain_text("confirmed")
    relay.click()  # its safe value needs none
    expect(relay).to_have_attribute("aria-checked", "false")


def test_two_people_confirm_together(seen: Watched, guarded: Stack, browser: Browser) -> None:
    """One gives a code for exactly this command, the other presses with it; one's own code is refused."""
    seen.allowed.append("428")
    first = seen.open("/things/pi/relays")
    own = code_for(first, "relay_4")
    press_with(first, "Relay 4", own)
    expect(control(first, "pi/relays.relay_4").locator(".say.is-refused")).to_be_visible()
    context = window(browser, person(guarded, browser, "bob"))
    try:
        other = Watched(context.new_page(), guarded.url)
        code = code_for(other.open("/things/pi/relays"), "relay_4")
        assert other.wrong == []
    finally:
        context.close()
    press_with(first, "Relay 4", code)
    expect(first.get_by_role("switch", name="Relay 4")).to_have_attribute("aria-checked", "true")
    assert guarded.traced()[-1]["value"] is True


def code_for(page: Page, name: str) -> str:
    """Confirm for somebody else."""
    second = page.locator(f"#p-{name} details.second")
    second.locator("summary").click()
    second.get_by_role("button", name="Get a code").click()
    expect(second.locator(".left")).to_have_text(re.compile(r"good for \d+ s"))
    return str(second.locator(".code").inner_text())


def press_with(page: Page, name: str, code: str) -> None:
    """Press, and give the other person's code."""
    page.get_by_role("switch", name=name).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This needs a second person.")
    dialog.get_by_label("Code of the second person").fill(code)
    dialog.get_by_role("button", name="Turn on").click()


def test_the_browser_tells_a_wish_as_the_server_does(seen: Watched) -> None:
    """One table for both."""
    page = seen.open("/ledger")
    found = page.evaluate(
        """async (table) => {
            const { told } = await import('/static/js/wishes.js');
            const times = {time: 0, wish_time: 0, accepted_time: 0, differs_since: 0};
            const none = {...times, value: null, wish: null, accepted: null};
            return table.map(({state, unit, precision, dead_band, settle, fresh}) => {
                const half = precision === null ? 0 : 0.5 * 10 ** -precision;
                const rules = {unit, precision, settle, writable: true, tolerance: Math.max(dead_band, half)};
                return told({...none, ...state}, rules, fresh, 1_000_000);
            });
        }""",
        WISHES,
    )
    assert found == [row["told"] for row in WISHES]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_it_looks_right_at(width: int, theme: str, guarded: Stack, browser: Browser, ann: dict[str, str]) -> None:
    """Nothing sticks out, axe finds nothing serious, and a picture is taken with everything opened."""
    (HERE / "screenshots").mkdir(exist_ok=True)
    context = window(browser, ann, width, theme)
    try:
        for name in ("relays", "bath"):
            watched = Watched(context.new_page(), guarded.url)
            page = watched.open(f"/things/pi/{name}")
            page.locator("live-chart canvas").first.wait_for()
            page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true; })")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.screenshot(path=HERE / "screenshots" / f"guard-{name}-{width}-{theme}.png", full_page=width != 1920)
            assert serious(page) == []
            assert watched.wrong == []
            page.close()
    finally:
        context.close()


def serious(page: Page) -> list[Any]:
    """What axe finds that keeps people out."""
    if not AXE.exists():
        pytest.skip("axe-core is not here; type: python tools/assets.py --tests")
    page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (each["id"], [node["html"][:150] for node in each["nodes"]])
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]
