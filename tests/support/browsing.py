"""A browser window over the real stack, and the few things that its tests do."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page

from support.people import session_at
from support.stack import Stack


class Watched:
    """A page that notes what no page may do: errors, requests to other hosts, what the policy refuses."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.wrong: list[str] = []
        self.allowed: list[str] = []
        """Pieces of messages on the console that a test expects."""
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("request", lambda request: self._request(request.url))

    def _console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(each in text for each in self.allowed):
            self.wrong.append(f"{kind}: {text}")

    def _request(self, url: str) -> None:
        if not url.startswith((self.url, "data:")):
            self.wrong.append(f"another host: {url}")

    def open(self, path: str) -> Page:
        """Go there and wait until it is live."""
        self.page.goto(self.url + path)
        self.page.locator("#link-state[data-link=up]").wait_for()
        return self.page


def window(browser: Browser, session: dict[str, str], width: int = 1280, theme: str = "light") -> BrowserContext:
    """A window of a person who is logged in."""
    context = browser.new_context(
        viewport={"width": width, "height": {360: 740, 1280: 800}.get(width, 1080)},
        color_scheme="dark" if theme == "dark" else "light",
        has_touch=width == 360,
        reduced_motion="reduce",
    )
    context.set_default_timeout(10_000)
    context.add_cookies([session])  # type: ignore[list-item]
    return context


def person(
    stack: Stack, browser: Browser, who: str, rights: Sequence[str] = ("admin",), *, password: bool = False
) -> dict[str, str]:
    """The cookie of somebody with these rights, who is logged in; `password` gives them one (support.people)."""
    return cookie_of(stack, session_at(stack.data, who, rights, password=password))


def cookie_of(stack: Stack, secret: str) -> dict[str, str]:
    """The cookie of a session."""
    return {"name": "ph_session", "value": secret, "url": stack.url}


def control(page: Page, series: str) -> Locator:
    """The control of a property."""
    return page.locator(f"property-control[series='{series}']")


def value(page: Page, series: str) -> Locator:
    """The figure or word that a property shows."""
    return page.locator(f"live-value[series='{series}'] .v").first


@contextlib.contextmanager
def frozen(stack: Stack, name: str) -> Iterator[None]:
    """A process of the stack stands still in the block, as one does on a machine that hangs."""
    pid = stack.pid(name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):  # `up` may have put another in its place by now
            os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def silent(stack: Stack) -> Iterator[None]:
    """The agent stands still, and so does `up`, which would start another in its place."""
    assert stack.process is not None
    os.kill(stack.process.pid, signal.SIGSTOP)
    try:
        with frozen(stack, "agent"):
            yield
    finally:
        os.kill(stack.process.pid, signal.SIGCONT)


AXE = Path(__file__).parent.parent / "fixtures" / "fetched" / "axe-core" / "axe.min.js"


def serious_faults(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds on a page that keeps somebody out: (rule, the elements)."""
    # Evaluated by the debugger, so the page's policy is not in the way.
    page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (each["id"], [node["html"][:150] for node in each["nodes"]])
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]
