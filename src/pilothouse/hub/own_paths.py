"""Where a log-in may lead to: paths of this hub, and nothing that a browser would take for another site. Pure."""

from __future__ import annotations

import re

LONGEST = 500
"""Characters of a path that are carried through a log-in."""
_PATH = re.compile(r"/[!-\[\]-~]*")
"""Signs that can be seen, all ASCII, and no backslash: browsers take one for a slash."""


def own_path(text: str) -> str:
    """`text`, when it is a path of this hub to go to after a log-in; else "/"."""
    if not _PATH.fullmatch(text) or len(text) > LONGEST:
        return "/"
    path = text.partition("?")[0].partition("#")[0]
    if "//" in path or path in ("/login", "/logout"):
        return "/"
    return text
