"""Where a log-in may lead to."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.hub.own_paths import own_path

EVIL = st.text(alphabet=st.sampled_from("/\\.?#@:%\t\n\r\0 aeh\u2028\uff0f"), max_size=40)


@pytest.mark.parametrize(
    "path", ["/", "/stands/bench", "/ledger?who=ada&end=failed#top", "/things/pi/a%2Fb", "/?u=//x"]
)
def test_own_paths_are_kept(path: str) -> None:
    """With their question and their place."""
    assert own_path(path) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stands",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        " /stands",
        "/stands\r\nSet-Cookie: x=y",
        "/a//b",
        "/é",
        "/login",
        "/login?token=x",
        "/logout",
        "/" + "a" * 500,
    ],
)
def test_anything_else_leads_to_the_overview(text: str) -> None:
    """Other sites, other schemes, headers, and round and round."""
    assert own_path(text) == "/"


@given(EVIL | st.text(max_size=30))
def test_nothing_leads_to_another_site(text: str) -> None:
    """However a browser reads it."""
    found = own_path(text)
    # Browsers leave tabs and line ends out, and take a backslash for a slash.
    read = "".join(sign for sign in found if sign not in "\t\r\n").replace("\\", "/")
    assert urlsplit(urljoin("http://hub.example/login", read)).netloc == "hub.example"
    assert found.isascii()
    assert found.isprintable()
