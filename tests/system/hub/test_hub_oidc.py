"""Log-in at a real identity provider: the certified oidc-provider on loopback, walked through as a browser does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from pilothouse.config.site import Config, NodeConfig, OidcConfig
from pilothouse.hub.outside.oidc import CALLBACK
from pilothouse.record.rows import Wanted
from support.form_browser import FormBrowser
from support.identity_provider import CLIENT, SECRET, IdentityProvider

USERS: dict[str, Any] = {
    "u-1": {"preferred_username": "lovelace", "name": "Ada Lovelace", "groups": ["lab"]},
    "u-2": {"preferred_username": "grace", "groups": ["lab", "staff"], "email": "grace@lab.example"},
    "u-3": {"preferred_username": "turing", "groups": ["visitors"]},
    "u-4": {"preferred_username": "Charles Babbage"},
    "u-5": {"name": "Nobody"},
}
GROUPS = {"lab": ("viewer", "operator@bench"), "staff": ("engineer", "admin")}


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    """A provider with users, whose redirect addresses are set when there is a hub."""
    async with IdentityProvider(users=USERS) as provider:
        yield provider


@pytest.fixture
async def config(provider: IdentityProvider, tmp_path: Path) -> Config:
    """A hub that lets people in from it."""
    secret = tmp_path / "client-secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    oidc = OidcConfig(issuer=provider.issuer, client_id=CLIENT, client_secret_file=str(secret), title="Lab log-in")
    return Config(node=NodeConfig(name="pi"), oidc=oidc, groups=GROUPS)


@pytest.fixture
async def hub(start_hub, config: Config, provider: IdentityProvider, tmp_path: Path) -> AsyncIterator[Any]:
    """That hub, known to the provider."""
    async with start_hub(tmp_path / "data", config) as hub:
        await provider.change(redirect_uris=[hub.url + CALLBACK])
        yield hub


@pytest.fixture
async def browser() -> AsyncIterator[FormBrowser]:
    """One browser."""
    browser = FormBrowser()
    yield browser
    await browser.close()


@pytest.fixture
async def new_browser() -> AsyncIterator[Callable[[], FormBrowser]]:
    """As many more as are wanted."""
    made: list[FormBrowser] = []

    def make() -> FormBrowser:
        made.append(FormBrowser())
        return made[-1]

    yield make
    for browser in made:
        await browser.close()


async def _to_the_callback(browser: FormBrowser, hub: Any, user: str, next: str = "/") -> str:
    """Log in at the provider, and give the address of the callback without opening it."""
    await browser.go(f"{hub.url}/login/oidc?next={next}", until=CALLBACK)
    for _ in range(4):
        if CALLBACK in browser.trail[-1]:
            return browser.trail[-1]
        assert browser.page is not None and browser.page.status_code == 200, browser.page
        fields = {"login": user, "password": "any"} if 'name="login"' in browser.page.text else {}
        await browser.send(until=CALLBACK, **fields)
    raise AssertionError(browser.trail)


async def _log_in(browser: FormBrowser, hub: Any, user: str, next: str = "/") -> Any:
    """The whole way; gives the page where it ends."""
    return await browser.go(await _to_the_callback(browser, hub, user, next))


async def _who(browser: FormBrowser, hub: Any) -> str:
    """Whom the hub takes this browser for; "" = nobody."""
    answer = await browser.client.get(f"{hub.url}/api/me")
    return str(answer.json()["who"]) if answer.status_code == 200 else ""


async def _acts(hub: Any, name: str) -> list[Any]:
    return (await hub.site.ledger.page(Wanted(kind="people", name=name), limit=100)).lines


async def test_a_whole_log_in(hub, provider, browser):
    """From the button to the page that was wanted: a person, their rights, a session, a line in the ledger."""
    page = await _log_in(browser, hub, "u-1", "/ledger?page=1")
    assert page.status_code == 200 and str(page.url) == f"{hub.url}/ledger?page=1"
    assert await _who(browser, hub) == "lovelace"
    person = await hub.site.people.persons.get("lovelace")
    assert (person.source, person.title, set(person.grants)) == ("oidc", "Ada Lovelace", set(GROUPS["lab"]))
    assert not person.has_password
    (session,) = await hub.site.people.sessions.of("lovelace")
    assert session.how == "oidc" and session.address == "127.0.0.1"
    (line,) = await _acts(hub, "login")
    assert (line.who, line.thing, line.input) == ("lovelace", "lovelace", {"from": "127.0.0.1"})


async def test_the_log_in_page_offers_it(hub, browser):
    """As a link with the way back, for a form may not lead to another site."""
    page = await browser.go(f"{hub.url}/login?next=/ledger")
    assert 'href="/login/oidc?next=/ledger"' in page.text and "Log in with Lab log-in" in page.text


async def test_what_goes_to_the_provider(hub, provider, browser):
    """Code flow, PKCE with S256, a state and a nonce; the way back is the hub's own; the cookie is for this alone."""
    answer = await browser.go(f"{hub.url}/login/oidc", until=provider.issuer)
    asked = {name: value[0] for name, value in parse_qs(urlsplit(browser.trail[-1]).query).items()}
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == hub.url + CALLBACK and asked["scope"] == "openid profile email"
    assert min(len(asked["state"]), len(asked["nonce"]), len(asked["code_challenge"])) >= 43
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("ph_oidc=") and "httponly" in cookie and "samesite=lax" in cookie
    assert "max-age=600" in cookie and "path=/" in cookie and "domain" not in cookie
    assert answer.headers["cache-control"] == "no-store"
    assert asked["state"] not in cookie and asked["nonce"] not in cookie


async def test_groups_give_rights_and_take_them(hub, provider, browser, new_browser):
    """At each log-in anew, also with the sessions that are open."""
    await _log_in(browser, hub, "u-2")
    assert set((await hub.site.people.persons.get("grace")).grants) == {"viewer", "operator@bench", "engineer", "admin"}
    assert (await browser.client.get(f"{hub.url}/api/ledger")).status_code == 200
    await provider.change(users=USERS | {"u-2": USERS["u-2"] | {"groups": ["visitors"]}})
    await _log_in(new_browser(), hub, "u-2")
    assert (await hub.site.people.persons.get("grace")).grants == ()
    seen = await browser.client.get(f"{hub.url}/api/things")
    assert seen.status_code == 403 or seen.json() == [] or not seen.json().get("things", ())


async def test_who_has_no_group_is_let_in_and_told(hub, browser):
    """They have no right, and a page says so and whom to ask; not an error."""
    page = await _log_in(browser, hub, "u-3")
    assert page.status_code == 200 and await _who(browser, hub) == "turing"
    assert (await hub.site.people.persons.get("turing")).grants == ()
    assert "nobody has given you a right" in page.text and "administrator" in page.text


@pytest.mark.parametrize(("user", "said"), [("u-4", "Charles Babbage"), ("u-5", "preferred_username")])
async def test_a_name_that_nobody_can_have_is_refused_with_a_sentence(hub, browser, user, said):
    """Not mended into another one: that might be somebody else's."""
    page = await _log_in(browser, hub, user)
    assert page.status_code == 403 and said in page.text and "oidc.name_claim" in page.text
    assert await _who(browser, hub) == ""
    assert not [person for person in await hub.site.people.persons.all() if person.source]


async def test_the_name_of_an_own_account_is_not_given_away(hub, browser):
    """Whoever is called so at the provider is refused, and the ledger says who tried; the account stays as it is."""
    before = await hub.site.people.persons.add("lovelace", grants=("admin",), password_hash="$argon2id$made-up")
    page = await _log_in(browser, hub, "u-1")
    assert page.status_code == 403 and "somebody else" in page.text
    assert await _who(browser, hub) == ""
    assert await hub.site.people.persons.get("lovelace") == before
    (line,) = await _acts(hub, "login.failed")
    assert line.thing == "lovelace" and line.who == "nobody" and line.input == {"from": "127.0.0.1"}


async def test_a_name_that_was_passed_on_at_the_provider_opens_nothing(hub, provider, browser, new_browser):
    """The person is who the provider's own number says; a new one with the old name is somebody else."""
    await _log_in(browser, hub, "u-2")
    await provider.change(users=USERS | {"u-9": USERS["u-2"], "u-2": USERS["u-2"] | {"preferred_username": "hopper"}})
    thief = new_browser()
    page = await _log_in(thief, hub, "u-9")
    assert page.status_code == 403 and await _who(thief, hub) == ""
    again = new_browser()
    await _log_in(again, hub, "u-2")
    assert await _who(again, hub) == "grace"


async def test_who_is_disabled_here_stays_out(hub, browser, new_browser):
    """Whatever the provider says."""
    await _log_in(browser, hub, "u-1")
    await hub.site.people.persons.set_active("lovelace", False)
    other = new_browser()
    page = await _log_in(other, hub, "u-1")
    assert page.status_code == 403 and "disabled" in page.text
    assert await _who(other, hub) == "" == await _who(browser, hub)


async def test_without_groups_in_the_configuration_rights_are_given_here(
    start_hub, config, provider, tmp_path, browser
):
    """And stay at the next log-in."""
    config = msgspec.structs.replace(config, groups={})
    async with start_hub(tmp_path / "other", config) as hub:
        await provider.change(redirect_uris=[hub.url + CALLBACK])
        await _log_in(browser, hub, "u-1")
        await hub.site.people.persons.set_grants("lovelace", ("operator",))
        await _log_in(browser, hub, "u-1")
        assert (await hub.site.people.persons.get("lovelace")).grants == ("operator",)


async def test_a_callback_works_once(hub, browser, new_browser):
    """Again in the same browser, and in one that has its cookies."""
    callback = await _to_the_callback(browser, hub, "u-1")
    cookie = browser.client.cookies["ph_oidc"]
    assert (await browser.go(callback)).status_code == 200
    page = await browser.go(callback)
    assert page.status_code == 400 and "begun in this browser" in page.text
    thief = new_browser()
    thief.client.cookies.set("ph_oidc", cookie)
    assert (await thief.go(callback)).status_code == 400 and await _who(thief, hub) == ""


async def test_a_callback_in_another_browser_is_refused(hub, browser, new_browser):
    """With no cookie and with one of its own: nobody can be logged in as somebody else; the right browser still can."""
    callback = await _to_the_callback(browser, hub, "u-1")
    other, third = new_browser(), new_browser()
    assert (await other.go(callback)).status_code == 400
    await _to_the_callback(third, hub, "u-2")
    assert (await third.go(callback)).status_code == 400
    assert await _who(other, hub) == await _who(third, hub) == ""
    assert (await browser.go(callback)).status_code == 200 and await _who(browser, hub) == "lovelace"


async def test_a_code_works_once(hub, browser, new_browser):
    """Put into another log-in, used or not, it is worth nothing: the provider wants the proof of who ordered it."""
    used = await _to_the_callback(browser, hub, "u-1")
    assert (await browser.go(used)).status_code == 200
    fresh = await _to_the_callback(new_browser(), hub, "u-2")
    for callback in (used, fresh):
        thief = new_browser()
        own = await _to_the_callback(thief, hub, "u-3")
        code, mine = (parse_qs(urlsplit(url).query)["code"][0] for url in (callback, own))
        page = await thief.go(own.replace(mine, code))
        assert page.status_code == 502 and "invalid_grant" in page.text
        assert await _who(thief, hub) == ""


async def test_the_answer_of_another_provider_is_refused(hub, browser):
    """Its name stands in the callback; another one, or none, is a mix-up."""
    for other in ("https://evil.example", ""):
        callback = await _to_the_callback(browser, hub, "u-1")
        issuer = parse_qs(urlsplit(callback).query)["iss"][0]
        encoded = issuer.replace(":", "%3A").replace("/", "%2F")
        assert encoded in callback
        page = await browser.go(callback.replace(encoded, other))
        assert page.status_code == 400 and "another provider" in page.text
    assert await _who(browser, hub) == ""


async def test_somebody_who_turns_back_is_told(hub, provider, browser):
    """Access denied: a page with the way back, no session; the provider's words are words and no markup."""
    page = await browser.go(f"{hub.url}/login/oidc")
    abort = str(page.url) + "/abort"
    page = await browser.go(abort)
    assert page.status_code == 403 and "did not let you in" in page.text
    await browser.go(f"{hub.url}/login/oidc", until=provider.issuer)
    state = parse_qs(urlsplit(browser.trail[-1]).query)["state"][0]
    said = "%3Cscript%3Ealert(1)%3C/script%3E%0D%0AX-Evil: 1"
    page = await browser.go(
        f"{hub.url}{CALLBACK}?state={state}&error=server_error&error_description={said}&iss={provider.issuer}"
    )
    assert page.status_code == 502 and "&lt;script&gt;" in page.text and "<script>alert" not in page.text
    assert "x-evil" not in page.headers and await _who(browser, hub) == ""


@pytest.mark.parametrize(
    "query",
    ["", "?state=&code=", "?code=a", "?state=made-up&code=a", "?state=a&state=b&code=c", "?state=a&code=" + "x" * 5000],
)
async def test_a_callback_that_nobody_ordered_is_refused(hub, browser, query):
    """By a page, without a question to the provider, and without a line in the ledger."""
    page = await browser.go(hub.url + CALLBACK + query)
    assert page.status_code == 400 and page.headers["content-type"].startswith("text/html")
    assert await _acts(hub, "login.failed") == []


@pytest.mark.parametrize(
    "next", ["//evil.example", "https://evil.example", "/%5Cevil.example", "/login/oidc", "/logout"]
)
async def test_nobody_is_led_to_another_site(hub, browser, next):
    """The way ends on this hub, and not in a circle."""
    page = await _log_in(browser, hub, "u-2", next)
    assert page.status_code == 200 and str(page.url).startswith(hub.url + "/")
    assert "evil" not in "".join(browser.trail[-2:])


async def test_a_log_in_goes_to_the_one_address_that_the_provider_knows(hub, browser):
    """Whoever came by another name of this hub is led there first, for cookies stay with the name."""
    port = urlsplit(hub.url).port
    page = await browser.go(f"http://localhost:{port}/login/oidc?next=/ledger", until="127.0.0.1")
    assert page.status_code == 303 and browser.trail[-1].startswith(f"{hub.url}/login/oidc?next=%2Fledger")
    assert "set-cookie" not in page.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_site_cannot_press_the_button(hub, browser, site):
    """It can lead people to the log-in page; from our own pages and from nowhere the way to the provider is open."""
    answer = await browser.client.get(f"{hub.url}/login/oidc?next=/ledger", headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 303 and answer.headers["location"] == "/login?next=%2Fledger"
    for own in ("same-origin", "none"):
        answer = await browser.client.get(f"{hub.url}/login/oidc", headers={"Sec-Fetch-Site": own})
        assert answer.headers["location"].startswith("http://127.0.0.1") and "state=" in answer.headers["location"]


async def test_asking_for_the_head_begins_nothing(hub, browser):
    """A HEAD neither begins a log-in nor uses one up."""
    callback = await _to_the_callback(browser, hub, "u-1")
    assert "set-cookie" not in (await browser.client.head(f"{hub.url}/login/oidc")).headers
    await browser.client.head(callback)
    assert (await browser.go(callback)).status_code == 200


async def test_new_keys_of_the_provider_are_found(hub, provider, browser, new_browser):
    """By a token that is signed with one, with nobody's help."""
    await _log_in(browser, hub, "u-1")
    await provider.change(rotate=True)
    other = new_browser()
    await _log_in(other, hub, "u-2")
    assert await _who(other, hub) == "grace"


async def test_claims_in_the_token_itself_are_as_good(hub, provider, browser):
    """Providers differ in where they put them."""
    await provider.change(claims_at_userinfo=False)
    await _log_in(browser, hub, "u-2")
    assert await _who(browser, hub) == "grace"
    assert "admin" in (await hub.site.people.persons.get("grace")).grants


async def test_the_secret_is_sent_as_the_provider_takes_it(hub, provider, browser):
    """In the body where it says so; with another secret nobody gets in, and no page shows either."""
    await provider.change(auth_method="client_secret_post")
    await _log_in(browser, hub, "u-1")
    assert await _who(browser, hub) == "lovelace"
    browser.client.cookies.clear()
    await provider.change(client_secret="another")
    page = await _log_in(browser, hub, "u-2")
    assert page.status_code == 502 and "invalid_client" in page.text
    assert SECRET not in page.text and "a%2Bb" not in page.text and await _who(browser, hub) == ""


async def test_a_provider_that_is_gone_is_a_page_and_no_more(hub, provider, browser):
    """Before and during a log-in; the hub goes on, and others come in meanwhile."""
    callback = await _to_the_callback(browser, hub, "u-1")
    await provider.stop()
    page = await browser.go(callback)
    assert page.status_code == 503 and "does not answer" in page.text
    assert (await hub.client.get("/healthz")).status_code == 200
    assert (await hub.client.get("/api/things")).status_code == 200


async def test_nothing_secret_is_logged_or_shown(hub, provider, browser, caplog):
    """Neither the client's secret nor state, code, nonce or cookies, whatever goes wrong."""
    caplog.set_level("DEBUG")
    callback = await _to_the_callback(browser, hub, "u-1")
    cookie = browser.client.cookies["ph_oidc"]
    pages = [(await browser.go(callback)).text, (await browser.go(callback)).text]
    await provider.change(client_secret="another")
    other = await _to_the_callback(browser, hub, "u-1")
    pages.append((await browser.go(other)).text)
    secrets = [SECRET, "a%2Bb", cookie]
    for url in (callback, other):
        query = parse_qs(urlsplit(url).query)
        secrets += query["code"] + query["state"]
    # The test's own browser speaks through the same library, so what that logs is not all ours.
    ours = "".join(
        record.getMessage()
        for record in caplog.records
        if record.name.partition(".")[0] in ("pilothouse", "authlib", "joserfc", "litestar", "asyncio")
    )
    for secret in secrets:
        assert secret not in ours + "".join(pages)
    assert SECRET not in caplog.text and SECRET not in repr(hub.site.config)
