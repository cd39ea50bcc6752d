"""Heads of requests that two programs could read in two ways are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.hub.edge.bounds import Bounds
from pilothouse.hub.edge.heads import Refusal, refusal_of

HOST = (b"host", b"lab:8470")
BOUNDS = Bounds(headers=10, head_bytes=1000)


def refused(
    *headers: tuple[bytes, bytes], url: bytes = b"/", version: str = "1.1", upgrade: bool = False
) -> Refusal | None:
    """Why; None = served."""
    return refusal_of(version, url, headers, BOUNDS, upgrade=upgrade, may_be_large=True)


@pytest.mark.parametrize(
    "headers",
    [
        (HOST,),
        (HOST, (b"accept", b"a"), (b"accept", b"b")),
        (HOST, (b"x-forwarded-for", b"a"), (b"x-forwarded-for", b"b")),
        (HOST, (b"transfer-encoding", b"Chunked")),
        (HOST, (b"content-length", b"5")),
    ],
)
def test_ordinary_heads_are_served(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """Also with what may be there twice."""
    assert refused(*headers) is None


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ((), Refusal.HOSTS),
        ((HOST, HOST), Refusal.HOSTS),
        ((HOST, (b"host", b"evil")), Refusal.HOSTS),
        ((HOST, (b"authorization", b"a"), (b"authorization", b"b")), Refusal.TWICE),
        ((HOST, (b"cookie", b"a"), (b"cookie", b"b")), Refusal.TWICE),
        ((HOST, (b"origin", b"a"), (b"x", b"y"), (b"origin", b"a")), Refusal.TWICE),
        ((HOST, (b"transfer-encoding", b"identity")), Refusal.CODING),
        ((HOST, (b"transfer-encoding", b"xchunked")), Refusal.CODING),
        ((HOST, (b"transfer-encoding", b"gzip, chunked")), Refusal.CODING),
        ((HOST, *[(b"x-%d" % n, b"") for n in range(10)]), Refusal.MANY_HEADERS),
        ((HOST, (b"x", b"y" * 1000)), Refusal.LARGE_HEAD),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(headers: tuple[tuple[bytes, bytes], ...], why: Refusal) -> None:
    """And what is too much."""
    assert refused(*headers) is why


def test_versions() -> None:
    """1.0 and 1.1; only the former may come without a Host, and only the latter in chunks."""
    assert refused(version="1.0") is None
    assert refused(HOST, version="2.0") is Refusal.VERSION
    assert refused(version="0.9") is Refusal.VERSION
    assert refused(HOST, (b"transfer-encoding", b"chunked"), version="1.0") is Refusal.CODING


def test_another_protocol_cannot_be_asked_for_with_a_body() -> None:
    """The parser would take the body for the next request."""
    assert refused(HOST, upgrade=True) is None
    assert refused(HOST, (b"content-length", b"0"), upgrade=True) is None
    assert refused(HOST, (b"content-length", b"5"), upgrade=True) is Refusal.UPGRADE
    assert refused(HOST, (b"transfer-encoding", b"chunked"), upgrade=True) is Refusal.UPGRADE


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (b"/a?b=c", None),
        (b"//evil/x", None),
        (b"http://lab:8470/a", None),
        (b"HTTPS://LAB:8470", None),
        (b"http://lab:8470?a", None),
        (b"http://evil/a", Refusal.OTHER_HOST),
        (b"http://lab:8470@evil/a", Refusal.OTHER_HOST),
        (b"http://user@lab:8470/a", Refusal.OTHER_HOST),
        (b"file:///etc/passwd", Refusal.BAD),
        (b"lab:8470", Refusal.BAD),
        (b"*", Refusal.BAD),
        (b"/a#b", Refusal.BAD),
        (b"http://lab:8470/#b", Refusal.BAD),
    ],
)
def test_addresses_name_our_host_or_none(url: bytes, why: Refusal | None) -> None:
    """A proxy goes by the address, an application by the header: they must say the same."""
    assert refused(HOST, url=url) is why


@given(st.binary(max_size=40), st.lists(st.tuples(st.sampled_from([b"host", b"x", b"upgrade"]), st.binary(max_size=9))))
def test_any_head_is_decided(url: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Never an exception; what is served has one host."""
    if refused(*headers, url=url) is None:
        assert [name for name, _ in headers].count(b"host") == 1


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_says_why(refusal: Refusal) -> None:
    """With a status of the 4xx or 5xx, and a sentence."""
    assert 400 <= refusal.status < 600 and refusal.text.endswith(".")
