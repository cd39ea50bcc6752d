"""What can be done on a page, read out of its HTML: every form, and every element that a script makes a control of."""

from __future__ import annotations

from html.parser import HTMLParser

LOG_OUT = "log out"
NARROW = "narrow the ledger"
HARMLESS = frozenset({LOG_OUT, NARROW})
"""What everybody who is logged in may do."""

_QUIET = frozenset({"seek", "theme"})
"""Buttons of the bar that command nothing, by their ids."""
_FORMS = {("post", "/logout"): LOG_OUT, ("get", "/ledger"): NARROW, ("post", "/stop"): "press stop"} | {
    ("post", "/stop/lift"): "lift stops",
    ("get", "/stop"): "open stop",
}
_LINKS = {"/account": "account", "/people": "people"}


class _Reader(HTMLParser):
    """Collects what it finds in `found`; what it does not know is `strange`."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.strange: list[str] = []
        self._inside: list[str] = []
        """Elements with scripts that stand around: what is in them is theirs."""
        self._form: dict[str, str] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        given = {name: value or "" for name, value in attrs}
        if tag in ("property-control", "command-button", "confirm-for"):
            self._inside.append(tag)
            self.found.add(_of_thing(tag, given))
        elif "ranges" in given.get("class", "").split():
            self._inside.append(tag)  # choose how much of time a chart draws
        elif tag == "form":
            self._form = given
        elif tag == "input" and self._form is not None:
            self._form[f"={given.get('name')}"] = given.get("value", "")
        elif tag == "a":
            self._link(given)
        elif tag == "button":
            self._button(given)

    def handle_endtag(self, tag: str) -> None:
        """The end of one: a form is known when all of it was read."""
        if self._inside and tag == self._inside[-1]:
            self._inside.pop()
        elif tag == "form" and self._form is not None:
            form, self._form = self._form, None
            if not self._inside:
                self._note(form)

    def _note(self, form: dict[str, str]) -> None:
        action = form.get("action", "")
        if action.startswith("/stands/") and action.endswith("/lease"):
            parts = ("lease", action.split("/")[2], form["=do"], form.get("=to", ""), form.get("=force", ""))
            self.found.add(" ".join(part for part in parts if part))
            return
        known = _FORMS.get((form.get("method", "get"), action))
        if known:
            self.found.add(known)
        else:
            self.strange.append(f"form {form}")

    def _link(self, given: dict[str, str]) -> None:
        if "lift" in given.get("class", "").split():
            self.found.add("open lift")
        elif given.get("href") in _LINKS:
            self.found.add(_LINKS[given["href"]])

    def _button(self, given: dict[str, str]) -> None:
        if "data-cancel" in given:
            self.found.add(f"take back {given['data-cancel']}")
        elif self._form is None and not self._inside and given.get("id") not in _QUIET:
            self.strange.append(f"button {given}")


def _of_thing(tag: str, given: dict[str, str]) -> str:
    if tag == "property-control":
        return f"set {given['series']}"
    address = f"{given['node']}/{given['thing']}"
    return f"call {address}.{given['action']}" if tag == "command-button" else f"confirm {address}.{given['name']}"


def controls_of(html: str) -> set[str]:
    """ "set pi/relays.relay_1", "call pi/relays.fail", "lease bench take", "press stop", …; fails for unknown ones."""
    reader = _Reader(html)
    assert reader.strange == [], reader.strange
    return reader.found
