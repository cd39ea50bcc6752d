"""Hosts, origins, tokens and cookies: what is ours, and nothing that only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.hub.access import bearer_of, cookie_name, cookie_of, host_allowed, host_of, own_hosts, same_origin

NAMES = own_hosts("127.0.0.1", "https://lab.example.org:8443/x")


@pytest.mark.parametrize(
    "header",
    ["localhost", "localhost:8470", "LocalHost.", "127.0.0.1:8470", "[::1]:8470", "10.0.0.7", "lab.example.org",
     "lab.example.org:443", "[fe80::1]"],
)  # fmt: skip
def test_own_names_and_all_addresses_are_ours(header: str) -> None:
    """An address cannot be led elsewhere by a stranger's name server."""
    assert host_allowed(header, NAMES)


@pytest.mark.parametrize(
    "header",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "lab.example.org.evil.example", "[::",
     "[]", "a@localhost@evil.example", "127.1.evil", "0x7f.1", "127.0.0.1:8470:evil"],
)  # fmt: skip
def test_foreign_names_are_not(header: str) -> None:
    """Nor nonsense."""
    assert not host_allowed(header, NAMES)


@given(st.text(max_size=60))
def test_any_host_header_is_decided(header: str) -> None:
    """Never an exception; what is allowed is a name of ours or an address."""
    if host_allowed(header, NAMES):
        host = host_of(header)
        assert host in NAMES or host.replace(".", "").isdigit() or ":" in host


def origin(**headers: str) -> bool:
    """`same_origin` of a request to localhost:8470."""
    found = {b"host": b"localhost:8470"}
    found |= {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return same_origin(found, "https://lab.example.org")


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, False),
        ({"origin": "http://localhost:8470"}, True),
        ({"origin": "https://lab.example.org"}, True),
        ({"origin": "https://lab.example.org:443"}, True),
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"sec_fetch_site": "same-origin", "origin": "http://localhost:8470"}, True),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "cross-site", "origin": "http://localhost:8470"}, False),
        ({"sec_fetch_site": "same-origin", "origin": "http://evil.example"}, False),
        ({"origin": "http://localhost:8471"}, False),
        ({"origin": "http://localhost"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "http://localhost:8470.evil.example"}, False),
        ({"origin": "http://lab.example.org.evil.example"}, False),
        ({"origin": "file://localhost:8470"}, False),
        ({"origin": "http://[::"}, False),
        ({"origin": "http://localhost:99999999"}, False),
    ],
)
def test_only_our_own_pages_command_by_cookie(headers: dict[str, str], ours: bool) -> None:
    """Both headers must agree; silence is no consent."""
    assert origin(**headers) is ours


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_headers_are_decided(first: bytes, second: bytes) -> None:
    """Never an exception."""
    assert same_origin({b"origin": first, b"host": second}) in (True, False)
    assert isinstance(bearer_of(first), str) and isinstance(cookie_of(first, "ph_session"), str)


def test_tokens_and_cookies_are_found() -> None:
    """Among others, in any case of the scheme."""
    assert bearer_of(b"bearer abc") == "abc" and bearer_of(b"Basic abc") == "" and bearer_of(b"") == ""
    assert cookie_of(b"a=1; ph_session=xyz==; b=2", cookie_name(secure=False)) == "xyz=="
    assert cookie_of(b"xph_session=1", "ph_session") == "" and cookie_name(secure=True) == "__Host-ph_session"
