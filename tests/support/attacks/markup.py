"""A page as a browser would read it, and what of it could run."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import NamedTuple

_ADDRESSES = {"href", "src", "action", "formaction", "data", "poster", "xlink:href", "srcset", "ping", "background"}
_QUIET_SCRIPTS = {"application/json", "application/ld+json", "importmap"}


class Element(NamedTuple):
    """One start tag."""

    name: str
    attributes: dict[str, str]


class Page(HTMLParser):
    """`Page(text)`: its elements, its text, and its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.words = ""
        """All that is text on it."""
        self.inline: list[str] = []
        """Scripts that stand in the page itself and would run."""
        self._in = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        found = {name: value or "" for name, value in attrs}
        self.elements.append(Element(tag, found))
        self._in = tag if tag in ("script", "style") else ""
        if tag == "script" and found.get("type") in _QUIET_SCRIPTS:
            self._in = "data"

    def handle_endtag(self, tag: str) -> None:
        """The end of one."""
        self._in = ""

    def handle_data(self, data: str) -> None:
        """Text."""
        if self._in == "script" and data.strip():
            self.inline.append(data)
        elif not self._in:
            self.words += data

    def could_run(self) -> list[str]:
        """Everything that might run something, or load it from elsewhere; [] on every page of ours."""
        found = [f"a script: {text[:80]}" for text in self.inline]
        for element in self.elements:
            found += [
                f"<{element.name} {name}={value[:80]!r}>"
                for name, value in element.attributes.items()
                if _runs(element.name, name, value)
            ]
            if element.name in ("iframe", "object", "embed", "base"):
                found.append(f"<{element.name}>")
        return found


def _runs(element: str, name: str, value: str) -> bool:
    """Whether an attribute runs something, looks like something else, or leads elsewhere."""
    if name not in _ADDRESSES:
        return (name.startswith("on") and name != "on") or name in ("style", "srcdoc")
    if "-" in element and name not in ("href", "src"):
        return False  # an element of ours, whose attributes mean what we say
    address = "".join(value.split()).lower()
    own = address.startswith(("/", "#", "?", "mailto:")) and not address.startswith(("//", "/\\"))
    return bool(address) and not own
