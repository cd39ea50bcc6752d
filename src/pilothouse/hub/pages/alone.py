"""Pages that stand alone: for people who are not let in. They carry their style in themselves and need no other file,
for nothing else is given to strangers.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from litestar.response import Response

from pilothouse.hub.pages.render import HTML, environment

_POLICY = "default-src 'none'; style-src '{hash}'; base-uri 'none'; frame-ancestors 'none'; form-action {forms}"


def alone(
    template: str, status: int, *, forms: bool = False, headers: Mapping[str, str] | None = None, **shown: Any
) -> Response[bytes]:
    """A page of its own; `forms` = it has some, and they are sent to this hub."""
    html = environment().get_template(template).render(**shown)
    policy = _POLICY.format(hash=_style_hash(_style(html)), forms="'self'" if forms else "'none'")
    given = {"Content-Security-Policy": policy, "Cache-Control": "no-store", **(headers or {})}
    return Response(html.encode(), status_code=status, media_type=HTML, headers=given)


def _style(html: str) -> str:
    """What the page carries in itself; the policy allows exactly that."""
    found = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    return found.group(1) if found else ""


@lru_cache(maxsize=8)
def _style_hash(style: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
