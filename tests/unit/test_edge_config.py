"""What `[hub]` may say of the way in: networks of proxies, and what does not go together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.config.edge import is_loopback, mistakes_of, parse_networks, plain_address, within
from pilothouse.config.site import HubConfig
from pilothouse.errors import BadValue, CannotStart
from pilothouse.hub.posture import PLAIN, posture_of

HTTPS = "https://lab.example.org"


@pytest.mark.parametrize(
    ("address", "networks", "inside"),
    [
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("11.1.2.3", ["10.0.0.0/8"], False),
        ("::ffff:10.1.2.3", ["10.0.0.0/8"], True),
        ("10.1.2.3", ["::ffff:10.0.0.0/104"], True),
        ("10.1.2.3", ["10.1.2.9/24"], True),
        ("fe80::1%eth0", ["fe80::/10"], True),
        ("::1", ["127.0.0.1"], False),
        ("nonsense", ["10.0.0.0/8"], False),
        ("", ["10.0.0.0/8"], False),
        ("10.1.2.3", [], False),
    ],
)
def test_an_address_is_in_a_network_or_not(address: str, networks: list[str], inside: bool) -> None:
    """Also in the clothes of the other family."""
    assert within(address, parse_networks(networks)) is inside


@pytest.mark.parametrize("text", ["", "proxy.example.org", "10.0.0", "10.0.0.0/33", "::/0", "0.0.0.0/0", "*"])
def test_names_nonsense_and_the_whole_world_are_no_network(text: str) -> None:
    """A name may come to mean another machine; the world is nobody's proxy."""
    with pytest.raises(BadValue):
        parse_networks([text])


@given(st.text(max_size=50))
def test_any_text_is_looked_up(text: str) -> None:
    """Never an exception."""
    assert isinstance(plain_address(text), str)
    assert within(text, parse_networks(["10.0.0.0/8", "fd00::/8"])) in (True, False)


@pytest.mark.parametrize(
    ("host", "near"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("LocalHost", True),
     ("::ffff:127.0.0.1", True), ("0.0.0.0", False), ("::", False), ("", False), ("10.0.0.1", False), ("pi", False)],
)  # fmt: skip
def test_loopback_is_known(host: str, near: bool) -> None:
    """A name of a machine may be any address, so it counts as far."""
    assert is_loopback(host) is near


@pytest.mark.parametrize(
    ("hub", "keys"),
    [
        (HubConfig(), []),
        (HubConfig(behind_proxy=("10.0.0.1",), public_url=HTTPS), []),
        (HubConfig(behind_proxy=("10.0.0.1",)), ["behind_proxy"]),
        (HubConfig(behind_proxy=("nginx",), public_url=HTTPS), ["behind_proxy"]),
        (HubConfig(certificate="c.pem"), ["certificate"]),
        (HubConfig(key="k.pem"), ["key"]),
        (HubConfig(certificate="c.pem", key="k.pem"), []),
        (HubConfig(certificate="c.pem", key="k.pem", tls="off"), ["tls"]),
        (HubConfig(public_url="lab.example.org"), ["public_url"]),
        (HubConfig(public_url="https://lab:99999"), ["public_url"]),
        (HubConfig(public_url="ftp://lab"), ["public_url"]),
    ],
)
def test_what_does_not_go_together_is_a_mistake(hub: HubConfig, keys: list[str]) -> None:
    """Each is named by its key; the hub does not start with it either."""
    assert [key for key, _, _ in mistakes_of(hub)] == keys
    if keys:
        with pytest.raises(CannotStart, match=f"hub.{keys[0]}"):
            posture_of(hub)


@pytest.mark.parametrize(
    ("hub", "kind", "tls", "hsts", "banner"),
    [
        (HubConfig(), "loopback", False, False, False),
        (HubConfig(tls="off"), "loopback", False, False, False),
        (HubConfig(insecure=True), "loopback", False, False, False),
        (HubConfig(host="::1"), "loopback", False, False, False),
        (HubConfig(host="0.0.0.0"), "own", True, False, False),
        (HubConfig(host="::"), "own", True, False, False),
        (HubConfig(host="pi", public_url=HTTPS), "own", True, False, False),
        (HubConfig(host="0.0.0.0", insecure=True), "insecure", False, False, True),
        (HubConfig(host="0.0.0.0", insecure=True, tls="off"), "insecure", False, False, True),
        (HubConfig(certificate="c", key="k"), "given", True, False, False),
        (HubConfig(host="0.0.0.0", certificate="c", key="k", public_url=HTTPS), "given", True, True, False),
        (HubConfig(host="::", certificate="c", key="k", public_url=HTTPS + ":8470"), "given", True, False, False),
        (HubConfig(host="::", certificate="c", key="k", insecure=True), "given", True, False, False),
        (HubConfig(host="0.0.0.0", behind_proxy=("10.0.0.1",), public_url=HTTPS), "proxy", False, True, False),
        (HubConfig(behind_proxy=("127.0.0.1",), public_url=HTTPS, tls="off"), "proxy", False, True, False),
        (HubConfig(behind_proxy=("127.0.0.1",), public_url="http://lab"), "proxy", False, False, True),
        (HubConfig(behind_proxy=("127.0.0.1",), public_url="http://localhost:80"), "proxy", False, False, False),
    ],
)
def test_the_posture_follows_from_the_configuration(
    hub: HubConfig, kind: str, tls: bool, hsts: bool, banner: bool
) -> None:
    """Plain only where only this machine listens, where a proxy does TLS, or where somebody said so."""
    found = posture_of(hub)
    assert (found.kind, found.tls, found.hsts, bool(found.banner)) == (kind, tls, hsts, banner)


def test_without_tls_beyond_loopback_it_does_not_start() -> None:
    """The error says all three ways out."""
    with pytest.raises(CannotStart) as caught:
        posture_of(HubConfig(host="0.0.0.0", tls="off"))
    text = str(caught.value)
    assert "passwords" in text and "--behind-proxy" in text and "--insecure" in text and 'tls = "off"' in text


@given(
    st.builds(
        HubConfig,
        host=st.sampled_from(["127.0.0.1", "0.0.0.0", "::", "pi", "10.0.0.5"]),
        tls=st.sampled_from(["auto", "off"]),
        public_url=st.sampled_from(["", HTTPS, "http://lab"]),
        certificate=st.sampled_from(["", "c"]),
        key=st.sampled_from(["", "k"]),
        behind_proxy=st.sampled_from([(), ("10.0.0.1",)]),
        insecure=st.booleans(),
    )
)
def test_nothing_is_plain_for_everybody_unless_somebody_said_so(hub: HubConfig) -> None:
    """Whatever the configuration: TLS, loopback, a proxy, or a banner."""
    try:
        found = posture_of(hub)
    except CannotStart:
        return
    if found.kind == "insecure":
        assert hub.insecure and found.banner
    elif found == PLAIN:
        assert is_loopback(hub.host)
    elif found.kind == "proxy":
        assert hub.behind_proxy and hub.public_url
    else:
        assert found.tls
