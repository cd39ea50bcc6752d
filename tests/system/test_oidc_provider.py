"""Asking a provider: what is remembered, what is asked anew, and whose certificate is trusted."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from pilothouse.config.site import Config, HubConfig, OidcConfig
from pilothouse.hub.certificates import make_authority, make_leaf
from pilothouse.hub.outside.oidc import Oidc
from pilothouse.hub.outside.opening import open_oidc
from pilothouse.hub.outside.provider import Provider
from pilothouse.hub.outside.routes import cookie
from pilothouse.hub.problems import WebError
from pilothouse.testing import FakeClock
from support.odd_provider import CLIENT, OddProvider

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def odd() -> Iterator[OddProvider]:
    """The provider."""
    with OddProvider() as provider:
        yield provider


async def test_what_was_asked_is_remembered_for_an_hour(odd):
    """Both what it says of itself and its keys; then a key that was taken back is believed no longer."""
    clock = FakeClock()
    provider = Provider(OidcConfig(issuer=odd.issuer, client_id=CLIENT), "", ssl.create_default_context(), clock)
    for _ in range(5):
        await provider.discovered()
        assert [key.kid for key in await provider.keys()] == ["first"]
    assert odd.asked == [DISCOVERY, "/keys"]
    odd.key = RSAKey.generate_key(2048, {"kid": "second", "use": "sig"})
    clock.tick(3601)
    assert [key.kid for key in await provider.keys()] == ["second"]
    assert odd.asked == [DISCOVERY, "/keys"] * 2


async def test_a_provider_that_was_away_is_asked_again(odd):
    """A failure is not remembered."""
    provider = Provider(OidcConfig(issuer=odd.issuer, client_id=CLIENT), "", ssl.create_default_context(), FakeClock())
    odd.told = {"issuer": "https://other.example"}
    with pytest.raises(WebError, match="calls itself"):
        await provider.discovered()
    odd.told = {}
    assert (await provider.discovered()).issuer == odd.issuer


async def test_keys_are_looked_for_once_however_many_ask(odd):
    """Two log-ins that meet the same new key cause one question."""
    provider = Provider(OidcConfig(issuer=odd.issuer, client_id=CLIENT), "", ssl.create_default_context(), FakeClock())
    old = await provider.keys()
    new = await provider.keys(other_than=old)
    assert new is not old and await provider.keys(other_than=old) is new
    assert odd.asked.count("/keys") == 2


def _tls(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for this machine, of an authority that nobody knows; and the authority's file."""
    now = datetime.now(UTC)
    authority = make_authority("a provider", ["127.0.0.1"], now)
    leaf = make_leaf(authority, ["127.0.0.1"], now)
    for name, content in (("ca.pem", authority.certificate), ("leaf.pem", leaf.certificate), ("key.pem", leaf.key)):
        (folder / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.pem", folder / "key.pem")
    return context, folder / "ca.pem"


def _opened(issuer: str, ca_file: str) -> Oidc:
    oidc = OidcConfig(issuer=issuer, client_id=CLIENT, ca_file=ca_file)
    config = Config(oidc=oidc, hub=HubConfig(public_url="https://pilot.example"))
    return open_oidc(config, "https://pilot.example", FakeClock())[0]


async def test_only_an_authority_that_is_trusted_vouches_for_a_provider(tmp_path):
    """`ca_file` names one; without it a certificate that nobody knows is an end, with no way round."""
    context, authority = _tls(tmp_path)
    with OddProvider(context) as odd:
        leaving = await _opened(odd.issuer, str(authority)).leave("/", "10.0.0.1", "")
        assert leaving.location.startswith(f"{odd.issuer}/authorize?")
        asked = len(odd.asked)
        with pytest.raises(WebError, match="certificate"):
            await _opened(odd.issuer, "").leave("/", "10.0.0.1", "")
        assert len(odd.asked) == asked


async def test_a_provider_with_tls_leads_nowhere_without(tmp_path):
    """A discovery document that came by https may name https only, also on this machine."""
    context, authority = _tls(tmp_path)
    with OddProvider(context) as odd:
        for host in ("192.0.2.1", "127.0.0.1:1"):
            odd.told = {"token_endpoint": f"http://{host}/token"}
            with pytest.raises(WebError, match="not https"):
                await _opened(odd.issuer, str(authority)).leave("/", "10.0.0.1", "")


def test_under_tls_the_cookie_can_be_planted_by_nobody():
    """The prefix makes the browser hold it to this host."""
    assert cookie(_opened("https://id.example", "")) == "__Host-ph_oidc"
