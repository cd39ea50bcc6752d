"""Pages and the log-in behind them: an end, other rights, somebody else in the same browser; all noticed at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from pilothouse.clock import SystemClock
from pilothouse.config.places import Places
from pilothouse.record.people import People
from support.browsing import Watched, cookie_of, person, window
from support.people import session_at
from support.stack import Stack

AT_ONCE = 3000
"""Milliseconds within which an open page must say it."""
SAID_BY_CHROMIUM = ["401", "403", "404", "ERR_INCOMPLETE_CHUNKED"]
BANNER = "link-banner .banner"


def with_people(stack: Stack, work: Callable[[People], Awaitable[Any]]) -> None:
    """Change people as the command line does: in another process than the hub's."""

    async def run() -> None:
        people = await People.open(Places(stack.data).ledger, SystemClock())
        try:
            await work(people)
        finally:
            await people.close()

    # In a thread of its own, for Playwright's sync interface has a loop in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, run()).result()


@pytest.fixture
def carla(stack: Stack, browser: Browser) -> Iterator[Watched]:
    """Somebody whose log-in and rights the tests change, in a browser of her own."""
    context = window(browser, person(stack, browser, "carla", ["operator"]))
    made = Watched(context.new_page(), stack.url)
    made.allowed += SAID_BY_CHROMIUM
    yield made
    context.close()
    assert made.wrong == []


def enabled(page: Page) -> int:
    """How many controls can be pressed, but for the banner's own."""
    found: int = page.evaluate(
        "[...document.querySelectorAll('button, input, select, textarea')]"
        ".filter((part) => !part.disabled && !part.closest('link-banner')).length"
    )
    return found


def without_worker(watched: Watched, worker: bool) -> None:
    """Some browsers have no shared workers."""
    if not worker:
        watched.page.context.add_init_script("delete window.SharedWorker")


def mark(page: Page) -> None:
    """So that it is seen whether it is the same page still."""
    page.evaluate("document.body.dataset.mark = 'same page'")


def expect_made_anew(page: Page) -> None:
    """It has loaded itself again, and is live."""
    expect(page.locator("body")).not_to_have_attribute("data-mark", "same page", timeout=AT_ONCE)
    expect(page.locator("#link-state")).to_have_attribute("data-link", "up")


@pytest.mark.parametrize("worker", [True, False], ids=["worker", "no worker"])
def test_a_log_in_that_is_ended_from_another_browser_is_said_at_once(
    carla: Watched, stack: Stack, browser: Browser, worker: bool
) -> None:
    """On every tab: the banner with the way back in, grey values, nothing to press, and no further tries."""
    without_worker(carla, worker)
    page = carla.open("/things/pi/relays")
    other_tab = page.context.new_page()
    other_tab.goto(stack.url + "/ledger?who=carla")
    expect(other_tab.locator("#link-state")).to_have_attribute("data-link", "up")
    elsewhere = window(browser, cookie_of(stack, session_at(stack.data, "carla", ["operator"])))
    account = elsewhere.new_page()
    account.goto(stack.url + "/account")
    account.get_by_role("button", name="Log out everywhere else").click()
    expect(page.locator(BANNER)).to_contain_text("You are logged out", timeout=AT_ONCE)
    expect(page.locator("html")).to_have_class(re.compile("link-lost"))
    expect(page.locator("#link-state")).to_have_text("Logged out")
    expect(page.get_by_role("switch", name="Relay 1")).to_be_disabled()
    assert enabled(page) == 0
    expect(other_tab.locator(BANNER).get_by_role("link")).to_have_attribute(
        "href", "/login?next=%2Fledger%3Fwho%3Dcarla"
    )
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    with page.expect_event("console", predicate=lambda message: message.text == "later", timeout=10_000):
        page.evaluate("setTimeout(() => console.log('later'), 3000)")
    assert [url for url in asked if "/api/live" in url] == []
    elsewhere.close()


def test_other_rights_show_at_once(carla: Watched, stack: Stack) -> None:
    """What may be switched any more can be, what not cannot; a thing that is hidden is gone."""
    page = carla.open("/things/pi/relays")
    other_tab = page.context.new_page()
    other_tab.goto(stack.url + "/")
    expect(other_tab.locator("#link-state")).to_have_attribute("data-link", "up")
    expect(page.get_by_role("switch", name="Relay 1")).to_be_enabled()
    for each in (page, other_tab):
        mark(each)
    with_people(stack, lambda people: people.persons.set_grants("carla", ("viewer",)))
    for each in (page, other_tab):
        expect_made_anew(each)
    expect(page.get_by_role("switch", name="Relay 1")).to_have_count(0)
    mark(page)
    with_people(stack, lambda people: people.persons.set_grants("carla", ("viewer@bench",)))
    expect(page.locator("body")).not_to_have_attribute("data-mark", "same page", timeout=AT_ONCE)
    expect(page.locator("main")).not_to_contain_text("Relay 1")
    expect(other_tab.locator("main")).not_to_contain_text("Relay board")
    expect(other_tab.locator("main")).to_contain_text("Water bath")


def test_nobody_loses_what_they_are_typing(carla: Watched, stack: Stack) -> None:
    """Then a button stands in the banner; a press makes the page anew."""
    page = carla.open("/ledger")
    mark(page)
    field = page.locator("main form input[type=search], main form input[name=q]").first
    field.fill("half a wor")
    with_people(stack, lambda people: people.persons.set_grants("carla", ("viewer",)))
    expect(page.locator(BANNER)).to_contain_text("Your rights have changed", timeout=AT_ONCE)
    expect(field).to_have_value("half a wor")
    expect(page.locator("body")).to_have_attribute("data-mark", "same page")
    page.locator(BANNER).get_by_role("button").click()
    expect_made_anew(page)
    expect(page.locator(BANNER)).to_have_count(0)


@pytest.mark.parametrize("worker", [True, False], ids=["worker", "no worker"])
def test_somebody_else_in_the_same_browser(carla: Watched, stack: Stack, worker: bool) -> None:
    """The pages of the one before say so and can do nothing; those of the new one have a stream of their own."""
    without_worker(carla, worker)
    page = carla.open("/things/pi/relays")
    page.context.add_cookies([cookie_of(stack, session_at(stack.data, "dora", ["viewer@bench"]))])  # type: ignore[list-item]
    tab = page.context.new_page()
    tab.goto(stack.url + "/")
    expect(tab.locator("#link-state")).to_have_attribute("data-link", "up")
    expect(tab.locator("body")).to_have_attribute("data-who", "dora")
    names = tab.evaluate("import('/static/js/live.js').then(({live}) => [...live.store.things.keys()])")
    assert "pi/relays" not in names
    expect(page.locator(BANNER)).to_contain_text("dora is logged in in this browser now", timeout=AT_ONCE)
    assert enabled(page) == 0
    page.locator(BANNER).get_by_role("button").click()
    expect(page.locator("body")).to_have_attribute("data-who", "dora")


def test_logging_in_again_in_one_tab_brings_the_others_back(carla: Watched, stack: Stack) -> None:
    """The same person: what was ended begins again by itself."""
    page = carla.open("/things/pi/relays")
    mark(page)
    with_people(stack, lambda people: people.sessions.end_all("carla"))
    expect(page.locator(BANNER)).to_contain_text("You are logged out", timeout=AT_ONCE)
    page.context.add_cookies([cookie_of(stack, session_at(stack.data, "carla", ["operator"]))])  # type: ignore[list-item]
    tab = page.context.new_page()
    tab.goto(stack.url + "/")
    expect(tab.locator("#link-state")).to_have_attribute("data-link", "up")
    expect_made_anew(page)
    expect(page.get_by_role("switch", name="Relay 1")).to_be_enabled()


def test_a_session_that_is_gone_is_told_from_a_link_that_is_lost(carla: Watched, stack: Stack) -> None:
    """The hub was away, and with it the cookie: when it is back, the page asks once who is logged in, and ends."""
    carla.allowed += ["ERR_CONNECTION", "ERR_EMPTY_RESPONSE"]
    page = carla.open("/")
    page.context.clear_cookies()
    stack.kill("hub")
    expect(page.locator(BANNER)).to_contain_text("Link to the hub lost")
    expect(page.locator(BANNER)).to_contain_text("You are logged out", timeout=15_000)
    expect(page.locator(BANNER).get_by_role("link")).to_have_attribute("href", "/login?next=%2F")
