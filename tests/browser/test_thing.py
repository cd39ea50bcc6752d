"""A thing's page: set something, see why not, see it drawn."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from support.browsing import Watched, control, value
from support.stack import Stack, wait_for


def test_a_setpoint_is_set(watched: Watched) -> None:
    """Type a number, press Enter: the wish, the confirmation and the reading are shown, each for itself."""
    page = watched.open("/things/pi/supply")
    field = page.get_by_label("New Voltage setpoint")
    field.fill("12.5")
    field.press("Enter")
    expect(control(page, "pi/supply.voltage_setpoint").locator(".say")).to_contain_text("confirmed")
    expect(value(page, "pi/supply.voltage_setpoint")).to_have_text("12.50")
    expect(page.locator("live-wish[series='pi/supply.voltage_setpoint']")).to_contain_text("confirmed")
    expect(field).to_have_value("")


def test_a_refusal_is_one_sentence_with_the_limit(watched: Watched, stack: Stack) -> None:
    """Said before anything is sent; and the agent's own refusal where the page could not know."""
    page = watched.open("/things/pi/supply")
    field = page.get_by_label("New Current limit")
    field.fill("9")
    field.press("Enter")
    say = control(page, "pi/supply.current_limit").locator(".say")
    expect(say).to_have_text("It takes from 0 to 5 A.")
    say.get_by_role("button", name="Dismiss").click()
    expect(say).to_be_empty()

    watched.allowed.append("422")
    page.evaluate("document.querySelector('property-control[series=\"pi/supply.current_limit\"] input').max = 100")
    field.fill("9")
    field.press("Enter")
    expect(say).to_contain_text("0 to 5")
    expect(say).to_have_class("say is-refused")
    last = stack.call("GET", "/api/ledger?thing=supply&limit=1")[1]["lines"][0]
    assert last["end"] == "refused"


def test_escape_forgets_and_commands_nothing(watched: Watched, stack: Stack) -> None:
    """Esc empties the field."""
    page = watched.open("/things/pi/bath")
    before = stack.call("GET", "/api/ledger")[1]["lines"]
    field = page.get_by_label("New Setpoint")
    field.fill("50")
    field.press("Escape")
    expect(field).to_have_value("")
    assert stack.call("GET", "/api/ledger")[1]["lines"] == before


def test_a_choice_is_made(watched: Watched) -> None:
    """One of a few is pressed, and shows when the device says so."""
    page = watched.open("/things/pi/sensor")
    choices = control(page, "pi/sensor.averaging").locator(".segments button, select")
    assert choices.count() >= 1
    if choices.first.evaluate("element => element.tagName") == "BUTTON":
        choices.last.click()
        expect(choices.last).to_have_attribute("aria-pressed", "true")


def test_the_chart_is_filled_and_goes_on(watched: Watched) -> None:
    """From history, then live; another range asks the record again; ticking a property draws it."""
    page = watched.open("/things/pi/sensor")
    page.locator("live-chart canvas").wait_for()
    wait_for(lambda: points(page) > 2, "points of the record")
    before = points(page)
    wait_for(lambda: points(page) > before, "live points")
    with page.expect_response("**/api/history?*from=-1440m*"):
        page.get_by_role("button", name="1 d").click()
    expect(page.get_by_role("button", name="1 d")).to_have_attribute("aria-pressed", "true")
    box = page.get_by_label("Draw Offset in the chart")
    with page.expect_response("**/api/history?*sensor.offset*"):
        box.check()
    expect(page.locator("live-chart .legend")).to_contain_text("Offset")


def points(page: Page) -> int:
    """How many points of the temperature the chart has."""
    count = "() => document.querySelector('live-chart').data.get('pi/sensor.temperature').times.length"
    return int(page.evaluate(count))


def test_an_action_is_a_form(watched: Watched) -> None:
    """What is missing is said; what is given is done; the page shows what came of it without a reload."""
    page = watched.open("/things/pi/valves")
    form = page.locator("command-button[action=fail]")
    form.get_by_role("button", name="Fail").click()
    expect(form.locator(".say")).to_have_text("Seconds that it lasts is missing.")
    form.get_by_label("Kind").select_option(label="drop")
    form.get_by_label("Seconds").fill("4")
    form.get_by_role("button", name="Fail").click()
    expect(form.locator(".say")).to_contain_text("confirmed")
    expect(page.locator("#head .notice.is-bad")).to_be_visible()
    expect(page.locator("#commands")).to_contain_text("kind drop, seconds 4")
    expect(page.locator("#head .notice.is-bad")).to_have_count(0, timeout=30_000)


def test_a_switch_of_unknown_state_asks_which(watched: Watched, stack: Stack) -> None:
    """A device that cannot be read: the switch shows neither, and never guesses what a press means."""
    page = watched.open("/things/pi/bath")
    stack.call("POST", "/api/things/pi/bath/actions/fail", {"input": {"kind": "drop", "seconds": 6}})
    heater = page.get_by_role("switch", name="Heater")
    expect(heater).to_have_attribute("data-unknown", "")
    heater.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("not known right now")
    expect(dialog.get_by_role("button", name="Turn off")).to_be_visible()
    page.keyboard.press("Escape")
    expect(heater).not_to_have_attribute("data-unknown", "", timeout=30_000)
