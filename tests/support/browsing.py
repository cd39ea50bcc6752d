"""A browser window over the real stack, and the few things that its tests do."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

from playwright.sync_api import Browser, BrowserContext, Locator, Page

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
        os.kill(pid, signal.SIGCONT)
