"""What a configuration for log-in elsewhere must have, found before anybody tries."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from pilothouse.config.site import Config, HubConfig, OidcConfig, ProxyLoginConfig
from pilothouse.errors import CannotStart
from pilothouse.hub.outside import Button, open_outside
from pilothouse.testing import FakeClock

GOOD = OidcConfig(issuer="https://id.example/realms/lab", client_id="pilothouse", title="Lab log-in")


def _site(config: Config, url: str = "http://127.0.0.1:8470") -> Any:
    """As much of a site as is asked here."""
    return SimpleNamespace(config=config, url=url, clock=FakeClock(), people=None, audit=None)


def _refused(config: Config, said: str) -> CannotStart:
    with pytest.raises(CannotStart, match=said) as caught:
        open_outside(_site(config))
    return caught.value


def test_nothing_is_there_unless_it_is_configured():
    """No route, no button, no header."""
    outside = open_outside(_site(Config()))
    assert (outside.routes, outside.button, outside.header, outside.oidc) == ((), None, None, None)


def test_a_provider_gives_a_button_and_two_routes():
    """And is not asked for anything yet: a provider that is down keeps no hub from starting."""
    outside = open_outside(_site(Config(oidc=GOOD)))
    assert outside.button == Button("Log in with Lab log-in", "/login/oidc")
    assert len(outside.routes) == 2 and outside.oidc is not None and outside.header is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"issuer": "http://id.example"}, "no https address"),
        ({"issuer": "id.example"}, "no https address"),
        ({"issuer": "https://["}, "no https address"),
        ({"issuer": "http://127.0.0.1.evil.example"}, "no https address"),
        ({"client_id": ""}, "client_id is empty"),
        ({"scopes": ("profile",)}, '"openid"'),
        ({"client_secret_file": "/nowhere/secret"}, "client secret"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(change, said):
    """One sentence each, not a surprise at the first log-in."""
    fields = {name: getattr(GOOD, name) for name in GOOD.__struct_fields__} | change
    _refused(Config(oidc=OidcConfig(**fields)), said)


def test_an_authority_that_is_no_certificate_is_said(tmp_path):
    """With the file."""
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    _refused(Config(oidc=OidcConfig(issuer=GOOD.issuer, client_id="a", ca_file=str(file))), str(file))


def test_a_provider_on_this_machine_need_not_have_tls():
    """Nobody listens on the way."""
    for host in ("127.0.0.1:9000", "[::1]:9000", "localhost:9000"):
        assert open_outside(_site(Config(oidc=OidcConfig(issuer=f"http://{host}", client_id="a")))).oidc is not None


def test_a_hub_with_many_addresses_says_which_one_is_meant():
    """The provider sends browsers back to one."""
    _refused(Config(oidc=GOOD, hub=HubConfig(host="0.0.0.0")), "hub.public_url")
    hub = HubConfig(host="0.0.0.0", public_url="https://pilot.example")
    assert open_outside(_site(Config(oidc=GOOD, hub=hub), "https://pilot.example")).oidc is not None


def test_headers_are_believed_of_named_proxies_only():
    """Without a name of a proxy there is no start at all."""
    login = ProxyLoginConfig(user_header="X-Remote-User")
    _refused(Config(proxy_login=login), "hub.behind_proxy")
    hub = HubConfig(behind_proxy=("127.0.0.1",), public_url="https://pilot.example")
    assert open_outside(_site(Config(proxy_login=login, hub=hub))).header is not None


@pytest.mark.parametrize("missing", ["authlib", "joserfc"])
def test_the_extra_that_is_not_installed_is_named(monkeypatch, missing):
    """With the line to type."""
    for name in list(sys.modules):
        if name.partition(".")[0] in ("authlib", "joserfc") or name.startswith("pilothouse.hub.outside."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    error = _refused(Config(oidc=GOOD), "not installed")
    assert error.remedy == "Install it: pip install 'pilothouse[oidc]'"


def test_nobody_pays_for_it_who_does_not_use_it():
    """A hub without [oidc] has none of its libraries in memory; an agent neither."""
    for module in ("pilothouse.hub.serving", "pilothouse.agent.node"):
        script = f"import sys, {module}; print([name for name in ('authlib', 'joserfc') if name in sys.modules])"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"
