"""Whose word about browsers is believed, and how far."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.config.edge import parse_networks, within
from pilothouse.config.site import ProxyLoginConfig
from pilothouse.hub.problems import WebError
from pilothouse.hub.proxy import Client, ProxyUser, client_of, proxy_user

TRUSTED = parse_networks(["10.0.0.0/24", "127.0.0.1", "fd00::1"])
LOGIN = ProxyLoginConfig(user_header="X-Remote-User", groups_header="X-Remote-Groups")


def chain(*values: str, proto: str = "") -> list[tuple[bytes, bytes]]:
    """Headers as they come."""
    found = [(b"host", b"lab"), *((b"x-forwarded-for", value.encode("latin-1", "replace")) for value in values)]
    return [*found, (b"x-forwarded-proto", proto.encode())] if proto else found


@pytest.mark.parametrize(
    ("peer", "values", "address"),
    [
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["6.6.6.6, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["6.6.6.6", "192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["6.6.6.6, 192.0.2.7, 10.0.0.9"], "192.0.2.7"),
        ("10.0.0.1", ["10.0.0.7, 10.0.0.9"], "10.0.0.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7, <script>"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7, unknown, 10.0.0.9"], "10.0.0.9"),
        ("10.0.0.1", ["192.0.2.7:50123"], "192.0.2.7"),
        ("10.0.0.1", ["[2001:db8::7]:443"], "2001:db8::7"),
        ("10.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["::ffff:192.0.2.7"], "192.0.2.7"),
        ("fd00::1", ["192.0.2.7"], "192.0.2.7"),
        ("192.0.2.9", ["6.6.6.6"], "192.0.2.9"),
        ("::ffff:192.0.2.9", ["6.6.6.6"], "192.0.2.9"),
        ("10.0.0.1", [", ".join(["10.0.0.9"] * 500)], "10.0.0.9"),
    ],
)
def test_the_address_is_the_nearest_that_no_proxy_has(peer: str, values: list[str], address: str) -> None:
    """What browsers write to the left of it counts for nothing; nor does what strangers write at all."""
    assert client_of(peer, False, chain(*values), TRUSTED).address == address


@pytest.mark.parametrize(
    ("peer", "tls", "proto", "secure"),
    [
        ("10.0.0.1", False, "https", True),
        ("10.0.0.1", False, "HTTPS", True),
        ("10.0.0.1", False, "http", False),
        ("10.0.0.1", True, "http", False),
        ("10.0.0.1", False, "https, http", False),
        ("10.0.0.1", False, "http, https", False),
        ("10.0.0.1", False, "nonsense", False),
        ("10.0.0.1", False, "", False),
        ("10.0.0.1", True, "", True),
        ("192.0.2.9", False, "https", False),
        ("192.0.2.9", True, "http", True),
    ],
)
def test_secure_is_what_the_proxy_or_the_connection_says(peer: str, tls: bool, proto: str, secure: bool) -> None:
    """Two words that differ are not secure."""
    assert client_of(peer, tls, chain("192.0.2.7", proto=proto), TRUSTED).secure is secure


@given(
    peer=st.sampled_from(["10.0.0.1", "192.0.2.9", "fd00::1", "::ffff:127.0.0.1"]),
    forged=st.lists(st.text(st.characters(max_codepoint=255), max_size=30), max_size=4),
    browser=st.sampled_from(["192.0.2.7", "2001:db8::7", "203.0.113.50"]),
    proto=st.text(st.characters(max_codepoint=127), max_size=10),
)
def test_nobody_chooses_their_address(peer: str, forged: list[str], browser: str, proto: str) -> None:
    """Whatever a browser puts before what its proxy appends: the address is the one that the proxy saw."""
    headers = chain(*forged, browser, proto=proto)
    found = client_of(peer, False, headers, TRUSTED)
    if within(peer, TRUSTED):
        assert found.address == browser
    else:
        assert found == Client("192.0.2.9", False)


@given(st.lists(st.tuples(st.sampled_from([b"x-forwarded-for", b"x-forwarded-proto"]), st.binary(max_size=60))))
def test_any_bytes_are_decided(headers: list[tuple[bytes, bytes]]) -> None:
    """Never an exception, and always an address."""
    assert client_of("10.0.0.1", False, headers, TRUSTED).address


def sent(*pairs: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as they come."""
    return [(name.lower().encode(), value.encode()) for name, value in pairs]


def test_the_proxy_says_who_it_is() -> None:
    """With groups, each once."""
    headers = sent(("X-Remote-User", "ada"), ("X-Remote-Groups", "lab, staff,, lab "))
    assert proxy_user("10.0.0.1", headers, TRUSTED, LOGIN) == ProxyUser("ada", ("lab", "staff"))
    assert proxy_user("10.0.0.1", headers[:1], TRUSTED, LOGIN) == ProxyUser("ada", ())


def test_nobody_else_does() -> None:
    """Strangers with the header, proxies without it, and hubs without that log-in."""
    headers = sent(("X-Remote-User", "ada"))
    assert proxy_user("192.0.2.9", headers, TRUSTED, LOGIN) is None
    assert proxy_user("10.0.0.1", headers, (), LOGIN) is None
    assert proxy_user("10.0.0.1", headers, TRUSTED, ProxyLoginConfig()) is None
    assert proxy_user("10.0.0.1", sent(("X-Remote-User", " ")), TRUSTED, LOGIN) is None
    assert proxy_user("10.0.0.1", sent(("X_Remote_User", "ada")), TRUSTED, LOGIN) is None


@pytest.mark.parametrize(
    "headers",
    [
        sent(("X-Remote-User", "ada"), ("X-Remote-User", "eve")),
        sent(("X-Remote-User", "ada"), ("X-Remote-User", "ada")),
        sent(("X-Remote-User", "ada"), ("X-Remote-Groups", "a"), ("X-Remote-Groups", "admins")),
        sent(("X-Remote-User", "Ada Lovelace")),
        sent(("X-Remote-User", "owner")),
        sent(("X-Remote-User", "guest:x")),
        sent(("X-Remote-User", "ada,eve")),
        sent(("X-Remote-User", "ada"), ("X-Remote-Groups", ",".join(str(n) for n in range(201)))),
        [(b"x-remote-user", b"\xff\xfe")],
        [(b"x-remote-user", "ad\u200ba".encode())],
    ],
)
def test_headers_that_no_good_proxy_sends_are_refused(headers: list[tuple[bytes, bytes]]) -> None:
    """Twice the same is a browser's header that was not taken away."""
    with pytest.raises(WebError) as caught:
        proxy_user("10.0.0.1", headers, TRUSTED, LOGIN)
    assert caught.value.status == 400 and caught.value.remedy


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_user_header_is_decided(user: bytes, groups: bytes) -> None:
    """A name that may be somebody's, nobody, or a 400."""
    try:
        found = proxy_user("10.0.0.1", [(b"x-remote-user", user), (b"x-remote-groups", groups)], TRUSTED, LOGIN)
    except WebError:
        return
    assert found is None or found.name
