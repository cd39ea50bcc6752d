"""Coming in with a browser: the first start, log in and out, links, and one's own account."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.browsing import AXE, Watched, serious_faults, window
from support.people import PASSWORD
from support.stack import QUIET_CONFIG, Stack

SCREENSHOTS = Path(__file__).parent / "screenshots"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Pilothouse that somebody has just started for the first time."""
    with Stack(tmp_path_factory.mktemp("fresh"), config=QUIET_CONFIG) as running:
        yield running


@pytest.fixture(scope="module")
def first(fresh: Stack, browser: Browser) -> str:
    """Ada opens the printed link and is the first administrator; gives the link, which is used up."""
    link = fresh.login
    context = browser.new_context()
    page = context.new_page()
    watched = Watched(page, fresh.url)
    page.goto(f"{fresh.url}/login{link.partition('/login')[2]}")
    page.get_by_label("Your name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Make the account and log in").click()
    page.wait_for_url(f"{fresh.url}/")
    expect(page.locator("footer")).to_contain_text("Logged in as ada")
    expect(page.get_by_role("heading", name="relays").or_(page.get_by_text("Relays")).first).to_be_visible()
    assert watched.wrong == []
    context.close()
    return link


@pytest.fixture
def stranger(fresh: Stack, browser: Browser, first: str) -> Iterator[Page]:
    """A window that nobody is logged in with; one page for it, watched."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    page = context.new_page()
    watched = Watched(page, fresh.url)
    watched.allowed += ["the server responded with a status of 4"]
    yield page
    context.close()
    assert watched.wrong == []


def log_in(page: Page, name: str = "ada", password: str = PASSWORD) -> None:
    """Fill in the form that is shown."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()


def test_the_printed_link_works_once(fresh: Stack, first: str, stranger: Page) -> None:
    """A second time it says so, and what to do."""
    stranger.goto(first)
    expect(stranger.get_by_role("heading")).to_have_text("This link does not let you in")
    stranger.get_by_role("link", name="Log in with name and password").click()
    expect(stranger.get_by_label("Name")).to_be_focused()


def test_log_in_out_and_in_again(fresh: Stack, stranger: Page) -> None:
    """A wrong password is said and keeps the name; then one is where one was going."""
    stranger.goto(f"{fresh.url}/ledger?who=ada")
    log_in(stranger, password="not that one")
    expect(stranger.get_by_role("alert")).to_contain_text("do not let you in")
    expect(stranger.get_by_label("Name")).to_have_value("ada")
    expect(stranger.get_by_label("Password")).to_be_focused()
    stranger.keyboard.type(PASSWORD)
    stranger.keyboard.press("Enter")
    stranger.wait_for_url(f"{fresh.url}/ledger?who=ada")
    stranger.get_by_role("button", name="Log out").click()
    stranger.wait_for_url(f"{fresh.url}/login")
    stranger.goto(f"{fresh.url}/")
    expect(stranger.get_by_role("heading", name="Log in")).to_be_visible()
    log_in(stranger)
    stranger.wait_for_url(f"{fresh.url}/")


def test_a_token_is_shown_once_and_ended(fresh: Stack, stranger: Page) -> None:
    """With its lines to copy; a question stands before the end."""
    stranger.goto(f"{fresh.url}/login?next=/account")
    log_in(stranger)
    stranger.wait_for_url(f"{fresh.url}/account")
    stranger.get_by_label("What for").fill("greenhouse script")
    stranger.get_by_label("It may").select_option("operate")
    stranger.get_by_role("button", name="Make it").click()
    secret = stranger.locator("#token").inner_text()
    assert re.fullmatch(r"ph_[\w-]{40,}", secret)
    stranger.context.grant_permissions(["clipboard-read", "clipboard-write"])
    stranger.get_by_role("button", name="Copy the token").click()
    expect(stranger.get_by_role("button", name="Copy the token")).to_have_text("Copied")
    assert stranger.evaluate("navigator.clipboard.readText()") == secret
    answer = stranger.context.request.get(
        f"{fresh.url}/api/me", headers={"Authorization": f"Bearer {secret}", "Cookie": ""}
    )
    assert (answer.json()["who"], answer.json()["most"]) == ("ada", "operator")
    stranger.goto(f"{fresh.url}/account")
    expect(stranger.locator("main")).not_to_contain_text(secret)
    row = stranger.locator("tr", has_text="greenhouse script")
    row.get_by_text("End …").click()
    expect(row).to_contain_text("refused from now on")
    row.get_by_role("button", name="End the token", exact=True).click()
    expect(stranger.locator("main [role=status]")).to_contain_text("The token has ended")
    expect(stranger.locator("tr", has_text="greenhouse script")).to_have_count(0)


def test_a_session_is_ended_from_another_browser(fresh: Stack, browser: Browser, stranger: Page) -> None:
    """It is out at the next thing that it does; the one that ended it is not."""
    stranger.goto(f"{fresh.url}/login")
    log_in(stranger)
    stranger.wait_for_url(f"{fresh.url}/")
    other: BrowserContext = browser.new_context(user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
    try:
        page = other.new_page()
        page.goto(f"{fresh.url}/login?next=/account")
        log_in(page)
        page.wait_for_url(f"{fresh.url}/account")
        expect(page.locator("tr", has_text="this one")).to_contain_text("Firefox on Linux")
        page.get_by_role("button", name="Log out everywhere else").click()
        expect(page.locator("main [role=status]")).to_contain_text("Everywhere else you are logged out")
    finally:
        other.close()
    stranger.goto(f"{fresh.url}/account")
    expect(stranger.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_changed_password_counts_at_once(fresh: Stack, stranger: Page) -> None:
    """This browser stays in; the old one lets nobody in any more."""
    new = "four other small words"
    stranger.goto(f"{fresh.url}/login?next=/account")
    log_in(stranger)
    for current, wanted in ((PASSWORD, new), (new, PASSWORD)):
        stranger.get_by_label("Your password now").fill(current)
        stranger.get_by_label("The new one", exact=False).first.fill(wanted)
        stranger.get_by_label("The new one again").fill(wanted)
        stranger.get_by_role("button", name="Change it").click()
        expect(stranger.locator("main [role=status]")).to_contain_text("Your password is changed")


def test_a_log_in_link_waits_for_its_button(fresh: Stack, browser: Browser, stranger: Page) -> None:
    """A preview that opens it first does not use it up; and all of it works without JavaScript."""
    command = [sys.executable, "-m", "pilothouse.cli", "link", "--who", "ada", "--data", str(fresh.data)]
    link = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    path = link.partition("/login")[2]
    stranger.goto(f"{fresh.url}/login{path}")
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(f"{fresh.url}/login{path}")
        page.get_by_role("button", name="Log in as ada").click()
        page.wait_for_url(f"{fresh.url}/")
    finally:
        context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_how_it_looks(width: int, theme: str, fresh: Stack, first: str, browser: Browser) -> None:
    """Nothing sticks out, axe finds nothing serious, and pictures are taken."""
    if not AXE.exists():
        pytest.skip("axe-core is not here; type: python tools/assets.py --tests")
    context = window(browser, {"name": "none", "value": "none", "url": fresh.url}, width, theme)
    try:
        page = context.new_page()
        pages = {"login": "/login", "login-gone": "/login?token=x", "login-guest-over": "/guest?key=x"}
        for name, path in pages.items():
            page.goto(fresh.url + path)
            _look(page, f"{name}-{width}-{theme}", width)
        page.goto(f"{fresh.url}/login?next=/account")
        log_in(page, password="not that one")
        expect(page.get_by_role("alert")).to_be_visible()
        _look(page, f"login-refused-{width}-{theme}", width)
        log_in(page)
        page.wait_for_url(f"{fresh.url}/account")
        page.locator("#link-state[data-link=up]").wait_for()
        page.get_by_label("What for").fill("backup script")
        page.get_by_role("button", name="Make it").click()
        page.get_by_role("button", name="Copy the token").wait_for()
        _look(page, f"account-token-{width}-{theme}", width)
        page.goto(f"{fresh.url}/account")
        page.locator("#link-state[data-link=up]").wait_for()
        _look(page, f"account-{width}-{theme}", width)
    finally:
        context.close()


def _look(page: Page, name: str, width: int) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    assert serious_faults(page) == [], name
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
