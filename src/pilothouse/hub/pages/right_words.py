"""What people log in with, what tokens are for, and which browser it was, in words. Pure."""

from __future__ import annotations

import re

from pilothouse.record.people_rows import How, Scope

SCOPES: dict[Scope, str] = {
    "read": "look on",
    "operate": "look on and switch",
    "administer": "do all that its owner may",
}
"""What a token of each scope is for; never more than its owner may."""
_HOWS: dict[How, str] = {
    "password": "password",
    "link": "one-time link",
    "oidc": "identity provider",
    "proxy": "proxy",
    "guest": "guest link",
}
_CAME: dict[str, str] = {
    "password": "with your password",
    "link": "with a one-time link",
    "oidc": "through the identity provider",
    "proxy": "through the proxy before this hub",
}
_BROWSERS = (
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Safari/"),
)
"""The more particular first: most claim to be Safari as well."""
_SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("ChromeOS", r"CrOS"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("Linux", r"Linux|X11"),
)


def scope_words(scope: Scope) -> str:
    """What a token is for at most."""
    return SCOPES[scope]


def how_words(how: How) -> str:
    """What somebody logged in with."""
    return _HOWS[how]


def came_words(how: str) -> str:
    """How somebody came in, to themselves."""
    return _CAME.get(how, "")


def browser_words(agent: str) -> str:
    """ "Firefox on Linux" out of what a browser calls itself, which may be anything; "a program" for none."""
    browser, system = _found(_BROWSERS, agent), _found(_SYSTEMS, agent)
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or agent.partition("/")[0].strip()[:30] or "a program"


def _found(kinds: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for name, pattern in kinds if re.search(pattern, agent)), "")
