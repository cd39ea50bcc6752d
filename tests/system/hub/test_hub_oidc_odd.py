"""A provider that misbehaves: wrong tokens, answers that are none, silence. Nobody gets in, and the hub goes on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from pilothouse.config.site import Config, NodeConfig, OidcConfig
from pilothouse.hub.outside.oidc import CALLBACK
from support.form_browser import FormBrowser
from support.odd_provider import CLIENT, OddProvider

Twist = Callable[[OddProvider, dict[str, Any]], str]


@pytest.fixture
def odd() -> Iterator[OddProvider]:
    """The provider."""
    with OddProvider() as provider:
        yield provider


def _config(odd: OddProvider, folder: Path) -> Config:
    """With a client secret."""
    secret = folder / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    oidc = OidcConfig(issuer=odd.issuer, client_id=CLIENT, client_secret_file=str(secret))
    return Config(node=NodeConfig(name="pi"), oidc=oidc, groups={"lab": ("viewer",)})


@pytest.fixture
async def hub(start_hub, odd: OddProvider, tmp_path: Path) -> AsyncIterator[Any]:
    """A hub that lets people in from it."""
    oidc = OidcConfig(issuer=odd.issuer, client_id=CLIENT)
    config = Config(node=NodeConfig(name="pi"), oidc=oidc, groups={"lab": ("viewer",)})
    async with start_hub(tmp_path / "data", config) as hub:
        yield hub


@pytest.fixture
async def browser() -> AsyncIterator[FormBrowser]:
    """One browser."""
    browser = FormBrowser()
    yield browser
    await browser.close()


async def _refused(browser: FormBrowser, hub: Any, *statuses: int) -> str:
    """Try to log in; the text of the page that refuses it. Nobody is in, nobody was made, and the hub is well."""
    page = await browser.go(f"{hub.url}/login/oidc?next=/account")
    assert page.status_code in statuses, (page.status_code, page.text)
    assert page.headers["content-type"].startswith("text/html")
    assert (await browser.client.get(f"{hub.url}/api/me")).status_code == 401
    assert await hub.site.people.persons.get("lovelace") is None
    assert await hub.site.people.sessions.of("lovelace") == []
    assert (await hub.client.get("/healthz")).status_code == 200
    return page.text


async def test_as_it_is_made_it_is_a_good_provider(hub, odd, browser):
    """So that the refusals below are for what was twisted, and for nothing else."""
    page = await browser.go(f"{hub.url}/login/oidc")
    assert page.status_code == 200
    assert (await browser.client.get(f"{hub.url}/api/me")).json()["who"] == "lovelace"
    assert (await hub.site.people.persons.get("lovelace")).grants == ("viewer",)


def _with(**changes: Any) -> Twist:
    return lambda odd, claims: odd.sign(claims | changes)


def _late(odd: OddProvider, claims: dict[str, Any]) -> str:
    return odd.sign(claims | {"exp": int(time.time()) - 3600, "iat": int(time.time()) - 7200})


def _early(odd: OddProvider, claims: dict[str, Any]) -> str:
    return odd.sign(claims | {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 7200})


def _unsigned(odd: OddProvider, claims: dict[str, Any]) -> str:
    good = odd.sign(claims).split(".")
    return f"eyJhbGciOiJub25lIn0.{good[1]}."  # {"alg":"none"}


def _hmac(odd: OddProvider, claims: dict[str, Any]) -> str:
    public = odd.key.as_pem(private=False)
    return jwt.encode({"alg": "HS256", "kid": "first"}, claims, OctKey(public, public), ["HS256"])


def _signed_by_a_stranger(odd: OddProvider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "first"}, claims, STRANGER)


def _unknown(odd: OddProvider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "second"}, claims, STRANGER)


def _changed(odd: OddProvider, claims: dict[str, Any]) -> str:
    good, other = odd.sign(claims).split("."), odd.sign(claims | {"preferred_username": "grace"}).split(".")
    return f"{good[0]}.{other[1]}.{good[2]}"


STRANGER = RSAKey.generate_key(2048)
TWISTS: dict[str, Twist] = {
    "other issuer": _with(iss="https://other.example"),
    "wrong audience": _with(aud="somebody-else"),
    "two audiences, no azp": _with(aud=[CLIENT, "other"]),
    "wrong azp": _with(azp="somebody-else"),
    "wrong nonce": _with(nonce="of-another-log-in"),
    "no nonce": _with(nonce=None),
    "wrong at_hash": _with(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "no subject": _with(sub=""),
    "run out": _late,
    "from the future": _early,
    "alg none": _unsigned,
    "HS256 with the public key": _hmac,
    "signed by a stranger": _signed_by_a_stranger,
    "signed with an unknown key": _unknown,
    "changed on the way": _changed,
    "no token": lambda odd, claims: "no token",
    "very long": lambda odd, claims: odd.sign(claims) + "é" * 300_000,
}


async def test_a_token_that_is_wrong_lets_nobody_in(hub, odd, browser):
    """A page that says that it cannot be believed, and not one word of the token."""
    for name, twist in TWISTS.items():
        given: list[str] = []

        def token(claims: dict[str, Any], twist: Twist = twist, given: list[str] = given) -> str:
            given.append(twist(odd, claims))
            return given[-1]

        odd.token = token
        page = await _refused(browser, hub, 502)
        assert len(given) == 1 and (len(given[0]) < 30 or given[0][-30:] not in page), name


async def test_an_unknown_key_is_looked_for_once(hub, odd, browser):
    """And not again and again."""
    odd.token = lambda claims: _unknown(odd, claims)
    await _refused(browser, hub, 502)
    assert odd.asked.count("/keys") == 2


async def test_a_token_of_one_log_in_is_none_for_another(hub, odd, browser):
    """The nonce: a good token that was given to somebody else in another log-in."""
    tokens: list[str] = []

    def remember(claims: dict[str, Any]) -> str:
        tokens.append(odd.sign(claims | {"preferred_username": "grace"}))
        return tokens[0]

    odd.token = remember
    assert (await browser.go(f"{hub.url}/login/oidc")).status_code == 200
    browser.client.cookies.clear()
    await _refused(browser, hub, 502)
    assert len(tokens) == 2


TOLD: list[tuple[dict[str, Any], str]] = [
    ({"issuer": "https://other.example"}, "calls itself"),
    ({"issuer": 5}, "discovery document"),
    ({"token_endpoint": "http://192.0.2.1/token"}, "not https"),
    ({"jwks_uri": "file:///etc/passwd"}, "not https"),
    ({"authorization_endpoint": "javascript:alert(1)"}, "not https"),
    ({"userinfo_endpoint": "http://[::"}, "not https"),
    ({"token_endpoint": None}, "discovery document"),
]


async def test_a_discovery_document_that_is_odd_leads_nowhere(hub, odd, browser):
    """No browser is sent to such an address, and no secret."""
    for told, said in TOLD:
        odd.told = told
        assert said in await _refused(browser, hub, 502), told
    assert set(odd.asked) == {"/.well-known/openid-configuration"}


async def test_only_shared_secrets_announced_is_no_provider_of_ours(hub, odd, browser):
    """A provider that signs with none or HS256 alone."""
    odd.told = {"id_token_signing_alg_values_supported": ["none", "HS256"]}
    assert "can be trusted" in await _refused(browser, hub, 502)


def _says(status: int, body: bytes, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        try:
            handler.wfile.write(body)
        except ConnectionError:
            return  # the hub has read enough

    return answer


PATHS = ["/.well-known/openid-configuration", "/keys", "/token"]
ANSWERS = {
    "no JSON": _says(200, b"<html>"),
    "a list": _says(200, b"[]"),
    "nothing": _says(200, b""),
    "an error": _says(500, b"{}"),
    "not there": _says(404, b"{}"),
    "elsewhere": _says(302, b"", Location="https://evil.example/"),
    "too much": _says(200, b'{"a": "' + b"x" * 3_000_000 + b'"}'),
    "a bomb": _says(200, b"\x1f\x8b" + b"x" * 100, Content_Encoding="gzip"),
    "too deep": _says(200, b"[" * 100_000),
    "hung up": lambda handler: handler.connection.close(),
}


async def test_an_answer_that_is_none_is_a_page(hub, odd, browser):
    """Whatever is asked and whatever comes, the hub goes on; nothing is followed to another place."""
    for path in PATHS:
        for answer in ANSWERS.values():
            odd.answers = {path: answer}
            await _refused(browser, hub, 502, 503)
    odd.answers = {}
    assert (await browser.go(f"{hub.url}/login/oidc")).status_code == 200
    assert not any("evil" in url for url in browser.trail)


async def test_a_provider_that_is_slow_is_not_waited_for(hub, odd, browser, monkeypatch):
    """Others are served meanwhile. The patience is shortened here, so that the test is not as long."""
    monkeypatch.setattr("pilothouse.hub.outside.provider.PATIENCE", 0.2)

    def dripping(handler: BaseHTTPRequestHandler) -> None:
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not odd.over.wait(0.02):
                handler.wfile.write(b" ")
        except ConnectionError:
            return

    for path in PATHS:
        odd.answers = {path: dripping}
        assert "took longer" in await _refused(browser, hub, 503)


async def test_the_provider_s_own_words_are_only_words(hub, odd, browser):
    """Of an error at the token endpoint, of a name, of a title."""
    odd.answers["/token"] = _says(
        400, b'{"error": "x<b>", "error_description": "<img src=x onerror=alert(1)>\\n{{7*7}}"}'
    )
    page = await _refused(browser, hub, 502)
    assert "&lt;img" in page and "<img src=x" not in page and "{{7*7}}" in page
    odd.answers.clear()
    odd.claims = {"sub": "1", "preferred_username": "<script>alert(1)</script>"}
    page = await _refused(browser, hub, 403)
    assert "&lt;script&gt;" in page and "<script>alert" not in page
    odd.claims = {"sub": "1", "preferred_username": "eve", "name": "<script>alert(2)</script>", "groups": ["lab"]}
    page = (await browser.go(f"{hub.url}/login/oidc?next=/account")).text
    assert "<script>alert(2)" not in page


@pytest.mark.parametrize("methods", [["client_secret_post"], ["client_secret_basic", "private_key_jwt"], None])
async def test_the_secret_goes_where_the_provider_takes_it(start_hub, odd, browser, tmp_path, methods):
    """In the head unless it says that it takes the body only; never in both, never in an address."""
    config = _config(odd, tmp_path)
    odd.told = {"token_endpoint_auth_methods_supported": methods}
    async with start_hub(tmp_path / "data", config) as hub:
        assert (await browser.go(f"{hub.url}/login/oidc")).status_code == 200
    in_body = methods == ["client_secret_post"]
    assert (odd.forms[-1].get("client_secret") == "s3cret") == in_body
    assert not any("s3cret" in url for url in browser.trail)


async def test_a_provider_that_takes_no_secret_is_told_apart(start_hub, odd, browser, tmp_path):
    """Before anything is sent to it."""
    odd.told = {"token_endpoint_auth_methods_supported": ["private_key_jwt", "tls_client_auth"]}
    async with start_hub(tmp_path / "data", _config(odd, tmp_path)) as hub:
        assert "private_key_jwt" in await _refused(browser, hub, 502)
    assert odd.forms == []


async def test_somebody_else_s_claims_are_not_mixed_in(hub, odd, browser):
    """What the second question says has to be of the same subject."""
    odd.told = {"userinfo_endpoint": f"{odd.issuer}/userinfo"}
    odd.claims = {"sub": "1", "preferred_username": "lovelace"}
    odd.answers["/userinfo"] = _says(200, b'{"sub": "2", "groups": ["lab"]}')
    assert "somebody else" in await _refused(browser, hub, 502)
    odd.answers["/userinfo"] = _says(200, b'{"sub": "1", "preferred_username": "grace", "groups": ["lab"]}')
    assert (await browser.go(f"{hub.url}/login/oidc")).status_code == 200
    person = await hub.site.people.persons.get("lovelace")
    assert person.grants == ("viewer",) and await hub.site.people.persons.get("grace") is None


async def test_a_flood_of_log_ins_is_bounded(hub, odd, browser):
    """Each is begun without a log-in, so each is cheap and there is an end to them."""
    first = await browser.go(f"{hub.url}/login/oidc", until=odd.issuer)
    assert first.status_code == 303
    state = parse_qs(urlsplit(browser.trail[-1]).query)["state"][0]
    for _ in range(30):
        assert (await hub.stranger.get("/login/oidc")).status_code == 303
        hub.stranger.cookies.clear()
    page = await browser.go(f"{hub.url}{CALLBACK}?state={state}&code=a")
    assert page.status_code == 400, "the oldest of this address is forgotten"
    assert odd.asked.count("/.well-known/openid-configuration") == 1
