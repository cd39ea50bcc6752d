"""A browser without a screen: follows redirects, keeps cookies, fills in the forms of pages."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2

_REDIRECTS = (301, 302, 303, 307, 308)


class Form(HTMLParser):
    """The first form of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = ""
        self.method = "get"
        self.fields: dict[str, str] = {}
        self._seen = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of the form and of what stands in it."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._seen += 1
            if self._seen == 1:
                self.action, self.method = found.get("action", ""), found.get("method", "get").lower()
        elif tag == "input" and self._seen == 1 and "name" in found:
            self.fields[found["name"]] = found.get("value", "")


class FormBrowser:
    """One browser with its cookies; `page` is where it is, `trail` all addresses that it was at."""

    def __init__(self) -> None:
        self.client = httpx2.AsyncClient(headers={"Accept": "text/html"}, timeout=20, trust_env=False, verify=False)
        self.page: httpx2.Response | None = None
        self.trail: list[str] = []

    async def close(self) -> None:
        """Close it."""
        await self.client.aclose()

    async def go(self, url: str, *, until: str = "\0") -> httpx2.Response:
        """Open a page and follow where it leads; stops before an address that holds `until`, and gives what led there.

        The address itself is the last of `trail`.
        """
        return await self._follow(self.client.build_request("GET", url), until)

    async def send(self, *, until: str = "\0", **fields: str) -> httpx2.Response:
        """Fill in the form of the page, send it, and follow."""
        assert self.page is not None
        form = Form(self.page.text)
        assert form.method == "post", self.page.text[:2000]
        unknown = fields.keys() - form.fields.keys()
        assert not unknown, f"the form has no {unknown}: {self.page.text[:2000]}"
        url = urljoin(str(self.page.url), form.action)
        return await self._follow(self.client.build_request("POST", url, data={**form.fields, **fields}), until)

    async def _follow(self, request: httpx2.Request, until: str) -> httpx2.Response:
        for _ in range(20):
            self.trail.append(str(request.url))
            self.page = await self.client.send(request)
            if self.page.status_code not in _REDIRECTS:
                return self.page
            url = urljoin(str(request.url), self.page.headers["location"])
            if until in url:
                self.trail.append(url)
                return self.page
            request = self.client.build_request("GET", url)
        raise AssertionError(f"it goes round: {self.trail[-4:]}")
