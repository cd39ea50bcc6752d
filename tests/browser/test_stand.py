"""Stands: who holds one is seen by everybody, others are refused with the holder's name, it is asked for and given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from support.browsing import Watched, control
from support.stack import Stack


@pytest.fixture(autouse=True)
def released(stack: Stack) -> Iterator[None]:
    """Each test leaves stands that nobody holds."""
    yield
    for name in ("bench", "short"):
        taken = {"do": "take", "force": True, "reason": "the test is over"}
        assert stack.call("POST", f"/api/stands/{name}/lease", taken)[0] == 200
        assert stack.call("POST", f"/api/stands/{name}/lease", {"do": "release"})[0] == 200


def test_a_stand_is_taken_and_others_are_refused(watched: Watched, bob: Watched, stack: Stack) -> None:
    """Both browsers show the holder at once; what the other may not do is said before the press."""
    page, other = watched.open("/stands/bench"), bob.open("/stands/bench")
    expect(page.locator("stand-lease")).to_contain_text("Nobody holds it")
    page.get_by_role("button", name="Take it").click()
    expect(page.locator("stand-lease")).to_contain_text("You hold it")
    expect(other.locator("stand-lease")).to_contain_text("anna holds it", timeout=2000)
    expect(page.locator("stand-lease time[data-until]")).to_contain_text("9 min")
    expect(page.get_by_role("switch", name="Valve a")).to_be_enabled()
    expect(other.get_by_role("switch", name="Valve a")).to_be_disabled()
    expect(other.locator("#stand-things")).to_contain_text("held by anna")
    page.get_by_role("switch", name="Valve a").click()
    expect(page.get_by_role("switch", name="Valve a")).to_have_attribute("aria-checked", "true")
    expect(other.get_by_role("switch", name="Valve a")).to_have_attribute("aria-checked", "true")
    # And below the page: the hub's own API refuses too, with who and until when.
    status, said = other.evaluate(
        """async () => {
            const answer = await fetch('/api/things/pi/bath/properties/setpoint', {method: 'PUT',
              headers: {'Content-Type': 'application/json'}, body: JSON.stringify({value: 30})});
            return [answer.status, await answer.json()];
        }"""
    )
    bob.allowed.append("423")
    bob.wrong[:] = [each for each in bob.wrong if "423" not in each]
    assert status == 423
    assert "anna" in said["detail"]
    page.get_by_role("switch", name="Valve a").click()
    expect(page.get_by_role("switch", name="Valve a")).to_have_attribute("aria-checked", "false")
    page.get_by_role("button", name="Release").click()
    expect(other.locator("stand-lease")).to_contain_text("anna gave it back.")
    expect(other.get_by_role("switch", name="Valve a")).to_be_enabled()


def test_it_is_asked_for_and_given(watched: Watched, bob: Watched) -> None:
    """The holder is told on whatever page they are, with what it is for; the other holds it at once."""
    page, other = watched.open("/stands/bench"), bob.open("/stands/bench")
    page.get_by_role("button", name="Take it").click()
    expect(page.locator("stand-lease")).to_contain_text("You hold it")
    page = watched.open("/ledger")
    other.get_by_text("Ask for it …").click()
    other.get_by_label("What for").fill("a short test")
    other.get_by_role("button", name="Ask", exact=True).click()
    expect(other.locator("stand-lease")).to_contain_text("You have asked for it")
    note = page.locator("lease-banner .lease-note")
    expect(note).to_contain_text("bob asks for stand Bench 1: “a short test”")
    note.get_by_role("button", name="Give stand").click()
    expect(note).to_have_count(0)
    expect(other.locator("stand-lease")).to_contain_text("You hold it")
    expect(page.locator("table.ledger tbody tr").first).to_contain_text("Stand given")


def test_it_is_denied_and_taken_over_with_a_reason(watched: Watched, bob: Watched) -> None:
    """On the page of the stand; the reason is in the ledger."""
    page, other = watched.open("/stands/bench"), bob.open("/stands/bench")
    page.get_by_role("button", name="Take it").click()
    other.get_by_text("Ask for it …").click()
    other.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("button", name="Deny").click()
    expect(other.get_by_text("Ask for it …")).to_be_visible()
    other.get_by_text("Take it over …").click()
    other.get_by_label("Why").fill("owner went home")
    other.get_by_role("button", name="Take it over", exact=True).click()
    expect(page.locator("stand-lease")).to_contain_text("bob holds it")
    page = watched.open("/ledger?thing=bench")
    expect(page.locator("table.ledger")).to_contain_text("owner went home")


def test_a_lease_that_ends_soon_is_said(watched: Watched) -> None:
    """To its holder, on every page, with the button that extends it."""
    page = watched.open("/stands/short")
    page.get_by_role("button", name="Take it").click()
    page = watched.open("/")
    note = page.locator("lease-banner .lease-note")
    expect(note).to_contain_text("Your lease of stand Short ends in less than 2 minutes.")
    expect(note).to_contain_text("Its outputs go to their safe values then.")
    note.get_by_role("button", name="Extend").click()
    expect(note).to_contain_text("min")


def test_a_refusal_is_said_in_place(watched: Watched, bob: Watched) -> None:
    """Somebody takes it over while the holder gives it away: what was typed stays, and who holds it is said."""
    watched.allowed.append("423")
    page, other = watched.open("/stands/bench"), bob.open("/stands/bench")
    page.get_by_role("button", name="Take it").click()
    page.get_by_text("Give …").click()
    page.get_by_label("To whom?").fill("carol")
    other.get_by_text("Take it over …").click()
    other.get_by_label("Why").fill("no answer")
    other.get_by_role("button", name="Take it over", exact=True).click()
    expect(page.locator("stand-lease .lease")).to_contain_text("bob holds it")
    expect(page.get_by_label("To whom?")).to_have_value("carol")
    page.get_by_role("button", name="Give", exact=True).click()
    expect(page.locator("stand-lease > .say")).to_contain_text("bob")


def test_the_overview_has_stands_and_search_finds_them(watched: Watched) -> None:
    """With who holds them; g s goes to the list."""
    page = watched.open("/")
    expect(page.locator("#stands .stand-card")).to_have_count(2)
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/stands")
    expect(page.locator("nav.nav [aria-current=page]")).to_have_text("Stands")
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Search").fill("bench 1")
    expect(page.get_by_role("option").first).to_contain_text("Bench 1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/stands/bench")
    expect(control(page, "pi/valves.pump")).to_be_visible()


def test_it_is_taken_and_released_without_javascript(stack: Stack, browser: Browser, session: dict[str, str]) -> None:
    """Plain forms; a refusal comes back on the page."""
    context = browser.new_context(java_script_enabled=False)
    try:
        context.add_cookies([session])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(stack.url + "/stands/bench")
        page.get_by_role("button", name="Take it").click()
        expect(page.locator("stand-lease")).to_contain_text("You hold it")
        page.get_by_role("button", name="Release").click()
        expect(page.locator("stand-lease")).to_contain_text("Nobody holds it")
        answer = context.request.post(
            stack.url + "/stands/bench/lease", form={"do": "release"}, headers={"Origin": stack.url}
        )
        assert answer.status == 423
        assert 'class="say is-refused"' in answer.text()
    finally:
        context.close()
