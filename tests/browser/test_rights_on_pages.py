"""What people with less than all rights see: no control that would be refused, and plainly why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pilothouse.clock import SystemClock
from pilothouse.config.places import Places
from pilothouse.record.people import People
from support.browsing import AXE, Watched, cookie_of, person, serious_faults, value, window
from support.controls import HARMLESS, controls_of
from support.stack import Stack

SCREENSHOTS = Path(__file__).parent / "screenshots"
PAGES = {
    "overview": "/",
    "node": "/nodes/pi",
    "thing": "/things/pi/bath",
    "stand": "/stands/bench",
    "ledger": "/ledger",
    "stop": "/stop",
    "api": "/api",
}
SHELL = {"open stop", "account"}
"""Controls of the bar of everybody who has an account and sees something."""


def guest_cookie(stack: Stack, name: str) -> dict[str, str]:
    """The cookie of somebody who looks on at the stand "bench" for an hour."""

    async def work() -> str:
        people = await People.open(Places(stack.data).ledger, SystemClock())
        try:
            _, row = await people.guests.make(name, "bench", by="anna", life=3600)
            return await people.sessions.start(f"guest:{name}", "guest", guest_id=row.id)
        finally:
            await people.close()

    with ThreadPoolExecutor(1) as pool:  # Playwright's sync interface has a loop of its own here
        return cookie_of(stack, pool.submit(asyncio.run, work()).result())


@pytest.fixture(scope="module")
def cookies(stack: Stack, browser: Browser) -> dict[str, dict[str, str]]:
    """Who looks on: each with a cookie."""
    return {
        "viewer": person(stack, browser, "vera", ("viewer",)),
        "operator": person(stack, browser, "otto", ("operator@bench",)),
        "engineer": person(stack, browser, "enno", ("engineer@bench",)),
        "guest": guest_cookie(stack, "visit"),
        "nobody": person(stack, browser, "nina", ()),
    }


@pytest.fixture
def watch(stack: Stack, browser: Browser, cookies: dict[str, dict[str, str]]) -> Iterator[object]:
    """Opens a window of somebody; the test fails when a page did what none may do."""
    opened: list[Watched] = []

    def open_window(who: str, width: int = 1280) -> Watched:
        context = window(browser, cookies[who], width)
        opened.append(Watched(context.new_page(), stack.url))
        return opened[-1]

    yield open_window
    for each in opened:
        each.page.context.close()
        assert each.wrong == []


@pytest.fixture(autouse=True)
def as_before(stack: Stack) -> Iterator[None]:
    """Each test leaves a site that is not stopped and a stand that nobody holds."""
    yield
    if stack.call("GET", "/api/stop")[1]["stops"]:
        assert stack.call("POST", "/api/stop/lift", {"reason": "the test is over"})[0] == 200
    if stack.call("GET", "/api/stands/bench")[1]["holder"]:
        stack.call("POST", "/api/stands/bench/lease", {"do": "take", "force": True, "reason": "the test is over"})
        assert stack.call("POST", "/api/stands/bench/lease", {"do": "release"})[0] == 200


def controls(page: Page) -> set[str]:
    """What can be done on a page as it stands in the browser, scripts and all."""
    return controls_of(page.content()) - HARMLESS


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("who", ["viewer", "operator", "guest", "nobody"])
def test_pictures_of_all_pages(who: str, width: int, watch, stack: Stack) -> None:  # type: ignore[no-untyped-def]
    """Nothing sticks out, axe finds nothing serious, and a picture is taken; what is not there is said."""
    SCREENSHOTS.mkdir(exist_ok=True)
    watched = watch(who, width)
    watched.allowed.append("404")
    for name, path in PAGES.items():
        page = watched.open(path)
        if page.locator("live-chart").count():
            page.locator("live-chart canvas").first.wait_for()
        page.evaluate("document.fonts.ready")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.screenshot(path=SCREENSHOTS / f"rights-{who}-{name}-{width}.png", full_page=True)
        if AXE.exists() and width == 1280:
            assert serious_faults(page) == [], name


def test_a_viewer_sees_all_and_switches_nothing(watch, stack: Stack) -> None:  # type: ignore[no-untyped-def]
    """Readings are live, wishes and rules readable, and the page says once which role it takes."""
    watched = watch("viewer")
    page = watched.open("/")
    expect(page.locator(".tile")).to_have_count(5)
    assert controls(page) == SHELL
    expect(page.get_by_role("switch")).to_have_count(0)
    page = watched.open("/things/pi/relays")
    assert controls(page) == SHELL
    expect(page.get_by_text("You may look; switching takes the role operator here.")).to_have_count(1)
    assert stack.put("pi/relays.relay_2", True)[0] == 200
    expect(value(page, "pi/relays.relay_2")).to_have_text("on")
    assert stack.put("pi/relays.relay_2", False)[0] == 200
    expect(value(page, "pi/relays.relay_2")).to_have_text("off")
    page.locator("#p-relay_2").get_by_text("Rules").click()
    expect(page.locator("#p-relay_2 .rules")).to_contain_text("It goes to off when")
    expect(page.locator("#p-relay_2 live-wish")).to_contain_text("confirmed")
    page = watched.open("/stands/bench")
    assert controls(page) == SHELL
    expect(page.locator("stand-lease")).to_contain_text("Nobody holds it.")
    expect(page.locator("stand-lease")).to_contain_text("holding it takes the role operator here")


def test_a_viewer_stops_and_cannot_lift(watch, watched: Watched) -> None:  # type: ignore[no-untyped-def]
    """The banner says who can, on their page and on those of everybody else who cannot."""
    page, guest, owner = watch("viewer").open("/"), watch("guest").open("/stands/bench"), watched.open("/")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop now").click()
    expect(page.get_by_role("dialog")).to_contain_text("Node pi is safe")
    page.keyboard.press("Escape")
    for each in (page, guest):
        expect(each.locator("stop-banner")).to_contain_text("by vera")
        expect(each.locator("stop-banner")).to_contain_text("An engineer of the whole site can lift it.")
        expect(each.get_by_role("link", name="Lift")).to_have_count(0)
        assert "lift stops" not in controls(each)
    expect(page.locator("#attention")).to_contain_text("An engineer of the whole site can lift it.")
    page.reload()
    expect(page.locator("stop-banner")).to_contain_text("An engineer of the whole site can lift it.")
    page.goto(watched.url + "/stop")
    assert controls(page) == SHELL | {"press stop"}
    owner.get_by_role("link", name="Lift …").click()
    owner.get_by_role("dialog").get_by_label("Why is it safe again?").fill("all is well")
    owner.get_by_role("dialog").get_by_role("button", name="Lift").click()
    expect(page.locator("stop-banner .stopped")).to_have_count(0)


def test_an_operator_of_one_stand_works_there(watch, stack: Stack) -> None:  # type: ignore[no-untyped-def]
    """Their stand is all there is: its things, its controls, its lease; and nobody is thrown out by them."""
    watched = watch("operator")
    watched.allowed.append("404")
    page = watched.open("/")
    expect(page.locator(".tile h3")).to_have_text(["Water bath", "Valves, pump and tank"])
    expect(page.locator(".stand-card")).to_have_count(1)
    page.keyboard.press("/")
    search = page.get_by_role("combobox", name="Search")
    search.fill("relay")
    expect(page.get_by_text("Nothing of that name.")).to_be_visible()
    search.fill("bath")
    expect(page.get_by_role("option").first).to_contain_text("Water bath")
    page.keyboard.press("Escape")
    page.goto(stack.url + "/things/pi/relays")
    expect(page.locator("main")).to_contain_text("has no thing 'relays'")
    expect(page.locator("main")).not_to_contain_text("Did you mean")
    page = watched.open("/stands/bench")
    page.get_by_role("button", name="Take it").click()
    expect(page.locator("stand-lease")).to_contain_text("You hold it")
    page.get_by_role("switch", name="Valve a").click()
    expect(page.get_by_role("switch", name="Valve a")).to_have_attribute("aria-checked", "true")
    page.get_by_role("switch", name="Valve a").click()
    expect(page.get_by_role("switch", name="Valve a")).to_have_attribute("aria-checked", "false")
    page.get_by_role("button", name="Release").click()
    expect(page.locator("stand-lease")).to_contain_text("otto gave it back.")
    assert stack.call("POST", "/api/stands/bench/lease", {"do": "take"})[0] == 200
    expect(page.locator("stand-lease")).to_contain_text("owner holds it")
    expect(page.get_by_text("Ask for it …")).to_be_visible()
    expect(page.get_by_text("Take it over …")).to_have_count(0)
    other = watch("engineer").open("/stands/bench")
    expect(other.get_by_text("Take it over …")).to_be_visible()


def test_a_guest_looks_on(watch, stack: Stack) -> None:  # type: ignore[no-untyped-def]
    """At one stand, until when; no stop, no account, no version; what they see is live."""
    watched = watch("guest")
    page = watched.open("/stands/bench")
    assert controls(page) == set()
    expect(page.locator("footer")).to_contain_text("Guest at Bench 1 until 20")
    expect(page.locator("footer")).not_to_contain_text("Pilothouse 0")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.locator("#stand-things")).to_contain_text("You look on as a guest; switching takes an account.")
    assert stack.put("pi/valves.valve_a", True)[0] == 200
    expect(value(page, "pi/valves.valve_a")).to_have_text("on")
    assert stack.put("pi/valves.valve_a", False)[0] == 200
    expect(value(page, "pi/valves.valve_a")).to_have_text("off")
    page = watched.open("/stop")
    assert controls(page) == set()
    expect(page.locator("main")).to_contain_text("You look on as a guest, and cannot press it.")


def test_somebody_without_rights_is_told_whom_to_ask(watch, stack: Stack) -> None:  # type: ignore[no-untyped-def]
    """Nothing of the site is on the page, and nothing comes by the stream."""
    watched = watch("nobody", 360)
    page = watched.open("/")
    expect(page.locator("main")).to_contain_text("nobody has given you a right on this site. Ask an administrator")
    assert controls(page) == {"account"}
    expect(page.locator("nav.nav a")).to_have_count(0)
    assert stack.call("POST", "/api/stop", {"kind": "hard", "reason": "a secret"})[0] == 200
    assert stack.call("POST", "/api/stop/lift", {"reason": "over"})[0] == 200
    page.reload()
    assert "a secret" not in page.content()


def test_an_administrator_gets_to_people(watched: Watched) -> None:
    """In the navigation and by g p; others have neither."""
    page = watched.open("/")
    expect(page.locator("nav.nav")).to_contain_text("People")
    expect(page.locator("a.me")).to_have_text("anna")
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url("**/people")
    expect(page.locator("nav.nav [aria-current=page]")).to_have_text("People")


def test_letters_lead_nowhere_that_is_not_theirs(watch) -> None:  # type: ignore[no-untyped-def]
    """g p is nothing for a viewer; g l is."""
    page = watch("viewer").open("/")
    for key in "gp":
        page.keyboard.press(key)
    expect(page.locator("nav.nav [aria-current=page]")).to_have_text("Overview")
    for key in "gl":
        page.keyboard.press(key)
    page.wait_for_url("**/ledger")
