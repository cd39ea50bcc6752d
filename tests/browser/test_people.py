"""People: somebody is invited and comes in, rights change under their eyes, guests look on, the matrix is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.browsing import AXE, Watched, control, serious_faults, window
from support.people import PASSWORD
from support.stack import Stack

SCREENSHOTS = Path(__file__).parent / "screenshots"
NAMES = ("ivy", "otto.o", "gus")


@pytest.fixture(autouse=True)
def nobody_else(stack: Stack, session: dict[str, str]) -> None:
    """Each test begins without those whom another invited, and without guest links."""
    for name in NAMES:
        stack.call("DELETE", f"/api/people/{name}")
    for guest in stack.call("GET", "/api/guests")[1]["guests"]:
        stack.call("DELETE", f"/api/guests/{guest['id']}")


@pytest.fixture
def stranger(browser: Browser) -> Iterator[BrowserContext]:
    """Another browser, in which nobody is logged in."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    yield context
    context.close()


def invite(page: Page, name: str, role: str, where: str) -> str:
    """Fill in the form; gives the link that the page then shows."""
    form = page.locator("form", has=page.get_by_role("button", name="Make the invitation"))
    form.get_by_label("Name", exact=False).first.fill(name)
    form.get_by_label("Role").select_option(role)
    form.get_by_label("Where").select_option(where)
    form.get_by_role("button", name="Make the invitation").click()
    return page.locator(".fresh-link pre").inner_text()


def come_in(context: BrowserContext, stack: Stack, url: str) -> Watched:
    """Open an invitation and choose a password."""
    watched = Watched(context.new_page(), stack.url)
    watched.page.goto(url)
    watched.page.get_by_label("New password").fill(PASSWORD)
    watched.page.get_by_label("The same again").fill(PASSWORD)
    watched.page.get_by_role("button", name="Set the password").click()
    watched.page.locator("#link-state[data-link=up]").wait_for()
    return watched


def test_somebody_is_invited_and_sees_their_stand_only(
    watched: Watched, stranger: BrowserContext, stack: Stack
) -> None:
    """From the form to the first page of theirs; the link is shown once and works once."""
    page = watched.open("/people")
    url = invite(page, "ivy", "operator", "bench")
    expect(page.get_by_role("row", name=re.compile("ivy"))).to_contain_text("invited")
    page.get_by_role("button", name="Copy the link").click()
    watched.open("/people")
    expect(page.locator(".fresh-link")).to_have_count(0)
    ivy = come_in(stranger, stack, url)
    expect(ivy.page.get_by_role("link", name="Bench 1").first).to_be_visible()
    expect(ivy.page.locator("main")).not_to_contain_text("Noisy sensor")
    expect(ivy.page.locator("nav.nav")).not_to_contain_text("People")
    ivy.open("/stands/bench")
    expect(control(ivy.page, "pi/valves.pump")).to_be_visible()
    ivy.allowed += ["403", "404"]
    ivy.page.goto(stack.url + "/things/pi/sensor")
    expect(ivy.page.get_by_role("heading", name="Not there")).to_be_visible()
    ivy.page.goto(stack.url + "/people")
    expect(ivy.page.get_by_role("heading", name="You may not do that")).to_be_visible()
    assert ivy.wrong == []
    second = stranger.new_page()
    assert (second.goto(url) or pytest.fail("no answer")).status >= 400
    watched.open("/people")
    expect(page.get_by_role("row", name=re.compile("ivy"))).to_contain_text("active")


def test_rights_change_under_their_eyes(watched: Watched, stranger: BrowserContext, stack: Stack) -> None:
    """What is chosen is told at once; what is saved holds on their open page; disabled, they are out."""
    ivy = come_in(stranger, stack, invite(watched.open("/people"), "ivy", "viewer", "bench"))
    ivy.open("/stands/bench")
    expect(ivy.page.get_by_role("switch", name="Valve a")).to_have_count(0)
    page = watched.open("/people/ivy")
    expect(page.locator("#preview")).to_have_text(re.compile("Sees stand Bench 1. Switches nothing"))
    page.get_by_label("Role 1").select_option("operator")
    expect(page.locator("#preview")).to_contain_text("Sees and switches stand Bench 1.")
    page.get_by_label("Role 2").select_option("viewer")
    expect(page.locator("#preview")).to_contain_text("Sees everything. Switches stand Bench 1.")
    expect(page.get_by_label("Role 3")).to_be_visible()
    page.get_by_role("button", name="Save the rights").click()
    expect(page.get_by_role("status").filter(has_text="The rights are changed")).to_be_visible()
    expect(page.locator(".people-lines")).to_contain_text("viewer@bench → operator@bench, viewer")
    expect(ivy.page.get_by_role("switch", name="Valve a")).to_be_enabled(timeout=15_000)
    page.get_by_text("Disable …").click()
    expect(page.locator("details.pop[open]")).to_contain_text("It ends 1 session and 0 tokens now")
    ivy.allowed += ["401", "403"]
    page.get_by_role("button", name="Disable ivy").click()
    expect(page.locator(".title")).to_contain_text("disabled")
    expect(ivy.page.locator("link-banner")).to_contain_text("You are logged out", timeout=15_000)
    page.get_by_role("button", name="Enable the account").click()
    expect(page.get_by_text("The account is enabled again")).to_be_visible()


def test_a_guest_looks_on_until_the_link_ends(watched: Watched, stranger: BrowserContext, stack: Stack) -> None:
    """One stand and nothing to switch; the question says who is out."""
    page = watched.open("/people")
    form = page.locator("form", has=page.get_by_role("button", name="Make the guest link"))
    form.get_by_label("Name of the link").fill("gus")
    form.get_by_label("Stand").select_option("bench")
    form.get_by_role("button", name="Make the guest link").click()
    url = page.locator(".fresh-link pre").inner_text()
    guest = Watched(stranger.new_page(), stack.url)
    guest.page.goto(url)
    guest.page.get_by_role("button", name="Look on as a guest").click()
    guest.page.wait_for_url("**/stands/bench")
    expect(guest.page.get_by_role("heading", name="Bench 1")).to_be_visible()
    expect(guest.page.get_by_role("switch")).to_have_count(0)
    expect(guest.page.locator("stop-button")).to_have_count(0)
    page = watched.open("/people")
    row = page.locator(".guest-list li", has_text="gus")
    expect(row).to_contain_text("1 browser looks on")
    guest.allowed += ["401", "403"]
    row.locator("summary").click()
    row.get_by_role("button", name="End the link").click()
    expect(page.get_by_text("The guest link has ended")).to_be_visible()
    expect(page.locator(".guest-list")).to_have_count(0)
    guest.page.goto(stack.url + "/stands/bench")
    expect(guest.page.get_by_role("heading", name="Bench 1")).to_have_count(0)


def test_one_is_asked_before_locking_oneself_out(watched: Watched, stack: Stack) -> None:
    """Esc and leaving change nothing; what was chosen is still there beside the question."""
    watched.allowed.append("409")
    page = watched.open("/people/anna")
    page.get_by_label("Role 1").select_option("engineer")
    page.get_by_role("button", name="Save the rights").click()
    asked = page.get_by_role("alert").filter(has_text="administrator")
    expect(asked).to_be_visible()
    expect(page.get_by_label("Role 1")).to_have_value("engineer")
    assert stack.call("GET", "/api/people/anna")[1]["rights"] == ["admin"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_matrix_is_read_on_a_phone(theme: str, stack: Stack, browser: Browser, session: dict[str, str]) -> None:
    """Each place with those who are something there, by name and word; nothing sticks out sideways."""
    stack.call("POST", "/api/people/ivy", {"rights": ["operator@bench"]})
    stack.call("POST", "/api/people/otto.o", {"rights": ["viewer@pi/sensor"]})
    stack.call("POST", "/api/guests", {"name": "gus", "stand": "bench"})
    context = window(browser, session, 360, theme)
    try:
        watched = Watched(context.new_page(), stack.url)
        page = watched.open("/people/rights")
        bench = page.get_by_role("row").filter(has=page.get_by_role("link", name="Bench 1", exact=True))
        texts = bench.locator("td:visible").all_inner_texts()
        assert any("operator" in text for text in texts)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        shown = page.evaluate(
            "[...document.querySelectorAll('.matrix td')].filter((td) => td.checkVisibility())"
            ".map((td) => getComputedStyle(td, '::before').content)"
        )
        assert '"ivy"' in shown and '"guest:gus"' in shown
        page.get_by_label("Who").fill("otto")
        page.get_by_label("Where").fill("sensor")
        page.get_by_role("button", name="Show", exact=True).click()
        page.wait_for_url(re.compile("who=otto"))
        expect(page.locator(".matrix td:visible")).to_have_text(["viewer"])
        assert watched.wrong == []
    finally:
        context.close()


def test_the_matrix_keeps_its_heads_in_view(watched: Watched, stack: Stack) -> None:
    """Scrolled both ways, the names of people and places stay."""
    for number in range(18):
        stack.call(
            "POST",
            f"/api/people/many-{number}",
            {"rights": ["viewer", f"operator@pi/{'bath' if number % 2 else 'supply'}"]},
        )
    try:
        page = watched.open("/people/rights")
        page.set_viewport_size({"width": 1280, "height": 420})
        panel = page.locator(".matrix-panel")
        panel.evaluate("(panel) => panel.scrollTo(600, 200)")
        box = panel.bounding_box()
        head = page.get_by_role("columnheader", name="Place").bounding_box()
        assert box is not None and head is not None
        assert abs(head["x"] - box["x"]) < 3 and abs(head["y"] - box["y"]) < 3
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    finally:
        for number in range(18):
            stack.call("DELETE", f"/api/people/many-{number}")


def test_it_all_works_without_javascript(stack: Stack, browser: Browser, session: dict[str, str]) -> None:
    """Inviting, looking first, saving, disabling: plain forms."""
    context = browser.new_context(java_script_enabled=False)
    try:
        context.add_cookies([session])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(stack.url + "/people")
        assert "/login?token=" in invite(page, "ivy", "viewer", "")
        page.get_by_role("link", name="ivy").click()
        page.get_by_label("Role 2").select_option("operator")
        page.get_by_label("Where 2").select_option("pi/*")
        page.get_by_role("button", name="Look first").click()
        expect(page.locator("#preview")).to_contain_text("Switches")
        page.get_by_role("button", name="One more row").click()
        expect(page.get_by_label("Role 4")).to_be_visible()
        page.get_by_role("button", name="Save the rights").click()
        expect(page.get_by_text("The rights are changed")).to_be_visible()
        page.get_by_text("Disable …").click()
        page.get_by_role("button", name="Disable ivy").click()
        expect(page.get_by_text("The account is disabled")).to_be_visible()
        page.get_by_text("Remove …").click()
        page.get_by_role("button", name="Remove ivy").click()
        expect(page.get_by_text("The account is removed")).to_be_visible()
    finally:
        context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_pages_about_people_at(width: int, theme: str, stack: Stack, browser: Browser, session: dict[str, str]) -> None:
    """Nothing sticks out sideways, axe finds nothing serious, and a picture is taken."""
    SCREENSHOTS.mkdir(exist_ok=True)
    stack.call("POST", "/api/people/ivy", {"title": "Ivy", "rights": ["viewer", "operator@bench", "viewer@attic"]})
    stack.call("POST", "/api/guests", {"name": "gus", "stand": "bench"})
    context = window(browser, session, width, theme)
    try:
        for name, path in (("people", "/people"), ("person", "/people/ivy"), ("rights", "/people/rights")):
            watched = Watched(context.new_page(), stack.url)
            page = watched.open(path)
            page.evaluate("document.fonts.ready")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            if width == 360:
                assert small_targets(page) == [], name
            if AXE.exists():
                assert serious_faults(page) == [], name
            page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{theme}.png", full_page=width != 1920)
            assert watched.wrong == [], name
            page.close()
    finally:
        context.close()


def small_targets(page: Page) -> list[str]:
    """What a thumb could miss: buttons and fields that are less than 40 px high."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('main button, main summary, main select, main input:not([type=hidden])')]
            .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 40)
            .map((element) => element.outerHTML.slice(0, 120))"""
    )
    return found
